"""The contents of a run's files: what each must hold, and how losses and scores are read."""

import csv
import math

from data_reader.errors import InputError
from data_reader.fields import (
    ANYTHING,
    FLAG,
    NUMBER_OR_NAN,
    TEXT,
    Each,
    Kind,
    check_fields,
    list_of,
    number,
    optional,
    read_fields,
    whole,
)

LOSS_COLUMNS = ("epoch", "loss", "val_loss", "learning_rate", "seconds", "words_per_second", "bleu")
EXPERIMENT = {
    "name": TEXT,
    "model": TEXT,
    "model_settings": Each(ANYTHING),
    "data": optional(TEXT),
    "extractor": TEXT,
    "word_embeddings": optional(TEXT),
    "epochs": whole(),
    "stories_per_batch": whole(),
    "learning_rate": number(0),
    "learning_rate_decays": FLAG,
    "gradient_clip_value": number(0),
    "precision": TEXT,
    "all_reduce_precision": TEXT,
    "bias_from_word_frequencies": FLAG,
    "seed": whole(0),
    "early_stopping_patience": optional(whole()),
    "save_every_steps": whole(),
    "score_every_epochs": whole(0),
    "notes": TEXT,
}
FEATURES = {
    "extractor": TEXT,
    "weights_checksum": TEXT,
    "channel_means": list_of(number(0, 255), 3),
    "precision": TEXT,
    "feature_size": whole(),
    "photos_per_story": whole(),
}
ENVIRONMENT = {
    "git_commit": optional(TEXT),
    "packages": Each(TEXT),
    "python": TEXT,
    "machine": TEXT,
    "workers": whole(),
    "seed": whole(0),
    "vocabulary_checksum": TEXT,
    "trainable_weights": whole(0),
}
FINISHED = {
    "epochs": whole(),
    "best_epoch": whole(),
    "best_val_loss": number(0),
    "seconds": number(0),
    "reason": TEXT,
}
_SCORE = {
    "value": NUMBER_OR_NAN,
    "interval": list_of(NUMBER_OR_NAN, 2),
    "is_share": FLAG,
    "higher_is_better": optional(FLAG),
}
_SCORES = {
    "protocols": Each({"texts": whole(0), "scores": Each(_SCORE)}),
    "diversity": Each(Each(NUMBER_OR_NAN)),
    "decoding": Each(ANYTHING),
    "counts": Each(whole(0)),
    "missing": Each(TEXT),
    "versions": Each(TEXT),
}
_RECALL = {"own": number(0, 100), "other": number(0, 100), "facts": whole(0)}
_ROW = Kind("a list of numbers", list_of(number()).holds)
_ALBUM_SUMS = {"albums": list_of(TEXT), "sums": list_of(_ROW)}


class Share(float):
    """A score from 0 to 1, which people read in percent."""


def read_losses(path):
    """Read loss.csv -> `{column: numbers}`, one per epoch; nan where the file has none.

    An incomplete last line is ignored; before the first epoch ends there are no numbers.

    Raises:
        InputError: the file is broken.
    """
    columns = {name: [] for name in LOSS_COLUMNS}
    if not path.is_file():
        return columns
    for line, row in enumerate(_rows(path), 2):
        for name, text in row.items():
            columns[name].append(_number(path, line, name, text))
        if columns["epoch"][-1] != line - 1:
            raise InputError(
                f"{path}, line {line}: epoch is {row['epoch']!r}, expected {line - 1}."
            )
    return columns


def _rows(path):
    """List the whole lines of loss.csv as dictionaries of texts."""
    try:
        with open(path, encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file)
            found = tuple(rows.fieldnames or LOSS_COLUMNS)
            whole_rows = [row for row in rows if None not in row.values()]
    except (ValueError, csv.Error) as error:
        raise InputError(f"{path} can't be read: {error}") from error
    if found != LOSS_COLUMNS or any(None in row for row in whole_rows):
        raise InputError(
            f"{path} can't be read: it has the columns {', '.join(found)}, expected "
            f"{', '.join(LOSS_COLUMNS)} and no more; another version of this project wrote it."
        )
    return whole_rows


def _number(path, line, name, text):
    """The number of a cell; a loss may be infinite, but no number is negative."""
    try:
        value = float(text or "nan")
    except ValueError:
        value = -1.0
    if value < 0 or 1e300 < value < math.inf:
        raise InputError(
            f"{path}, line {line}: {name} is {text[:60]!r}, expected a number from 0 or nothing."
        )
    return value


def read_scores(path):
    """Read the contents of a scores file, see docs/scores.md.

    Raises:
        FileNotFoundError: there is no such file.
        InputError: it is broken.
    """
    contents = read_fields(path, _SCORES)
    for protocol, details in contents.get("protocols", {}).items():
        for name, score in details.get("scores", {}).items():
            if missing := [field for field in ("value", "is_share") if field not in score]:
                raise InputError(f"{path}: {protocol} {name} lacks {', '.join(missing)}.")
            summary = f"{protocol} {name}"
            check_fields(path, contents.get(summary, math.nan), NUMBER_OR_NAN, summary)
    return contents


def summary_of_scores(contents):
    """The numbers with which a scores file begins; what they are stands by protocol after them."""
    protocols = contents.get("protocols", {})
    summary = {name: score for name, score in contents.items() if isinstance(score, float)}
    for key in summary:
        protocol, _, name = key.partition(" ")
        details = protocols.get(protocol, {}).get("scores", {}).get(name, {})
        summary[key] = Share(summary[key]) if details.get("is_share") else summary[key]
    return summary


def read_fact_recall(path):
    """Read the fact recall of a run's stories -> `{fact: {"own", "other", ...}}`, in percent.

    The fact "all" is among them.

    Raises:
        FileNotFoundError: there is no such file.
        InputError: it is broken.
    """
    contents = read_fields(path, Each(_RECALL), ("all",))
    _check_needed(path, contents, ("own", "other"))
    return contents


def read_album_sums(path):
    """Read what scores are computed of -> `{protocol and score: {"albums": [ids], "sums"}}`.

    The sums are numbers [G, S], one row per album.

    Raises:
        FileNotFoundError: there is no such file.
        InputError: it is broken.
    """
    contents = read_fields(path, Each(_ALBUM_SUMS))
    _check_needed(path, contents, ("albums", "sums"))
    for name, of_score in contents.items():
        lengths = {len(row) for row in of_score["sums"]}
        if len(of_score["albums"]) != len(of_score["sums"]) or len(lengths) > 1:
            raise InputError(
                f"{path}: {name} has {len(of_score['albums'])} albums and {len(of_score['sums'])} "
                "rows of sums, expected one row per album, all of one length."
            )
    return contents


def _check_needed(path, contents, needed):
    for name, value in contents.items():
        if missing := [field for field in needed if field not in value]:
            raise InputError(f"{path}: {name} lacks {', '.join(missing)}.")

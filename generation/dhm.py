"""d_HM, how far a system's stories are from human ones in grounding, coherence and non-redundancy.

Surikuchi, Fernández and Pezzelle 2024, Not (yet) the whole story: Evaluating Visual Storytelling
Requires More than Measuring Coherence, Grounding, and Repetition.  The three are measured story by
story and read from files; `generation.story_scores` writes them.
"""

import csv
import json
import math
from pathlib import Path

import numpy as np

from data_reader.errors import InputError, abbreviated
from data_reader.files import read_json, write_csv, write_json
from generation.scored_files import read_lines

# The measures and the columns that hold them in a CSV file, in the order of d_HM.
_LARGEST = 1e6  # of the three, far above any
COLUMNS = {"grounding": "G_score", "coherence": "C_score", "non-redundancy": "R_score"}


def read_story_scores(path, column):
    """Read `{story id: score}` from a JSON file, or from a CSV file of two columns.

    Stories without a score (empty, null or nan) are left out.

    Args:
        column: the one of `COLUMNS` that is expected; a name that is none of them will do, too.

    Raises:
        FileNotFoundError: there is no such file.
        InputError: it is something else; the message names the story or the line.
    """
    rows = read_json(path) if Path(path).suffix == ".json" else _read_csv(path, column)
    if not isinstance(rows, dict):
        raise InputError(f"{path} holds a {type(rows).__name__}, expected {{story id: score}}.")
    scores = {story: _number(path, story, score) for story, score in rows.items()}
    scores = {story: score for story, score in scores.items() if not math.isnan(score)}
    if not scores:
        raise InputError(f"{path} holds no scores.")
    return scores


def _read_csv(path, column):
    try:
        header, *rows = csv.reader(read_lines(path))
    except csv.Error as error:
        raise InputError(f"{path} is no CSV file ({error}).") from error
    header = [name.strip() for name in header]
    if len(header) != 2 or header[0] != "story_id":
        found = ", ".join(header)
        raise InputError(f"{path} has the columns {found:.60}; expected story_id,{column}.")
    if header[1] != column and header[1] in COLUMNS.values():
        raise InputError(
            f"{path} holds {header[1]}, expected {column}; files are given in the order "
            f"{', '.join(COLUMNS)}."
        )
    scores = {}
    for row in filter(None, rows):
        if len(row) != 2:
            raise InputError(f"{path}: {row[0]:.60} has {len(row)} columns, expected 2.")
        story, score = (field.strip() for field in row)
        if story in scores:
            raise InputError(f"{path} holds {story:.60} twice.")
        scores[story] = score
    return scores


def _number(path, story, score):
    try:
        number = math.nan if score in (None, "") else float(score)
    except (TypeError, ValueError, OverflowError):
        number = math.inf
    if abs(number) > _LARGEST:
        raise InputError(f"{path}: {story:.60} has {abbreviated(score)}, expected a number.")
    return number


def check_ending(path):
    """Refuse the name of a file of scores that ends in neither .csv nor .json.

    Raises:
        InputError: it does.
    """
    if Path(path).suffix not in (".csv", ".json"):
        raise InputError(f"{path}: expected a name that ends in .csv or .json.")


def write_story_scores(path, scores, column):
    """Write `{story id: score}` for `read_story_scores`, CSV or JSON by the name's ending.

    Raises:
        InputError: it has another ending.
    """
    check_ending(path)
    if Path(path).suffix == ".json":
        write_json(path, scores, indent=2)
    else:
        write_csv(path, ("story_id", column), scores.items())


def distances(human, system):
    """d_HM and its parts, over the stories that have all six scores; there must be one.

    Args:
        human, system: grounding, coherence and non-redundancy, each `{story id: score}`.  Grounding
            is any number, as GROOViST gives it; its tanh is taken.

    Returns:
        `{measure: {human, system, distance}}`, means over the stories, the distance that of
        abs(human - system); `d_HM`, the mean of the distances; `stories`, their number.
    """
    shared = set.intersection(*map(set, (*human, *system)))
    ids = [story for story in human[0] if story in shared]
    ours, theirs = (
        np.array([[scores[story] for story in ids] for scores in side]) for side in (human, system)
    )
    ours[0], theirs[0] = np.tanh(ours[0]), np.tanh(theirs[0])
    rows = np.stack([ours, theirs, np.abs(ours - theirs)]).mean(axis=2).T
    return {
        **{
            measure: dict(zip(("human", "system", "distance"), row, strict=True))
            for measure, row in zip(COLUMNS, rows.tolist(), strict=True)
        },
        "d_HM": float(rows[:, 2].mean()),
        "stories": len(ids),
    }


def distances_of_files(human_files, system_files, as_json=False):
    """The text that `python -m generation.scores dhm` prints.

    Args:
        human_files, system_files: of grounding, coherence and non-redundancy.

    Raises:
        FileNotFoundError: a file is missing.
        InputError: a file can't be read, or no story is in all six.
    """
    files, columns = (*human_files, *system_files), 2 * tuple(COLUMNS.values())
    scores = [read_story_scores(*pair) for pair in zip(files, columns, strict=True)]
    if not set.intersection(*map(set, scores)):
        first = (
            f"{path} begins with {next(iter(of))}" for path, of in zip(files, scores, strict=True)
        )
        raise InputError(f"No story is in all six files: {', '.join(first)}.")
    found = distances(scores[:3], scores[3:])
    return json.dumps(found) if as_json else "\n".join([*_table(found), *_gaps(files, scores)])


def _table(found):
    yield f"{'':16}{'human':>8}{'system':>8}{'distance':>10}"
    for measure in COLUMNS:
        human, system, distance = found[measure].values()
        yield f"{measure:16}{human:8.4f}{system:8.4f}{distance:10.4f}"
    yield f"{'d_HM':32}{found['d_HM']:10.4f}"
    yield f"{found['stories']} stories have all six scores"


def _gaps(files, scores):
    """Name the files that lack stories which another one has."""
    every = dict.fromkeys(story for of_file in scores for story in of_file)
    for path, of_file in zip(files, scores, strict=True):
        if missing := [story for story in every if story not in of_file]:
            yield f"{path} lacks {len(missing)} of {len(every)}, the first: {missing[0]}"

"""python -m models.share RUN OUT: make a folder, or a zip, from which others generate stories.

It holds the model, its vocabulary, its settings and scores, a description of its image features, a
model card, README.md, whose beginning model hubs read, and checksums.  Paths, notes and facts about
the machine are left out, and so is the data.
"""

import json
import math
import re
import shlex
import shutil
import zipfile
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePath
from typing import NamedTuple

from data_reader.cli import command_line, run_command
from data_reader.errors import InputError
from data_reader.files import atomic_write, exclusive_lock, write_json
from data_reader.model_file import check_model_file
from data_reader.run_files import Share, read_scores
from data_reader.run_folder import RunFolder
from data_reader.shared_model import classes_of_others, write_checksums
from data_reader.vocabulary import MAX_WORDS

_TEMPLATE = "model_card.md.jinja"
_SAMPLE_SET = "the sample set of Stories for images in sequence"
_FACTS = {
    "facts_own": "fact recall, own photos",
    "facts_other": "fact recall, other albums' photos",
}


class Origin(NamedTuple):
    """What a run does not know of its model and the user says.

    Attributes:
        data_set: the name of the data that the model was trained on.
        licence: a short name that model hubs know, such as "mit" or "cc-by-4.0", or "unknown".
        language: of the stories, ISO 639-1.
    """

    data_set: str
    licence: str
    language: str


def share(run, out, origin):
    """Write the folder, or the zip if `out` ends in .zip, of a run's model: all of it or nothing.

    Raises:
        InputError: `out` is there already, or a file of the run is broken.
    """
    check_model_file(run.model_file)
    with _complete_or_nothing(out) as folder:
        write_json(folder / run.experiment_file.name, _public_settings(run), indent=2)
        for path in (run.model_file, run.vocabulary_file, run.features_file):
            shutil.copyfile(path, folder / path.name)
        for path in sorted(run.path.glob("scores_*.json")):
            scores = read_scores(path)
            scores.pop("missing", None)  # its reasons name programs of the machine
            write_json(folder / path.name, scores, indent=2)
        for path in run.path.glob("fact_recall_*.json"):
            shutil.copyfile(path, folder / path.name)
        card = _card(run, Path(out).name, origin)
        (folder / "README.md").write_text(card, encoding="utf-8")
        write_checksums(folder)


@contextmanager
def _complete_or_nothing(out):
    """Yield a new folder, which becomes `out`, zipped if it ends in .zip, at the end."""
    out = Path(out)
    if out.exists() or out.is_symlink():
        raise InputError(f"{out} is there already; delete it or give another name.")
    beside = out.with_name(f".{out.name}.partial")
    with exclusive_lock(beside, f"Another process is writing {out}; wait until it has finished."):
        folder = beside / out.stem
        shutil.rmtree(folder, ignore_errors=True)  # of a killed process
        folder.mkdir()
        try:
            yield folder
            if is_zip(out):
                with atomic_write(out) as archive:
                    _write_zip(folder, archive)
            else:
                folder.rename(out)
        finally:
            shutil.rmtree(beside)


def is_zip(path):
    return Path(path).suffix.lower() == ".zip"


def _write_zip(folder, archive):
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        for path in sorted(folder.iterdir()):
            # Compressing weights takes long and saves little.
            how = zipfile.ZIP_STORED if path.suffix == ".keras" else None
            zipped.write(path, f"{folder.name}/{path.name}", how)


def _public_settings(run):
    """Return the experiment's settings without paths and notes."""
    settings = run.settings() | {"data": None, "notes": ""}
    if settings.get("word_embeddings"):
        settings["word_embeddings"] = PurePath(settings["word_embeddings"]).name
    return settings


def _card(run, out_name, origin):
    """Return the text of the model card."""
    from jinja2 import Environment, FileSystemLoader

    environment = Environment(  # of Markdown, so nothing is escaped
        loader=FileSystemLoader(Path(__file__).parent), trim_blocks=True, lstrip_blocks=True
    )
    # A JSON string is one of YAML and of Python, too.
    environment.filters["quoted"] = partial(json.dumps, ensure_ascii=False)
    features = run.features()
    scores = _scores(run)
    return environment.get_template(_TEMPLATE).render(
        name=run.settings()["name"],
        out=out_name,
        out_argument=shlex.quote(out_name),
        is_zip=is_zip(out_name),
        origin=origin,
        data_set_id=re.sub(r"\W+", "-", origin.data_set.lower()).strip("-"),
        is_sample_set=_is_of_sample_set(features),
        features=features,
        is_imported=str(features.get("weights_checksum")).startswith("imported-"),
        settings=_public_settings(run),
        model_settings=run.model_config(),
        words=len(run.vocabulary()),
        max_words=MAX_WORDS,
        photos=run.photos_per_story(),
        progress=_progress(run),
        packages=run.environment().get("packages", {}),
        own_classes=classes_of_others(run),
        scores=scores,
        metrics=sorted({score["type"] for rows in scores.values() for score in rows}),
    )


def _is_of_sample_set(features):
    """Return whether the features come from the random weights that only the sample set uses."""
    return str(features.get("weights_checksum")).startswith("seeded")


def _progress(run):
    """Say how long training took and how well it ended, "" if that was not recorded."""
    best, epochs = run.best_epoch(), len(run.losses()["epoch"])
    if not best:
        return ""
    return (
        f"{epochs} epochs; the model is that of epoch {best['epoch']}, with a validation loss of "
        f"{best['val_loss']:.3f} nats per word"
    )


def _scores(run):
    """-> `{split: [score]}`, each score with its name, type (of metric), decoding and value.

    Shares are in percent.
    """
    scores = {}
    for decoding_and_split, values in run.all_scores().items():
        decoding, _, split = decoding_and_split.rpartition(" ")
        for key, value in values.items():
            if math.isfinite(value):
                protocol, _, name = key.rpartition(" ") if key in _FACTS else key.partition(" ")
                name = _FACTS.get(key, name)
                score = {
                    "name": f"{protocol} {name}".strip(),
                    "type": re.search(r"fact recall|\w+", f"{name} score")[0]
                    .lower()
                    .replace(" ", "-"),
                    "decoding": decoding,
                    "in_percent": isinstance(value, Share) or key in _FACTS,
                    "value": round(100 * value if isinstance(value, Share) else value, 4),
                }
                scores.setdefault(split, []).append(score)
    return scores


def main():
    arguments = _parse_arguments()
    run = RunFolder.open(arguments.run)
    is_sample_set = _is_of_sample_set(run.features())
    data_set = arguments.data_set or (_SAMPLE_SET if is_sample_set else None)
    if data_set is None:
        raise InputError(
            "The run does not say what it was trained on; name it for the model card, for instance "
            "with --data-set VIST"
        )
    licence = arguments.licence or ("mit" if is_sample_set else "unknown")
    share(run, arguments.out, Origin(data_set, licence, arguments.language))
    print(f"{run.name}: the model to share, licence {licence}\n  {arguments.out}")


def _parse_arguments():
    parser = command_line(__doc__)
    parser.add_argument("run", metavar="RUN", help="run folder")
    parser.add_argument(
        "out", type=Path, metavar="OUT", help="the folder to make, or the zip if it ends in .zip"
    )
    parser.add_argument(
        "--data-set",
        metavar="NAME",
        help="what the model was trained on (default for the sample set's models: the sample set)",
    )
    parser.add_argument(
        "--licence",
        metavar="NAME",
        help="such as cc-by-4.0 (default: unknown; mit for the sample set's models)",
    )
    parser.add_argument(
        "--language", default="en", metavar="CODE", help="of the stories (default: en)"
    )
    return parser.parse_args()


if __name__ == "__main__":
    run_command(main)

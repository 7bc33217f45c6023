"""The stories that runs have generated for a split, with the photos and the human stories."""

import hashlib
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from data_reader.cli import add_data_option
from data_reader.errors import InputError
from data_reader.hdf5_files import read_strings
from data_reader.layout import SPLITS
from data_reader.run_folder import RunFolder
from data_reader.seeds import group_seeds, seed_of
from data_reader.stories_file import open_stories, read_image_paths, read_story_ids
from generation.decoding_options import DEFAULT_DECODING, options_of, read_decoding

HUMAN = "human"
# An id that names files as it is.  Others are marked by a ~; among them are ids that end like the
# names of other files: test_sheet.pdf, test_1_frame2.png, test_1_attribution.png.
_FILE_NAME = re.compile(r"(?!sheet$)(?!.*_(frame\d+|attribution)$)[\w.-]{1,100}", re.ASCII)
_SHORTENED = 60  # characters


@dataclass(frozen=True)
class ShownStory:
    """A sequence of photos and its stories.

    Attributes:
        story_id: of the human story.
        album_id: of the photos.
        photos: I paths, in the order of the story.
        photo_ids: those of the I photos.
        systems: `{name: I sentences}`, the human story first.
    """

    story_id: str
    album_id: str
    photos: tuple[Path, ...]
    photo_ids: tuple[str, ...]
    systems: dict[str, list[str]]

    @property
    def name_in_files(self):
        """The id, or if that can't stand in the name of a file, one like it; unique."""
        if _FILE_NAME.fullmatch(self.story_id):
            return self.story_id
        readable = re.sub(r"[^\w.-]+", "-", self.story_id, flags=re.ASCII)[:_SHORTENED]
        return f"{readable}~{hashlib.sha256(self.story_id.encode()).hexdigest()[:16]}"


def add_system_options(parser):
    """Add the options that choose runs, a split and decodings."""
    parser.add_argument("runs", nargs="+", metavar="RUN", help="run folder")
    parser.add_argument("--split", default="test", choices=SPLITS)
    parser.add_argument(
        "--decoding",
        nargs="+",
        default=(),
        metavar="NAME",
        help="greedy, beam3, ... (default: all)",
    )
    add_data_option(parser, None)


def read_shown_stories(layout, split, systems):
    """Read the `ShownStory`s of a split, in the order of the stories file.

    Args:
        systems: `{name: [stories][sentences]}`, see `read_systems`.

    Raises:
        FileNotFoundError: there is no stories file.
        InputError: it does not hold the paths and ids of the photos, or a system has another number
            of stories.
    """
    also = ("album_ids", "image_paths", "image_ids", "texts")
    with open_stories(layout, split, also=also) as file:
        ids = read_story_ids(file)
        albums, photo_ids, texts = (
            read_strings(file[name]) for name in ("album_ids", "image_ids", "texts")
        )
        paths = read_image_paths(file)
    for name, stories in systems.items():
        if len(stories) != len(ids):
            raise InputError(
                f"{name} has {len(stories)} {split} stories, {layout.stories(split)} holds "
                f"{len(ids)}; show runs of the same data together, and generate the stories again "
                "if the data have changed."
            )
    all_systems = {HUMAN: texts, **systems}
    return [
        ShownStory(
            story_id,
            albums[number],
            tuple(layout.root / path for path in paths[number]),
            tuple(photo_ids[number]),
            {name: stories[number] for name, stories in all_systems.items()},
        )
        for number, story_id in enumerate(ids)
    ]


def read_systems(runs, split, decodings=()):
    """Read the generated stories of runs -> `{name: [stories][sentences]}`.

    A system has the name of the run's experiment; where two systems would have the same name, that
    of the run folder replaces it and the decoding's name is added, as needed.  Runs that are seeds
    of one experiment, see `group_seeds`, follow each other and are named "<experiment> seed 1".

    Args:
        decodings: names, the same for each run; without any, all that the run has of the split.

    Raises:
        FileNotFoundError: a run has no such stories.
        InputError: a file of hypotheses is broken.
    """
    return {
        system.name: read_hypotheses(system.run, system.decoding, split)
        for system in _systems(runs, split, decodings)
    }


def system_scores(runs, split, decodings=()):
    """Read the scores of the same systems, where they have any -> `{name: {score: number}}`."""
    scores = {
        system.name: system.run.all_scores().get(f"{system.decoding} {split}", {})
        for system in _systems(runs, split, decodings)
    }
    return {name: of_system for name, of_system in scores.items() if of_system}


def system_seeds(runs, split, decodings=()):
    """`{name: (experiment, seed)}` of those of the same systems that are seeds of one experiment.

    If an experiment has several decodings, the decoding's name is part of its own.
    """
    return {
        system.name: (system.experiment, system.seed)
        for system in _systems(runs, split, decodings)
        if system.seed is not None
    }


def read_hypotheses(run, decoding, split):
    """Read the stories that a run has generated -> [stories][sentences].

    Raises:
        FileNotFoundError: there are none of that split and decoding; the message says which
            command generates them.
        InputError: the number of sentences is not a multiple of the number of stories.
    """
    path, by_story = run.hypotheses(decoding, split), run.story_hypotheses(decoding, split)
    for file in (path, by_story):
        if not file.is_file():
            hint = _how_to_generate(run, decoding, split)
            raise FileNotFoundError(f"{file} is missing; {hint}")
    sentences, stories = _lines(path), len(_lines(by_story))
    if not stories or not sentences or len(sentences) % stories:
        raise InputError(
            f"{path} holds {len(sentences)} sentences, {by_story.name} {stories} stories; "
            "one of them is broken, generate the stories again."
        )
    images = len(sentences) // stories
    return [sentences[i : i + images] for i in range(0, len(sentences), images)]


def _how_to_generate(run, decoding, split):
    command = ["python", "-m", "generation", "--run", str(run.path), "--split", split]
    known = [path for other in SPLITS if (path := run.decoding(decoding, other)).is_file()]
    if known or decoding == DEFAULT_DECODING:
        options = options_of(*read_decoding(known[0])) if known else []
        return f"generate the stories with: {shlex.join([*command, *options])}"
    return (
        f"of {split} the run has {', '.join(run.decodings(split)) or 'no stories'}; "
        f"for the options of other decodings see: {shlex.join([*command, '--help'])}"
    )


def _lines(path):
    try:
        return path.read_text(encoding="utf-8").split("\n")[:-1]
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 ({error}); generate the stories again.") from error


@dataclass(frozen=True)
class _System:
    """A run and a decoding; the seed is None where a run is the only one of its experiment."""

    run: RunFolder
    decoding: str
    experiment: str
    seed: int | None

    @property
    def name(self):
        return self.experiment if self.seed is None else f"{self.experiment} seed {self.seed}"


def _systems(runs, split, decodings):
    """List the `_System`s, with the shortest names that are unique."""
    folders = {}
    for run in runs:
        folders.setdefault(run.settings()["name"], set()).add(run.name)
    systems = []
    for experiment, seeds in group_seeds(runs).items():
        if len(seeds) == 1:
            name = seeds[0].settings()["name"]
            experiment = seeds[0].name if len(folders[name]) > 1 else name
        systems += _systems_of(experiment, seeds, split, decodings)
    return systems


def _systems_of(experiment, seeds, split, decodings):
    """List the `_System`s of an experiment: decoding by decoding, the seeds that have it."""
    of_runs = [(run, decodings or run.decodings(split) or (DEFAULT_DECODING,)) for run in seeds]
    all_decodings = dict.fromkeys(name for _, names in of_runs for name in names)
    return [
        _System(
            run,
            decoding,
            f"{experiment} {decoding}" if len(all_decodings) > 1 else experiment,
            seed_of(run) if len(seeds) > 1 else None,
        )
        for decoding in all_decodings
        for run, names in of_runs
        if decoding in names
    ]

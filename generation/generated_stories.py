"""What runs have told of a split, beside the photos and the human stories."""

from dataclasses import dataclass
from pathlib import Path

from data_reader.cli import add_data_option
from data_reader.errors import InputError
from data_reader.layout import SPLITS
from data_reader.stories_file import open_stories
from generation.decoding_options import options_of

HUMAN = "human"


@dataclass(frozen=True)
class ShownStory:
    """A sequence of photos and all that was told of it.

    Attributes:
        story_id: of the human story.
        album_id: where the photos come from.
        photos: paths, I of them, in the story's order.
        systems: `{name: I sentences}`, the human story first.
    """

    story_id: str
    album_id: str
    photos: tuple[Path, ...]
    systems: dict[str, list[str]]


def add_system_options(parser):
    """Add which runs are shown, and of what they have told."""
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
    """The stories of a split, in the stories file's order.

    Args:
        systems: `{name: [stories][sentences]}`, see `read_systems`.

    Raises:
        FileNotFoundError: there is no stories file.
        ValueError: it does not say where its photos lie, or a system has told another number of
            stories.
    """
    also = ("album_ids", "image_paths", "texts")
    with open_stories(layout, split, also=also) as file:
        ids = [str(story_id) for story_id in file["story_ids"][:]]
        albums = [album.decode() for album in file["album_ids"][:]]
        photos = [[layout.root / path.decode() for path in row] for row in file["image_paths"][:]]
        human = [[text.decode() for text in row] for row in file["texts"][:]]
    for name, told in systems.items():
        if len(told) != len(ids):
            raise InputError(
                f"{name} has told {len(told)} {split} stories, {layout.stories(split)} holds "
                f"{len(ids)}; show runs of the same data together, and tell the stories again "
                "where they have changed."
            )
    everybody = {HUMAN: human, **systems}
    return [
        ShownStory(
            story_id,
            albums[number],
            tuple(photos[number]),
            {name: told[number] for name, told in everybody.items()},
        )
        for number, story_id in enumerate(ids)
    ]


def read_systems(runs, split, decodings=()):
    """`{name: [stories][sentences]}` of what runs have told.

    A name is the experiment's; where that would name two systems alike, the run folder's or the
    decoding's joins it.

    Args:
        decodings: of each run; without any, all that it has told of the split.

    Raises:
        FileNotFoundError: a run has told no such stories.
        ValueError: a file of sentences is no five lines a story.
    """
    return {
        name: read_hypotheses(run, decoding, split)
        for name, (run, decoding) in _named(runs, split, decodings).items()
    }


def system_scores(runs, split, decodings=()):
    """`{name: {figure: number}}`: the scores of the same systems, of those that have any."""
    figures = {
        name: run.all_scores().get(f"{decoding} {split}", {})
        for name, (run, decoding) in _named(runs, split, decodings).items()
    }
    return {name: of_system for name, of_system in figures.items() if of_system}


def read_hypotheses(run, decoding, split):
    """What a run has told: [stories][sentences].

    Raises:
        FileNotFoundError: nothing of that split or in that decoding.
        ValueError: the number of sentences is no multiple of that of the stories, or no decoding
            is called so.
    """
    path, by_story = run.hypotheses(decoding, split), run.story_hypotheses(decoding, split)
    for file in (path, by_story):
        if not file.is_file():
            raise FileNotFoundError(
                f"{file} is missing; tell the stories with: "
                f"python -m generation --run {run.path} --split {split} {options_of(decoding)}"
            )
    sentences, stories = _lines(path), len(_lines(by_story))
    if not stories or len(sentences) % stories:
        raise InputError(
            f"{path} holds {len(sentences)} sentences, {by_story.name} {stories} stories; "
            "one of them is broken, tell the stories again."
        )
    images = len(sentences) // stories
    return [sentences[i : i + images] for i in range(0, len(sentences), images)]


def _lines(path):
    return path.read_text(encoding="utf-8").split("\n")[:-1]


def _named(runs, split, decodings):
    """`{name: (run, decoding)}`, with names as short as tells them apart."""
    told = [
        (run, decoding)
        for run in runs
        for decoding in (decodings or run.decodings(split) or ("greedy",))
    ]
    folders = {}
    for run in runs:
        folders.setdefault(run.settings()["name"], set()).add(run.name)
    names = [
        run.name if len(folders[run.settings()["name"]]) > 1 else run.settings()["name"]
        for run, _ in told
    ]
    return {
        f"{name} {decoding}" if names.count(name) > 1 else name: (run, decoding)
        for name, (run, decoding) in zip(names, told, strict=True)
    }

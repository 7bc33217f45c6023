"""Importing stories of one's own into a data folder: photos first, then the annotations."""

from collections import Counter
from pathlib import Path
from typing import NamedTuple

from data_reader.errors import InputError
from data_reader.files import exclusive_lock, write_csv
from data_reader.layout import SPLITS
from dataset.own_stories.photos import choose_ids, find_own_photos, find_present, link_photos
from dataset.own_stories.reading import OwnStory, SkippedStory, read_own_stories
from dataset.own_stories.splits import assign_albums_and_splits, count_shared
from dataset.own_stories.writing import check_replaceable, write_annotations
from dataset.tokeniser import Tokeniser

SEED = 7
_SKIPPED_FILE = "skipped_import.csv"


class Import(NamedTuple):
    """The outcome of an import.

    Attributes:
        stories: `{split: stories}`, whose photos are ids.
        skipped_path: the list of the skipped stories.
        shared: the numbers of albums and of photos that are in more than one split.
        replaced: the files of an earlier import whose stories were replaced.
        removed: what the reader had made of these; None if the stories are the same.
    """

    stories: dict[str, list[OwnStory]]
    skipped: list[SkippedStory]
    skipped_path: Path
    photos_per_story: int
    photos_are_ids: bool
    shared: tuple[int, int]
    replaced: list[str]
    removed: list[Path] | None


def import_stories(path, layout, photos_per_story=None, tokenise=None, seed=SEED):
    """Write stories and their photos into a data folder, and the list of the skipped stories.

    The annotations of an earlier import are replaced; if they were others, the stories files and
    the vocabulary that were made of them are removed.

    Args:
        path: a .jsonl or .csv file; the paths of photos in it are relative to its folder.
        photos_per_story: stories of another number are skipped; None is what most stories have.
        tokenise: makes a sentence's words, separated by spaces; None is a `Tokeniser`.
        seed: of the split by album.

    Returns:
        An `Import`.

    Raises:
        FileNotFoundError: there is no such file.
        InputError: the file is flawed, no story can be imported, the folder has annotations that
            are no import, or another import into it is running.
    """
    source = read_own_stories(path)
    number = photos_per_story or _most_frequent_number(source.stories)
    skipped_path = layout.root / _SKIPPED_FILE
    with exclusive_lock(layout.vist, f"Another import into {layout} is running."):
        replaced = check_replaceable(layout)
        stories, files, skipped = _usable(source, number, path.parent, layout)
        write_csv(skipped_path, SkippedStory._fields, skipped)
        if not stories:
            raise InputError(_why_none(skipped, skipped_path))
        placed = _place(stories, seed)
        if not source.photos_are_ids:
            _link_all(placed, files, layout)
        info = {"imported_from": _name_of(path), "photos_per_story": number, "seed": seed}
        removed = write_annotations(layout, info, placed, tokenise or Tokeniser())
    are_ids, shared = source.photos_are_ids, count_shared(placed)
    return Import(placed, skipped, skipped_path, number, are_ids, shared, replaced, removed)


def _name_of(path):
    return path.name.encode(errors="backslashreplace").decode()  # it may not be UTF-8


def _most_frequent_number(stories):
    numbers = Counter(len(story.photos) for story in stories)
    return max(numbers, key=lambda number: (numbers[number], number), default=0)


def _usable(source, number, folder, layout):
    """Return (stories with ids of photos, `{photo id: PhotoFile}`, all skipped stories)."""
    others = [
        SkippedStory(story.story_id, story.line, f"{len(story.photos)} photos instead of {number}")
        for story in source.stories
        if len(story.photos) != number
    ]
    stories = [story for story in source.stories if len(story.photos) == number]
    files, without_photos = {}, []
    if not source.photos_are_ids:
        stories, files, without_photos = _with_photo_ids(stories, folder, layout)
    skipped = sorted([*source.skipped, *others, *without_photos], key=lambda story: story.line)
    return stories, files, skipped


def _with_photo_ids(stories, folder, layout):
    """Put ids in place of paths -> (stories, `{photo id: PhotoFile}`, stories without photos)."""
    photos = list(dict.fromkeys(photo for story in stories for photo in story.photos))
    found, reasons = find_own_photos(photos, folder)
    skipped = [
        SkippedStory(story.story_id, story.line, *flaws[0])
        for story in stories
        if (flaws := [reasons[photo] for photo in story.photos if photo in reasons])
    ]
    whole = [story for story in stories if found.keys() >= set(story.photos)]
    used = list(dict.fromkeys(found[photo] for story in whole for photo in story.photos))
    ids = choose_ids(used, folder, find_present(layout))
    named = [s._replace(photos=tuple(ids[found[photo]] for photo in s.photos)) for s in whole]
    return named, {id_: file for file, id_ in ids.items()}, skipped


def _why_none(skipped, listed):
    [(reason, count)] = Counter(story.reason for story in skipped).most_common(1)
    return (
        f"No story can be imported: {reason} ({count} of {len(skipped)}). "
        f"All are listed in {listed}."
    )


def _place(stories, seed):
    """Return `{split: stories}`, each story with its album and split."""
    albums, splits = assign_albums_and_splits(stories, seed)
    placed = {split: [] for split in SPLITS}
    for story, album, split in zip(stories, albums, splits, strict=True):
        placed[split].append(story._replace(album_id=album, split=split))
    return placed


def _link_all(placed, files, layout):
    present = find_present(layout)
    for split, stories in placed.items():
        used = dict.fromkeys(photo for story in stories for photo in story.photos)
        link_photos({id_: files[id_] for id_ in used}, layout.photos(split), present[split])

"""Reading stories of one's own: a JSON object per story and line, or CSV with a row per sentence.

A line that is no story's, or that leaves the split or the identity of a story open, is an
`InputError` with its number; a story with a flaw is skipped and listed.
"""

import csv
import json
from typing import NamedTuple

from data_reader.errors import InputError
from data_reader.files import once_each
from data_reader.vocabulary import can_be_stored

_COLUMNS = ("story_id", "photo", "photo_id", "sentence", "album_id", "split", "order")
_SPLITS = {"train": "train", "valid": "valid", "val": "valid", "test": "test", "": ""}


class OwnStory(NamedTuple):
    """A story as its file gives it; `album_id` and `split` are "" where the file gives none."""

    line: int
    story_id: str
    album_id: str
    split: str
    photos: tuple[str, ...]
    sentences: tuple[str, ...]


class SkippedStory(NamedTuple):
    """A row of the list of the stories that are not imported."""

    id: str
    line: int
    reason: str
    detail: str = ""


class StoryFile(NamedTuple):
    """The contents of a file; `photos_are_ids` says that photos are ids instead of paths."""

    stories: list[OwnStory]
    skipped: list[SkippedStory]
    photos_are_ids: bool


class _FlawError(Exception):
    """A reason for which a story is skipped, and a detail of it."""


def read_own_stories(path):
    """Read a .jsonl or a .csv file -> `StoryFile`.

    Raises:
        FileNotFoundError: there is no such file.
        InputError: it is a folder or a device, has another ending, is empty or not UTF-8, or has a
            line that is no object or row, an unknown split, a story id twice, or both paths and ids
            of photos.
    """
    if path.is_dir():
        raise InputError(f"{path} is a folder; give a .jsonl or .csv file.")
    readers = {".jsonl": _json_entries, ".csv": _csv_entries}
    if path.suffix.lower() not in readers:
        raise InputError(f"{path} ends in neither .jsonl nor .csv; rename it after what it is.")
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing.")
    if not path.is_file():
        raise InputError(f"{path} is no regular file; give a .jsonl or .csv file.")
    stories, skipped, lines, kinds = [], [], {}, {}
    for line, entry in readers[path.suffix.lower()](path):
        _check_kind(entry, kinds, path, line)
        story_id, split = str(line), _own_split(entry, path, line)
        try:
            story_id = _text(entry, "story_id") or story_id
            _check_new(story_id, lines, path, line)
            stories.append(_checked(entry, story_id, line, split))
        except _FlawError as flaw:
            skipped.append(SkippedStory(story_id, line, *flaw.args))
    if not stories and not skipped:
        raise InputError(f"{path} holds no stories.")
    return StoryFile(stories, skipped, "photo_ids" in kinds)


def _check_kind(entry, kinds, path, line):
    """Note the first line of each kind of photos; refuse a second kind."""
    for kind in ("photos", "photo_ids"):
        if kind in entry:
            kinds.setdefault(kind, line)
    if len(kinds) > 1:
        raise InputError(
            f"{path} has 'photos' in line {kinds['photos']} and 'photo_ids' in line "
            f"{kinds['photo_ids']}; use one of them in the whole file."
        )


def _check_new(story_id, lines, path, line):
    """Note the line of a story id; refuse an id of an earlier line."""
    if lines.setdefault(story_id, line) != line:
        raise InputError(
            f"{path}: line {line} has the story id {story_id!r} of line {lines[story_id]}; "
            "a story without an id has the number of its line."
        )


def _own_split(entry, path, line):
    split = entry.get("split") or ""
    if not isinstance(split, str) or split not in _SPLITS:
        raise InputError(
            f"{path}, line {line}: the split is {split!r}, expected train, valid (or val) or test."
        )
    return _SPLITS[split]


def _checked(entry, story_id, line, split):
    photos = _texts(entry, "photo_ids" if "photo_ids" in entry else "photos")
    sentences = tuple(" ".join(text.split()) for text in _texts(entry, "sentences"))
    if not photos:
        raise _FlawError("it has no photos")
    if len(photos) != len(sentences):
        raise _FlawError(
            "it has more or fewer photos than sentences",
            f"{len(photos)} photos, {len(sentences)} sentences",
        )
    if not all(sentences):
        raise _FlawError("a sentence is empty", f"sentence {sentences.index('') + 1}")
    if not all(photos):
        raise _FlawError("a photo is not named", f"photo {photos.index('') + 1}")
    story = OwnStory(line, story_id, _text(entry, "album_id"), split, photos, sentences)
    if not all(map(can_be_stored, (story_id, story.album_id, *photos, *sentences))):
        raise _FlawError(
            "an id, a path or a text can't be stored", "it has a NUL or half a character"
        )
    return story


def _text(entry, name):
    """Return a field's text, that of a whole number too, or "" where there is none."""
    value = entry.get(name)
    if value is None:
        return ""
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise _FlawError(f"its {name!r} is no text", f"it is {value!r:.80}")
    return str(value)


def _texts(entry, name):
    if name not in entry:
        raise _FlawError(f"it has no {name!r}", f"it has {', '.join(entry)}"[:200])
    values = entry[name]
    if name == "photo_ids" and isinstance(values, list):
        values = [str(value) if type(value) is int else value for value in values]
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise _FlawError(f"its {name!r} are no list of texts", f"they are {values!r:.80}")
    return tuple(values)


def _lines(path):
    """Yield the lines of a file in UTF-8, with or without a byte order mark."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                yield line.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                raise InputError(
                    f"{path} is not UTF-8: line {number}, byte {error.start + 1}; "
                    "save it in that encoding."
                ) from error


def _json_entries(path):
    """Yield (line number, object) for each line of a JSONL file that is not blank."""
    for number, line in enumerate(_lines(path), 1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line.rstrip("\r\n"), object_pairs_hook=once_each)
        except (ValueError, RecursionError) as error:
            column = f", column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
            raise InputError(
                f"{path}, line {number}{column}: no JSON ({getattr(error, 'msg', error)}); a story "
                "is a JSON object on one line."
            ) from error
        if not isinstance(entry, dict):
            raise InputError(
                f"{path}, line {number} is {line.strip()!r:.40}; a story is a JSON object on one "
                "line."
            )
        yield number, entry


class _Row(NamedTuple):
    """A row of a CSV file: a sentence of a story."""

    line: int
    order: int
    photo: str
    sentence: str
    album_id: str
    split: str


def _csv_entries(path):
    """Yield (number of its first line, story as in JSONL) for each story of a CSV file."""
    rows = csv.reader(_lines(path), strict=True, skipinitialspace=True)
    stories = {}
    try:
        header = [name.strip().lower() for name in next(rows, [])]
        _check_header(header, path)
        for fields in filter(None, rows):
            story_id, row = _row(header, fields, path, rows.line_num)
            stories.setdefault(story_id, []).append(row)
    except csv.Error as error:
        raise InputError(f"{path}, line {rows.line_num} is no CSV: {error}.") from error
    for story_id, story_rows in stories.items():
        yield (
            story_rows[0].line,
            {
                "story_id": story_id,
                "album_id": _common(story_id, story_rows, "album_id", path),
                "split": _common(story_id, story_rows, "split", path),
                **_photos_and_sentences(header, story_rows),
            },
        )


def _photos_and_sentences(header, rows):
    in_order = sorted(rows, key=lambda row: row.order)
    return {
        "photo_ids" if "photo_id" in header else "photos": [row.photo for row in in_order],
        "sentences": [row.sentence for row in in_order],
    }


def _check_header(header, path):
    needed = ["story_id", "photo_id" if "photo_id" in header else "photo", "sentence"]
    missing = [name for name in needed if name not in header]
    if missing:
        raise InputError(
            f"{path}: its first line lacks the columns {_quoted(missing)}; it has "
            f"{_quoted(header) or 'none'}, where commas separate them."
        )
    if {"photo", "photo_id"} <= set(header):
        raise InputError(f"{path} has both columns photo and photo_id; leave one of them out.")
    if twice := [name for name in _COLUMNS if header.count(name) > 1]:
        raise InputError(f"{path} has a column twice: {_quoted(twice)}.")


def _quoted(names):
    return ", ".join(map(repr, names))


def _row(header, fields, path, line):
    """Return (story id, `_Row`)."""
    if len(fields) != len(header):
        raise InputError(
            f"{path}, line {line} has {len(fields)} fields, expected {len(header)}: "
            f"{', '.join(header)}."
        )
    named = dict(zip(header, fields, strict=True))
    if not named["story_id"]:
        raise InputError(f"{path}, line {line}: the story_id is empty.")
    try:
        order = int(named.get("order", "0"))
    except ValueError:
        raise InputError(
            f"{path}, line {line}: the order is {named['order']!r}, expected a whole number."
        ) from None
    photo = named["photo_id"] if "photo_id" in named else named["photo"]
    row = _Row(
        line, order, photo, named["sentence"], named.get("album_id", ""), named.get("split", "")
    )
    return named["story_id"], row


def _common(story_id, rows, name, path):
    """Return the one value that all rows of a story have in a column."""
    for row in rows:
        if getattr(row, name) != getattr(rows[0], name):
            raise InputError(
                f"{path}: the story {story_id!r} has {name} {getattr(rows[0], name)!r} in line "
                f"{rows[0].line} and {getattr(row, name)!r} in line {row.line}."
            )
    return getattr(rows[0], name)

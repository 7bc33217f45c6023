"""The reader: VIST's annotations, image features and a vocabulary in, stories files out."""

import json
import os
import reprlib
import shlex
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from data_reader.errors import InputError, check_whole_number
from data_reader.features_file import feature_attributes, open_features, read_features
from data_reader.files import SKIPPED_COLUMNS, atomic_write, read_json, write_csv
from data_reader.hdf5_files import create_hdf5, read_strings
from data_reader.image_data_reader import index_photos
from data_reader.json_stream import read_members
from data_reader.layout import REPOSITORY
from data_reader.stories_file import VIST_PHOTOS_PER_STORY
from data_reader.stories_writer import size_of, write_stories
from data_reader.vocabulary import (
    VOCABULARY_SIZE,
    Coverage,
    Vocabulary,
    can_be_stored,
    count_words,
)

_TEXT_FIELDS = {"photo_flickr_id": str, "text": str}
_SENTENCE_FIELDS = {
    "story_id": str,
    "worker_arranged_photo_order": int,
    "album_id": str,
    "photo_flickr_id": str,
    "text": str,
}


@dataclass(frozen=True)
class SplitReport:
    """The number of a split's stories that were `kept`, and that `skipped` for each reason."""

    kept: int
    skipped: Counter
    coverage: Coverage


@dataclass(frozen=True, slots=True)
class Story:
    """A story's photos and sentences in the worker's order; `places` are their numbers in it."""

    story_id: str
    album_id: str
    photo_ids: tuple[str, ...]
    texts: tuple[str, ...]
    places: tuple[int, ...]


@dataclass(frozen=True)
class AnnotatedStories:
    """The stories of an annotation file.

    Attributes:
        photos_per_story: that each of them should have.
        imported_from: the file that they were imported from, "" for VIST's.
    """

    stories: list[Story]
    photos_per_story: int
    imported_from: str = ""

    def __iter__(self):
        return iter(self.stories)

    def __len__(self):
        return len(self.stories)


def read_stories(path):
    """Read a story-in-sequence file -> `AnnotatedStories`, in the order of first appearance.

    Sentences are grouped by `story_id` and sorted by `worker_arranged_photo_order`, wherever they
    are in the file.  Its `info` may state `photos_per_story`, otherwise VIST's 5, and
    `imported_from`.

    Raises:
        FileNotFoundError: there is no such file.
        InputError: the file is not in VIST's story-in-sequence format.
    """
    sentences = defaultdict(list)

    def keep(annotation):
        sentences[annotation["story_id"]].append(
            (
                annotation["worker_arranged_photo_order"],
                sys.intern(annotation["album_id"]),
                annotation["photo_flickr_id"],
                annotation["text"],
            )
        )

    info = _read_vist(path, _SENTENCE_FIELDS, keep)
    if not sentences:
        raise InputError(f"{path} holds no stories; download it again.")
    stories = []
    for story_id in list(sentences):
        rows = sorted(sentences.pop(story_id))  # so that no sentence is in memory twice
        places, albums, photo_ids, texts = zip(*rows, strict=True)
        stories.append(Story(story_id, albums[0], photo_ids, texts, places))
    number = info.get("photos_per_story", VIST_PHOTOS_PER_STORY)
    check_whole_number(f"{path}: photos_per_story in 'info'", number)
    return AnnotatedStories(stories, number, str(info.get("imported_from", "")))


def read_descriptions(path):
    """Read a description-in-isolation file -> `{photo id: text}`, each photo's last description.

    Raises:
        FileNotFoundError: there is no such file.
        InputError: the file is not in VIST's description-in-isolation format.
    """
    descriptions = {}

    def keep(annotation):
        descriptions[annotation["photo_flickr_id"]] = annotation["text"]

    _read_vist(path, _TEXT_FIELDS, keep)
    return descriptions


def _read_vist(path, fields, keep):
    """Call `keep` for each annotation of a VIST file, which has `{field: type}` -> its "info"."""
    info, has_annotations = {}, False
    for name, value in read_members(path):
        if name == "annotations":
            has_annotations = True
            for annotation in _annotations(value, path):
                _check_fields(annotation, fields, path)
                keep(annotation)
        elif name == "info" and isinstance(value, dict):
            info = value
    if not has_annotations:
        raise InputError(f"{path} is not a VIST annotation file: it has no 'annotations'.")
    return info


def _annotations(entries, path):
    for entry in entries if isinstance(entries, Iterator) else [None]:
        if not isinstance(entry, list):
            raise InputError(
                f"{path} is not a VIST annotation file: 'annotations' is not a list of lists."
            )
        yield from entry


def _check_fields(annotation, fields, path):
    for field, kind in fields.items():
        if not isinstance(annotation, dict) or field not in annotation:
            shown = reprlib.repr(annotation)
            raise InputError(f"{path}: an annotation lacks the field {field!r}: {shown}")
        if not isinstance(annotation[field], kind):
            shown = reprlib.repr(annotation[field])
            raise InputError(
                f"{path}: an annotation's {field!r} is {shown}, expected {kind.__name__}."
            )


def check_annotations(layout, split):
    """Refuse a split without annotations.

    Raises:
        FileNotFoundError: the message says how to get them.
    """
    path = layout.annotations(split)
    if not path.is_file():
        sample = "make the sample set with: python -m dataset.sample"
        raise FileNotFoundError(_how_to_get(path, layout, sample))


def check_descriptions(layout, split):
    """Refuse a split without descriptions, which imported stories never have.

    Raises:
        FileNotFoundError: the message says how to get them or to do without.
        InputError: the split's annotations are broken.
    """
    path = layout.annotations(split, "description-in-isolation")
    if path.is_file():
        return
    if source := read_stories(layout.annotations(split)).imported_from:
        raise FileNotFoundError(
            f"{path} is missing: stories imported from {source} have no descriptions; read them "
            "with the option --no-descriptions"
        )
    without = "keep stories without descriptions with the option --no-descriptions"
    raise FileNotFoundError(_how_to_get(path, layout, without))


def _how_to_get(path, layout, otherwise):
    folder = [] if layout.root == REPOSITORY / "dataset" else ["--data", str(layout)]
    download = shlex.join(["python", "-m", "dataset.download", "annotations", *folder])
    return f"{path} is missing; download VIST's annotations with: {download}; or {otherwise}"


def count_training_words(layout):
    """Count the words of the training stories, see `count_words`.

    Raises:
        FileNotFoundError: there are no training annotations.
        InputError: they are broken.
    """
    check_annotations(layout, "train")
    stories = read_stories(layout.annotations("train"))
    texts = (text for story in stories for text in story.texts)
    return count_words(filter(can_be_stored, texts))


def make_vocabulary(layout, size=VOCABULARY_SIZE, rebuild=False):
    """Read the vocabulary file, ours or the original's, or make it from the training stories.

    A new vocabulary has the `size` most frequent words of the word frequencies file.  Without that
    file, or with `rebuild`, the words are counted first.

    Raises:
        FileNotFoundError: the words must be counted, but there are no training annotations.
        InputError: a file is broken.
    """
    if layout.vocabulary.exists() and not rebuild:
        return Vocabulary.read(layout.vocabulary)
    if layout.word_frequencies.exists() and not rebuild:
        frequencies = read_word_frequencies(layout.word_frequencies)
    else:
        frequencies = count_training_words(layout)
        with atomic_write(layout.word_frequencies) as partial:
            partial.write_text(_one_pair_per_line(frequencies), encoding="utf-8")
    vocabulary = Vocabulary.from_word_frequencies(frequencies, size)
    vocabulary.write(layout.vocabulary)
    return vocabulary


def read_word_frequencies(path):
    """Read a word frequencies file -> `[[word, count], ...]`, most frequent first.

    Raises:
        InputError: the file is something else.
    """
    frequencies = read_json(path)
    if not isinstance(frequencies, list) or not all(map(_is_word_and_count, frequencies)):
        raise InputError(f"{path} is not a list of [word, count], counts from 1; delete it.")
    if len({word for word, _ in frequencies}) < len(frequencies):
        raise InputError(f"{path} has a word more than once; delete it.")
    counts = [count for _, count in frequencies]
    if counts != sorted(counts, reverse=True):
        raise InputError(f"{path} is not sorted by count, most frequent word first; delete it.")
    return frequencies


def _is_word_and_count(pair):
    if not isinstance(pair, list) or len(pair) != 2:
        return False
    word, count = pair
    return isinstance(word, str) and word.split() == [word] and type(count) is int and count > 0


def _one_pair_per_line(frequencies):
    rows = ",\n".join(json.dumps(pair, ensure_ascii=False) for pair in frequencies)
    return f"[{rows}]\n"


def index_stories(layout, split, vocabulary, extractor="alexnet", descriptions_needed=True):
    """Write a split's stories file and the list of the skipped stories.

    Returns:
        A `SplitReport`; its coverage is that of all the split's stories, skipped ones included.

    Raises:
        FileNotFoundError: the annotations or the features are missing.
        InputError: one of them is broken, or no story can be used.
    """
    stories = read_stories(layout.annotations(split))
    descriptions = _descriptions(layout, split, descriptions_needed)
    made_by = features_command(layout, extractor)
    with open_features(layout.features(split, extractor), made_by) as features:
        rows = {id_: row for row, id_ in enumerate(read_strings(features["image_ids"]))}
        needed = descriptions if descriptions_needed else None
        reasons = [
            why_unusable(story, stories.photos_per_story) or _what_lacks(story, rows, needed)
            for story in stories
        ]
        judged = list(zip(stories, reasons, strict=True))
        kept = [story for story, reason in judged if not reason]
        skipped = [(story.story_id, reason, "") for story, reason in judged if reason]
        write_csv(layout.skipped_stories(split), SKIPPED_COLUMNS, skipped)
        if not kept:
            raise InputError(_why_none(reasons, split, layout.skipped_stories(split)))
        # The features may be there without the photos; the paths only serve to show the photos.
        path_of = partial(_stored_path, layout, index_photos(layout.photos(split)))
        features_of = partial(_features_of, features["embeddings"], rows)
        size = size_of(kept, features["embeddings"].shape[1])
        with create_hdf5(layout.stories(split), size) as file:
            _write_attributes(file, features, vocabulary)
            write_stories(file, kept, vocabulary.encode, descriptions, features_of, path_of)
    return SplitReport(
        kept=len(kept),
        skipped=Counter(filter(None, reasons)),
        coverage=vocabulary.coverage(text for story in stories for text in story.texts),
    )


def features_command(layout, extractor, precision="float32"):
    """Return the command that extracts the features."""
    command = ["python", "-m", "dataset.image_features", "--extractor", extractor]
    options = [] if precision == "float32" else ["--precision", precision]
    return shlex.join([*command, *options, "--data", str(layout)])


def _descriptions(layout, split, needed):
    path = layout.annotations(split, "description-in-isolation")
    if needed:
        check_descriptions(layout, split)
    return read_descriptions(path) if path.exists() else {}


def why_unusable(story, photos_per_story):
    """Return why a story can't be used even if all its features exist, or "" if it can."""
    if len(story.photo_ids) != photos_per_story:
        return f"{len(story.photo_ids)} photos instead of {photos_per_story}"
    if len(set(story.places)) != photos_per_story:
        return "two sentences have the same place"
    stored = (story.story_id, story.album_id, *story.photo_ids, *story.texts)
    if not all(map(can_be_stored, stored)):
        return "an id or a text can't be stored"
    return ""


def _what_lacks(story, feature_rows, descriptions):
    """Return what a story lacks beside its annotations, or "" if nothing."""
    if any(photo not in feature_rows for photo in story.photo_ids):
        return "a photo has no features"
    if descriptions is not None and any(p not in descriptions for p in story.photo_ids):
        return "a photo has no description"
    return ""


def _why_none(reasons, split, listed):
    [(reason, count)] = Counter(reasons).most_common(1)
    message = (
        f"No story of the {split} split can be used: {reason} ({count} of {len(reasons)}). "
        f"All stories are listed in {listed}."
    )
    if "photos instead of" in reason:
        message += " If all stories should have another number, state it: see docs/data.md."
    return message


def _write_attributes(file, features, vocabulary):
    file.attrs.update(feature_attributes(features))
    file.attrs["vocabulary_size"] = len(vocabulary)
    file.attrs["vocabulary_checksum"] = vocabulary.checksum


def _features_of(embeddings, rows, photo_id):
    return read_features(embeddings, rows[photo_id], lambda _: f"photo {photo_id}")


def _stored_path(layout, photos, photo_id):
    if photo_id not in photos:
        return ""
    relative = os.fsencode(Path(photos[photo_id]).relative_to(layout.root))
    return relative.decode("utf-8", "backslashreplace")

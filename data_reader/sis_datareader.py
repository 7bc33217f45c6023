"""VIST annotations + image features + vocabulary -> stories of word indices and features."""

import json
import os
import shlex
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from tqdm import tqdm

from data_reader.errors import InputError
from data_reader.files import SKIPPED_COLUMNS, atomic_write, open_hdf5, read_json, write_csv
from data_reader.image_data_reader import index_photos
from data_reader.stories_file import FEATURE_ATTRIBUTES
from data_reader.vocabulary import ROW_LENGTH, Coverage, Vocabulary, count_words

SENTENCES_PER_STORY = 5
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
    """What became of a split's stories: `kept`, and `left_out` by reason."""

    kept: int
    left_out: Counter
    coverage: Coverage


@dataclass(frozen=True)
class Story:
    """Five photos in the worker's order, a sentence for each; `places` numbers them."""

    story_id: str
    album_id: str
    photo_ids: tuple[str, ...]
    texts: tuple[str, ...]
    places: tuple[int, ...]


def read_stories(path):
    """The stories of a story-in-sequence file, in the order in which they first appear.

    Sentences are grouped by `story_id` and sorted by `worker_arranged_photo_order`, wherever in
    the file they stand.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is not VIST's story-in-sequence format.
    """
    sentences = defaultdict(list)
    for annotation in _annotations(path, _SENTENCE_FIELDS):
        sentences[annotation["story_id"]].append(
            (
                annotation["worker_arranged_photo_order"],
                annotation["album_id"],
                annotation["photo_flickr_id"],
                annotation["text"],
            )
        )
    if not sentences:
        raise InputError(f"{path} holds no stories; fetch it again.")
    stories = []
    for story_id, rows in sentences.items():
        places, albums, photo_ids, texts = zip(*sorted(rows), strict=True)
        stories.append(Story(story_id, albums[0], photo_ids, texts, places))
    return stories


def read_descriptions(path):
    """`{photo id: text}` of a description-in-isolation file; of several, the latest counts.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is not VIST's description-in-isolation format.
    """
    return {row["photo_flickr_id"]: row["text"] for row in _annotations(path, _TEXT_FIELDS)}


def _annotations(path, fields):
    """The annotations of a VIST file, checked to have `{field: type}`."""
    if not path.is_file():
        raise FileNotFoundError(
            f"{path} is missing; VIST's annotations belong there "
            "(see the README), or make a sample set: python -m dataset.sample"
        )
    contents = read_json(path)
    if not isinstance(contents, dict) or "annotations" not in contents:
        raise InputError(f"{path} is no VIST annotation file: it has no 'annotations'.")
    entries = contents["annotations"]
    if not isinstance(entries, list) or not all(isinstance(entry, list) for entry in entries):
        raise InputError(f"{path} is no VIST annotation file: 'annotations' is no list of lists.")
    annotations = [annotation for entry in entries for annotation in entry]
    for annotation in annotations:
        _check_fields(annotation, fields, path)
    return annotations


def _check_fields(annotation, fields, path):
    for field, kind in fields.items():
        if not isinstance(annotation, dict) or field not in annotation:
            raise InputError(f"{path}: an annotation lacks the field {field!r}: {annotation!r:.80}")
        if not isinstance(annotation[field], kind):
            raise InputError(
                f"{path}: an annotation's {field!r} is {annotation[field]!r}, "
                f"expected a {kind.__name__}."
            )


def make_vocabulary(layout, size=10_000, rebuild=False):
    """The vocabulary of the training stories; files that are there, ours or the original's, count.

    Without a vocabulary file it is the `size` most frequent words of the word frequencies;
    without those, or with `rebuild`, the words are counted.

    Raises:
        FileNotFoundError: the words must be counted, but there are no training annotations.
        ValueError: a file is broken.
    """
    if layout.vocabulary.exists() and not rebuild:
        return Vocabulary.read(layout.vocabulary)
    if layout.word_frequencies.exists() and not rebuild:
        frequencies = read_word_frequencies(layout.word_frequencies)
    else:
        stories = read_stories(layout.annotations("train"))
        texts = (text for story in stories for text in story.texts)
        frequencies = count_words(filter(_can_be_stored, texts))
        with atomic_write(layout.word_frequencies) as partial:
            partial.write_text(_one_pair_a_line(frequencies), encoding="utf-8")
    vocabulary = Vocabulary.from_word_frequencies(frequencies, size)
    vocabulary.write(layout.vocabulary)
    return vocabulary


def read_word_frequencies(path):
    """`[[word, count], ...]`, most frequent first, from a word frequencies file.

    Raises:
        ValueError: the file is something else.
    """
    frequencies = read_json(path)
    is_list_of_pairs = isinstance(frequencies, list) and all(
        isinstance(pair, list)
        and len(pair) == 2
        and isinstance(pair[0], str)
        and isinstance(pair[1], int)
        for pair in frequencies
    )
    if not is_list_of_pairs:
        raise InputError(f"{path} is no list of [word, count]; delete it.")
    counts = [count for _, count in frequencies]
    if counts != sorted(counts, reverse=True):
        raise InputError(f"{path} does not begin with the most frequent words; delete it.")
    return frequencies


def _one_pair_a_line(frequencies):
    rows = ",\n".join(json.dumps(pair, ensure_ascii=False) for pair in frequencies)
    return f"[{rows}]\n"


def index_stories(layout, split, vocabulary, extractor="alexnet", descriptions_needed=True):
    """Write a split's stories file and the list of the stories left out.

    Returns:
        A `SplitReport`; its coverage is that of all the split's stories.

    Raises:
        FileNotFoundError: the annotations or the features are missing.
        ValueError: one of them is broken, or no story can be used.
    """
    stories = read_stories(layout.annotations(split))
    descriptions = _descriptions(layout, split, descriptions_needed)
    with open_hdf5(
        layout.features(split, extractor),
        ("embeddings", "image_ids"),
        made_by=features_command(layout, extractor),
    ) as features:
        rows = {id_.decode(): row for row, id_ in enumerate(features["image_ids"][:])}
        reasons = {
            story: _why_left_out(story, rows, descriptions if descriptions_needed else None)
            for story in stories
        }
        kept = [story for story, reason in reasons.items() if not reason]
        skipped = [(story.story_id, reason, "") for story, reason in reasons.items() if reason]
        write_csv(layout.skipped_stories(split), SKIPPED_COLUMNS, skipped)
        if not kept:
            raise InputError(
                f"No story of the {split} split can be used: {_most_common_reason(reasons)}. "
                f"The stories are listed in {layout.skipped_stories(split)}."
            )
        with atomic_write(layout.stories(split)) as partial, h5py.File(partial, "w") as file:
            _write_attributes(file, features, vocabulary)
            _write_texts(file, kept, vocabulary, descriptions)
            _write_photos(file, kept, layout, split)
            _write_embeddings(file, kept, features["embeddings"], rows)
    return SplitReport(
        kept=len(kept),
        left_out=Counter(reason for reason in reasons.values() if reason),
        coverage=vocabulary.coverage(text for story in stories for text in story.texts),
    )


def features_command(layout, extractor):
    """The command that makes the features."""
    return shlex.join(
        ["python", "-m", "dataset.image_features", "--extractor", extractor, "--data", str(layout)]
    )


def _descriptions(layout, split, needed):
    path = layout.annotations(split, "description-in-isolation")
    return read_descriptions(path) if needed or path.exists() else {}


def why_unusable(story):
    """Why a story could not be used whatever features there are, or "" if it could."""
    if len(story.photo_ids) != SENTENCES_PER_STORY:
        return f"{len(story.photo_ids)} photos instead of {SENTENCES_PER_STORY}"
    if len(set(story.places)) != SENTENCES_PER_STORY:
        return "two sentences have the same place"
    if not story.story_id.isdecimal():
        return "its id is not a decimal number"
    if int(story.story_id) > np.iinfo(np.int64).max:
        return "its id is too large a number"
    if not all(map(_can_be_stored, (story.album_id, *story.photo_ids, *story.texts))):
        return "an id or a text is no text that can be stored"
    return ""


def _can_be_stored(text):
    """HDF5 takes no NUL and UTF-8 no half of a surrogate pair."""
    try:
        return b"\0" not in text.encode("utf-8")
    except UnicodeEncodeError:
        return False


def _why_left_out(story, feature_rows, descriptions):
    """Why a story can't be used, or "" if it can."""
    if flaw := why_unusable(story):
        return flaw
    if any(photo not in feature_rows for photo in story.photo_ids):
        return "a photo has no features"
    if descriptions is not None and any(p not in descriptions for p in story.photo_ids):
        return "a photo has no description"
    return ""


def _most_common_reason(reasons):
    [(reason, count)] = Counter(reasons.values()).most_common(1)
    return f"{reason} ({count} of {len(reasons)})"


def _write_attributes(file, features, vocabulary):
    for name in FEATURE_ATTRIBUTES:
        if name in features.attrs:
            file.attrs[name] = features.attrs[name]
    file.attrs["vocabulary_size"] = len(vocabulary)
    file.attrs["vocabulary_checksum"] = vocabulary.checksum


def _write_texts(file, stories, vocabulary, descriptions):
    file["story_ids"] = np.array([int(story.story_id) for story in stories], np.int64)
    _write_strings(file, "album_ids", [story.album_id for story in stories])
    _write_strings(file, "texts", [story.texts for story in stories])
    file["story_sentences"] = np.stack(
        [[vocabulary.encode(text) for text in story.texts] for story in stories]
    )
    no_description = np.zeros(ROW_LENGTH, np.int32)
    file["descriptions"] = np.stack(
        [
            [
                vocabulary.encode(descriptions[id_]) if id_ in descriptions else no_description
                for id_ in story.photo_ids
            ]
            for story in stories
        ]
    )


def _write_photos(file, stories, layout, split):
    # Features may have come without the photos; the paths only serve for showing them.
    photos = index_photos(layout.photos(split))
    paths = {id_: _stored_path(path, layout) for id_, path in photos.items()}
    _write_strings(file, "image_ids", [story.photo_ids for story in stories])
    _write_strings(
        file, "image_paths", [[paths.get(id_, "") for id_ in s.photo_ids] for s in stories]
    )


def _stored_path(path, layout):
    relative = os.fsencode(Path(path).relative_to(layout.root))
    return relative.decode("utf-8", "backslashreplace")


def _write_strings(file, name, values):
    file.create_dataset(name, data=np.array(values, object), dtype=h5py.string_dtype("utf-8"))


def _write_embeddings(file, stories, embeddings, rows):
    """Copy each story's features, [N, 5, F] in one piece so that they can be read by offset."""
    out = file.create_dataset(
        "image_embeddings", (len(stories), SENTENCES_PER_STORY, embeddings.shape[1]), np.float32
    )
    for number, story in enumerate(tqdm(stories, desc="stories", unit="story", disable=None)):
        out[number] = [embeddings[rows[id_]] for id_ in story.photo_ids]

"""Opening a stories file, with the checks that belong to it."""

import shlex
from pathlib import PurePath

import numpy as np

from data_reader.errors import InputError
from data_reader.features_file import feature_attributes, read_features
from data_reader.hdf5_files import open_hdf5, read_array, read_strings
from data_reader.vocabulary import NULL, ROW_LENGTH, START, can_be_stored

VIST_PHOTOS_PER_STORY = 5  # and sentences: one for each photo
# N stories, each of I sentences and photos; the features have the size F.
_NEEDED = {
    "story_ids": ("strings or whole numbers", ("N",)),
    "story_sentences": ("whole numbers", ("N", "I", ROW_LENGTH)),
    "image_embeddings": ("numbers", ("N", "I", "F")),
}
_OPTIONAL = {
    "album_ids": ("strings", ("N",)),
    "image_ids": ("strings", ("N", "I")),
    "image_paths": ("strings", ("N", "I")),
    "texts": ("strings", ("N", "I")),
}


def open_stories(layout, split, vocabulary=None, also=()):
    """Open a split's stories file, ours or the original's, and check its arrays and sentences.

    Its features are read, and checked, by `StoryFeatures`.

    Args:
        vocabulary: the one that the stories must have been indexed with.
        also: names of the arrays needed besides those that the original's files have too.

    Raises:
        FileNotFoundError: there is no such file.
        InputError: it is broken or empty, a sentence is no row of word indices, or it was made with
            another vocabulary.
    """
    command = shlex.join(["python", "-m", "data_reader", "--data", str(layout)])
    arrays = _NEEDED | {name: _OPTIONAL[name] for name in also}
    file = open_hdf5(layout.stories(split), arrays, made_by=command)
    try:
        sentences = read_array(file["story_sentences"])
        if vocabulary is not None:
            _check_vocabulary(file, sentences, vocabulary)
        words = vocabulary and len(vocabulary)
        if flaw := _flaw_of_sentences(sentences, words or _vocabulary_size(file)):
            raise InputError(f"{file.filename}: {flaw}; make it again with: {command}")
    except InputError:
        file.close()
        raise
    return file


def read_story_ids(stories):
    """List the ids of an open stories file as text; the original's files hold whole numbers.

    Raises:
        InputError: an id is not UTF-8.
    """
    ids = stories["story_ids"]
    return read_strings(ids) if ids.dtype.kind in "OS" else [str(id_) for id_ in read_array(ids)]


def read_image_paths(stories):
    """List the photos' paths of each story of an open file, relative to the data folder.

    Raises:
        InputError: one leads out of it.
    """
    paths = read_strings(stories["image_paths"])
    for path in (PurePath(path) for of_story in paths for path in of_story):
        if path.is_absolute() or ".." in path.parts or not can_be_stored(str(path)):
            raise InputError(
                f"{stories.filename}: the path of a photo, {str(path)!r:.80}, leads out of the "
                "data folder; run python -m data_reader again."
            )
    return paths


def photos_per_story(stories):
    """Return I, the number of photos and sentences that each story of an open file has."""
    return stories["story_sentences"].shape[1]


class StoryFeatures:
    """The features of an open stories file, checked when they are read.

    `features[stories]` is float32 [B, I, F] for a slice or increasing numbers of stories, or [I, F]
    for one number; `shape` is (N, I, F).

    Raises:
        InputError: numbers are damaged, nan, infinite or too large; the message names the photo.
    """

    def __init__(self, stories):
        self._stories, self._array = stories, stories["image_embeddings"]
        self.shape = self._array.shape

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, stories):
        def photo_of(place):
            rows = np.atleast_1d(np.arange(len(self))[stories])
            return self._name(rows[place // self.shape[1]], place % self.shape[1])

        return read_features(self._array, stories, photo_of)

    def _name(self, story, place):
        name = f"photo {place + 1} of story {read_story_ids(self._stories)[story]}"
        ids = self._stories.get("image_ids")  # the original's files have none
        return name if ids is None else f"{name}, {read_strings(ids)[story][place]}"


def _flaw_of_sentences(sentences, words):
    """Return why rows [N, I, 22] are no sentences of so many words, or "" if they are."""
    is_word = sentences != NULL
    flaws = {
        "does not begin with <START>": sentences[..., 0] != START,
        "is empty": ~is_word[..., 1],
        "goes on after <NULL>": (is_word[..., 1:] > is_word[..., :-1]).any(axis=-1),
        f"has an index outside of its vocabulary of {words:,} words": (
            (sentences < 0) | (sentences >= words)
        ).any(axis=-1),
    }
    for flaw, of_rows in flaws.items():
        if of_rows.any():
            story, place = np.argwhere(of_rows)[0]
            return f"sentence {place + 1} of its story {story + 1} {flaw}"
    return ""


def _vocabulary_size(stories):
    return stories.attrs.get("vocabulary_size", np.iinfo(np.int32).max)


def _check_vocabulary(stories, sentences, vocabulary):
    """Refuse stories that were indexed with another vocabulary; the message names both.

    The original's files do not record their vocabulary; only their largest index is checked.
    """
    size, checksum = stories.attrs.get("vocabulary_size"), stories.attrs.get("vocabulary_checksum")
    if checksum is None:
        size = int(sentences.max()) + 1
        fits = size <= len(vocabulary)
    else:
        fits = checksum == vocabulary.checksum
    if not fits:
        made_with = f"{size} words ({checksum})" if checksum else f"at least {size} words"
        raise InputError(
            f"{stories.filename} was made with a vocabulary of {made_with}, but the vocabulary in "
            f"use has {len(vocabulary)} words ({vocabulary.checksum}); run python -m data_reader "
            "with the latter, or use the data folder that belongs to it."
        )


def features_of(stories):
    """Describe a stories file's image features in plain values, as a run records them.

    Of the original's files only the size of the features is known.
    """
    size = int(stories["image_embeddings"].shape[-1])
    return {**feature_attributes(stories), "feature_size": size}


def check_features(stories, expected):
    """Refuse stories whose image features differ in kind from `expected`.

    Args:
        expected: `features_of` the stories that a run was trained on, for example; only what both
            sides record is compared.

    Raises:
        InputError: they differ; the message names both.
    """
    found = features_of(stories)
    differing = [name for name in expected if found.get(name, expected[name]) != expected[name]]
    if differing:
        sides = "; ".join(f"{name} {found[name]}, not {expected[name]}" for name in differing)
        raise InputError(
            f"{stories.filename} has image features of another kind than expected: {sides}. "
            "Extract features of the expected kind and run python -m data_reader again."
        )

"""Opening a stories file, with the checks that belong to it."""

import shlex

import numpy as np

from data_reader.errors import InputError
from data_reader.files import open_hdf5, read_strings
from data_reader.vocabulary import ROW_LENGTH

VIST_PHOTOS_PER_STORY = 5  # and sentences: one for each photo
FEATURE_ATTRIBUTES = ("extractor", "weights_checksum", "channel_means")
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
    """Open a split's stories file, ours or the original's, and check its arrays.

    Args:
        vocabulary: the one that the stories must have been indexed with.
        also: names of the arrays needed besides those that the original's files have too.

    Raises:
        FileNotFoundError: there is no such file.
        InputError: it is broken or empty, or was made with another vocabulary.
    """
    command = shlex.join(["python", "-m", "data_reader", "--data", str(layout)])
    arrays = _NEEDED | {name: _OPTIONAL[name] for name in also}
    file = open_hdf5(layout.stories(split), arrays, made_by=command)
    try:
        if not len(file["story_ids"]):
            raise InputError(f"{file.filename} holds no stories; make it again with: {command}")
        if vocabulary is not None:
            check_vocabulary(file, vocabulary)
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
    return read_strings(ids) if ids.dtype.kind in "OS" else [str(id_) for id_ in ids[:]]


def photos_per_story(stories):
    """Return I, the number of photos and sentences that each story of an open file has."""
    return stories["story_sentences"].shape[1]


def check_vocabulary(stories, vocabulary):
    """Refuse stories that were indexed with another vocabulary.

    The original's files do not record their vocabulary; only their largest index is checked.

    Raises:
        InputError: they do not match; the message names both.
    """
    size, checksum = stories.attrs.get("vocabulary_size"), stories.attrs.get("vocabulary_checksum")
    if checksum is None:
        size = int(stories["story_sentences"][:].max()) + 1
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


def feature_attributes(file):
    """Read what a stories or features file records about its features, as plain values."""
    return {
        name: np.asarray(file.attrs[name]).tolist()
        for name in FEATURE_ATTRIBUTES
        if name in file.attrs
    }


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

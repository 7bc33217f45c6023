"""Opening a stories file, with the checks that belong to it."""

import shlex

import numpy as np

from data_reader.errors import InputError
from data_reader.files import open_hdf5

FEATURE_ATTRIBUTES = ("extractor", "weights_checksum", "channel_means")
_DATASETS = ("story_ids", "story_sentences", "image_embeddings")


def open_stories(layout, split, vocabulary=None, also=()):
    """Open a split's stories file; with a vocabulary, check that the stories were made with it.

    Args:
        also: datasets that are needed besides those that the original's files have, too.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is broken or was made with another vocabulary.
    """
    command = shlex.join(["python", "-m", "data_reader", "--data", str(layout)])
    file = open_hdf5(layout.stories(split), (*_DATASETS, *also), made_by=command)
    if vocabulary is not None:
        try:
            check_vocabulary(file, vocabulary)
        except ValueError:
            file.close()
            raise
    return file


def check_vocabulary(stories, vocabulary):
    """Refuse stories that were indexed with another vocabulary.

    The original's files do not say which vocabulary they were made with; of them only the
    largest index is checked.

    Raises:
        ValueError: they do not fit; both sides are named.
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
            f"{stories.filename} was made with a vocabulary of {made_with}, but what "
            f"reads it has one of {len(vocabulary)} words ({vocabulary.checksum}); "
            "run python -m data_reader with that vocabulary, or take the data that belongs to it."
        )


def features_of(stories):
    """Where a stories file's image features come from, as plain values: what a run keeps.

    The original's files say nothing but the size of the features.
    """
    size = int(stories["image_embeddings"].shape[-1])
    return {**feature_attributes(stories), "feature_size": size}


def feature_attributes(file):
    """What a stories or features file says of its features, as plain values."""
    return {
        name: np.asarray(file.attrs[name]).tolist()
        for name in FEATURE_ATTRIBUTES
        if name in file.attrs
    }


def check_features(stories, expected):
    """Refuse stories whose image features come from elsewhere than `expected`.

    Args:
        expected: `features_of` the stories that a run was trained on, say; what either side does
            not know is not compared.

    Raises:
        ValueError: they differ; both sides are named.
    """
    found = features_of(stories)
    differing = [name for name in expected if found.get(name, expected[name]) != expected[name]]
    if differing:
        sides = "; ".join(f"{name} {found[name]}, not {expected[name]}" for name in differing)
        raise InputError(
            f"{stories.filename} has other image features than are expected: {sides}. "
            "Take features of that kind and run python -m data_reader again."
        )

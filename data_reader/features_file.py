"""Opening a features file, and reading features: finite numbers only."""

import numpy as np

from data_reader.errors import InputError
from data_reader.hdf5_files import attributes_of, open_hdf5, read_array

FEATURE_ATTRIBUTES = ("extractor", "weights_checksum", "channel_means", "precision")
UNRECORDED = {"precision": "float32"}  # earlier versions computed in no other one
# M photos; the features have the size F.
_ARRAYS = {"embeddings": ("numbers", ("M", "F")), "image_ids": ("strings", ("M",))}


def open_features(path, made_by=None):
    """Open a features file and check its arrays.

    Args:
        made_by: the command that makes the file, if it is to be said.

    Raises:
        FileNotFoundError: there is no such file.
        InputError: it is broken or of another form.
    """
    return open_hdf5(path, _ARRAYS, made_by)


def feature_attributes(file):
    """Read what a stories or features file records about its features, as plain values."""
    recorded = UNRECORDED | attributes_of(file)
    return {name: recorded[name] for name in FEATURE_ATTRIBUTES if name in recorded}


def read_features(array, rows, photo_of):
    """Read rows of features from a file -> float32.

    Args:
        array: numbers [..., F].
        photo_of: returns the name of the photo of one of the vectors that are read, by its place
            among them.

    Raises:
        InputError: they are damaged, or one is nan, infinite or too large; the message names the
            photo.
    """
    with np.errstate(over="ignore"):
        features = read_array(array, rows).astype(np.float32, copy=False)
    finite = np.isfinite(features)
    if not finite.all():
        place = int(np.argmin(finite.reshape(-1, finite.shape[-1]).all(axis=1)))
        raise InputError(
            f"{array.file.filename}: the features of {photo_of(place)} are nan, infinite or too "
            "large; extract or import them again, and run python -m data_reader again."
        )
    return features

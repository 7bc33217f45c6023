"""A user's own photos: their order and their features."""

import os
import re
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from data_reader.errors import InputError
from data_reader.image_data_reader import PHOTO_ENDINGS, read_photo

FEWEST, MOST = 1, 20
_PATHS = str | os.PathLike


def photos_in_order(given):
    """Put the photos of a story in order.

    Args:
        given: paths of photos, which keep their order, or of one folder, whose photos are sorted by
            EXIF time if all of them have one, else by name.

    Returns:
        paths, and "as given", "by EXIF time" or "by name", with the reason where some have a time.

    Raises:
        FileNotFoundError: a photo does not exist.
        InputError: they are none or more than 20, or there is a folder among them.
    """
    given = [Path(path) for path in given]
    for path in given:
        if not path.exists():
            raise FileNotFoundError(f"The photo {path} is missing.")
    folders = [path for path in given if path.is_dir()]
    is_folder = bool(folders) and len(given) == 1
    if folders and not is_folder:
        raise InputError(f"{folders[0]} is a folder; give photos, or one folder of them.")
    photos, order = _of_folder(given[0]) if is_folder else (given, "as given")
    if not FEWEST <= len(photos) <= MOST:
        counted = f" (files ending in {', '.join(sorted(PHOTO_ENDINGS))})" if is_folder else ""
        raise InputError(
            f"A story needs {FEWEST} to {MOST} photos, got {len(photos)}: "
            f"{', '.join(map(str, given))}{counted}."
        )
    return photos, order


def _of_folder(folder):
    photos = [
        path
        for path in folder.iterdir()
        if path.suffix.lower() in PHOTO_ENDINGS and not path.name.startswith(".")
    ]
    times = {path: _time_made(path) for path in photos}
    if photos and all(times.values()):
        order = sorted(photos, key=lambda path: (times[path], _natural_order(path)))
        return order, "by EXIF time"
    timeless = [path.name for path in sorted(photos, key=_natural_order) if not times[path]]
    why = "" if len(timeless) == len(photos) else f", since {timeless[0]} has no EXIF time"
    return sorted(photos, key=_natural_order), f"by name{why}"


def _time_made(path):
    """Return the EXIF time of a photo, as text that sorts; None if there is none."""
    try:
        with Image.open(path) as photo:
            exif = photo.getexif()
        details = exif.get_ifd(ExifTags.IFD.Exif)
    # Broken EXIF data raise SyntaxError or ValueError.
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None
    made = details.get(ExifTags.Base.DateTimeOriginal) or exif.get(ExifTags.Base.DateTime)
    if not isinstance(made, str) or not any(digit in made for digit in "123456789"):
        return None
    return made + str(details.get(ExifTags.Base.SubsecTimeOriginal, ""))


def _natural_order(path):
    """Return a sort key that puts 2.jpg before 10.jpg."""
    parts = re.split(r"(\d+)", path.name.lower())
    return [(int(part), "") if part.isdecimal() else (0, part) for part in parts]


def photos_of_story(given):
    """Put the photos of a story in order, as a notebook gives them.

    Args:
        given: a folder or a list of paths, see `photos_in_order`; or a list of PIL images and
            arrays, see `read_given`.

    Returns:
        a list of paths, images or arrays.

    Raises:
        FileNotFoundError, InputError: see `photos_in_order`.
    """
    given = [given] if isinstance(given, _PATHS | Image.Image) else list(given)
    if given and all(isinstance(photo, _PATHS) for photo in given):
        return photos_in_order(given)[0]
    if not FEWEST <= len(given) <= MOST:
        raise InputError(f"A story needs {FEWEST} to {MOST} photos, got {len(given)}.")
    return given


def read_given(photo, short_side=None):
    """Read or convert a photo -> uint8 [height, width, 3] in B,G,R.

    Args:
        photo: a path, a PIL image, or an array uint8 [height, width, 3] in R,G,B.
        short_side: see `read_photo`.

    Raises:
        OSError, InputError: the file can't be read, or it is something else.
    """
    if isinstance(photo, _PATHS):
        return read_photo(photo, short_side)
    if isinstance(photo, Image.Image):
        if photo.mode.startswith(("I", "F")):  # whose values Pillow would cut at 255
            raise InputError(f"its mode is {photo.mode}; convert it to RGB")
        photo = np.asarray(ImageOps.exif_transpose(photo).convert("RGB"))
    shape, kind = getattr(photo, "shape", None), getattr(photo, "dtype", type(photo).__name__)
    if not isinstance(photo, np.ndarray) or kind != np.uint8 or len(shape) != 3 or shape[2] != 3:
        found = kind if shape is None else f"{kind} {list(shape)}"
        raise InputError(
            f"it is {found}, expected a path, a PIL image or an array uint8 [height, width, 3] "
            "in R,G,B"
        )
    return photo[:, :, ::-1]


def features_of(photos, extractor):
    """Compute the features of photos, given as in `read_given`: float32 [1, I, F].

    Raises:
        InputError: a photo can't be read; the message names it.
    """
    inputs = []
    for number, photo in enumerate(photos, 1):
        try:
            inputs.append(extractor.preprocess(read_given(photo, extractor.image_size)))
        except (InputError, OSError) as error:
            name = photo if isinstance(photo, _PATHS) else f"number {number}"
            raise InputError(f"The photo {name} can't be read: {error}.") from error
    return np.asarray(extractor.compute(np.stack(inputs)))[None]


def unseen_in_training(features, photos):
    """Return notes on how a story of so many photos differs from the training data.

    Args:
        features: the run's description of its image features.
    """
    lines = []
    trained_with = features.get("photos_per_story")  # earlier versions did not record it
    if trained_with is not None and photos != trained_with:
        lines.append(f"training used stories of {trained_with} photos, none of {photos}.")
    if features["weights_checksum"].startswith("seeded"):
        lines.append("the run's image features come from random weights, useless for real photos.")
    return lines

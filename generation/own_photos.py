"""A user's own photos: their order and their features."""

import os
import re
import warnings
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from data_reader.errors import InputError
from data_reader.image_data_reader import PHOTO_ENDINGS, read_photo
from data_reader.photo_header import MAX_MEGAPIXELS
from data_reader.pillow_reader import HEIC_ENDINGS, can_read_heic, exposure_time, upright_pixels

FEWEST, MOST = 1, 20
_SHOWN = 3  # files that are left out
_PATHS = str | os.PathLike


def photos_in_order(given):
    """Put the photos of a story in order.

    Args:
        given: paths of photos, which keep their order, or of one folder, whose photos are sorted by
            EXIF time if all of them have one, else by name.

    Returns:
        paths; "as given", "by EXIF time" or "by name", with the reason where some have a time; and
        a list of notes on files of the folder that are left out.

    Raises:
        FileNotFoundError: a photo does not exist.
        InputError: they are none or more than 20, or there is a folder, pipe or device among them.
    """
    given = [Path(path) for path in given]
    for path in given:
        if not path.exists():
            raise FileNotFoundError(f"The photo {path} is missing.")
    folders = [path for path in given if path.is_dir()]
    is_folder = bool(folders) and len(given) == 1
    if folders and not is_folder:
        raise InputError(f"{folders[0]} is a folder; give photos, or one folder of them.")
    if not is_folder and (others := [path for path in given if not path.is_file()]):
        raise InputError(f"{others[0]} is no file, but a pipe or device; give photos.")
    photos, order, notes = _of_folder(given[0]) if is_folder else (given, "as given", [])
    if not FEWEST <= len(photos) <= MOST:
        counted = f" (files ending in {', '.join(sorted(PHOTO_ENDINGS))})" if is_folder else ""
        raise InputError(
            f"A story needs {FEWEST} to {MOST} photos, got {len(photos)}: "
            f"{', '.join(map(str, given))}{counted}.{''.join(f' Note: {note}' for note in notes)}"
        )
    return photos, order, notes


def _of_folder(folder):
    photos, notes = _choose_photos(folder)
    return *_in_order(photos), notes


def _choose_photos(folder):
    """List the photos of a folder -> paths, notes on the files that are left out."""
    endings = PHOTO_ENDINGS | (HEIC_ENDINGS if can_read_heic() else set())
    photos, others = [], []
    for path in folder.iterdir():
        if not path.name.startswith(".") and not path.is_dir():
            is_photo = path.suffix.lower() in endings and path.is_file()
            (photos if is_photo else others).append(path)
    return photos, _notes_on_others(sorted(others, key=_natural_order))


def _notes_on_others(others):
    if not others:
        return []
    more = f" and {len(others) - _SHOWN:,} more" if len(others) > _SHOWN else ""
    notes = [f"left out: {', '.join(path.name for path in others[:_SHOWN])}{more}."]
    if not can_read_heic() and any(path.suffix.lower() in HEIC_ENDINGS for path in others):
        notes.append("HEIC photos are read if pillow-heif is installed: pip install pillow-heif")
    return notes


def _in_order(photos):
    times = {path: exposure_time(path) for path in photos}
    if photos and all(times.values()):
        order = sorted(photos, key=lambda path: (times[path], _natural_order(path)))
        return order, "by EXIF time"
    timeless = [path.name for path in sorted(photos, key=_natural_order) if not times[path]]
    why = "" if len(timeless) == len(photos) else f", since {timeless[0]} has no EXIF time"
    return sorted(photos, key=_natural_order), f"by name{why}"


def _natural_order(path):
    """Return a sort key that puts 2.jpg before 10.jpg."""
    parts = re.split(r"(\d+)", path.name.lower())
    return [(int(part), "") if part.isdecimal() else (0, part) for part in parts]


def photos_of_story(given):
    """Put the photos of a story in order, as a notebook gives them.

    Args:
        given: a folder or a list of paths, see `photos_in_order`, whose notes come as warnings; or
            a list of PIL images and arrays, see `read_given`.

    Returns:
        a list of paths, images or arrays.

    Raises:
        FileNotFoundError, InputError: see `photos_in_order`.
    """
    given = [given] if isinstance(given, _PATHS | Image.Image) else list(given)
    if given and all(isinstance(photo, _PATHS) for photo in given):
        photos, _, notes = photos_in_order(given)
        for note in notes:
            warnings.warn(note, stacklevel=3)
        return photos
    if not FEWEST <= len(given) <= MOST:
        raise InputError(f"A story needs {FEWEST} to {MOST} photos, got {len(given)}.")
    return given


def read_given(photo, short_side=None, max_megapixels=MAX_MEGAPIXELS):
    """Read or convert a photo -> uint8 [height, width, 3] in B,G,R.

    Args:
        photo: a path, a PIL image, or an array uint8 [height, width, 3] in R,G,B.
        short_side, max_megapixels: see `read_photo`; for paths.

    Raises:
        OSError, InputError: the file can't be read, or it is something else.
    """
    if isinstance(photo, _PATHS):
        return read_photo(photo, short_side, max_megapixels)
    if isinstance(photo, Image.Image):
        if photo.mode.startswith(("I", "F")):  # whose values Pillow would cut at 255
            raise InputError(f"its mode is {photo.mode}; convert it to RGB")
        photo = upright_pixels(photo)
    shape, kind = getattr(photo, "shape", None), getattr(photo, "dtype", type(photo).__name__)
    if not isinstance(photo, np.ndarray) or kind != np.uint8 or len(shape) != 3 or shape[2] != 3:
        found = kind if shape is None else f"{kind} {list(shape)}"
        raise InputError(
            f"it is {found}, expected a path, a PIL image or an array uint8 [height, width, 3] "
            "in R,G,B"
        )
    return photo[:, :, ::-1]


def features_of(photos, extractor, max_megapixels=MAX_MEGAPIXELS):
    """Compute the features of photos, given as in `read_given`: float32 [1, I, F].

    Raises:
        InputError: a photo can't be read; the message names it.
    """
    inputs = []
    for number, photo in enumerate(photos, 1):
        try:
            pixels = read_given(photo, extractor.image_size, max_megapixels)
            inputs.append(extractor.preprocess(pixels))
        except (InputError, OSError, cv2.error) as error:
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

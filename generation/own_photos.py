"""A user's own photos: their order and their features."""

import re
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from data_reader.errors import InputError
from data_reader.image_data_reader import PHOTO_ENDINGS, read_photo

FEWEST, MOST = 1, 20


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


def features_of(photos, extractor):
    """Compute the features of photos, float32 [1, I, F].

    Raises:
        InputError: a photo can't be read; the message names it.
    """
    inputs = []
    for path in photos:
        try:
            inputs.append(extractor.preprocess(read_photo(path, extractor.image_size)))
        except (InputError, OSError) as error:
            raise InputError(f"The photo {path} can't be read: {error}.") from error
    return np.asarray(extractor.compute(np.stack(inputs)))[None]


def unseen_in_training(run, photos):
    """Return notes on how a story of so many photos differs from the training data."""
    lines = []
    trained_with = run.photos_per_story()
    if trained_with is not None and photos != trained_with:
        lines.append(f"training used stories of {trained_with} photos, none of {photos}.")
    if run.features()["weights_checksum"].startswith("seeded"):
        lines.append("the run's image features come from random weights, useless for real photos.")
    return lines

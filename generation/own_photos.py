"""Photos of one's own: which ones, in which order, and their features."""

import re
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from data_reader.errors import InputError
from data_reader.image_data_reader import PHOTO_ENDINGS, read_photo

FEWEST, MOST = 2, 20
TRAINED_ON = 5  # photos a story has in VIST


def photos_in_order(given):
    """The photos of a story, and how they were ordered.

    Args:
        given: paths of photos, taken as they are; or of one folder, whose photos are taken in the
            order in which they were made, where the EXIF data of all says when, else of their
            names.

    Returns:
        paths, and "as given", "by EXIF time" or "by name", with the reason where some have a time.

    Raises:
        FileNotFoundError: one does not exist.
        ValueError: they are fewer than 2 or more than 20, or there is a folder among them.
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
        order = sorted(photos, key=lambda path: (times[path], _as_people_count(path)))
        return order, "by EXIF time"
    timeless = [path.name for path in sorted(photos, key=_as_people_count) if not times[path]]
    why = "" if len(timeless) == len(photos) else f", since {timeless[0]} has no EXIF time"
    return sorted(photos, key=_as_people_count), f"by name{why}"


def _time_made(path):
    """When EXIF says that a photo was made, as text that sorts; None where it does not."""
    try:
        with Image.open(path) as photo:
            exif = photo.getexif()
    except (UnidentifiedImageError, OSError, SyntaxError, Image.DecompressionBombError):
        return None
    details = exif.get_ifd(ExifTags.IFD.Exif)
    made = details.get(ExifTags.Base.DateTimeOriginal) or exif.get(ExifTags.Base.DateTime)
    if not isinstance(made, str) or not any(digit in made for digit in "123456789"):
        return None
    return made + str(details.get(ExifTags.Base.SubsecTimeOriginal, ""))


def _as_people_count(path):
    """A key that puts 2.jpg before 10.jpg."""
    parts = re.split(r"(\d+)", path.name.lower())
    return [(int(part), "") if part.isdecimal() else (0, part) for part in parts]


def features_of(photos, extractor):
    """float32 [1, I, F].

    Raises:
        ValueError: a photo can't be read; it is named.
    """
    inputs = []
    for path in photos:
        try:
            inputs.append(extractor.preprocess(read_photo(path, extractor.image_size)))
        except (ValueError, OSError) as error:
            raise InputError(f"The photo {path} can't be read: {error}.") from error
    return np.asarray(extractor.compute(np.stack(inputs)))[None]


def unseen_in_training(run, photos):
    """What a story of so many photos has that the run was not trained on, a line each."""
    lines = []
    if photos != TRAINED_ON:
        lines.append(f"training saw stories of {TRAINED_ON} photos, none of {photos}.")
    if run.features()["weights_checksum"].startswith("seeded"):
        lines.append("the run knows photos by random weights: of real photos it knows nothing.")
    return lines

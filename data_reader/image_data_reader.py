"""A photo file -> a network's input."""

import io
import os
import re
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError

from data_reader.errors import InputError

# Channel means of the photos that the published AlexNet was trained on: blue, green, red.
ALEXNET_MEANS = (104.0, 117.0, 123.0)
PHOTO_ENDINGS = frozenset({".jpg", ".jpeg", ".png", ".gif", ".bmp", ".webp", ".tif", ".tiff"})

# What Flickr adds to an id: its secret, the letter of a size.
_FLICKR_NAME = re.compile(r"(\d+)(_[0-9a-f]{10})?(_[a-z])?")

# A JPEG is decoded at a fraction of its size as long as its short side stays this many times that
# of the network's input.  The bound: fc7 of the two has a cosine of at least 0.999; the lowest
# that python -m dataset.benchmark finds is 0.9994.
_SPARE_RESOLUTION = 2
_REDUCED = {
    8: cv2.IMREAD_REDUCED_COLOR_8,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    2: cv2.IMREAD_REDUCED_COLOR_2,
}
_KINDS = {b"\xff\xd8\xff": "JPEG", b"\x89PNG": "PNG", b"GIF8": "GIF", b"RIFF": "WebP"}


def photo_id(file_name):
    """The id in a photo's file name: all up to the first dot, without what Flickr adds.

    "123.jpg", "123_o.jpg", "123_0a1b2c3d4e_o.JPG" and "123_o.jpg.1" are all photo 123; where
    what stands before the dot is no Flickr name, it is the id as a whole.
    """
    stem = file_name.split(".")[0]
    flickr = _FLICKR_NAME.fullmatch(stem)
    # A name that is not UTF-8 still gets an id that can be written.
    return flickr[1] if flickr else os.fsencode(stem).decode("utf-8", "backslashreplace")


def find_photo_files(folder):
    """`{photo id: paths}` of the photos under a folder at any depth, in order of id.

    A file is a photo by any of its endings, in upper or lower case; hidden files are none.  An
    id's paths are in order; usually there is one.  They are strings, since a `Path` takes a
    kilobyte and there may be 170,000.
    """
    photos = {}
    for parent, names in _walk(folder):
        for name in names:
            if not name.startswith(".") and _has_photo_ending(name):
                photos.setdefault(photo_id(name), []).append(os.path.join(parent, name))
    return {id_: sorted(photos[id_]) for id_ in sorted(photos)}


def _walk(folder):
    """Yield (folder, file names), following links to folders, each folder once."""
    seen = set()
    for parent, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(parent)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        yield parent, names


def _has_photo_ending(name):
    return not PHOTO_ENDINGS.isdisjoint(f".{ending}" for ending in name.lower().split(".")[1:])


def index_photos(folder):
    """`{photo id: path}`: of the files that `find_photo_files` finds, the first of each id."""
    return {id_: paths[0] for id_, paths in find_photo_files(folder).items()}


def find_photos(folder):
    """`index_photos` of a folder that must hold some.

    Raises:
        FileNotFoundError: the folder is missing or holds no photo.
    """
    if not Path(folder).is_dir():
        raise FileNotFoundError(f"The photo folder {folder} is missing.")
    photos = index_photos(folder)
    if not photos:
        endings = ", ".join(sorted(PHOTO_ENDINGS))
        raise FileNotFoundError(f"The folder {folder} holds no photos ({endings}).")
    return photos


def read_photo(path, short_side=None):
    """Decode a photo by its content, not its ending -> uint8 [height, width, 3] in B,G,R.

    Greyscale, palettes, CMYK, 16 bits and transparency become three channels of 8 bits; of a GIF
    the first frame is taken.  A photo that its EXIF data calls turned is turned upright, as a
    person would look at it.

    Args:
        short_side: decode a JPEG at 1/2, 1/4 or 1/8 where its short side stays at least twice
            this; it then need not be the photo's own size.

    Raises:
        ValueError: the file is empty, cut short or no photo.
    """
    contents = np.fromfile(path, np.uint8)
    if contents.size == 0:
        raise InputError("empty file")
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # the error says it
    try:
        photo = cv2.imdecode(contents, _decoding(contents, short_side))
    except cv2.error:
        photo = None
    if photo is None:
        raise InputError(_why_unreadable(contents[:16].tobytes()))
    return photo


def _decoding(contents, short_side):
    """How to decode: in full, or reduced if there are pixels to spare."""
    if short_side is None or contents[:3].tobytes() != b"\xff\xd8\xff":
        return cv2.IMREAD_COLOR
    try:
        shorter = min(Image.open(io.BytesIO(contents)).size)
    except (UnidentifiedImageError, OSError, SyntaxError, Image.DecompressionBombError):
        return cv2.IMREAD_COLOR
    for factor, flag in _REDUCED.items():
        if shorter >= factor * _SPARE_RESOLUTION * short_side:
            return flag
    return cv2.IMREAD_COLOR


def _why_unreadable(start):
    for magic, kind in _KINDS.items():
        if start.startswith(magic):
            return f"cut short or broken {kind}"
    return f"no photo: begins with {start!r}"


def network_input(photo, size=227, means=ALEXNET_MEANS):
    """Short side to `size`, centre crop, less the means.

    uint8 [height, width, 3] -> float32 [size, size, 3], B,G,R.
    """
    return centre_square(photo, size).astype(np.float32) - np.float32(means)


def centre_square(photo, size):
    """The centre square, scaled: uint8 [height, width, 3] -> uint8 [size, size, 3].

    Cropped before it is scaled, so that a very long photo needs no more memory than another.
    """
    height, width = photo.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = photo[top : top + side, left : left + side]
    interpolation = cv2.INTER_AREA if side > size else cv2.INTER_LINEAR
    return cv2.resize(square, (size, size), interpolation=interpolation)

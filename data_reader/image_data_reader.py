"""Finding photo files, decoding them, and turning them into a network's input."""

import os
import re
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from data_reader.errors import InputError
from data_reader.img2dataset import recorded_ids
from data_reader.photo_header import BYTES_PER_PIXEL, MAX_MEGAPIXELS, broken, read_header
from data_reader.pillow_reader import decode_heic

# The published AlexNet's input, and the channel means of its training photos: blue, green, red.
ALEXNET_IMAGE_SIZE = 227
ALEXNET_MEANS = (104.0, 117.0, 123.0)
PHOTO_ENDINGS = frozenset({".jpg", ".jpeg", ".png", ".gif", ".bmp", ".webp", ".tif", ".tiff"})

# An id with the suffixes that Flickr adds to it: a secret and the letter of a size.
_FLICKR_NAME = re.compile(r"(\d+)(_[0-9a-f]{10})?(_[a-z])?")

# A JPEG is decoded at a fraction of its size if its short side stays at least this many times that
# of the network's input.  This keeps the cosine between fc7 of both above 0.999; the lowest that
# python -m dataset.benchmark measures is 0.9994.
_SPARE_RESOLUTION = 2
_MODES = {
    8: cv2.IMREAD_REDUCED_COLOR_8,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    1: cv2.IMREAD_COLOR,
}
_PHOTOS_AT_A_TIME = 256


def photo_id(file_name):
    """Extract the id from a photo's file name: up to the first dot, without Flickr's suffixes.

    "123.jpg", "123_o.jpg", "123_0a1b2c3d4e_o.JPG" and "123_o.jpg.1" are all photo 123.  If the
    part before the dot is not a Flickr name, all of it is the id.
    """
    stem = file_name.split(".")[0]
    flickr = _FLICKR_NAME.fullmatch(stem)
    # A name that is not UTF-8 still gets an id that can be written.
    return flickr[1] if flickr else os.fsencode(stem).decode("utf-8", "backslashreplace")


def find_photo_files(folder):
    """Find the photos under a folder at any depth -> `{photo id: paths}`, in order of id.

    A file is a photo if one of its extensions is a photo's, in upper or lower case; hidden files
    are ignored.  An id's paths, usually one, are sorted.  They are strings, since a `Path` takes a
    kilobyte and there may be 170,000.

    Raises:
        InputError: img2dataset's list of photos can't be read.
    """
    photos = {}
    for parent, names in _walk(folder):
        recorded = recorded_ids(parent, names, photo_id)
        for name in names:
            if not name.startswith(".") and _has_photo_ending(name):
                id_ = recorded.get(os.path.splitext(name)[0]) or photo_id(name)
                photos.setdefault(id_, []).append(os.path.join(parent, name))
    return {id_: sorted(photos[id_]) for id_ in sorted(photos)}


def _walk(folder):
    """Yield (folder, file names), following links to folders but visiting each folder once."""
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
    """Find the photos under a folder -> `{photo id: path}`, the first path of each id."""
    return {id_: paths[0] for id_, paths in find_photo_files(folder).items()}


def find_photos(folder):
    """Find the photos under a folder as `index_photos` does, but refuse a folder without any.

    Raises:
        FileNotFoundError: the folder is missing or holds no photos.
    """
    if not Path(folder).is_dir():
        raise FileNotFoundError(f"The photo folder {folder} is missing.")
    photos = index_photos(folder)
    if not photos:
        endings = ", ".join(sorted(PHOTO_ENDINGS))
        raise FileNotFoundError(f"The folder {folder} holds no photos ({endings}).")
    return photos


def process_photos(function, paths, description):
    """Yield `function(path)` for each photo, in order, on all cores, with a progress bar."""
    with (
        ThreadPoolExecutor(os.cpu_count()) as threads,
        tqdm(total=len(paths), desc=description, unit="photo", disable=None) as bar,
    ):
        for start in range(0, len(paths), _PHOTOS_AT_A_TIME):
            for result in threads.map(function, paths[start : start + _PHOTOS_AT_A_TIME]):
                bar.update()
                yield result


def read_photo(path, short_side=None, max_megapixels=MAX_MEGAPIXELS):
    """Decode a photo by its content, not its extension -> uint8 [height, width, 3] in B,G,R.

    Greyscale, palettes, CMYK, 16 bits and transparency become three channels of 8 bits; of a GIF
    the first frame is used.  A photo whose EXIF data give an orientation is turned upright.

    Args:
        short_side: decode a JPEG at 1/2, 1/4 or 1/8 of its size if its short side stays at least
            twice this long.
        max_megapixels: refuse a photo that takes more memory than so many decoded pixels.

    Raises:
        InputError: the file is empty, cut short, too large, or not a photo or no regular file.
    """
    with decoded_photo(path, short_side, max_megapixels) as photo:
        return photo


@contextmanager
def decoded_photo(path, short_side=None, max_megapixels=MAX_MEGAPIXELS, inspect=None):
    """Yield a photo as `read_photo` returns it, and count its memory until the block ends.

    All threads of the process together decode at most `max_megapixels` at once: further ones wait.

    Args:
        inspect: a function that is called with the file's contents before they are decoded.
    """
    with open(path, "rb", opener=_open_without_waiting) as file:
        size = _size_of_regular(file)
        header = read_header(file)
        factor = _reduction(header, short_side)
        limit = max_megapixels * 1_000_000 * BYTES_PER_PIXEL
        needed = header.memory(factor) if header.width else limit  # its size is not known yet
        if needed > limit:
            raise InputError(_too_large(header, needed, max_megapixels))
        if size > limit:
            raise InputError(f"a file of {size / 1e6:,.0f} MB, the limit is {limit / 1e6:,.0f} MB")
        with _MEMORY.held(max(needed, size), limit):
            # The file's contents are gone before the photo is worked on.
            yield _decode(_read(file, size, inspect), header, factor, max_megapixels)


def _open_without_waiting(path, flags):
    return os.open(path, flags | os.O_NONBLOCK)  # opening a pipe waits for somebody who writes


def _size_of_regular(file):
    """Return a file's size in bytes, but refuse pipes and devices, which may never end."""
    state = os.fstat(file.fileno())
    if not stat.S_ISREG(state.st_mode):
        raise InputError("no regular file, but a pipe or device")
    return state.st_size


def _read(file, size, inspect):
    file.seek(0)
    contents = file.read(size)
    if inspect:
        inspect(contents)
    return contents


def _too_large(header, needed, max_megapixels):
    return (
        f"{header.width:,} x {header.height:,} pixels take the memory of "
        f"{needed / BYTES_PER_PIXEL / 1e6:,.0f} megapixels, the limit is {max_megapixels:,} "
        "(--max-megapixels)"
    )


def _reduction(header, short_side):
    """Choose the part of its size, 1/8 to 1/1, at which a photo with pixels to spare is decoded."""
    if short_side is None or not header.can_be_reduced:
        return 1
    enough = _SPARE_RESOLUTION * short_side
    return next((f for f in (8, 4, 2) if min(header.width, header.height) >= f * enough), 1)


class _SharedMemory:
    """The memory, in bytes, that photos take while they are decoded, counted over all threads."""

    def __init__(self):
        self._taken, self._changed = 0, threading.Condition()

    @contextmanager
    def held(self, needed, limit):
        """Wait until there is room for `needed` bytes, at most `limit`, and take it for a block."""
        with self._changed:
            self._changed.wait_for(lambda: self._taken + needed <= limit or not self._taken)
            self._taken += needed
        try:
            yield
        finally:
            with self._changed:
                self._taken -= needed
                self._changed.notify_all()


_MEMORY = _SharedMemory()


def _decode(contents, header, factor, max_megapixels):
    if header.format == "HEIC":
        return decode_heic(contents, max_megapixels)
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # the error below reports it
    try:
        photo = cv2.imdecode(np.frombuffer(contents, np.uint8), _MODES[factor])
    except cv2.error:
        photo = None
    if photo is None:
        raise broken(header.format)
    return photo


def network_input(photo, size=ALEXNET_IMAGE_SIZE, means=ALEXNET_MEANS):
    """Scale the short side to `size`, crop the centre and subtract the means.

    uint8 [height, width, 3] -> float32 [size, size, 3], B,G,R.
    """
    return centre_square(photo, size).astype(np.float32) - np.float32(means)


def centre_square(photo, size):
    """Crop the centre square and scale it: uint8 [height, width, 3] -> uint8 [size, size, 3].

    The crop comes first, so that a very long photo needs no more memory than another.
    """
    height, width = photo.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = photo[top : top + side, left : left + side]
    interpolation = cv2.INTER_AREA if side > size else cv2.INTER_LINEAR
    return cv2.resize(square, (size, size), interpolation=interpolation)

"""A photo file -> a network's input."""

from pathlib import Path

import cv2
import numpy as np

# Channel means of the photos that the published AlexNet was trained on: blue, green, red.
ALEXNET_MEANS = (104.0, 117.0, 123.0)
PHOTO_ENDINGS = frozenset({".jpg", ".jpeg", ".png", ".gif", ".bmp", ".webp", ".tif", ".tiff"})


def index_photos(folder):
    """`{photo id: path}` of the photos under a folder at any depth, in order of id.

    A photo's id is its file name up to the first dot.
    """
    photos = {}
    for path in sorted(Path(folder).rglob("*")):
        if path.suffix.lower() in PHOTO_ENDINGS:
            photos.setdefault(path.name.split(".")[0], path)
    return dict(sorted(photos.items()))


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


def read_photo(path):
    """Decode a photo by its content -> uint8 [height, width, 3] in B,G,R.

    Greyscale and transparency become three channels.

    Raises:
        ValueError: the file is empty or can't be decoded.
    """
    contents = np.fromfile(path, np.uint8)
    if contents.size == 0:
        raise ValueError("empty file")
    try:
        photo = cv2.imdecode(contents, cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise ValueError(f"not decodable: {error.err}") from error
    if photo is None:
        raise ValueError("not decodable")
    return photo


def network_input(photo, size=227, means=ALEXNET_MEANS):
    """Short side to `size`, centre crop, less the means.

    uint8 [height, width, 3] -> float32 [size, size, 3], B,G,R.
    """
    height, width = photo.shape[:2]
    scale = size / min(height, width)
    new_width, new_height = max(size, round(width * scale)), max(size, round(height * scale))
    shrinks = scale < 1
    resized = cv2.resize(
        photo,
        (new_width, new_height),
        interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR,
    )
    top, left = (new_height - size) // 2, (new_width - size) // 2
    centre = resized[top : top + size, left : left + size]
    return centre.astype(np.float32) - np.float32(means)

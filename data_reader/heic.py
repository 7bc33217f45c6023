"""HEIC, the format of a telephone's photos, which is read where pillow-heif is installed."""

import io
import warnings

import numpy as np
from PIL import Image, ImageOps

from data_reader.errors import InputError

HEIC_ENDINGS = frozenset({".heic", ".heif"})


def can_read_heic():
    """Return whether HEIC photos can be read, and teach Pillow to do it."""
    try:
        from pillow_heif import register_heif_opener
    except ImportError:
        return False
    register_heif_opener()
    return True


def decode_heic(contents, max_megapixels):
    """Decode a HEIC photo -> uint8 [height, width, 3] in B,G,R, upright.

    Args:
        contents: uint8 [n], those of the file.

    Raises:
        InputError: pillow-heif is missing, or the photo is broken or too large.
    """
    if not can_read_heic():
        raise InputError("a HEIC photo; it is read if pillow-heif is installed")
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(io.BytesIO(contents)) as photo:
            if photo.width * photo.height <= max_megapixels * 1_000_000:
                upright = ImageOps.exif_transpose(photo).convert("RGB")
                return np.ascontiguousarray(np.asarray(upright)[:, :, ::-1])
            size = f"{photo.width:,} x {photo.height:,} pixels"
    except Exception as error:  # Pillow and its plug-ins have many kinds for damaged files
        raise InputError("cut short or broken HEIC") from error
    raise InputError(
        f"{size} are more than the limit of {max_megapixels:,} megapixels (--max-megapixels)"
    )

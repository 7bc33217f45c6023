"""The parts of photos that Pillow reads: the time of exposure, and HEIC, a telephone's format."""

import io
import logging
import warnings
from contextlib import contextmanager

import numpy as np
from PIL import ExifTags, Image, ImageOps

from data_reader.errors import InputError

HEIC_ENDINGS = frozenset({".heic", ".heif"})


@contextmanager
def _quiet():
    """Keep Pillow's warnings and log about damaged files from the terminal."""
    logger = logging.getLogger("PIL")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    finally:
        logger.setLevel(level)


def exposure_time(path):
    """Return the EXIF time of a photo, as text that sorts; None if it has none or it is damaged."""
    try:
        with _quiet(), Image.open(path) as photo:
            exif = photo.getexif()
            details = exif.get_ifd(ExifTags.IFD.Exif)
    except Exception:  # for damaged data Pillow raises many kinds
        return None
    made = details.get(ExifTags.Base.DateTimeOriginal) or exif.get(ExifTags.Base.DateTime)
    if not isinstance(made, str) or not any(digit in made for digit in "123456789"):
        return None
    return made + str(details.get(ExifTags.Base.SubsecTimeOriginal, ""))


def upright_pixels(image):
    """PIL image -> uint8 [height, width, 3] in R,G,B, upright.

    Raises:
        InputError: Pillow can't decode it, which it tries only now.
    """
    try:
        with _quiet():
            return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    except Exception as error:  # for damaged data Pillow and its plug-ins raise many kinds
        raise InputError(f"Pillow can't decode it ({error})") from error


def can_read_heic():
    """Return whether HEIC photos can be read, by pillow-heif, and teach Pillow to read them."""
    try:
        from pillow_heif import register_heif_opener
    except ImportError:
        return False
    register_heif_opener()
    return True


def decode_heic(contents, max_megapixels):
    """Decode a HEIC photo -> uint8 [height, width, 3] in B,G,R, upright.

    Args:
        contents: bytes, those of the file.

    Raises:
        InputError: pillow-heif is missing, or the photo is broken or too large.
    """
    if not can_read_heic():
        raise InputError("a HEIC photo; it is read if pillow-heif is installed")
    try:
        with _quiet():
            image = Image.open(io.BytesIO(contents))
    except Exception as error:
        raise InputError("cut short or broken HEIC") from error
    if image.width * image.height > max_megapixels * 1_000_000:
        raise InputError(
            f"{image.width:,} x {image.height:,} pixels, the limit is {max_megapixels:,} "
            "megapixels (--max-megapixels)"
        )
    return upright_pixels(image)[:, :, ::-1]

"""What a photo's file says about itself before it is decoded: its format and its size.

Only the headers are read, as far as they tell how much memory decoding takes.
"""

import io
import re
import struct
from typing import NamedTuple

from data_reader.errors import InputError

# By default no more is decoded at once: 1.2 GB.
MAX_MEGAPIXELS = 100
SHOWN = 4  # bytes of what is no photo: the path may lead to what nobody else shall see
# Decoding keeps up to so many bytes per pixel: three colours, their copy, and, of animations, the
# canvas.  A TIFF's tile has up to four colours of 16 bits.
BYTES_PER_PIXEL = 12
_BYTES_PER_TILE_PIXEL = 8
_FORMATS = (  # name, the ending of its files, and how they begin
    ("JPEG", ".jpg", rb"\xff\xd8\xff"),
    ("PNG", ".png", rb"\x89PNG"),
    ("GIF", ".gif", rb"GIF8"),
    ("WebP", ".webp", rb"RIFF....WEBP"),
    ("BMP", ".bmp", rb"BM"),
    ("TIFF", ".tif", rb"II\*\0|MM\0\*"),
    ("HEIC", None, rb"....ftyp(hei[cmsx]|hev[cmsx]|mif1|msf1)"),
)

_MOST_STEPS = 100_000  # segments, chunks, and bytes between them: a photo has a few hundred at most

# JPEG's markers.
_SOF0, _SOF1, _SOF15, _SOS, _EOI = 0xC0, 0xC1, 0xCF, 0xDA, 0xD9
_NO_FRAMES = {0xC4, 0xC8, 0xCC}  # between SOF0 and SOF15
_LOSSLESS = {0xC3, 0xC7, 0xCB, 0xCF}
_WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD8)}
# TIFF's tags.
_WIDTH, _HEIGHT, _ROWS_PER_STRIP, _TILE_WIDTH, _TILE_HEIGHT = 256, 257, 278, 322, 323
_ALL_ROWS = 2**32 - 1
_TIFF_NUMBERS = {1: "B", 3: "H", 4: "I"}  # letters of `struct`, by type of field


class PhotoHeader(NamedTuple):
    """A photo's format and size, as it is stored, before it is turned upright.

    Attributes:
        width, height: 0 if the format is HEIC, which is not read here.
        buffered: bytes that decoding keeps beside the pixels, however small these are decoded.
        can_be_reduced: whether it can be decoded at a fraction of its size.
    """

    format: str
    width: int = 0
    height: int = 0
    buffered: int = 0
    can_be_reduced: bool = False

    def memory(self, factor=1):
        """Return the bytes that decoding takes at 1/factor of the size."""
        pixels = -(-self.width // factor) * -(-self.height // factor)
        return BYTES_PER_PIXEL * pixels + self.buffered


def read_header(file):
    """Read the header of a photo from a file that is open in binary mode.

    Raises:
        InputError: the file is empty, cut short or not a photo.
    """
    start = file.read(16)
    if not start:
        raise InputError("empty file")
    name, _ = _format(start)
    if name is None:
        raise InputError(f"not a photo: begins with {start[:SHOWN]!r}")
    if name == "HEIC":
        return PhotoHeader(name)
    try:
        header = _READERS[name](file)
    except (struct.error, _BrokenError):
        raise broken(name) from None
    if header.width < 1 or header.height < 1:
        raise broken(name)
    return header


def broken(format_name):
    """Return the error of a photo that can't be decoded."""
    return InputError(f"cut short or broken {format_name}")


def photo_ending(start):
    """Return the ending, such as ".jpg", for a file that begins so; None if it is no photo."""
    return _format(start)[1]


def _format(start):
    """Return the (name, ending) of a photo's format, or (None, None)."""
    matching = (row[:2] for row in _FORMATS if re.match(row[2], start, re.DOTALL))
    return next(matching, (None, None))


class _BrokenError(Exception):
    """A header is not what its format demands."""


def _read(file, layout, offset=None):
    """Read numbers, laid out as in `struct`, at an offset or where the file stands."""
    if offset is not None:
        file.seek(offset)
    return struct.unpack(layout, file.read(struct.calcsize(layout)))


def _read_jpeg(file):
    """Read the frame's header and the first scan's, which says whether there are more scans."""
    frame = None
    for marker, end in _jpeg_segments(file):
        if _SOF0 <= marker <= _SOF15 and marker not in _NO_FRAMES:
            _, height, width, components = _read(file, ">BHHB")
            sampling = [_read(file, ">BBB")[1] for _ in range(components)]
            frame = marker, width, height, [(one >> 4) * (one & 15) for one in sampling]
        elif marker == _SOS:
            break
        file.seek(end)
    if frame is None or 0 in frame[3] or not frame[3]:
        raise _BrokenError
    marker, width, height, blocks = frame
    [in_scan] = _read(file, ">B")
    # Several scans are collected in coefficients of 16 bits before a pixel is computed.
    several = marker not in (_SOF0, _SOF1) or in_scan < len(blocks)
    samples = width * height * sum(blocks) // max(blocks) if several else 0
    return PhotoHeader("JPEG", width, height, 2 * samples, marker not in _LOSSLESS)


def _jpeg_segments(file):
    """Yield (marker, the file's position after the segment), the file at the segment's contents."""
    file.seek(2)
    steps, before = 0, 0
    while steps < _MOST_STEPS:
        [byte] = _read(file, "B")
        steps += 1
        if before == 0xFF and byte not in (0, 0xFF) and byte not in _WITHOUT_LENGTH:
            if byte == _EOI:
                raise _BrokenError
            [length] = _read(file, ">H")
            yield byte, file.tell() + max(length, 2) - 2
            byte = 0
        before = byte
    raise _BrokenError


def _read_png(file):
    kind, width, height = _read(file, ">4sII", 12)
    if kind != b"IHDR":
        raise _BrokenError
    _check_png_chunks(file)
    return PhotoHeader("PNG", width, height)


def _check_png_chunks(file):
    """Refuse chunks that are longer than the file: OpenCV would take memory for all of them."""
    file_end = file.seek(0, io.SEEK_END)
    kind, place = b"", file.seek(8)
    for _ in range(_MOST_STEPS):
        if kind == b"IEND" or place + 8 > file_end:
            return
        length, kind = _read(file, ">I4s", place)
        place += length + 12
        if place > file_end:
            break
    raise _BrokenError


def _read_gif(file):
    return PhotoHeader("GIF", *_read(file, "<HH", 6))


def _read_webp(file):
    [kind] = _read(file, "4s", 12)
    if kind == b"VP8X":  # two numbers of 24 bits, less one
        width, width_high, height, height_high = _read(file, "<HBHB", 24)
        return PhotoHeader("WebP", width + (width_high << 16) + 1, height + (height_high << 16) + 1)
    if kind == b"VP8L":  # two numbers of 14 bits, less one
        [both] = _read(file, "<I", 21)
        return PhotoHeader("WebP", (both & 0x3FFF) + 1, (both >> 14 & 0x3FFF) + 1)
    width, height = _read(file, "<HH", 26)  # two bits of each are a scale
    return PhotoHeader("WebP", width & 0x3FFF, height & 0x3FFF)


def _read_bmp(file):
    [size] = _read(file, "<I", 14)
    width, height = _read(file, "<HH" if size == 12 else "<ii", 18)
    return PhotoHeader("BMP", width, abs(height))  # negative if the rows run downwards


def _read_tiff(file):
    order = "<" if _read(file, "2s", 0) == (b"II",) else ">"
    [directory] = _read(file, f"{order}I", 4)
    [entries] = _read(file, f"{order}H", directory)
    numbers = {}
    for _ in range(entries):
        tag, kind, count, value = _read(file, f"{order}HHI4s")
        if kind in _TIFF_NUMBERS and count == 1:
            letter = order + _TIFF_NUMBERS[kind]
            number = struct.unpack_from(letter, value)[0]
            numbers[tag] = max(number, numbers.get(tag, 0))
    width, height = numbers.get(_WIDTH, 0), numbers.get(_HEIGHT, 0)
    rows = numbers.get(_ROWS_PER_STRIP, _ALL_ROWS)
    block = width * (height if rows == _ALL_ROWS else rows)
    block = max(block, numbers.get(_TILE_WIDTH, 0) * numbers.get(_TILE_HEIGHT, 0))
    # One block that is no larger than the image is counted with its pixels.
    buffered = _BYTES_PER_TILE_PIXEL * block if block > width * height else 0
    return PhotoHeader("TIFF", width, height, buffered)


_READERS = {
    "JPEG": _read_jpeg,
    "PNG": _read_png,
    "GIF": _read_gif,
    "WebP": _read_webp,
    "BMP": _read_bmp,
    "TIFF": _read_tiff,
}

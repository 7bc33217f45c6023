"""Headers of photos: sizes, the memory that decoding takes, and what is refused before it."""

import io
import os
import struct
import sys
import threading
import zlib
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from data_reader.errors import InputError
from data_reader.image_data_reader import _SharedMemory, decoded_photo, read_photo
from data_reader.photo_header import PhotoHeader, read_header


def header_of(contents):
    return read_header(io.BytesIO(contents))


def saved(kind, mode="RGB", size=(61, 47), **options):
    contents = io.BytesIO()
    Image.new("RGB", size).convert(mode).save(contents, kind, **options)
    return contents.getvalue()


def chunk(kind, contents):
    checksum = struct.pack(">I", zlib.crc32(kind + contents))
    return struct.pack(">I", len(contents)) + kind + contents + checksum


def black_png(side):
    """A grey PNG of side x side pixels, which zlib makes a thousand times smaller."""
    packer = zlib.compressobj(9)
    rows = b"".join(packer.compress(bytes(1 + side)) for _ in range(side)) + packer.flush()
    size = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    chunks = chunk(b"IHDR", size) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


@pytest.mark.parametrize(
    ("contents", "expected"),
    [
        (saved("JPEG"), PhotoHeader("JPEG", 61, 47, 0, True)),
        # 47 * 61 samples of three colours, two of them at half the width and height, of 16 bits.
        (saved("JPEG", progressive=True), PhotoHeader("JPEG", 61, 47, 8600, True)),
        (saved("JPEG", "L", progressive=True), PhotoHeader("JPEG", 61, 47, 5734, True)),
        (saved("JPEG")[:20] + b"noise" + saved("JPEG")[20:], PhotoHeader("JPEG", 61, 47, 0, True)),
        (saved("PNG"), PhotoHeader("PNG", 61, 47)),
        (saved("GIF"), PhotoHeader("GIF", 61, 47)),
        (saved("WEBP"), PhotoHeader("WebP", 61, 47)),
        (saved("WEBP", lossless=True), PhotoHeader("WebP", 61, 47)),
        (saved("WEBP", "RGBA", exif=Image.Exif()), PhotoHeader("WebP", 61, 47)),
        (saved("BMP"), PhotoHeader("BMP", 61, 47)),
        (saved("TIFF"), PhotoHeader("TIFF", 61, 47)),
        (b"BM" + bytes(12) + struct.pack("<IHH", 12, 61, 47), PhotoHeader("BMP", 61, 47)),
        (b"BM" + bytes(12) + struct.pack("<Iii", 40, 61, -47), PhotoHeader("BMP", 61, 47)),
        (b"\0\0\0\x18ftypheic", PhotoHeader("HEIC")),
    ],
)
def test_the_size_is_read_from_the_header(contents, expected):
    assert header_of(contents) == expected


def test_a_tile_of_a_tiff_may_be_larger_than_the_image():
    fields = [(256, 61), (257, 47), (322, 4000), (323, 3000)]
    entries = b"".join(struct.pack(">HHII", tag, 4, 1, number) for tag, number in fields)
    contents = b"MM\0*" + struct.pack(">IH", 8, len(fields)) + entries
    assert header_of(contents) == PhotoHeader("TIFF", 61, 47, 8 * 4000 * 3000)


@pytest.mark.parametrize(
    "contents",
    [
        saved("JPEG")[:100],
        b"\xff\xd8\xff\xd9",
        b"\xff\xd8\xff\xfe\0\x02" * 50_000,  # segments without end
        saved("PNG")[:18],
        saved("PNG").replace(b"IHDR", b"IDAT"),
        saved("PNG")[:33] + b"\x7f\xff\xff\xf0IDAT" + bytes(100),  # a chunk of 2 GB
        saved("PNG")[:33] + (bytes(4) + b"tEXt" + bytes(4)) * 100_000,
        saved("GIF")[:7],
        saved("WEBP")[:22],
        saved("BMP", size=(61, 47))[:20],
        b"II*\0" + bytes(4),
        b"MM\0*\xff\xff\xff\xff",
    ],
)
def test_a_broken_header_is_refused(contents):
    with pytest.raises(InputError, match="cut short or broken"):
        header_of(contents)


def test_a_photo_over_the_limit_is_refused_before_it_is_decoded(tmp_path):
    (tmp_path / "p.png").write_bytes(black_png(1500))
    message = (
        r"1,500 x 1,500 pixels take the memory of 2 megapixels, the limit is 2 \(--max-megapixels\)"
    )
    with pytest.raises(InputError, match=message):
        read_photo(tmp_path / "p.png", max_megapixels=2)
    assert read_photo(tmp_path / "p.png", max_megapixels=3).shape == (1500, 1500, 3)


def test_a_jpeg_counts_as_large_as_it_is_decoded(tmp_path):
    (tmp_path / "p.jpg").write_bytes(saved("JPEG", size=(2000, 2000)))
    with pytest.raises(InputError, match="4 megapixels, the limit is 1 "):
        read_photo(tmp_path / "p.jpg", max_megapixels=1)
    assert read_photo(tmp_path / "p.jpg", 100, max_megapixels=1).shape == (250, 250, 3)


def test_a_file_over_the_limit_is_not_read(tmp_path):
    with (tmp_path / "p.bmp").open("wb") as file:
        file.write(saved("BMP"))
        file.truncate(10**12)  # a hole
    with pytest.raises(InputError, match="a file of 1,000,000 MB, the limit is 1,200 MB"):
        read_photo(tmp_path / "p.bmp")


def test_a_pipe_or_a_device_is_no_photo(tmp_path):
    os.mkfifo(tmp_path / "p.jpg")
    (tmp_path / "q.jpg").symlink_to("/dev/zero")
    for name in ("p.jpg", "q.jpg"):
        with pytest.raises(InputError, match="no regular file, but a pipe or device"):
            read_photo(tmp_path / name)


def test_threads_share_the_memory(tmp_path):
    (tmp_path / "p.png").write_bytes(saved("PNG", size=(1000, 900)))
    began, both = threading.Event(), []

    def decode():
        began.set()
        with decoded_photo(tmp_path / "p.png", max_megapixels=1):
            both.append("second")

    with decoded_photo(tmp_path / "p.png", max_megapixels=1):
        second = threading.Thread(target=decode)
        second.start()
        assert began.wait(30)
        second.join(0.5)
        both.append("first")
    second.join(30)
    assert both == ["first", "second"]


def test_memory_is_given_back_after_an_error():
    memory = _SharedMemory()
    with pytest.raises(InputError), memory.held(5, 8):
        raise InputError
    with memory.held(3, 8), memory.held(5, 8):  # would wait for ever
        pass


def test_heic_is_read_by_pillow_where_its_plug_in_is(tmp_path, monkeypatch):
    # A photo in HEIC's container that Pillow itself can read, and an importable plug-in.
    contents = saved("AVIF", size=(80, 60)).replace(b"ftypavif", b"ftypmif1")
    (tmp_path / "p.heic").write_bytes(contents)
    monkeypatch.setitem(sys.modules, "pillow_heif", None)  # can't be imported
    with pytest.raises(InputError, match="a HEIC photo; it is read if pillow-heif is installed"):
        read_photo(tmp_path / "p.heic")
    plug_in = SimpleNamespace(register_heif_opener=lambda: None)
    monkeypatch.setitem(sys.modules, "pillow_heif", plug_in)
    photo = read_photo(tmp_path / "p.heic")
    assert (photo.shape, photo.dtype, int(photo.max())) == ((60, 80, 3), np.uint8, 0)
    (tmp_path / "p.heic").write_bytes(contents[:-20])
    with pytest.raises(InputError, match="Pillow can't decode it"):
        read_photo(tmp_path / "p.heic")

"""Photos that are none, lie about themselves, are too large, or are exchanged."""

import os
import socket
import struct
import zlib

from drill_cases.case import Case, all_of, path_of, photos, written

CHECK = "python -m dataset --data data --check-photos"
# The features of two photos a part are their mean colours: no network is loaded.
EXTRACT = "rm -r data/models && python $REPOSITORY/tests/tiny_extraction.py whole --data data"
OWN = "python -m generation --run results/first photos"
ONE = "photos/1.jpg"


def chunk(kind, contents):
    checksum = zlib.crc32(kind + contents)
    return struct.pack(">I", len(contents)) + kind + contents + struct.pack(">I", checksum)


def png(width, height, contents=b"", colour=0, depth=8):
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", contents) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def large_png():
    """A PNG of 30,000 x 30,000 pixels in about 100 kB."""
    packer, row = zlib.compressobj(9), bytes(1 + 30_000 // 8)
    packed = b"".join(packer.compress(row) for _ in range(30_000)) + packer.flush()
    return png(30_000, 30_000, packed, depth=1)


def gif(width, height):
    return b"GIF89a" + struct.pack("<HH", width, height) + b"\xf0\0\0" + bytes(6) + b",\0\0\0\0;"


def bmp(width, height):
    header = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54 + 100, 0, 0, 54) + header + bytes(100)


def tiff(width, height, entries=2):
    numbers = struct.pack("<HHII", 256, 4, 1, width) + struct.pack("<HHII", 257, 4, 1, height)
    return b"II*\0" + struct.pack("<IH", 8, entries) + numbers + bytes(4)


def jpeg(width, height):
    frame = struct.pack(">HBHHB", 11, 8, height, width, 1) + b"\1\x11\0"
    return b"\xff\xd8\xff\xc0" + frame + b"\xff\xd9"


def webp(size):
    return b"RIFF" + struct.pack("<I", size) + b"WEBPVP8X" + struct.pack("<I", 10) + b"\xff" * 10


def instead(place, make):
    """A damage: something else under a photo's name."""

    def damage(folder):
        path = path_of(place, folder)
        path.unlink()
        make(path)

    return damage


def secret_beside(path):
    [here] = [parent for parent in path.parents if parent.name == "here"]
    return here.parent / "secret.txt"


def bind_socket(path):
    before = os.getcwd()
    os.chdir(path.parent)  # the name of a socket is short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path.name)
    os.chdir(before)


CONTENTS = {
    "empty": b"",
    "a text": b"not a photo at all\n" * 100,
    "zeros": bytes(10_000),
    "a PNG of 30,000 x 30,000 pixels": large_png,
    "a PNG that says 4,294,967,295 pixels": png(2**32 - 1, 2**32 - 1),
    "a PNG whose chunk says 2 GB": png(10, 10).replace(b"\0\0\0\0IDAT", b"\x7f\xff\xff\xffIDAT"),
    "a JPEG that says 65,500 x 65,500": jpeg(65_500, 65_500),
    "a GIF that says 65,535 x 65,535": gif(65_535, 65_535),
    "a BMP that says 100,000 x 100,000": bmp(100_000, 100_000),
    "a BMP of negative sizes": bmp(-5, -(2**31)),
    "a TIFF that says 10^9 x 10^9": tiff(10**9, 10**9),
    "a TIFF of 65,535 entries": tiff(10, 10, 65_535),
    "a WebP that says 16 M x 16 M": webp(100),
    "an SVG": b'<svg xmlns="http://www.w3.org/2000/svg"><image href="../secret.txt"/></svg>',
    "a playlist": b"#EXTM3U\n#EXTINF:1,\n../secret.txt\n",
}
KINDS = {
    "a pipe": os.mkfifo,
    "a folder": os.mkdir,
    "a socket": bind_socket,
    "an endless device": lambda path: path.symlink_to("/dev/zero"),
    "a link to nothing": lambda path: path.symlink_to("nowhere.jpg"),
    "a link to itself": lambda path: path.symlink_to(path.name),
    "a link to a text outside": lambda path: path.symlink_to(secret_beside(path)),
}


def second(folder):
    return photos(folder)[1]


def damages(place):
    """`{what: damage}` of the photo at a place."""
    return {
        **{what: written(place, contents) for what, contents in CONTENTS.items()},
        **{what: instead(place, make) for what, make in KINDS.items()},
        "cut short": lambda folder: os.truncate(path_of(place, folder), 900),
    }


def four_large_ones(folder):
    contents = large_png()
    for path in photos(folder)[:4]:
        path.write_bytes(contents)


def two_of_one_id(folder):
    first, other = photos(folder)[:2]
    (first.parent / "again").mkdir()
    (first.parent / "again" / first.name).write_bytes(other.read_bytes())


def odd_names(folder):
    first, *others = photos(folder)[:5]
    names = (b"\xff\xfe.jpg", b"a\nb.jpg", "日本 é.jpg".encode(), b"-x --data.jpg")
    for path, name in zip(others, names, strict=True):
        path.rename(
            os.path.join(os.fsencode(first.parent), name).decode("utf-8", "surrogateescape")
        )


EXCHANGED = """
python $REPOSITORY/tests/tiny_extraction.py whole --data data > once &&
cp data/models/alexnet/alexnet_image_test_features.hdf5 old.hdf5 &&
python - <<'END' && python $REPOSITORY/tests/tiny_extraction.py whole --data data > twice &&
from pathlib import Path
path = sorted(Path("data/vist_dataset/test_data").rglob("*.jpg"))[1]
contents = bytearray(path.read_bytes())
contents[len(contents) // 2] ^= 16
path.write_bytes(contents)
END
! cmp -s old.hdf5 data/models/alexnet/alexnet_image_test_features.hdf5
"""
LEFT_OUT = "notes.txt|photo.heic"
TO_SURVEY = [
    *(Case(what, CHECK, damage, status=(0, 1)) for what, damage in damages(second).items()),
    Case("four PNGs of 30,000 x 30,000 pixels", CHECK, four_large_ones, status=(0, 1)),
    Case("two files of one id", CHECK, two_of_one_id, status=(0, 1), says="duplicate photo"),
    Case("odd names", CHECK, odd_names, status=(0, 1)),
]
TO_EXTRACT = [
    *(
        Case(what, EXTRACT, damage, status=0, says="1 unreadable")
        for what, damage in damages(second).items()
        if what not in ("a folder", "a socket")
    ),
    Case("four PNGs of 30,000 x 30,000 pixels", EXTRACT, four_large_ones, status=0),
    Case("two files of one id", EXTRACT, two_of_one_id, status=0, says="other contents"),
    Case("odd names", EXTRACT, odd_names, status=0),
    Case("one exchanged for another of its size", f"rm -r data/models; {EXCHANGED}", status=0),
]
OWN_PHOTOS = [
    *(
        Case(what, OWN, damages(ONE)[what], status=0, says="left out: .*1.jpg")
        for what in ("a pipe", "an endless device")
    ),
    *(
        Case(what, OWN, damages(ONE)[what], says="photos/1.jpg")
        for what in (
            "a PNG of 30,000 x 30,000 pixels",
            "cut short",
            "a text",
            "a link to a text outside",
        )
    ),
    Case(
        "files that are left out",
        OWN,
        all_of(written("photos/notes.txt", "x"), written("photos/photo.heic", b"\0\0\0 ftypheic")),
        status=0,
        says=LEFT_OUT,
    ),
    Case("an empty folder", "mkdir none && " + OWN.replace("photos", "none"), says="none"),
    Case("21 photos", OWN.replace("photos", "photos/0.jpg " * 21), says="1 to 20 photos"),
    Case("not a file", OWN.replace("photos", "nowhere.jpg"), says="nowhere.jpg"),
    Case("not a file, with a line break", OWN.replace("photos", "$'no\\nwhere'"), says="no where"),
]
GROUPS = {
    "photos in the survey": TO_SURVEY,
    "photos in the extraction": TO_EXTRACT,
    "own photos": OWN_PHOTOS,
}

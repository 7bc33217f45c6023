"""Damage small photos in many ways and read them: decoder, size, time of exposure, check.

    python tests/fuzz_photos.py --mutations 20000 --seed 1

Each mutated photo must be decoded, with the size that its header says, or be refused in one line.
A crash, another exception, a Python warning, more than 10 seconds of computing or 1.5 GB are
failures.  A mutation depends on its number and the seed alone, so that --first N --mutations 1
repeats it.
"""

import argparse
import contextlib
import io
import os
import random
import re
import resource
import signal
import struct
import subprocess
import sys
import tempfile
import zlib
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from tqdm import tqdm

sys.path.append(str(Path(__file__).parents[1]))

from data_reader.errors import InputError
from data_reader.image_data_reader import decoded_photo
from data_reader.photo_header import MAX_MEGAPIXELS, read_header
from data_reader.pillow_reader import exposure_time
from dataset.survey import _why_unreadable

WIDTH, HEIGHT = 61, 47  # in no other place of a file, so that they can be found and forged
SECONDS, BYTES = 10, 1.5e9
ADDRESS_SPACE = 4e9  # beyond what the libraries take; a hard end for what would take all
SIZES = (0, 1, 255, 1_000, 30_000, 65_535, 2**24, 2**31 - 1, 2**31, 2**32 - 1)
ALLOWED_SIZE = 9_000  # by which both sides are within the limit, and take long
KINDS = ("bytes", "cut", "size", "exif", "moved")


def draw_photos():
    """Draw a small photo in each format and variant -> `{name: bytes}`."""
    chance = np.random.default_rng(1)
    coarse = chance.integers(0, 256, (5, 6, 3), np.uint8)
    pixels = cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    photo, exif = Image.fromarray(pixels), Image.Exif()
    exif[0x0112], exif[0x0132] = 6, "2020:05:01 10:00:00"
    exif.get_ifd(0x8769)[0x9003] = "2020:05:01 09:00:00"
    more = {"save_all": True, "append_images": [photo.rotate(180)]}

    def saved(kind, image=photo, **options):
        contents = io.BytesIO()
        image.save(contents, kind, **options)
        return contents.getvalue()

    return {
        "JPEG": saved("JPEG", exif=exif),
        "JPEG progressive": saved("JPEG", progressive=True, exif=exif),
        "JPEG CMYK": saved("JPEG", photo.convert("CMYK"), subsampling=0),
        "JPEG grey": saved("JPEG", photo.convert("L"), restart_marker_rows=1),
        "PNG": saved("PNG", exif=exif),
        "PNG palette": saved("PNG", photo.convert("P")),
        "PNG alpha": saved("PNG", photo.convert("RGBA"), exif=exif),
        "PNG 16 bits": cv2.imencode(".png", pixels.astype(np.uint16) * 257)[1].tobytes(),
        "PNG animated": saved("PNG", **more),
        "GIF": saved("GIF"),
        "GIF animated": saved("GIF", **more),
        "WebP": saved("WEBP", exif=exif),
        "WebP lossless": saved("WEBP", lossless=True),
        "WebP animated": saved("WEBP", **more),
        "BMP": saved("BMP"),
        "BMP palette": saved("BMP", photo.convert("P")),
        "TIFF": saved("TIFF", exif=exif),
        "TIFF LZW": saved("TIFF", compression="tiff_lzw", exif=exif),
        "TIFF JPEG": saved("TIFF", compression="jpeg"),
        "TIFF 16 bits": cv2.imencode(".tiff", pixels.astype(np.uint16) * 257)[1].tobytes(),
    }


def mutate(contents, kind, chance):
    """Damage a photo's bytes in one of the ways of `KINDS`."""
    damaged = bytearray(contents)
    if kind == "bytes":
        change_bytes(damaged, range(len(damaged)), chance)
    elif kind == "cut":
        del damaged[chance.randrange(len(damaged)) :]
    elif kind == "size":
        forge_size(damaged, chance)
    elif kind == "exif":
        # All of a TIFF is EXIF; what has none gets it where metadata come, at the beginning.
        places = [match.end() for match in re.finditer(b"Exif|eXIf|EXIF", contents)]
        start = chance.choice(
            places or [len(damaged) - 300 if contents[:2] in (b"II", b"MM") else 8]
        )
        change_bytes(damaged, range(max(start, 0), min(start + 200, len(damaged))), chance)
    else:
        start, end, place = (chance.randrange(len(damaged)) for _ in range(3))
        damaged[place:place] = damaged[min(start, end) : max(start, end)]
    if damaged[:4] == b"\x89PNG" and chance.random() < 0.8:
        repair_checksums(damaged)
    return bytes(damaged)


def change_bytes(damaged, places, chance):
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        damaged[chance.choice(places)] = chance.choice((0, 1, 0x7F, 0xFF, chance.randrange(256)))


def forge_size(damaged, chance):
    """Replace a width or height, or both, wherever it stands in 16 or 32 bits."""
    for side in chance.choice(((WIDTH,), (HEIGHT,), (WIDTH, HEIGHT))):
        size = ALLOWED_SIZE if chance.random() < 0.02 else chance.choice(SIZES)
        for layout in ("<I", ">I", "<H", ">H"):
            old = struct.pack(layout, side)
            new = struct.pack(layout, size & (2 ** (8 * len(old)) - 1))
            places = [match.start() for match in re.finditer(re.escape(old), damaged)]
            if places:
                place = places[0] if chance.random() < 0.7 else chance.choice(places)
                damaged[place : place + len(old)] = new
                break


def repair_checksums(damaged):
    """Correct the checksums of a PNG's chunks, as far as these can be followed."""
    place = 8
    while place + 12 <= len(damaged):
        [length] = struct.unpack_from(">I", damaged, place)
        end = place + 8 + length
        if end + 4 > len(damaged):
            return
        struct.pack_into(">I", damaged, end, zlib.crc32(damaged[place + 4 : end]))
        place = end + 4


def read_in_all_ways(path, short_side=None):
    """Read a photo as the project does -> "decoded" or "refused".

    Raises:
        AssertionError: two ways disagree.
    """
    outcome, reason = "decoded", ""
    try:
        with decoded_photo(path, short_side) as photo:
            check_size(photo, path)
    except InputError as error:
        outcome, reason = "refused", str(error)
        assert "\n" not in reason and len(reason) < 200, reason
    found = _why_unreadable(path, MAX_MEGAPIXELS)  # of --check-photos
    # A JPEG may be too large for one of both, which decode it at different sizes.
    assert found == reason or "megapixels" in reason + found, f"{reason!r}, but {found!r}"
    made = exposure_time(path)
    assert made is None or isinstance(made, str), made
    return outcome


def check_size(photo, path):
    """Check that a decoded photo has the size that its header says, or a part of it."""
    with path.open("rb") as file:
        header = read_header(file)
    assert photo.dtype == np.uint8 and photo.ndim == 3 and photo.shape[2] == 3, photo.shape
    sizes = {
        (-(-header.height // factor), -(-header.width // factor))
        for factor in ((1, 2, 4, 8) if header.can_be_reduced else (1,))
    }
    shape = photo.shape[:2]
    assert shape in sizes or shape[::-1] in sizes, f"{shape} is decoded, {header} is said"


def damaged_photo(photos, number, seed):
    """Make the mutation of this number -> (name of the photo, kind, bytes)."""
    chance = random.Random(f"{seed} {number}")
    name, kind = chance.choice(sorted(photos)), chance.choice(KINDS)
    return name, kind, mutate(photos[name], kind, chance)


def work(first, end, seed):
    """Read mutations one after the other, in this process, and print a line for each."""
    photos = draw_photos()
    limit = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (limit + int(ADDRESS_SPACE),) * 2)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # the C libraries write there
    sys.stderr = io.StringIO()
    before = peak_memory()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "photo.jpg"
        for number in range(first, end):
            path.write_bytes(damaged_photo(photos, number, seed)[2])
            with time_limit():
                outcome = outcome_of(path, short_side=3 if number % 2 else None)
            if warned := sys.stderr.getvalue():
                outcome, sys.stderr = f"stderr: {warned}", io.StringIO()
            if peak_memory() - before > BYTES:
                outcome = f"{(peak_memory() - before) / 1e9:.1f} GB"
            print(number, " ".join(outcome.split())[:300], flush=True)
            if outcome.endswith(" GB"):
                return  # a peak stays: the next photo needs a process of its own


@contextlib.contextmanager
def time_limit():
    """End the process by a signal after 10 seconds of computing, or 300 of whatever else."""
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    signal.alarm(30 * SECONDS)
    yield
    signal.setitimer(signal.ITIMER_PROF, 0)
    signal.alarm(0)


def outcome_of(path, short_side):
    try:
        return read_in_all_ways(path, short_side)
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def peak_memory():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def outcomes(first, end, seed):
    """Yield (number, outcome) of mutations, from processes that are started again if they die."""
    while first < end:
        command = [sys.executable, __file__, "--work", str(first), str(end), "--seed", str(seed)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            for line in process.stdout:
                number, _, outcome = line.rstrip("\n").partition(" ")
                yield int(number), outcome
                first = int(number) + 1
        if process.returncode == 1:
            sys.exit("the worker itself failed")  # its traceback has been shown
        if process.returncode:
            yield first, f"ended by {signal.Signals(-process.returncode).name}"
            first += 1


def fuzz(mutations, first, seed):
    """Read so many mutated photos -> (counts by format, failures as lines)."""
    photos, counts, failures = draw_photos(), Counter(), []
    with tqdm(total=mutations, desc="photos", unit="photo", disable=None) as bar:
        for number, outcome in outcomes(first, first + mutations, seed):
            bar.update()
            name, kind, _ = damaged_photo(photos, number, seed)
            is_failure = outcome not in ("decoded", "refused")
            counts[name.split()[0], "failed" if is_failure else outcome] += 1
            if is_failure:
                failures.append(f"{number}: {name}, {kind}: {outcome}")
    return counts, failures


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mutations", type=int, default=20_000, metavar="N")
    parser.add_argument("--first", type=int, default=0, metavar="N")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    parser.add_argument("--work", type=int, nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work:
        return work(*arguments.work, arguments.seed)
    counts, failures = fuzz(arguments.mutations, arguments.first, arguments.seed)
    print(f"{'':<6} {'decoded':>8} {'refused':>8} {'failed':>8}")
    for name in sorted({name for name, _ in counts}):
        row = (counts[name, outcome] for outcome in ("decoded", "refused", "failed"))
        print(f"{name:<6}", *(f"{count:>8,}" for count in row))
    print("\n".join(failures))
    return 1 if failures else 0


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main())

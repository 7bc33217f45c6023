"""The photos of an extraction as files: which of several is used, and whether they have changed."""

import filecmp
import hashlib
import os
import stat

import numpy as np

from data_reader.image_data_reader import process_photos

_BLOCK = 1024  # bytes
_READ_AT_ONCE = 1 << 20  # bytes, whole blocks
_SHOWN = 3


def record_of_files(photos):
    """Describe photos by their files, without reading them.

    Args:
        photos: `[(id, path), ...]`.

    Returns:
        the checksums `photos`, of ids and sizes, and `photo_times`, of the times of change.
    """
    states = [_state(path) for _, path in photos]
    sizes = (f"{id_} {size}" for (id_, _), (size, _) in zip(photos, states, strict=True))
    # Whole seconds: machines that share a folder may see other fractions.
    return {
        "photos": _checksum("\n".join(sizes)),
        "photo_times": _checksum("\n".join(str(seconds) for _, seconds in states)),
    }


def _checksum(text):
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _state(path):
    try:
        state = os.stat(path)
    except OSError:  # such as a broken link; decoding it will report that
        return -1, -1
    return state.st_size, state.st_mtime_ns // 10**9


def fingerprint_of(contents):
    """Compute a fingerprint of a file's contents, bytes: 64 bits.

    It hashes the sums of the contents' blocks, which takes a tenth of the time of hashing all.
    """
    sums = np.zeros(_BLOCK // 8, np.uint64)
    return _digest(sums, _add_blocks(sums, contents))


def _add_blocks(sums, contents):
    """Add the whole blocks of some bytes to their sums -> the rest."""
    whole = len(contents) // _BLOCK * _BLOCK
    sums += np.frombuffer(contents, "<u8", whole // 8).reshape(-1, len(sums)).sum(axis=0)
    return contents[whole:]


def _digest(sums, rest):
    digest = hashlib.blake2b(sums.tobytes() + rest, digest_size=8).digest()
    return int.from_bytes(digest, "little")


def fingerprint(path):
    """Compute the fingerprint of a file; 0 if it can't be read."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return 0
        sums, rest = np.zeros(_BLOCK // 8, np.uint64), b""
        with open(path, "rb") as file:
            while read := file.read(_READ_AT_ONCE):
                rest = _add_blocks(sums, read)
        return _digest(sums, rest)
    except OSError:
        return 0


def checksum_of_contents(fingerprints):
    """Combine the fingerprints of all photos, in order, into one checksum."""
    return hashlib.sha256(np.asarray(fingerprints, "<u8").tobytes()).hexdigest()[:16]


def have_contents(photos, checksum):
    """Read all photos, `[(id, path), ...]`, and return whether they have this checksum."""
    paths = [path for _, path in photos]
    return checksum_of_contents(list(process_photos(fingerprint, paths, "changed?"))) == checksum


def note_on_ambiguous_ids(photos):
    """Say for which ids, `{photo id: paths}`, there are files of different contents, or "" if none.

    Of each id the first file is used.
    """
    ambiguous = [
        f"{paths[0]}, not {other}"
        for paths in photos.values()
        for other in paths[1:]
        if not _are_same(paths[0], other)
    ]
    if not ambiguous:
        return ""
    more = f" and {len(ambiguous) - _SHOWN:,} more" if len(ambiguous) > _SHOWN else ""
    return (
        f"{len(ambiguous):,} files have the photo id of another file, but other contents; used: "
        f"{'; '.join(ambiguous[:_SHOWN])}{more} (python -m dataset lists all)."
    )


def _are_same(path, other):
    try:
        return filecmp.cmp(path, other, shallow=False)
    except OSError:  # such as a broken link
        return False

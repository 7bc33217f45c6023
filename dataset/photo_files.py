"""The photos of an extraction as files: which of several is used, and whether they have changed."""

import filecmp
import hashlib
import os
import stat

import numpy as np

from data_reader.image_data_reader import process_photos

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
    """Compute a fingerprint of a file's contents, bytes: 64 bits."""
    return _number(hashlib.sha256(contents))


def _number(checksum):
    return int.from_bytes(checksum.digest()[:8], "little")


def fingerprint(path):
    """Compute the fingerprint of a file; 0 if it can't be read."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return 0
        with open(path, "rb") as file:
            return _number(hashlib.file_digest(file, "sha256"))
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

"""What is to be fetched, how large it is, and whether there is space for it."""

import errno
import os
import shutil
import sys
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from data_reader.errors import InputError

_PHOTO_OPTIONS = ("--data", "--split", "--max-side")
_USUAL_SIDE = 640  # of the shorter copies whose size the table gives


@dataclass(frozen=True)
class Item:
    """Something to fetch into a folder: its bytes, and those it takes on the disk.

    The options are those with which it takes less space, or space on another disk.
    """

    title: str
    to_fetch: int
    on_disk: int
    folder: Path
    options: tuple[str, ...]


def photos_item(split, number, facts, max_side, folder):
    """Estimate what a split's photos take."""
    kept = facts.shorter_size * (max_side / _USUAL_SIDE) ** 2 if max_side else facts.size
    title = f"{split} photos, about {number:,}"
    on_disk = number * round(min(kept, facts.size))
    return Item(title, number * facts.size, on_disk, folder, _PHOTO_OPTIONS)


def show(items):
    """Print the items and the free space."""
    for item in items:
        print(
            f"{item.title}: {in_bytes(item.to_fetch)} to fetch, "
            f"{in_bytes(item.on_disk)} on the disk, {item.folder}"
        )
    for folders in _by_disk(items).values():
        folder = folders[0].folder
        print(f"{in_bytes(_free(folder))} are free on the disk of {folder}")


def check_space(items):
    """Refuse items that their disks have no space for.

    Raises:
        InputError: the message says how much is needed and free.
    """
    for on_disk in _by_disk(items).values():
        needed = sum(item.on_disk for item in on_disk)
        free = _free(on_disk[0].folder)
        if needed > free:
            raise InputError(
                f"{in_bytes(needed)} are needed on the disk of {on_disk[0].folder}, but "
                f"{in_bytes(free)} are free; make space{_alternatives(on_disk)}."
            )


def _alternatives(items):
    given = {option for item in items for option in item.options}
    *others, last = [option for option in _PHOTO_OPTIONS if option in given] or [""]
    return f", or use {', '.join(others)}{' or ' if others else ''}{last}" if last else ""


def confirm(yes):
    """Ask on a terminal whether to go on.

    Raises:
        InputError: there is no terminal to ask on, or the answer is no.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise InputError("There is no terminal to ask on; give --yes to fetch this.")
    if input("Fetch it? [y/N] ").strip().lower() not in ("y", "yes"):
        raise InputError("Nothing was fetched.")


def in_bytes(number):
    """Format a number of bytes: 23 MB, 1.4 GB."""
    units = ["bytes", "kB", "MB", "GB"]
    while number >= 1000 and len(units) > 1:
        number /= 1000
        units.pop(0)
    digits = 1 if number < 10 and units[0] != "bytes" else 0
    return f"{number:,.{digits}f} {units[0]}"


def _by_disk(items):
    disks = defaultdict(list)
    for item in items:
        disks[os.stat(existing_folder(item.folder)).st_dev].append(item)
    return disks


def _free(folder):
    return shutil.disk_usage(existing_folder(folder)).free


def existing_folder(folder):
    """Return a folder or, if there is none yet, the nearest one above it.

    Raises:
        InputError: a file stands in the way.
    """
    nearest = next(path for path in (folder, *folder.parents) if path.exists())
    if not nearest.is_dir():
        raise InputError(
            f"{nearest} is a file, so there can't be a folder {folder}; give another one with "
            "--data, or move the file away."
        )
    return nearest


@contextmanager
def full_disk_explained(folder):
    """Say in one line what to do if the disk becomes full.

    Raises:
        InputError: it is; the message names the folder.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise InputError(
            f"{folder} can't be written to ({error.strerror}); make space, then give the same "
            "command again: it goes on where it ended."
        ) from error

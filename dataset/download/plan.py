"""What is to be fetched, how large it is, and whether there is space for it."""

import os
import shutil
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from data_reader.errors import InputError

_USUAL_SIDE = 640  # of the shorter copies whose size the table gives


@dataclass(frozen=True)
class Item:
    """Something to fetch into a folder that exists: its bytes, and those it takes on the disk."""

    title: str
    to_fetch: int
    on_disk: int
    folder: Path


def photos_item(split, number, facts, max_side, folder):
    """Estimate what a split's photos take."""
    kept = facts.shorter_size * (max_side / _USUAL_SIDE) ** 2 if max_side else facts.size
    title = f"{split} photos, about {number:,}"
    return Item(title, number * facts.size, number * round(min(kept, facts.size)), folder)


def show(items):
    """Print the items and the free space."""
    for item in items:
        print(
            f"{item.title}: {in_bytes(item.to_fetch)} to fetch, "
            f"{in_bytes(item.on_disk)} on the disk, {item.folder}"
        )
    for folders in _by_disk(items).values():
        folder = folders[0].folder
        print(f"{in_bytes(shutil.disk_usage(folder).free)} are free on the disk of {folder}")


def check_space(items):
    """Refuse items that their disks have no space for.

    Raises:
        InputError: the message says how much is needed and free.
    """
    for on_disk in _by_disk(items).values():
        needed = sum(item.on_disk for item in on_disk)
        free = shutil.disk_usage(on_disk[0].folder).free
        if needed > free:
            raise InputError(
                f"{in_bytes(needed)} are needed on the disk of {on_disk[0].folder}, but "
                f"{in_bytes(free)} are free; make space, or use --data, --split or --max-side."
            )


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
        disks[os.stat(item.folder).st_dev].append(item)
    return disks

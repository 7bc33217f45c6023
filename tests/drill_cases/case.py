"""A case of the drill as a value, and ways to damage the files that it begins with."""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from shutil import rmtree

import h5py

from data_reader.layout import DataLayout

SECRET = "SECRET~~"  # the text, and the array "texts" of an HDF5 file, beside a case's folder
TEXTS = h5py.string_dtype()


def nothing(folder):
    """Damage nothing."""


@dataclass(frozen=True)
class Case:
    """A line of bash in a folder with a copy of the base's files, and how it must end.

    Attributes:
        name: what is odd.
        command: it stands for a user's terminal: `python` is the one that runs the drill, $BASE the
            folder of the undamaged files, $REPOSITORY the project's.
        damage: what is done to the folder before.
        status: how the line must end, or a choice; 2 means one line on stderr, too, which begins
            with "error:".
        says: a regular expression for what must be printed, on stderr if the status is 2.
        environment: more variables.
        group: the row of the table that counts it, which the drill fills in.
    """

    name: str
    command: str
    damage: Callable[[Path], None] = nothing
    status: int | tuple[int, ...] = 2
    says: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    group: str = ""

    def __str__(self):
        return f"{self.group}: {self.name}: {self.command}"


def annotations(folder, split="train"):
    return DataLayout(folder / "data").annotations(split)


def features(folder, split="train"):
    return DataLayout(folder / "data").features(split)


def stories(folder, split="test"):
    return DataLayout(folder / "data").stories(split)


def photos(folder, split="test"):
    """List the photos of a split in order."""
    files = sorted(DataLayout(folder / "data").photos(split).rglob("*.jpg"))
    assert files
    return files


def edited_json(place, change):
    """A damage: change the contents of a JSON file.

    Args:
        place: its path in the folder, or a function that returns its path.
        change: of the contents; what it returns, if anything, replaces them.
    """

    def damage(folder):
        path = path_of(place, folder)
        contents = json.loads(path.read_text(encoding="utf-8"))
        replaced = change(contents)
        path.write_text(json.dumps(contents if replaced is None else replaced), encoding="utf-8")

    return damage


def edited_text(place, old, new):
    """A damage: replace a text in a file, once."""

    def damage(folder):
        path = path_of(place, folder)
        text = path.read_text(encoding="utf-8")
        assert old in text, (path, old)
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    return damage


def written(place, contents):
    """A damage: write a file, of text or bytes, or of what a function returns."""

    def damage(folder):
        path = path_of(place, folder)
        path.parent.mkdir(parents=True, exist_ok=True)
        made = contents() if callable(contents) else contents
        path.write_bytes(made.encode() if isinstance(made, str) else made)

    return damage


def removed(*places):
    """A damage: remove files or folders."""

    def damage(folder):
        for place in places:
            path = path_of(place, folder)
            rmtree(path) if path.is_dir() else path.unlink()

    return damage


def cut(place, share=0.6):
    """A damage: keep the first part of a file."""

    def damage(folder):
        path = path_of(place, folder)
        os.truncate(path, int(path.stat().st_size * share))

    return damage


def changed_bytes(place, step=97):
    """A damage: change every so many bytes."""

    def damage(folder):
        path = path_of(place, folder)
        contents = bytearray(path.read_bytes())
        contents[step::step] = bytes(255 - byte for byte in contents[step::step])
        path.write_bytes(contents)

    return damage


def edited_hdf5(place, change):
    """A damage: change an open HDF5 file."""

    def damage(folder):
        with h5py.File(path_of(place, folder), "r+") as file:
            change(file)

    return damage


def all_of(*damages):
    """A damage: several, one after another."""

    def damage(folder):
        for each in damages:
            each(folder)

    return damage


def path_of(place, folder):
    return place(folder) if callable(place) else folder / place

"""Photos of one's own: whether they are photos, their ids, and links to them in the data folder."""

import filecmp
import os
import re
import shutil
import stat
from collections import Counter
from itertools import chain, count
from typing import NamedTuple

from tqdm import tqdm

from data_reader.errors import InputError
from data_reader.image_data_reader import PHOTO_ENDINGS, find_photo_files, photo_id
from data_reader.layout import SPLITS
from data_reader.photo_header import SHOWN, photo_ending

_LONGEST_ID = 150  # bytes: names of 255 are allowed, and ids become parts of other names


class PhotoFile(NamedTuple):
    """A photo's file: its path without links, and the ending of the name that its link gets."""

    path: str
    ending: str


def find_own_photos(photos, folder):
    """Find the files of photos whose paths are relative to a folder.

    Returns:
        (`{photo: PhotoFile}`, `{photo: (reason, detail)}` of those that can't be used).  Photos
        that are the same file, through links too, have the same `PhotoFile`.
    """
    files, reasons, seen = {}, {}, {}
    for photo in tqdm(photos, desc="photos", unit="photo", disable=None):
        path = os.path.join(folder, photo)
        try:
            state = os.stat(path)
            ending = _ending(path, state)
        except _NoPhotoError as flaw:
            reasons[photo] = ("a photo is no photo", f"{path}: {flaw}")
        except FileNotFoundError:
            reasons[photo] = ("a photo is missing", path)
        except OSError as error:
            reasons[photo] = ("a photo can't be read", f"{path}: {error.strerror}")
        else:
            same_file = (state.st_dev, state.st_ino)
            if same_file not in seen:
                seen[same_file] = PhotoFile(os.path.realpath(path), ending)
            files[photo] = seen[same_file]
    return files, reasons


class _NoPhotoError(Exception):
    """The reason why a file is no photo."""


def _ending(path, state):
    """Return the ending of a photo's name, or that of its contents if it has no photo's."""
    if not stat.S_ISREG(state.st_mode):  # a pipe would never end
        raise _NoPhotoError("no file")
    with open(path, "rb") as file:
        start = file.read(16)
    if not start:
        raise _NoPhotoError("empty file")
    by_content = photo_ending(start)
    if not by_content:
        raise _NoPhotoError(f"begins with {start[:SHOWN]!r}")
    by_name = os.path.splitext(path)[1].lower()
    return by_name if by_name in PHOTO_ENDINGS else by_content


def choose_ids(files, folder, present):
    """Choose the ids of photos -> `{PhotoFile: id}`, such that `photo_id` finds them in the names.

    An id is the file's name, or the path relative to `folder` if several files have that name.  A
    number is added where another photo, also one that is `present` in the data folder, has it.

    Args:
        files: different `PhotoFile`s.
        present: `{split: {photo id: paths}}`.
    """
    names = Counter(_id_from_name(file) for file in files)
    ids, given = {}, set()
    for file in files:
        name, whole = _id_from_name(file), _id_from_path(file, folder)
        candidates = chain(
            [name] if names[name] == 1 else [],
            [whole],
            (f"{whole}-{number}" for number in count(2)),
        )
        ids[file] = next(
            id_ for id_ in candidates if id_ not in given and _is_free(id_, file, present)
        )
        given.add(ids[file])
    return ids


def _id_from_name(file):
    return photo_id(_letters_of(os.path.basename(file.path)))


def _id_from_path(file, folder):
    """Return an id that is the same for no other path, but for punctuation."""
    whole = _letters_of(os.path.relpath(file.path, os.path.realpath(folder)))
    # A Flickr name would lose its suffixes.
    return whole if photo_id(whole) == whole else whole.replace("_", "-")


def _letters_of(path):
    """Replace all of a path, without its ending, but letters, digits, "_" and "-"."""
    root, ending = os.path.splitext(path)
    stem = root if ending.lower() in PHOTO_ENDINGS else path
    letters = re.sub(r"[^\w-]+", "-", stem).strip("-") or "photo"
    return letters.encode()[-_LONGEST_ID:].decode(errors="ignore")


def _is_free(id_, file, present):
    """Return whether no other photo in the data folder has the id."""
    return all(
        _is_same(path, file.path) for photos in present.values() for path in photos.get(id_, ())
    )


def _is_same(path, other):
    try:
        return os.path.samefile(path, other) or filecmp.cmp(path, other, shallow=False)
    except OSError:  # such as a broken link
        return False


def find_present(layout):
    """Find the photos in the data folder -> `{split: {photo id: paths}}`."""
    return {split: find_photo_files(layout.photos(split)) for split in SPLITS}


def link_photos(files, folder, present):
    """Link photos into a folder, or copy them where it is on another file system.

    Args:
        files: `{photo id: PhotoFile}`.
        present: the ids of the photos that are there.

    Raises:
        InputError: a file of the name is there that is no photo of this id.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for id_, file in tqdm(files.items(), desc=folder.name, unit="photo", disable=None):
        if id_ not in present:
            _link(file.path, folder / f"{id_}{file.ending}")


def _link(source, place):
    if os.path.lexists(place):
        raise InputError(f"{place} is there already; remove it.")
    try:
        os.link(source, place)
    except OSError:
        _copy(source, place)


def _copy(source, place):
    """Copy a file completely or not at all.

    The unfinished copy of a killed process has the same name, so that the next one overwrites it.
    """
    partial = place.with_name(f".{place.name}.partial")
    try:
        shutil.copyfile(source, partial)
        os.replace(partial, place)
    finally:
        partial.unlink(missing_ok=True)

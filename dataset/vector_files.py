"""Vectors of photos in files that others made: one .npy per photo, or arrays of ids and vectors.

A source has `entries`, the photos in the order of their vectors.  `lengths(entries)` yields the
lengths of those vectors among them that can be read, and `vectors(length)` yields for each of its
entries a vector, float32 [length], or the reason why there is none.  Never more than some hundred
vectors are in memory, and nothing is unpickled.
"""

import math
import os
import re
import zipfile
import zlib
from contextlib import contextmanager
from functools import partial
from tokenize import TokenError
from typing import NamedTuple

import h5py
import numpy as np

from data_reader.errors import InputError
from data_reader.hdf5_files import (
    DAMAGE,
    MOST_PACKED,
    UNPACKED_ANYWAY,
    flaw_of_array,
    is_array,
    open_hdf5,
    read_array,
    read_strings,
)
from data_reader.image_data_reader import photo_id

FORMATS = {
    "npy": "a folder, a zip, or a folder in a zip with a file PHOTO_ID.npy per photo",
    "npz": "an .npz file with an array of ids and one of vectors, or a folder of such files",
    "hdf5": "an HDF5 file with an array of ids and one of vectors, or a folder of such files",
}
_SPLITS = {"train": "train", "val": "valid", "valid": "valid", "test": "test"}
_IDS, _VECTORS = "image_ids", "embeddings"  # as in the features files
_NUMBERS = "fiu"  # NumPy's letters for their types
_LONGEST = 1_000_000  # numbers of a vector
_NUMBERS_AT_A_TIME = 2**20
_NAMED = 6  # arrays or folders named in an error
# What opening and reading damaged files raises.
_DAMAGE = (
    *DAMAGE,
    SyntaxError,
    EOFError,
    MemoryError,
    zipfile.BadZipFile,
    zlib.error,
    TokenError,
)


class Entry(NamedTuple):
    """A photo that a source has a vector of.

    Attributes:
        split: the one that the name of a folder or file tells, or None.
        path: shows the user where the vector is.
        group: a path that the user can give to get only this and similar vectors.
    """

    id: str
    split: str | None
    path: str
    group: str


@contextmanager
def open_vectors(file_format, path):
    """Open a source of vectors in one of the `FORMATS`.

    Raises:
        FileNotFoundError: there is no such path.
        InputError: it holds nothing of that format.
    """
    archive = next((file for file in (path, *path.parents) if file.is_file()), None)
    if not path.exists() and (archive is None or file_format != "npy"):
        raise FileNotFoundError(f"{path} is missing.")
    if file_format == "npz":
        yield ArrayFiles(path, (".npz",), _Npz)
    elif file_format == "hdf5":
        yield ArrayFiles(path, (".hdf5", ".h5"), _Hdf5)
    elif archive:
        inside = "" if path == archive else path.relative_to(archive).as_posix()
        with _open_zip(archive) as opened:
            yield NpyFiles(archive, opened.namelist(), opened.open, inside)
    else:
        yield NpyFiles(path, _names_in(path), lambda name: (path / name).open("rb"))


def _open_zip(path):
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise InputError(f"{path} is cut short or no zip file ({error}); get it again.") from error


def _names_in(folder):
    for parent, folders, names in os.walk(folder, followlinks=True):
        folders.sort()
        for name in sorted(names):
            yield os.path.relpath(os.path.join(parent, name), folder)


class NpyFiles:
    """A .npy file per photo, in a folder or in a zip, which is not unpacked.

    Args:
        root: the folder or the zip.
        names: all files in it, as `folder/in/it/123.npy`.
        open_file: opens one of them.
        inside: the folder in it to be read.
    """

    def __init__(self, root, names, open_file, inside=""):
        self._root, self._inside, self._open = f"{root}/", inside and f"{inside}/", open_file
        self.entries = [
            self._entry(*os.path.split(name))
            for name in names
            if name.startswith(self._inside) and re.search(r"(?i)(^|/)[^./][^/]*\.npy$", name)
        ]
        if not self.entries:
            raise InputError(f"{self._root}{inside} holds no .npy files{_elsewhere(root, names)}.")

    def _entry(self, folder, name):
        below = f"{folder}/".removeprefix(self._inside).split("/")[:-1]
        split = next((_SPLITS[part] for part in reversed(below) if part in _SPLITS), None)
        group = os.path.dirname(folder) if below[-1:] and below[-1] in _SPLITS else folder
        path = os.path.join(self._root, folder, name)
        return Entry(photo_id(name), split, path, os.path.join(self._root, group).rstrip("/"))

    def lengths(self, entries):
        """Yield the lengths of the vectors of these entries that can be read."""
        for entry in entries:
            header = self._read(entry, _read_vector_header)
            if not isinstance(header, str):
                yield header[0]

    def vectors(self, length):
        """Yield for each entry its vector, float32 [length], or why there is none."""
        for entry in self.entries:
            yield self._read(entry, partial(_read_vector, length))

    def _read(self, entry, read):
        try:
            with self._open(entry.path.removeprefix(self._root)) as file:
                return read(file)
        except InputError as error:
            return str(error)
        except _DAMAGE as error:
            return f"unreadable: {error or type(error).__name__}"


def _elsewhere(root, names):
    """Say which folders hold the .npy files, if there are any."""
    folders = sorted({os.path.dirname(name) for name in names if name.lower().endswith(".npy")})
    some = [os.path.join(root, folder).rstrip("/") for folder in folders[:_NAMED]]
    more = [f"{len(folders) - _NAMED:,} more"] if len(folders) > _NAMED else []
    return f"; they are in {', '.join(some + more)}" if folders else ""


def _read_header(file):
    """Read the header of a .npy file -> (shape, dtype)."""
    version = np.lib.format.read_magic(file)
    first, later = np.lib.format.read_array_header_1_0, np.lib.format.read_array_header_2_0
    shape, in_columns, dtype = (first if version == (1, 0) else later)(file)
    if in_columns and len(shape) > 1 and math.prod(shape) > max(shape):
        raise InputError("an array in Fortran order; save numpy.ascontiguousarray of it")
    return shape, dtype


def _read_vector_header(file):
    """Read the header of a vector, [F] or [1, F] -> (F, dtype)."""
    shape, dtype = _read_header(file)
    if dtype.kind not in _NUMBERS:
        raise InputError(f"values of type {dtype} instead of numbers")
    if len(shape) not in (1, 2) or not 0 < math.prod(shape) == shape[-1]:
        raise InputError(f"shape {list(shape)} instead of [F] or [1, F]")
    if shape[-1] > _LONGEST:
        raise InputError(f"{shape[-1]:,} numbers, more than {_LONGEST:,}")
    return shape[-1], dtype


def _read_vector(length, file):
    """Read a vector, or only the header of one of another length -> float32 [length]."""
    found, dtype = _read_vector_header(file)
    if found != length:
        raise InputError(_wrong_length(found, length))
    size = length * dtype.itemsize
    contents = file.read(size + 1)
    if len(contents) != size:
        raise InputError(f"unreadable: {'longer' if len(contents) > size else 'cut short'}")
    [vector] = _checked(np.frombuffer(contents, dtype)[None])
    return vector


def _wrong_length(found, expected):
    return f"{found:,} numbers, most have {expected:,}"


def _checked(rows):
    """Convert numbers [m, F] -> m vectors, float32 [F], or reasons against them."""
    with np.errstate(over="ignore"):
        vectors = rows.astype(np.float32)
    finite = np.isfinite(vectors).all(axis=1)
    return [v if f else "nan or infinite" for v, f in zip(vectors, finite, strict=True)]


class ArrayFiles:
    """Files that each hold an array of ids and one of vectors.

    Args:
        path: a file, or a folder of files, whose names may tell the split.
        endings: those of the files of a folder that are read.
        open_arrays: `_Npz` or `_Hdf5`.
    """

    def __init__(self, path, endings, open_arrays):
        paths = [path] if path.is_file() else sorted(path.iterdir())
        paths = [file for file in paths if file == path or file.suffix.lower() in endings]
        if not paths:
            raise InputError(f"{path} holds no files that end in {' or '.join(endings)}.")
        self._tables = [_Table(open_arrays(file)) for file in paths]
        self.entries = [
            Entry(
                id_, None if file == path else _split_named(file.stem), f"{file}:{row}", f"{file}"
            )
            for file, table in zip(paths, self._tables, strict=True)
            for row, id_ in enumerate(table.ids)
        ]

    def lengths(self, entries):
        """Yield the lengths of the vectors of these entries."""
        lengths = {f"{table.path}": table.length for table in self._tables}
        return (lengths[entry.group] for entry in entries)

    def vectors(self, length):
        """Yield for each entry its vector, float32 [length], or why there is none.

        Raises:
            InputError: a file is damaged.
        """
        for table in self._tables:
            if table.length != length:
                yield from [_wrong_length(table.length, length)] * len(table.ids)
            else:
                yield from table.vectors()


def _split_named(stem):
    """Return the split whose name is a word of a file's name, or None."""
    words = re.split(r"[^a-z0-9]+", stem.lower())
    return next((_SPLITS[word] for word in words if word in _SPLITS), None)


class _Table:
    """The ids and vectors of one file."""

    def __init__(self, arrays):
        self.path, self._arrays = arrays.path, arrays
        ids_name, self._vectors_name = self._find()
        self.length = arrays.shapes[self._vectors_name][0][1]
        with _explained(self.path):
            self.ids = [
                id_.decode() if isinstance(id_, bytes) else str(id_) for id_ in arrays.ids(ids_name)
            ]

    def _find(self):
        """Return the names of the ids, [M], and the vectors, [M, F]."""
        shapes = self._arrays.shapes
        chosen = {name: shapes[name] for name in (_IDS, _VECTORS) if name in shapes}
        chosen = chosen if len(chosen) == 2 else shapes
        ids = [n for n, (shape, kind) in chosen.items() if len(shape) == 1 and kind in "USiu"]
        vectors = [n for n, (shape, kind) in chosen.items() if len(shape) == 2 and kind in _NUMBERS]
        if len(ids) == len(vectors) == 1:
            (rows,), (other_rows, length) = shapes[ids[0]][0], shapes[vectors[0]][0]
            if rows == other_rows and 0 < length <= _LONGEST:
                return ids[0], vectors[0]
        held = [f"{n} {list(shape)} of kind {k}" for n, (shape, k) in shapes.items()]
        held = held if len(held) <= _NAMED else [*held[:_NAMED], f"{len(held) - _NAMED:,} more"]
        raise InputError(
            f"{self.path} holds {', '.join(held) or 'no arrays'}; expected one array of ids "
            "(strings or whole numbers, [M], no Python objects) and one of vectors (numbers, "
            f"[M, F], F up to {_LONGEST:,}), or these as {_IDS} and {_VECTORS} among others."
        )

    def vectors(self):
        with _explained(self.path):
            for rows in self._arrays.rows(self._vectors_name):
                yield from _checked(rows)


@contextmanager
def _explained(path):
    try:
        yield
    except InputError:
        raise
    except _DAMAGE as error:
        raise InputError(f"{path} is damaged or of another format ({error}).") from error


class _Npz:
    """The arrays of an .npz file; `shapes` is `{name: (shape, NumPy's letter of the kind)}`."""

    def __init__(self, path):
        self.path, self.shapes = path, {}
        with _explained(path), zipfile.ZipFile(path) as members:
            for member in members.infolist():
                with members.open(member) as file:
                    shape, dtype = _read_header(file)
                _check_size(member, math.prod(shape) * dtype.itemsize)
                self.shapes[member.filename.removesuffix(".npy")] = shape, dtype.kind

    @contextmanager
    def _open(self, name):
        with zipfile.ZipFile(self.path) as members, members.open(f"{name}.npy") as file:
            yield file

    def ids(self, name):
        with self._open(name) as file:
            return np.lib.format.read_array(file, allow_pickle=False).tolist()

    def rows(self, name):
        """Yield an array [M, F] in pieces."""
        with self._open(name) as file:
            (rows, length), dtype = _read_header(file)
            step = _rows_at_a_time(length)
            for start in range(0, rows, step):
                piece = min(step, rows - start)
                contents = file.read(piece * length * dtype.itemsize)
                yield np.frombuffer(contents, dtype).reshape(piece, length)


def _check_size(member, size):
    """Refuse an array of so many bytes that is not all there, or packed to next to nothing."""
    if size > member.file_size:
        raise InputError(f"{member.filename} is cut short")
    if size > max(MOST_PACKED * member.compress_size, UNPACKED_ANYWAY):
        raise InputError(f"{member.filename} unpacks {member.compress_size:,} bytes to {size:,}")


def _rows_at_a_time(length):
    return max(1, _NUMBERS_AT_A_TIME // length)


class _Hdf5:
    """The arrays of an HDF5 file, in the same way; those in groups are not looked for."""

    def __init__(self, path):
        self.path = path
        with _explained(path), self._open() as file:
            names = [name for name in file if is_array(file, name)]
            for name in names:
                if flaw := flaw_of_array(file, name):
                    raise InputError(f"{path} has {name}, {flaw}.")
            kinds = {name: file[name].dtype for name in names}
            self.shapes = {
                name: (file[name].shape, "S" if h5py.check_string_dtype(dtype) else dtype.kind)
                for name, dtype in kinds.items()
            }

    def _open(self):
        return open_hdf5(self.path, {})

    def ids(self, name):
        with self._open() as file:
            is_text = h5py.check_string_dtype(file[name].dtype)
            return read_strings(file[name]) if is_text else read_array(file[name]).tolist()

    def rows(self, name):
        """Yield an array [M, F] in pieces."""
        with self._open() as file:
            array = file[name]
            step = _rows_at_a_time(array.shape[1])
            for start in range(0, len(array), step):
                yield read_array(array, slice(start, start + step))

"""Reading and writing HDF5 files; one that is read is checked once, when it is opened.

An HDF5 file can name other files as the place of its data, lead in circles, and promise more than
it holds.  What is opened here holds its arrays itself, in the sizes that it says, and takes no more
memory than its own size allows for.
"""

import errno
import io
import math
import mmap
import os
import resource
import shutil
import struct
from contextlib import contextmanager
from itertools import islice, pairwise
from pathlib import Path

import h5py
import numpy as np

from data_reader.errors import InputError
from data_reader.files import atomic_write

MOST_PACKED = 100  # times its size is what a compressed array may unpack to,
UNPACKED_ANYWAY = 2**26  # or so many bytes
_KINDS = {
    "strings": lambda dtype: h5py.check_string_dtype(dtype) is not None,
    "strings or whole numbers": lambda dtype: _KINDS["strings"](dtype) or dtype.kind in "iu",
    "whole numbers": lambda dtype: dtype.kind in "iu",
    "numbers": lambda dtype: dtype.kind in "fiu",
}
_ATTRIBUTES = {  # of features and stories files
    "extractor": str,
    "weights_checksum": str,
    "channel_means": list,
    "precision": str,
    "vocabulary_size": int,
    "vocabulary_checksum": str,
}
# What h5py raises about a damaged file.
DAMAGE = (OSError, ValueError, TypeError, KeyError, AttributeError, RuntimeError, OverflowError)
_HEAP = b"GCOL\1\0\0\0"
_LENGTH, _OBJECT = struct.Struct("<Q"), struct.Struct("<H6xQ")
_SEARCHED = 2**16  # bytes
_STRINGS_AT_A_TIME = 256
_NAMED = 6  # arrays named in an error


def open_hdf5(path, arrays, made_by=None):
    """Open an HDF5 file for reading after checking its attributes and the arrays in it.

    Args:
        arrays: `{name: (kind, axes)}`, the kind one of "strings", "whole numbers", "strings or
            whole numbers" and "numbers", each axis a size or a letter: any size from 1, the same
            one for the same letter.
        made_by: the command that makes the file, if there is one.

    Raises:
        FileNotFoundError: there is no such file.
        InputError: the file can't be opened, lacks an array, an array has another shape or kind,
            lies elsewhere or lacks data, or an attribute is of another kind.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing; make it with: {made_by}")
    again = f"make it again with: {made_by}" if made_by else "get it again"
    try:
        file = h5py.File(path, "r")
    except DAMAGE as error:
        raise InputError(f"{path} is not a readable HDF5 file ({error}); {again}") from error
    try:
        flaw = _flaw_of(file, arrays) or _flaw_of_heaps(file, path) or _flaw_of_attributes(file)
    except DAMAGE as error:
        flaw = f"is damaged ({error})"
    if flaw:
        file.close()
        raise InputError(f"{path} {flaw}; {again}")
    return file


def _flaw_of(file, arrays):
    """Return why a file does not hold these arrays, or "" if it does."""
    missing = [name for name in arrays if not file.id.links.exists(name.encode())]
    if missing:
        held = [*islice(file, _NAMED), *(["..."] if len(file) > _NAMED else [])]
        return f"lacks {', '.join(missing)} (it holds {', '.join(held) or 'nothing'})"
    sizes = {}
    for name, (kind, axes) in arrays.items():
        if flaw := flaw_of_array(file, name):
            return f"has {name}, {flaw}"
        shape, dtype = file[name].shape, file[name].dtype
        sizes = dict(zip(axes, shape, strict=False)) | sizes
        expected = [axis if isinstance(axis, int) else sizes.get(axis, axis) for axis in axes]
        if list(shape) != expected:
            wanted = str(expected).replace("'", "")
            return f"has {name} of shape {list(shape)}, expected {wanted}"
        if 0 in shape:
            return f"has {name} of shape {list(shape)}, which holds nothing"
        if not _KINDS[kind](dtype):
            return f"has {name} of type {dtype}, expected {kind}"
    return ""


def is_array(file, name):
    """Return whether a name in a file stands for an array, not for a group or a link."""
    is_dataset = _is_held(file, name) and isinstance(file[name], h5py.Dataset)
    return is_dataset and file[name].shape is not None


def _is_held(file, name):
    link = file.id.links.get_info(name.encode("utf-8", "surrogateescape"))
    return link.type == h5py.h5l.TYPE_HARD


def flaw_of_array(file, name):
    """Return why an entry of a file is no array whose data the file holds, or "" if it is one."""
    if not _is_held(file, name):
        return "a link to elsewhere"
    if not is_array(file, name):
        return "which is no array"
    array = file[name]
    properties = array.id.get_create_plist()
    if properties.get_external_count() or properties.get_layout() == h5py.h5d.VIRTUAL:
        return "whose data lie in other files"
    stored, size = array.id.get_storage_size(), array.size * array.dtype.itemsize
    is_whole = size <= stored <= file.id.get_filesize()
    if properties.get_nfilters():
        chunks = math.prod(-(-n // c) for n, c in zip(array.shape, array.chunks, strict=True))
        is_whole = array.id.get_num_chunks() == chunks
        size = chunks * math.prod(array.chunks) * array.dtype.itemsize
    if not is_whole:
        return f"of whose data, {list(array.shape)}, the file holds a part or nothing"
    if size > max(MOST_PACKED * stored, UNPACKED_ANYWAY):
        return f"which unpacks {stored:,} bytes to {size:,}"
    return ""


def _flaw_of_heaps(file, path):
    """Check the heaps, in which strings lie: in a damaged one the library may search for ever."""
    if file.id.get_create_plist().get_sizes() != (8, 8):
        return "has addresses or sizes of other than 8 bytes"
    ends = [(0, 0), *sorted(_large_arrays(file)), (path.stat().st_size, 0)]
    with path.open("rb") as disk, mmap.mmap(disk.fileno(), 0, access=mmap.ACCESS_READ) as contents:
        for (before, size), (after, _) in pairwise(ends):
            place = before + size
            while (place := contents.find(_HEAP, place, after)) >= 0:
                end = _end_of_heap(contents, place)
                if end is None:
                    return "is damaged (where its strings are)"
                place = end
    return ""


def _large_arrays(file):
    """Yield where the file holds the arrays that are too large to search for heaps in them."""
    for name in file:
        if not flaw_of_array(file, name):
            start, size = file[name].id.get_offset(), file[name].id.get_storage_size()
            if start is not None and size > _SEARCHED:
                yield start, size


def _end_of_heap(contents, place):
    """Walk through the objects of a heap -> its end; None if it is damaged.

    HDF5 File Format Specification 3.0, section III.E: a header with the heap's size, and objects,
    each with a header and padded to 8 bytes; the free space has the number 0 and comes last.
    """
    [size] = _LENGTH.unpack_from(contents, place + 8)
    end, place = place + size, place + 16
    if size < 16 or end > len(contents):
        return None
    while end - place >= _OBJECT.size:
        number, size = _OBJECT.unpack_from(contents, place)
        if number == 0:
            return end if size == end - place else None
        place += _OBJECT.size + -(-size // 8) * 8
    return end if place <= end else None


def attributes_of(file):
    """Read the attributes of an open file that are texts, numbers or lists of numbers.

    Others are not read: the library crashes at types that are none.
    """
    types = {name: file.attrs.get_id(name).get_type().get_class() for name in file.attrs}
    plain = (h5py.h5t.INTEGER, h5py.h5t.FLOAT, h5py.h5t.STRING)
    values = {name: np.asarray(file.attrs[name]) for name in types if types[name] in plain}
    return {name: value.tolist() for name, value in values.items() if value.dtype.kind in "iufU"}


def _flaw_of_attributes(file):
    found = attributes_of(file)
    for name in _ATTRIBUTES:
        if name in file.attrs and not _is_of_kind(found.get(name), _ATTRIBUTES[name]):
            shown = found.get(name, "of another type")
            return f"has the attribute {name} {shown!r:.60}, expected {_ATTRIBUTES[name].__name__}"
    return ""


def _is_of_kind(value, kind):
    if kind is str:
        return isinstance(value, str) and value.isprintable()
    if kind is list:
        return isinstance(value, list) and all(
            isinstance(each, int | float) and math.isfinite(each) for each in value
        )
    return isinstance(value, kind)


def read_array(array, rows=...):
    """Read rows of an array.

    Raises:
        InputError: they are damaged.
    """
    try:
        return array[rows]
    except DAMAGE as error:
        raise _damaged(array, error) from error


def read_strings(array):
    """Read an HDF5 dataset of strings as (nested) lists.

    Raises:
        InputError: they are damaged, or one is not UTF-8.
    """
    per_row = max(1, math.prod(array.shape[1:]))
    step, left = max(1, _STRINGS_AT_A_TIME // per_row), array.file.id.get_filesize()
    strings = []
    for start in range(0, len(array), step):
        found = read_array(array, slice(start, start + step)).ravel().tolist()
        if array.dtype.kind == "O":
            left -= sum(map(len, found))
        if left < 0:  # many of them share one place in the file
            raise _damaged(array, "its strings are longer than the file")
        try:
            strings += [string.decode() for string in found]
        except UnicodeDecodeError as error:
            raise InputError(
                f"{array.file.filename}: {array.name} is not UTF-8 ({error})."
            ) from error
    return np.array(strings, object).reshape(array.shape).tolist()


def _damaged(array, why):
    return InputError(f"{array.file.filename}: {array.name} is damaged ({why}); make it again.")


@contextmanager
def create_hdf5(path, size=0):
    """Yield a new HDF5 file, which appears at `path` when it is whole.

    Args:
        size: the bytes that it will about take: with strings, the library may crash where a disk
            is found to be full while it writes them, so that is found before.

    Raises:
        OSError: the disk is full, or the file larger than is allowed.
    """
    with atomic_write(path) as partial, _SteadyFile(partial, "w+") as disk:
        _check_room(path, size)
        try:
            with h5py.File(disk, "w") as file:
                yield file
        except (OSError, RuntimeError):  # of the library, which has read what was not written
            if disk.error is None:
                raise
        if disk.error:
            raise OSError(f"{path} can't be written: {disk.error.strerror}")


def _check_room(path, size):
    largest, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    reason = None
    if resource.RLIM_INFINITY != largest < size:
        reason = errno.EFBIG
    elif shutil.disk_usage(Path(path).parent).free < size:
        reason = errno.ENOSPC
    if reason:
        raise OSError(f"{path} can't be written: {os.strerror(reason)} ({size:,} bytes)")


class _SteadyFile(io.FileIO):
    """A file that keeps the first error of writing in `error` and goes on without writing.

    The HDF5 library keeps what it can't write, tries again at the end of the process, and crashes.
    """

    error = None

    def write(self, contents):
        rest = memoryview(contents)
        while rest and self.error is None:
            try:
                rest = rest[super().write(rest) :]
            except OSError as error:
                self.error = error
        return len(contents)

    def truncate(self, size=None):
        try:
            return super().truncate(size)
        except OSError as error:
            self.error = self.error or error
            return size

"""Unpacking single files of an archive, safely: no path from the archive is ever written to."""

import gzip
import os
import shutil
import stat
import tarfile
import zipfile
import zlib
from contextlib import ExitStack
from pathlib import PurePosixPath

from data_reader.errors import InputError

_SHOWN = 10  # names of an archive that lacks a file
_ENCRYPTED = 1
_BROKEN = (
    tarfile.TarError,
    zipfile.BadZipFile,
    gzip.BadGzipFile,
    zlib.error,
    EOFError,
    UnicodeDecodeError,
    NotImplementedError,  # a zip of a later version, or packed unusually
)


def unpack(archive, targets, largest):
    """Unpack the files that have the targets' names, in any folder of the archive: all or none.

    Args:
        archive: a .tar.gz or .zip, by its content.
        largest: the most bytes that all the archive's files may have together.

    Raises:
        InputError: the archive is broken or too large, lacks a file, or holds anything but plain
            files and folders below itself.
    """
    partials = {target.name: target.with_name(f".{target.name}.partial") for target in targets}
    names = []
    try:
        for name, contents in _files(archive, largest):
            names.append(name)
            if partial := partials.get(PurePosixPath(name).name):
                with partial.open("wb") as file:
                    shutil.copyfileobj(contents, file)
        _check_complete(targets, names)
        for target in targets:
            os.replace(partials[target.name], target)
    except _BROKEN as error:
        raise InputError(f"the archive is broken ({error})") from error
    finally:
        for partial in partials.values():
            partial.unlink(missing_ok=True)


def _check_complete(targets, names):
    basenames = {PurePosixPath(name).name for name in names}
    if lacking := [target.name for target in targets if target.name not in basenames]:
        shown = ", ".join(names[:_SHOWN]) or "nothing"
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        raise InputError(f"the archive lacks {', '.join(lacking)}; it holds {shown}{more}")


def _files(archive, largest):
    """Yield the name and the contents (a file to read) of each file of an archive."""
    with archive.open("rb") as file:
        start = file.read(16)
    if start.startswith(b"\x1f\x8b"):
        yield from _files_of_tar(archive, largest)
    elif start.startswith(b"PK"):
        yield from _files_of_zip(archive, largest)
    else:
        raise InputError(f"it is not an archive: it begins with {start!r}")


def _files_of_tar(archive, largest):
    with ExitStack() as stack:
        contents = _Bounded(stack.enter_context(gzip.open(archive)), largest)
        tar = stack.enter_context(tarfile.open(fileobj=contents, mode="r|"))
        for member in tar:
            _check_path(member.name)
            if member.isdir():
                continue
            if not member.isreg() or member.issparse():  # whose zeros the archive doesn't hold
                raise InputError(
                    f"the archive holds a link, a device or a file with holes, {member.name!r}"
                )
            yield member.name, tar.extractfile(member)
        while contents.read(1 << 20):  # up to the checksum at the end
            pass


class _Bounded:
    """A file that refuses to be read beyond a number of bytes."""

    def __init__(self, file, largest):
        self._file = file
        self._left = self._largest = largest

    def read(self, size):
        contents = self._file.read(size)
        self._left -= len(contents)
        if self._left < 0:
            raise _too_large(self._largest)
        return contents


def _files_of_zip(archive, largest):
    with zipfile.ZipFile(archive) as zipped:
        members = zipped.infolist()
        # No member gives more bytes than it says here.
        if sum(member.file_size for member in members) > largest:
            raise _too_large(largest)
        for member in members:
            _check_path(member.filename)
            _check_member(member)
            if not member.is_dir():
                with _opened(zipped, member) as contents:
                    yield member.filename, contents


def _opened(zipped, member):
    try:
        return zipped.open(member)
    except OSError as error:  # its place is outside the file
        raise zipfile.BadZipFile(error) from error


def _check_path(name):
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise InputError(f"the archive holds a path outside itself, {name!r}")


def _check_member(member):
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise InputError(f"the archive holds a link or device, {member.filename!r}")
    known = member.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
    if not known or member.flag_bits & _ENCRYPTED:
        raise InputError(f"{member.filename!r} in the archive is encrypted or packed unusually")


def _too_large(largest):
    return InputError(f"unpacked, the archive has more than {largest:,} bytes")

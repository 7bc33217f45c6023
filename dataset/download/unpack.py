"""Unpacking single files of an archive, safely: no path from the archive is ever written to."""

import gzip
import os
import shutil
import tarfile
from contextlib import ExitStack
from pathlib import PurePosixPath

from data_reader.errors import InputError
from data_reader.safe_zip import BROKEN_ZIP, check_path, files_of_zip, too_large

_SHOWN = 10  # names of an archive that lacks a file
_BROKEN = (tarfile.TarError, gzip.BadGzipFile, *BROKEN_ZIP)


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
        yield from files_of_zip(archive, largest)
    else:
        raise InputError(f"it is not an archive: it begins with {start!r}")


def _files_of_tar(archive, largest):
    with ExitStack() as stack:
        contents = _Bounded(stack.enter_context(gzip.open(archive)), largest)
        tar = stack.enter_context(tarfile.open(fileobj=contents, mode="r|"))
        for member in tar:
            check_path(member.name)
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
            raise too_large(self._largest)
        return contents

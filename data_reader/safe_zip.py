"""Reading zips of others safely: no path from the archive is ever written to."""

import os
import stat
import zipfile
import zlib
from pathlib import PurePosixPath

from data_reader.errors import InputError

BROKEN_ZIP = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    UnicodeDecodeError,
    NotImplementedError,  # a zip of a later version, or packed unusually
)
_ENCRYPTED = 1


def files_of_zip(archive, largest):
    """Yield the name and the contents (a file to read) of each file of a zip.

    Args:
        largest: the most bytes that all the archive's files may have together.

    Raises:
        InputError: the zip is too large, or holds anything but plain files and folders below
            itself.
        zipfile.BadZipFile, or another of `BROKEN_ZIP`: it is broken.
    """
    with zipfile.ZipFile(archive) as zipped:
        members = zipped.infolist()
        # No member gives more bytes than it says here.
        if sum(member.file_size for member in members) > largest:
            raise too_large(largest)
        for member in members:
            check_path(member.filename)
            _check_member(member)
            if not member.is_dir():
                with _opened(zipped, member) as contents:
                    yield member.filename, contents


def check_stored(archive):
    """Refuse an open zip whose files are packed, or claim more bytes than it has.

    Raises:
        InputError: they are.
    """
    members = archive.infolist()
    for member in members:
        stored = member.compress_type == zipfile.ZIP_STORED
        if not stored or member.compress_size != member.file_size or member.flag_bits & _ENCRYPTED:
            raise InputError(f"{member.filename!r} in the archive is not stored as it is")
    size = archive.fp.seek(0, os.SEEK_END)
    if sum(member.file_size for member in members) > size:
        raise InputError(f"the archive's files claim more than its {size:,} bytes")


def check_path(name):
    """Refuse the name of an archive's file that leads out of the archive.

    Raises:
        InputError: it does.
    """
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise InputError(f"the archive holds a path outside itself, {name!r}")


def too_large(largest):
    """The `InputError` of an archive whose files have more bytes together."""
    return InputError(f"unpacked, the archive has more than {largest:,} bytes")


def _opened(zipped, member):
    try:
        return zipped.open(member)
    except OSError as error:  # its place is outside the file
        raise zipfile.BadZipFile(error) from error


def _check_member(member):
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise InputError(f"the archive holds a link or device, {member.filename!r}")
    known = member.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
    if not known or member.flag_bits & _ENCRYPTED:
        raise InputError(f"{member.filename!r} in the archive is encrypted or packed unusually")

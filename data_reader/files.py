"""Reading and writing files so that nothing is half-written and every failure is explained."""

import csv
import fcntl
import json
import os
import socket
from contextlib import contextmanager
from pathlib import Path

import h5py

from data_reader.errors import InputError

SKIPPED_COLUMNS = ("id", "reason", "path")  # of the lists of what was left out


@contextmanager
def atomic_write(path):
    """Yield a path beside `path` to write to; it takes the final name only when all went well.

    Whatever happens before that, a file already at `path` stays as it is.  Processes that write the
    same file do not get into each other's way: the last one to end has written it.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(path)
    partial = path.with_name(_partial_name(path, os.getpid()))
    try:
        yield partial
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def _partial_name(path, process):
    return f".{path.stem}.{socket.gethostname()}.{process}.partial{path.suffix}"


def _remove_leftovers(path):
    """Remove what processes of this machine that were killed had begun to write there."""
    before, after = _partial_name(path, "/").split("/")  # which no name holds
    for name in os.listdir(path.parent):
        if name.startswith(before) and name.endswith(after):
            process = name.removeprefix(before).removesuffix(after)
            if process.isdecimal() and not _runs(int(process)):
                path.with_name(name).unlink(missing_ok=True)


def _runs(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it is somebody else's
    return True


@contextmanager
def exclusive_lock(folder, refusal=None):
    """Hold the folder's lock; the system lets go of it even when the process is killed.

    Raises:
        ValueError: another process holds it; `refusal` says what that one does.  Without a
            refusal the other one is waited for.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder, os.O_RDONLY)
    try:
        _lock(lock, refusal)
        yield
    finally:
        os.close(lock)


def _lock(file, refusal):
    try:
        fcntl.flock(file, fcntl.LOCK_EX | (fcntl.LOCK_NB if refusal else 0))
    except BlockingIOError:
        raise InputError(refusal) from None


def read_json(path):
    """The contents of a JSON file.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is empty, cut short, or no JSON in UTF-8.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing.")
    if path.stat().st_size == 0:
        raise InputError(f"{path} is empty; fetch or write it again.")
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is cut short or not JSON ({error}); fetch it again.") from error


def write_json(path, contents, indent=None):
    """Write `contents` as JSON in UTF-8, whole or not at all."""
    with atomic_write(path) as partial:
        text = json.dumps(contents, ensure_ascii=False, indent=indent)
        partial.write_text(text + "\n", encoding="utf-8")


def write_csv(path, header, rows):
    """Write a CSV file in UTF-8, whole or not at all; file names need not be UTF-8."""
    with (
        atomic_write(path) as partial,
        partial.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file,
    ):
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)


def open_hdf5(path, datasets, made_by):
    """Open an HDF5 file for reading after checking that it holds `datasets`.

    Raises:
        FileNotFoundError: there is no such file; the message names the command that makes it.
        ValueError: the file can't be opened or lacks a dataset.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing; make it with: {made_by}")
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise InputError(
            f"{path} is no readable HDF5 file ({error}); make it again with: {made_by}"
        ) from error
    missing = [name for name in datasets if name not in file]
    if missing:
        held = ", ".join(file) or "nothing"
        file.close()
        raise InputError(
            f"{path} lacks {', '.join(missing)} (it holds {held}); make it again with: {made_by}"
        )
    return file

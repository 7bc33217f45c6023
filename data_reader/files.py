"""Reading and writing files so that none is left half-written and every failure is explained."""

import csv
import fcntl
import json
import os
import re
import socket
import time
from contextlib import contextmanager, suppress
from pathlib import Path

from data_reader.errors import InputError, abbreviated

SKIPPED_COLUMNS = ("id", "reason", "path")  # of skipped_photos_*.csv and skipped_stories_*.csv
# What `_partial_name` makes, of any file: (stem and machine, process).
_PARTIAL_NAME = re.compile(r"\.(.+\..+)\.([0-9]+)\.partial(?:\.[^.]+)?", re.DOTALL)
_ABANDONED = 24 * 60 * 60  # seconds since it was last written to


@contextmanager
def atomic_write(path):
    """Yield a temporary path beside `path` to write to; it is renamed to `path` on success.

    If anything fails before that, an existing file at `path` stays as it is.  Several processes
    may write the same file at once: the last one to finish wins.

    Raises:
        InputError: `path` is a folder.
    """
    path = Path(path)
    if path.is_dir():
        raise InputError(f"{path} is a folder; give the name of a file to write.")
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(path.parent)
    partial = path.with_name(_partial_name(path, os.getpid()))
    try:
        yield partial
        os.replace(partial, path)
    except OSError as error:
        if error.errno and not error.filename:  # as of a full disk
            error.filename = str(path)
        raise
    finally:
        partial.unlink(missing_ok=True)


def _partial_name(path, process):
    return f".{path.stem}.{socket.gethostname()}.{process}.partial{path.suffix}"


def _remove_leftovers(folder):
    """Remove the temporary files of killed processes: of this machine, and of any after a day."""
    here, now = f".{socket.gethostname()}", time.time()
    for name in os.listdir(folder):
        if made := _PARTIAL_NAME.fullmatch(name):
            leftover, (of_machine, process) = folder / name, made.groups()
            with suppress(OSError):  # it has been renamed meanwhile, or belongs to another user
                is_dead = of_machine.endswith(here) and not _runs(int(process))
                if is_dead or now - leftover.stat().st_mtime > _ABANDONED:
                    leftover.unlink()


def _runs(process):
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True  # it belongs to another user
    # A container's first process may never ask for the end of what was killed.
    with suppress(OSError):
        return "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text()
    return True


def exclusive_lock(folder, refusal=None):
    """Hold the folder's lock; the operating system releases it even if the process is killed.

    On a file system of several machines it may hold on one machine only.

    Args:
        refusal: the message if another process holds the lock; without it, wait for that process.

    Raises:
        InputError: another process holds the lock.
    """
    return _locked(folder, fcntl.LOCK_EX, refusal)


def shared_lock(folder, refusal):
    """Hold the folder's lock together with all processes that share it.

    Raises:
        InputError: another process holds the lock for itself, by `exclusive_lock`.
    """
    return _locked(folder, fcntl.LOCK_SH, refusal)


@contextmanager
def _locked(folder, kind, refusal):
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder, os.O_RDONLY)
    try:
        _lock(lock, kind, refusal)
        yield
    finally:
        os.close(lock)


def _lock(file, kind, refusal):
    try:
        fcntl.flock(file, kind | (fcntl.LOCK_NB if refusal else 0))
    except BlockingIOError:
        raise InputError(refusal) from None


def read_json(path):
    """Read a JSON file.

    Raises:
        FileNotFoundError: there is no such file.
        InputError: the file is empty, cut short, not JSON in UTF-8, or has a name twice in the same
            place.
    """
    check_not_empty(path)
    try:
        return json.loads(Path(path).read_text(encoding="utf-8-sig"), object_pairs_hook=once_each)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is cut short or not JSON ({error}); get it again.") from error


def check_not_empty(path):
    """Refuse a file that is missing or empty.

    Raises:
        FileNotFoundError, InputError.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"{path} is missing.")
    if Path(path).stat().st_size == 0:
        raise InputError(f"{path} is empty; download or create it again.")


def once_each(pairs):
    """A dictionary of which no name was given twice, where it would not be known which counts.

    Raises:
        ValueError: a name was.
    """
    found = dict(pairs)
    if len(found) < len(pairs):
        names = set()
        twice = next(name for name, _ in pairs if name in names or names.add(name))
        raise ValueError(f"it has the name {abbreviated(twice)} twice")
    return found


def write_json(path, contents, indent=None):
    """Write `contents` as JSON in UTF-8, completely or not at all.

    Raises:
        InputError: a text in it is not Unicode, such as a file name that is not UTF-8.
    """
    text = json.dumps(contents, ensure_ascii=False, indent=indent)
    try:
        encoded = f"{text}\n".encode()
    except UnicodeEncodeError as error:
        raise InputError(f"{path} can't be written: a text is not Unicode ({error}).") from error
    with atomic_write(path) as partial:
        partial.write_bytes(encoded)


def write_csv(path, header, rows):
    """Write a CSV file in UTF-8, completely or not at all; file names in it need not be UTF-8."""
    with (
        atomic_write(path) as partial,
        partial.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file,
    ):
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)

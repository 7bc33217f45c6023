"""The parts of a features file, which several processes on several machines may compute at once.

Whatever is interrupted, started twice or removed at the wrong moment, the features file is right:
the name of everything in a parts folder begins with the checksum of the photos and weights that it
belongs to, so that parts of different extractions never mix, and a part appears only when it is
whole.  Locks, which may hold on one machine only, and signs of life merely refuse a process that
would compute the same again or remove what another one is computing.
"""

import hashlib
import json
import os
import shutil
import socket
import zipfile
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from data_reader.errors import InputError
from data_reader.files import atomic_write, exclusive_lock, read_json, shared_lock, write_json

# Another machine's process counts as dead after so many seconds without a sign of life.
SILENCE = 600
_WORKER = ".worker"  # the ending of the folder of a process that takes part
_MANIFEST = "manifest.json"
_ARRAYS = ("embeddings", "image_ids", "skipped", "fingerprints")


class Shard(NamedTuple):
    """A share of the parts: every `count`-th one, beginning with the `number`-th."""

    number: int
    count: int

    def __str__(self):
        return f"{self.number}/{self.count}"


WHOLE = Shard(1, 1)


class Part(NamedTuple):
    """Some of the photos, `[(id, path), ...]`, and the file of their features."""

    photos: list[tuple[str, str]]
    path: Path

    def is_there(self):
        """Return whether the file is there; one that a power failure left broken is not."""
        return zipfile.is_zipfile(self.path)

    def write(self, arrays):
        """Write the arrays, completely or not at all."""
        with atomic_write(self.path) as unfinished:
            np.savez(unfinished, **arrays)

    def read(self):
        """Read the arrays, which are whole and finite.

        Raises:
            FileNotFoundError: the file is gone.
            InputError: it is broken.
        """
        try:
            with np.load(self.path, allow_pickle=False) as arrays:
                part = {name: arrays[name] for name in _ARRAYS}
            kinds = "".join(array.dtype.kind for array in part.values())
            [embeddings, ids, skipped, fingerprints] = part.values()
            rows = len(self.photos) - len(skipped)
            shapes = (embeddings.shape[0], *ids.shape, *fingerprints.shape)
            if (kinds, *shapes) != ("fUUu", rows, rows, len(self.photos)):
                raise InputError(f"it does not hold {rows} features")
            if not np.isfinite(embeddings).all():
                raise InputError("features are nan or infinite")
        except FileNotFoundError:
            raise
        except Exception as error:  # a broken archive may raise any exception
            raise InputError(
                f"{self.path} is broken ({error}); delete it and start again."
            ) from error
        return part


class PartsFolder:
    """The folder of the parts of one extraction.

    Args:
        path: the folder's path.
        manifest: what parts must have in common to be put together.
        photos: `[(id, path), ...]`.

    Attributes:
        parts: all of them, in order, whether they are there or not.
    """

    def __init__(self, path, manifest, photos):
        self.path, self._manifest = path, manifest
        text = json.dumps(manifest, sort_keys=True)
        self._checksum = hashlib.sha256(text.encode()).hexdigest()[:12]
        size = manifest["photos_per_part"]
        self.parts = [
            Part(photos[start : start + size], path / f"{self._checksum}_{start // size:06}.npz")
            for start in range(0, len(photos), size)
        ]

    def of(self, shard):
        """List the parts of a shard, maybe none."""
        return self.parts[shard.number - 1 :: shard.count]

    def missing(self):
        """List the parts that are not there yet."""
        return [part for part in self.parts if not part.is_there()]

    @contextmanager
    def joined(self, shard):
        """Take part as a shard, after removing what dead processes left of other photos or weights.

        Yields a function that shows other machines that this process is alive.  It raises
        FileNotFoundError if the parts have been removed, as by a process that has assembled them.

        Raises:
            InputError: another process on this machine does the same work, or one on any machine
                works in this folder with other photos or weights.
        """
        lock = exclusive_lock if shard == WHOLE else shared_lock
        refusal = f"Another process is extracting into {self.path}; wait until it has finished."
        name = f"{self._checksum}_{shard.number}-of-{shard.count}_{socket.gethostname()}{_WORKER}"
        worker = self.path / name
        same = f"Shard {shard} of {self.path} already runs on this machine; wait until it is done."
        with lock(self.path, refusal), exclusive_lock(worker, same):
            try:
                write_json(worker / _MANIFEST, self._manifest)
                self._remove_others(now=(worker / _MANIFEST).stat().st_mtime)
                yield partial(self._show_life, worker)
            finally:
                shutil.rmtree(worker, ignore_errors=True)

    def _show_life(self, worker):
        try:
            os.utime(worker / _MANIFEST)
        except FileNotFoundError:
            raise FileNotFoundError(
                f"{self.path} was removed during the extraction; start it again."
            ) from None

    def _remove_others(self, now):
        """Remove what belongs to other photos or weights, unless a process works on it."""
        others = [path for path in self.path.iterdir() if self._checksum not in path.name]
        for worker in others:
            if worker.suffix == _WORKER and (manifest := _manifest_of_living(worker, now)):
                raise InputError(self._refusal(worker, manifest))
        _remove(others)

    def _refusal(self, worker, theirs):
        _, shard, machine = worker.stem.split("_", 2)
        different = ", ".join(
            f"{name} {theirs.get(name)} there, {ours} here"
            for name, ours in self._manifest.items()
            if theirs.get(name) != ours
        )
        return (
            f"Shard {shard.replace('-of-', '/')} on {machine} is extracting other features into "
            f"{self.path} ({different}); wait until it has finished, or stop it. A process that "
            f"was killed on another machine counts as working for {SILENCE // 60} minutes."
        )

    def remove(self):
        """Remove the folder, except what belongs to other photos or weights.

        The workers go first: one that finds parts missing, but its own folder there, can be sure
        that they have not been assembled and removed.
        """
        with suppress(OSError):  # gone, or another process still writes into it, and removes it
            own = [path for path in self.path.iterdir() if self._checksum in path.name]
            _remove(sorted(own, key=lambda path: path.suffix != _WORKER))
            self.path.rmdir()


def _remove(paths):
    for path in paths:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _manifest_of_living(worker, now):
    """Read the manifest of a worker's folder, or return None if its process is dead.

    On another machine its last sign of life decides; `now` is the file system's time, too.  One
    without a manifest is about to write it, and then to find the process that asks here.
    """
    try:
        manifest = read_json(worker / _MANIFEST)
        silent = now - (worker / _MANIFEST).stat().st_mtime > SILENCE
    except (FileNotFoundError, InputError):
        return None
    if worker.stem.split("_", 2)[2] == socket.gethostname():
        return manifest if _is_locked(worker) else None
    return None if silent else manifest


def _is_locked(folder):
    try:
        with exclusive_lock(folder, "It is locked."):
            return False
    except InputError:
        return True

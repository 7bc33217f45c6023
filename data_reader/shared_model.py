"""Opening a shared model, a folder or a zip, that `python -m models.share` has made.

It comes from elsewhere, so all its checksums are tested, and no code that it names is run unless
the user trusts the module.  It is only read: what is generated with it goes into a folder of the
working directory.
"""

import hashlib
import os
import re
import shutil
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from data_reader.errors import InputError
from data_reader.files import atomic_write
from data_reader.run_folder import RunFolder
from data_reader.safe_zip import BROKEN_ZIP, files_of_zip

CHECKSUMS = "SHA256SUMS"  # in the form of sha256sum -c
_GET_AGAIN = "get the model again"


@contextmanager
def open_model(path, trust=()):
    """Open a run folder, or a shared model: its folder or a zip of that.

    Args:
        trust: names of the modules from which a shared model may import classes.

    Yields:
        its `RunFolder`; a zip is unpacked until the end.

    Raises:
        FileNotFoundError: there is no such folder or file, or a run folder has no model.
        InputError: a checksum does not fit; a file of a shared model is missing; a zip is broken or
            holds anything else; the model needs a class from a module that is not trusted.
    """
    path = Path(path)
    if path.is_file():
        with TemporaryDirectory() as temporary:
            folder = Path(temporary, path.stem)
            _unpack(path, folder)
            yield _open_shared(path, folder, trust)
    elif (path / CHECKSUMS).is_file() or _was_shared(path):
        yield _open_shared(path, path, trust)
    else:
        yield RunFolder.open(path)


def _was_shared(folder):
    """Return whether a folder without checksums has lost them."""
    return RunFolder.open_started(folder).settings()["data"] is None


def write_checksums(folder):
    """Write the checksums of all files in a folder into it."""
    lines = [f"{_sha256(path)}  {path.name}\n" for path in sorted(folder.iterdir())]
    with atomic_write(folder / CHECKSUMS) as partial:
        partial.write_text("".join(lines), encoding="utf-8")


def classes_of_others(run):
    """List the import paths, "module:Class", of a model's classes that are not the project's."""
    named = [run.settings()["model"], run.model_config().get("cell_type")]
    return [path for path in named if isinstance(path, str) and ":" in path]


def _open_shared(path, folder, trust):
    """Check the folder of the shared model at `path` -> `RunFolder`."""
    checksums = _read_checksums(path, folder)
    run = RunFolder(Path(f"{folder.absolute().name}_stories"), model_folder=folder)
    for file in (run.experiment_file, run.vocabulary_file, run.features_file, run.model_file):
        if file.name not in checksums:
            raise InputError(f"{path}: {CHECKSUMS} does not list {file.name}; {_GET_AGAIN}.")
    held = {each.name for each in folder.iterdir()}
    if folder != path and (unexpected := sorted(held - {*checksums, CHECKSUMS})):
        raise InputError(f"{path} holds {unexpected[0]!r}, which {CHECKSUMS} does not list.")
    for name, checksum in checksums.items():
        if not (folder / name).is_file():
            raise InputError(f"{path} lacks {name}, which {CHECKSUMS} lists; {_GET_AGAIN}.")
        if _sha256(folder / name) != checksum:
            raise InputError(
                f"{path}: {name} is not as it was shared: its checksum is not that in {CHECKSUMS}; "
                f"{_GET_AGAIN}."
            )
    _refuse_code(path, run, trust)
    return run


def _read_checksums(path, folder):
    """-> `{file name: SHA-256}`"""
    file = folder / CHECKSUMS
    if not file.is_file():
        held = ", ".join(sorted(each.name for each in folder.iterdir())) or "nothing"
        raise InputError(
            f"{path} is no shared model, or is cut short: it lacks {CHECKSUMS} and holds {held}; "
            f"{_GET_AGAIN}, or share a run with: python -m models.share RUN OUT"
        )
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    rows = [re.fullmatch(r"([0-9a-f]{64}) [ *]([^/\0]+)", line) for line in lines]
    if None in rows:
        raise InputError(
            f"{path}: line {rows.index(None) + 1} of {CHECKSUMS} is not a checksum and the name of "
            f"a file beside it; {_GET_AGAIN}."
        )
    return {row[2]: row[1] for row in rows}


def _sha256(path):
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _refuse_code(path, run, trust):
    for needed in classes_of_others(run):
        module = needed.partition(":")[0]
        if module not in trust:
            raise InputError(
                f"{path} needs {needed}, which is not a part of it and would be imported, that is "
                "run. Get the module from whoever shares the model; if you trust it, give "
                f"--trust {module}, or in Python load(..., trust=[{module!r}])."
            )


def _unpack(archive, folder):
    """Unpack the zip of a shared model: plain files at its root, or all in one folder."""
    folder.mkdir()
    state = archive.stat()
    try:
        # Weights can hardly be compressed, and texts no more than ten times.
        for name in _unpacked(files_of_zip(archive, 20 * state.st_size), folder):
            # As old as the archive, so that an interrupted generation finds the same model.
            os.utime(folder / name, ns=(state.st_mtime_ns, state.st_mtime_ns))
    except BROKEN_ZIP as error:
        raise InputError(
            f"{archive} is no zip, or a broken one ({error}); {_GET_AGAIN}."
        ) from error
    except InputError as error:
        raise InputError(f"{archive} is no shared model: {error}.") from error


def _unpacked(files, folder):
    """Write files, as (name, contents) pairs, into a folder -> yield their names in it."""
    parents = set()
    for name, contents in files:
        path = PurePosixPath(name)
        parents.add(path.parent)
        target = folder / path.name
        if len(parents) > 1 or len(path.parts) > 2 or target.exists():
            raise InputError(f"it holds {name!r}, a second file of that name or in another folder")
        with target.open("wb") as file:
            shutil.copyfileobj(contents, file)
        yield path.name

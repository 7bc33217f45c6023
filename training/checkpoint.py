"""The exact state of a training on disk, so that it can be resumed after any kill."""

import json
import os
import sys
import zipfile
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from data_reader.errors import InputError
from data_reader.fields import TEXT, Kind, check_fields, list_of, number, optional, whole
from data_reader.files import atomic_write
from data_reader.run_files import LOSS_COLUMNS
from data_reader.safe_zip import check_stored

KEPT = 2  # checkpoints: the newest, and the one before in case the newest is broken
_LOSS = Kind("a number", lambda value: type(value) in (int, float))  # the last one may be infinite
_ROW = {name: _LOSS for name in LOSS_COLUMNS} | {"epoch": whole(), "bleu": optional(_LOSS)}
_PROGRESS = {
    "epoch": whole(0),
    "batch": whole(0),
    "loss_sum": number(),
    "words": whole(0),
    "epoch_seconds": number(0),
    "rows": list_of(Kind("a dictionary", lambda value: isinstance(value, dict))),
    "samples": list_of(TEXT),
    "ended_by": TEXT,
}


@dataclass
class Progress:
    """How far a training has come.

    Attributes:
        epoch: whole epochs.
        batch: batches of the next epoch.
        loss_sum: of the words of these batches, in nats.
        words: of these batches.
        epoch_seconds: time spent on these batches.
        rows: of loss.csv, one per whole epoch.
        samples: of samples.txt, one per whole epoch.
        ended_by: what ended the training before its last epoch; "" while nothing has.
    """

    epoch: int = 0
    batch: int = 0
    loss_sum: float = 0.0
    words: int = 0
    epoch_seconds: float = 0.0
    rows: list = field(default_factory=list)
    samples: list = field(default_factory=list)
    ended_by: str = ""

    @property
    def loss(self):
        """The mean loss per word (nats) of the epoch so far; nan before its first step."""
        return self.loss_sum / self.words if self.words else float("nan")

    @property
    def best(self):
        """The row with the lowest validation loss; None before there is one."""
        finite = [row for row in self.rows if np.isfinite(row["val_loss"])]
        return min(finite, key=lambda row: row["val_loss"], default=None)

    def end_epoch(self, row):
        """Add the row of the epoch, and begin the next one."""
        self.rows.append(row)
        self.epoch += 1
        self.batch, self.loss_sum, self.words, self.epoch_seconds = 0, 0.0, 0, 0.0


class Checkpoints:
    """The last few states of a training, each in one file of a folder.

    A file holds the weights, the optimiser's variables and the random states of dropout, each by
    the variable's path, and the `Progress`.  It is written under another name, flushed to disk and
    renamed, so that a file with the final name is whole; if one is broken after all, the one before
    is used.
    """

    def __init__(self, folder):
        self._folder = Path(folder)

    def save(self, model, progress):
        arrays = {path: variable.numpy() for path, variable in training_variables(model).items()}
        path = self._folder / f"{progress.epoch:05d}_{progress.batch:07d}.npz"
        with atomic_write(path) as partial, partial.open("wb") as file:
            np.savez(file, progress=json.dumps(asdict(progress)), **arrays)
            file.flush()
            os.fsync(file.fileno())
        for old in self._paths()[:-KEPT]:
            old.unlink(missing_ok=True)

    def restore_newest(self, model):
        """Set the variables of a model and its optimiser to the newest whole state -> `Progress`.

        Without a checkpoint the model stays as it is, and the `Progress` is a new one.

        Raises:
            InputError: the state is of another model or another version of this project.
        """
        for path in reversed(self._paths()):
            try:
                state = _read(path)
                progress = json.loads(str(state.pop("progress")))
            except Exception as error:  # a broken archive raises anything
                print(f"warning: {path} is broken ({error}); it is not used.", file=sys.stderr)
                continue
            progress = _checked_progress(path, progress)
            variables = training_variables(model)
            _check(path, _shapes(state), _shapes(variables))
            for name, variable in variables.items():
                variable.assign(state[name])
            return progress
        return Progress()

    def _paths(self):
        return sorted(path for path in self._folder.glob("[0-9]*.npz") if path.is_file())


def _read(path):
    """-> `{name: array}`; nothing is unpacked that is larger than the file."""
    with zipfile.ZipFile(path) as archive:
        check_stored(archive)
    with np.load(path, allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    if others := [name for name, array in arrays.items() if not isinstance(array, np.ndarray)]:
        raise ValueError(f"{others[0]} is no array")
    return arrays


def _checked_progress(path, contents):
    check_fields(path, contents, _PROGRESS, "progress")
    _check(path, contents.keys(), asdict(Progress()).keys())
    for place, row in enumerate(contents["rows"], 1):
        check_fields(path, row, _ROW, f"row {place}")
        _check(path, row.keys(), _ROW.keys())
    if not contents["epoch"] == len(contents["rows"]) == len(contents["samples"]):
        raise InputError(
            f"{path} is of epoch {contents['epoch']}, but holds the losses of "
            f"{len(contents['rows'])} epochs and the samples of {len(contents['samples'])}."
        )
    return Progress(**contents)


def _shapes(arrays):
    """Name, shape and type of each array or variable."""
    return {
        f"{name} {list(array.shape)} {np.dtype(array.dtype).name}" for name, array in arrays.items()
    }


def _check(path, found, expected):
    if differing := sorted(found ^ expected):
        whose = "the checkpoint" if differing[0] in found else "the model"
        raise InputError(
            f"{path} does not fit the model: only {whose} has {differing[0]}. The code has changed "
            "since; resume the run with the version that began it, or start a new run."
        )


def training_variables(model):
    """All variables that a training step changes, `{path: variable}`.

    Raises:
        InputError: two of them have one path.
    """
    found = {}
    for variable in [*model.variables, *model.optimizer.variables]:
        if found.setdefault(variable.path, variable) is not variable:
            raise InputError(
                f"Two variables of the model have the path {variable.path}; give their layers "
                "different names."
            )
    return found


def random_states(model):
    """The states of the model's random generators: int64 [2], a seed and a counter, each."""
    return [v for v in model.non_trainable_variables if v.name == "seed_generator_state"]


@contextmanager
def kept_random_states(model):
    """Generate with a model in training, and leave its dropout as it was.

    Cells draw dropout masks even when they apply none.
    """
    kept = [(state, state.numpy()) for state in random_states(model)]
    try:
        yield
    finally:
        for state, value in kept:
            state.assign(value)

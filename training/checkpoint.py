"""The exact state of a training on disk, so that it can be resumed after any kill."""

import json
import os
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import tensorflow as tf

from data_reader.errors import InputError
from data_reader.files import atomic_write

KEPT = 2  # checkpoints: the newest, and the one before in case the newest is broken


@dataclass
class Progress:
    """How far a training has come.

    Attributes:
        epoch: whole epochs.
        batch: batches of the next epoch.
        epoch_seconds: time spent on these batches.
        rows: of loss.csv, one per whole epoch.
        samples: of samples.txt, one per whole epoch.
    """

    epoch: int = 0
    batch: int = 0
    epoch_seconds: float = 0.0
    rows: list = field(default_factory=list)
    samples: list = field(default_factory=list)

    @property
    def best(self):
        """The row with the lowest validation loss; None before there is one."""
        finite = [row for row in self.rows if np.isfinite(row["val_loss"])]
        return min(finite, key=lambda row: row["val_loss"], default=None)


class Checkpoints:
    """The last few states of a training, each in one file of a folder.

    A file holds the weights, the optimiser's variables, the random states of dropout, the sums of
    the metrics, and the `Progress`.  It is written under another name, flushed to disk and renamed,
    so that a file with the final name is whole; if one is broken after all, the one before is used.
    """

    def __init__(self, folder):
        self._folder = Path(folder)

    def save(self, model, progress):
        arrays = {_name(n): variable_value(v) for n, v in enumerate(_variables(model))}
        path = self._folder / f"{progress.epoch:05d}_{progress.batch:07d}.npz"
        with atomic_write(path) as partial, partial.open("wb") as file:
            np.savez(file, progress=json.dumps(asdict(progress)), **arrays)
            file.flush()
            os.fsync(file.fileno())
        for old in self._paths()[:-KEPT]:
            old.unlink(missing_ok=True)

    def newest(self):
        """The newest whole checkpoint -> its `Progress` and the state for `restore`.

        Without any, a new `Progress` and None.
        """
        for path in reversed(self._paths()):
            try:
                with np.load(path, allow_pickle=False) as archive:
                    state = {name: archive[name] for name in archive.files}
            except Exception as error:  # a broken archive raises anything
                print(f"warning: {path} is broken ({error}); it is not used.", file=sys.stderr)
                continue
            return Progress(**json.loads(str(state.pop("progress")))), state
        return Progress(), None

    def _paths(self):
        return sorted(self._folder.glob("[0-9]*.npz"))


def restore(model, state):
    """Set the variables of a model, its optimiser and its metrics to the values of a state.

    To be called once `fit` has begun an epoch: before that it resets the metrics, and draws from
    the random states when it builds the model.

    Raises:
        InputError: the state is of another model.
    """
    variables = _variables(model)
    expected = {_name(n): tuple(variable.shape) for n, variable in enumerate(variables)}
    given = {name: value.shape for name, value in state.items()}
    if given != expected:
        raise InputError(
            f"The checkpoint holds {len(given)} variables that are not the {len(expected)} of this "
            "model; the project's code has changed since. Start a new run."
        )
    for number, variable in enumerate(variables):
        variable.assign(state[_name(number)])


def variable_value(variable):
    """The array of a Keras variable, also of one that lies on several devices."""
    return tf.convert_to_tensor(variable.value).numpy()


def _variables(model):
    """All variables that a training step changes, each once."""
    model.optimizer.build(model.trainable_variables)
    metrics = [variable for metric in model.metrics for variable in metric.variables]
    found = [*model.variables, *model.optimizer.variables, *metrics]
    return list({id(variable): variable for variable in found}.values())


def _name(number):
    return f"variable_{number:04d}"

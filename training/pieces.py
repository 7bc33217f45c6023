"""What happens around the training loop, in pieces of one idea each.

The loop calls all pieces in the order in which `training.train` lists them.
"""

import csv
import math

import keras
from tqdm import tqdm

from data_reader.files import atomic_write
from data_reader.run_files import LOSS_COLUMNS
from training.loss_plot import plot_losses


class Piece:
    """The events of a training; a piece overrides those that it needs.

    At the end of an epoch the `Progress` already stands at the start of the next one: its last row
    is the epoch's.
    """

    def on_begin(self, progress): ...

    def on_epoch_begin(self, progress): ...

    def on_step_begin(self, progress): ...

    def on_step_end(self, progress): ...

    def on_validation_begin(self, progress): ...

    def on_epoch_end(self, progress): ...

    def on_stop(self, progress):
        """Training was asked to stop inside an epoch."""

    def on_end(self, progress):
        """Training ends for whatever reason."""


class ProgressBar(Piece):
    """Shows each step on a terminal, and prints a line about each epoch."""

    def __init__(self, epochs, steps):
        self._epochs = epochs
        self._steps = steps
        self._bar = None

    def on_epoch_begin(self, progress):
        self._bar = tqdm(
            desc=f"epoch {progress.epoch + 1}/{self._epochs}",
            initial=progress.batch,
            total=self._steps,
            unit="batch",
            disable=None,
        )

    def on_step_end(self, progress):
        self._bar.set_postfix_str(
            f"loss {progress.loss:.3f}, perplexity {_perplexity(progress.loss):.1f}, "
            f"{progress.words / progress.epoch_seconds:,.0f} words/s",
            refresh=False,
        )
        self._bar.update()

    def on_epoch_end(self, progress):
        self._bar.close()
        row = progress.rows[-1]
        tqdm.write(
            f"epoch {row['epoch']}/{self._epochs}: loss {row['loss']:.3f}, validation "
            f"{row['val_loss']:.3f} (perplexity {_perplexity(row['val_loss']):.1f}), "
            f"{row['seconds']:.0f} s, {row['words_per_second']:,.0f} words/s"
        )

    def on_end(self, progress):
        if self._bar is not None:
            self._bar.close()


class Samples(Piece):
    """Generates some validation stories after each epoch, and every few epochs their BLEU."""

    def __init__(self, run, stories, score_every_epochs):
        self._run = run
        self._stories = stories
        self._score_every_epochs = score_every_epochs

    def on_epoch_end(self, progress):
        row = progress.rows[-1]
        if self._score_every_epochs and row["epoch"] % self._score_every_epochs == 0:
            row["bleu"] = self._stories.bleu()
        progress.samples.append(f"epoch {row['epoch']}\n\n{self._stories.samples()}")
        with atomic_write(self._run.samples) as partial:
            partial.write_text("\n".join(progress.samples), encoding="utf-8")


class LossLog(Piece):
    """Writes the losses of all epochs as a table and as a picture."""

    def __init__(self, run):
        self._run = run

    def on_epoch_end(self, progress):
        with (
            atomic_write(self._run.loss_log) as partial,
            partial.open("w", encoding="utf-8", newline="") as file,
        ):
            writer = csv.DictWriter(file, LOSS_COLUMNS)
            writer.writeheader()
            writer.writerows(progress.rows)
        plot_losses(self._run)


class ModelFiles(Piece):
    """Saves the model of the last epoch, and the best one by validation loss."""

    def __init__(self, run, model):
        self._run = run
        self._model = model

    def on_epoch_end(self, progress):
        row = progress.rows[-1]
        if not math.isfinite(row["loss"]):
            return
        uncompiled = type(self._model).from_config(self._model.get_config())
        uncompiled.set_weights(self._model.get_weights())
        is_best = progress.best is row
        for path in [self._run.last_model_file, *([self._run.model_file] if is_best else [])]:
            with atomic_write(path) as partial:
                uncompiled.save(partial)


class KerasCallbacks(Piece):
    """Calls Keras callbacks as `fit` does; a callback that sets `model.stop_training` ends it.

    The logs hold the losses per word: after a step that of the epoch so far, on a GPU without the
    newest step; after an epoch also `val_loss`.
    """

    def __init__(self, callbacks, model, epochs, steps):
        self._model = model
        self._callbacks = keras.callbacks.CallbackList(
            callbacks, model=model, epochs=epochs, steps=steps, verbose=0
        )

    def on_begin(self, progress):
        self._model.stop_training = False
        self._callbacks.on_train_begin()

    def on_epoch_begin(self, progress):
        self._callbacks.on_epoch_begin(progress.epoch)

    def on_step_begin(self, progress):
        self._callbacks.on_train_batch_begin(progress.batch)

    def on_step_end(self, progress):
        self._callbacks.on_train_batch_end(progress.batch - 1, {"loss": progress.loss})

    def on_validation_begin(self, progress):
        self._callbacks.on_test_begin()

    def on_epoch_end(self, progress):
        row = progress.rows[-1]
        self._callbacks.on_test_end({"loss": row["val_loss"]})
        self._callbacks.on_epoch_end(progress.epoch - 1, {n: row[n] for n in ("loss", "val_loss")})
        if self._model.stop_training:
            progress.ended_by = "a callback"

    def on_end(self, progress):
        self._callbacks.on_train_end()


class SaveCheckpoints(Piece):
    """Saves the state every so many steps, after each epoch, and when training is to stop."""

    def __init__(self, checkpoints, model, save_every_steps, steps):
        self._checkpoints = checkpoints
        self._model = model
        self._save_every_steps = save_every_steps
        self._steps = steps

    def on_step_end(self, progress):
        if progress.batch % self._save_every_steps == 0 and progress.batch < self._steps:
            self._save(progress)

    def on_epoch_end(self, progress):
        self._save(progress)

    def on_stop(self, progress):
        self._save(progress)

    def _save(self, progress):
        self._checkpoints.save(self._model, progress)


def _perplexity(loss):
    return math.exp(loss) if loss < 700 else math.inf

"""The callback that shows, logs and saves the progress of a training."""

import csv
import math
import signal
import time
from contextlib import contextmanager

import keras
import tensorflow as tf
from tqdm import tqdm

from data_reader.files import atomic_write
from data_reader.run_folder import LOSS_COLUMNS
from training.checkpoint import restore, variable_value
from training.loss_plot import plot_losses


class TrainingStoppedError(Exception):
    """Training was asked to stop, and has been saved.

    Attributes:
        signal: `signal.SIGTERM` or `signal.SIGINT`.
    """

    def __init__(self, signal):
        super().__init__(signal)
        self.signal = signal


class StopRequest:
    """Holds the signal by which the process was asked to stop; a second Ctrl-C stops at once."""

    def __init__(self):
        self.signal = None

    def __call__(self, number, _frame):
        if self.signal is not None and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.signal = signal.Signals(number)
        print(f"\n{self.signal.name}: saving after this step ...", flush=True)


@contextmanager
def stop_requests():
    """Take SIGTERM, which clusters send, and Ctrl-C as requests -> `StopRequest`."""
    request = StopRequest()
    before = {number: signal.signal(number, request) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Recorder(keras.callbacks.Callback):
    """Progress bar, log, plots, samples, checkpoints and the best and the last model of a run.

    Args:
        run: its `RunFolder`; epochs and intervals are those of its settings.
        progress: of the run so far; updated during training.
        checkpoints: `Checkpoints` of the run.
        stories: `ValidationStories`.
        request: `StopRequest`.
        state: of the training that is resumed, see `restore`; None for a new one.

    Raises:
        TrainingStoppedError: by `fit`, after the step in which the request came.
    """

    def __init__(self, run, progress, checkpoints, stories, request, state):
        super().__init__()
        self._run = run
        self._settings = run.settings()
        self._progress = progress
        self._checkpoints = checkpoints
        self._stories = stories
        self._request = request
        self._state = state

    def on_epoch_begin(self, epoch, logs=None):
        if self._state is not None:
            restore(self.model, self._state)
            self._state = None
        self._first_batch = self._progress.batch
        self._started = time.monotonic() - self._progress.epoch_seconds
        self._bar = tqdm(
            desc=f"epoch {epoch + 1}/{self._settings['epochs']}",
            initial=self._first_batch,
            total=self._first_batch + self.params["steps"],
            unit="batch",
            disable=None,
        )

    def on_train_batch_end(self, batch, logs=None):
        self._progress.batch = self._first_batch + batch + 1
        self._progress.epoch_seconds = time.monotonic() - self._started
        self._show(logs)
        is_last = batch + 1 == self.params["steps"]
        due = self._progress.batch % self._settings["save_every_steps"] == 0
        if (due or self._request.signal) and not is_last:
            self._checkpoints.save(self.model, self._progress)
            self._stop_if_asked()

    def _show(self, logs):
        loss = logs["loss_per_word"]
        self._bar.set_postfix_str(
            f"loss {loss:.3f}, perplexity {_perplexity(loss):.1f}, "
            f"{self._words_per_second():,.0f} words/s",
            refresh=False,
        )
        self._bar.update()

    def _words_per_second(self):
        return float(variable_value(self.model.loss_per_word.words)) / self._progress.epoch_seconds

    def on_epoch_end(self, epoch, logs=None):
        self._bar.close()
        row = self._row(epoch, logs)
        self._progress.rows.append(row)
        tqdm.write(
            f"epoch {row['epoch']}/{self._settings['epochs']}: loss {row['loss']:.3f}, validation "
            f"{row['val_loss']:.3f} (perplexity {_perplexity(row['val_loss']):.1f}), "
            f"{row['seconds']:.0f} s, {row['words_per_second']:,.0f} words/s"
        )
        self._progress.samples.append(f"epoch {row['epoch']}\n\n{self._stories.samples()}")
        self._write_texts()
        if math.isfinite(row["loss"]):
            self._save_models(is_best=self._progress.best is row)
        self._progress.epoch, self._progress.batch = epoch + 1, 0
        self._progress.epoch_seconds = 0.0
        # The metrics hold the validation's sums now, and the next epoch must not begin with them.
        self.model.reset_metrics()
        self._checkpoints.save(self.model, self._progress)
        self._stop_if_asked()

    def _row(self, epoch, logs):
        every = self._settings["score_every_epochs"]
        return {
            "epoch": epoch + 1,
            "loss": logs["loss_per_word"],
            "val_loss": logs["val_loss_per_word"],
            "learning_rate": float(tf.convert_to_tensor(self.model.optimizer.learning_rate)),
            "seconds": round(self._progress.epoch_seconds, 1),
            "words_per_second": round(self._training_words_per_second),
            "bleu": self._stories.bleu() if every and (epoch + 1) % every == 0 else None,
        }

    def on_test_begin(self, logs=None):
        # The validation at an epoch's end resets the metrics.
        self._training_words_per_second = self._words_per_second()

    def _write_texts(self):
        with (
            atomic_write(self._run.loss_log) as partial,
            partial.open("w", encoding="utf-8", newline="") as file,
        ):
            writer = csv.DictWriter(file, LOSS_COLUMNS)
            writer.writeheader()
            writer.writerows(self._progress.rows)
        with atomic_write(self._run.samples) as partial:
            partial.write_text("\n".join(self._progress.samples), encoding="utf-8")
        plot_losses(self._run)

    def _save_models(self, is_best):
        uncompiled = type(self.model).from_config(self.model.get_config())
        uncompiled.set_weights(self.model.get_weights())
        paths = [self._run.last_model_file, *([self._run.model_file] if is_best else [])]
        for path in paths:
            with atomic_write(path) as partial:
                uncompiled.save(partial)

    def _stop_if_asked(self):
        if self._request.signal is not None:
            self._bar.close()
            raise TrainingStoppedError(self._request.signal)


def _perplexity(loss):
    return math.exp(loss) if loss < 700 else math.inf

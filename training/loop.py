"""The training loop: one step, the same on one device and on several workers, and epochs of them.

Each worker computes the gradients of its part of a batch; their sum is the gradient of the whole
batch, with which each of them makes the same update.
"""

import math
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor

import tensorflow as tf

from models.recurrent_cells import has_gpu
from training.stopping import TrainingStoppedError
from training.strategy import sum_of_workers


def make_train_step(model, strategy, all_reduce_precision="float32"):
    """-> a compiled function that trains a compiled model on a worker's part of a batch.

    Args:
        strategy: a `tf.distribute` strategy with one device per worker, outside of whose scope the
            model was made: its variables are each worker's own.
        all_reduce_precision: in which gradients are sent to other workers.

    The function takes the inputs, the share of the batch's words in them, and whether this worker
    asks to stop; it returns the batch's loss per word and the number of workers that ask to stop.
    """
    optimizer, variables = model.optimizer, model.trainable_variables

    def gradients_of_batch(inputs, share, stop):
        with tf.GradientTape() as tape:
            logits = model(inputs, training=True)
            loss = share * model.compute_loss(inputs, inputs["sentences"], logits)
            scaled_loss = optimizer.scale_loss(loss)
        gradients = tape.gradient(scaled_loss, variables, unconnected_gradients="zero")
        return (
            sum_of_workers(gradients, all_reduce_precision),
            sum_of_workers([loss, tf.cast(stop, tf.float32)]),
        )

    update = _make_update(optimizer, variables)

    @tf.function(input_signature=_signature(model, tf.bool), autograph=False)
    def train_step(inputs, share, stop):
        gradients, (loss, stops) = strategy.run(gradients_of_batch, (inputs, share, stop))
        update(gradients)
        return loss, stops

    return train_step


def _make_update(optimizer, variables):
    """-> a function that applies gradients to the variables.

    On a CPU it is compiled by XLA, and passes over all weights three times instead of ten; it also
    casts the gradients on the way.  The gradient of an embedding has a row for each word of a
    batch; each number of rows would be compiled by itself.
    """
    if has_gpu():
        return lambda gradients: optimizer.apply(gradients, variables)

    def update(gradients):
        pairs = list(zip(gradients, variables, strict=True))
        sparse = [pair for pair in pairs if isinstance(pair[0], tf.IndexedSlices)]
        dense = [pair for pair in pairs if not isinstance(pair[0], tf.IndexedSlices)]
        if sparse:
            optimizer.apply(*zip(*sparse, strict=True))
            optimizer.iterations.assign_sub(1)  # the rest belongs to the same step
        dense_gradients, dense_variables = zip(*dense, strict=True)

        @tf.function(jit_compile=True, autograph=False)
        def compiled(gradients):
            optimizer.apply([tf.cast(g, tf.float32) for g in gradients], dense_variables)

        compiled([_before_cast(gradient) for gradient in dense_gradients])

    return update


def _before_cast(gradient):
    """A gradient that is cast from a shorter type, in that type."""
    return gradient.op.inputs[0] if gradient.op.type == "Cast" else gradient


def make_test_step(model, strategy):
    """-> a compiled function of inputs and share that returns the whole batch's loss per word."""

    def loss_of_batch(inputs, share):
        logits = model(inputs, training=False)
        loss = model.compute_loss(inputs, inputs["sentences"], logits, training=False)
        return sum_of_workers([share * loss])[0]

    @tf.function(input_signature=_signature(model), autograph=False)
    def test_step(inputs, share):
        return strategy.run(loss_of_batch, (inputs, share))

    return test_step


def make_agreement(strategy):
    """-> a function of a worker's yes or no: whether any of the workers says yes."""

    @tf.function(autograph=False)
    def count(says_yes):
        return strategy.run(lambda yes: sum_of_workers([yes])[0], (says_yes,))

    return lambda says_yes: bool(count(tf.constant(float(says_yes))))


def _signature(model, *others):
    """Of steps: batches of all sizes run one graph."""
    inputs = {each.name: tf.TensorSpec(each.shape, each.dtype) for each in model.inputs}
    return inputs, tf.TensorSpec([], tf.float32), *(tf.TensorSpec([], dtype) for dtype in others)


class TrainingLoop:
    """Trains epoch by epoch, and calls its pieces on the way.

    Args:
        experiment: its epochs and intervals.
        model: compiled.
        data: with `StoryBatches` for `training` and for `validation`.
        pieces: see `training.pieces`.
        request: `StopRequest`.
        strategy: see `make_train_step`.
        workers: `Workers`.
    """

    def __init__(self, experiment, model, data, pieces, request, strategy, workers):
        self._experiment = experiment
        self._model = model
        self._training = data.training
        self._validation = data.validation
        self._pieces = pieces
        self._request = request
        self._workers = workers
        self._train_step = make_train_step(model, strategy, experiment.all_reduce_precision)
        self._test_step = make_test_step(model, strategy)
        self._any_worker = make_agreement(strategy)
        # A GPU is given its next step before the loss of the one before is waited for.
        self._steps_ahead = 1 if has_gpu() else 0

    def run(self, progress):
        """Train from where the progress stands to the end.

        Raises:
            TrainingStoppedError: after the step in which a worker was asked to stop; it is saved.
        """
        self._call("on_begin", progress)
        try:
            while why_it_ended(self._experiment, progress) is None:
                self._train_epoch(progress)
                self._end_epoch(progress)
        finally:
            self._call("on_end", progress)

    def _train_epoch(self, progress):
        started = time.monotonic() - progress.epoch_seconds
        self._training.begin_epoch(progress.epoch)
        self._call("on_epoch_begin", progress)
        unread = deque()
        for inputs, share, words in self._parts(self._training, progress.batch):
            self._call("on_step_begin", progress)
            unread.append((self._train_step(inputs, share, self._request.is_made), words))
            progress.batch += 1
            is_last = progress.batch == len(self._training)
            must_save = is_last or progress.batch % self._experiment.save_every_steps == 0
            stops = self._read(unread, progress, 0 if must_save else self._steps_ahead)
            progress.epoch_seconds = time.monotonic() - started
            if not math.isfinite(progress.loss_sum):
                return
            self._call("on_step_end", progress)
            if stops and not is_last:
                self._read(unread, progress, 0)
                self._call("on_stop", progress)
                raise TrainingStoppedError

    def _parts(self, batches, first=0):
        """This worker's parts of the batches, each read while the one before is trained on."""
        with ThreadPoolExecutor(1) as reader:

            def read(number):
                return reader.submit(batches.part, number, self._workers.index, self._workers.count)

            coming = read(first)
            for following in range(first + 1, len(batches) + 1):
                part = coming.result()
                if following < len(batches):
                    coming = read(following)
                yield part

    def _read(self, unread, progress, steps_ahead):
        """Add the losses of all steps but the newest to the progress -> whether to stop.

        All workers find the same.
        """
        stops = self._workers.count == 1 and self._request.is_made
        while len(unread) > steps_ahead:
            (loss, asking), words = unread.popleft()
            progress.loss_sum += float(loss) * words
            progress.words += words
            stops = stops or bool(asking)
        return stops

    def _end_epoch(self, progress):
        self._call("on_validation_begin", progress)
        row = {
            "epoch": progress.epoch + 1,
            "loss": progress.loss,
            "val_loss": self._validation_loss() if math.isfinite(progress.loss) else math.nan,
            "learning_rate": float(tf.convert_to_tensor(self._model.optimizer.learning_rate)),
            "seconds": round(progress.epoch_seconds, 1),
            "words_per_second": round(progress.words / progress.epoch_seconds),
            "bleu": None,
        }
        progress.end_epoch(row)
        self._call("on_epoch_end", progress)
        if self._any_worker(progress.ended_by != ""):
            progress.ended_by = "a callback"
        if self._any_worker(self._request.is_made):
            raise TrainingStoppedError

    def _validation_loss(self):
        """Mean loss per word (nats)."""
        loss_sum, words_of_all = 0.0, 0
        for inputs, share, words in self._parts(self._validation):
            loss_sum += float(self._test_step(inputs, share)) * words
            words_of_all += words
        return loss_sum / words_of_all

    def _call(self, event, progress):
        for piece in self._pieces:
            getattr(piece, event)(progress)


def why_it_ended(experiment, progress):
    """The reason why training has ended; None if it has not."""
    if progress.rows and not math.isfinite(progress.rows[-1]["loss"]):
        return "loss became nan"
    if progress.ended_by:
        return progress.ended_by
    if progress.epoch >= experiment.epochs:
        return "all epochs"
    patience = experiment.early_stopping_patience
    if patience and progress.best and progress.epoch - progress.best["epoch"] >= patience:
        return "early stopping"
    return None

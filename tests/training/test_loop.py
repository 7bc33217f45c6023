"""The steps and the loop on one device; several workers have tests of their own."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from tiny_training import experiment, write_data

from data_reader.layout import DataLayout
from data_reader.stories_file import open_stories
from data_reader.story_batches import StoryBatches, log_word_frequencies
from data_reader.vocabulary import Vocabulary
from models.loading import load_model
from models.next_word import NextWordLoss
from training.loop import _before_cast, make_test_step, make_train_step
from training.loss_plot import read_losses
from training.model_building import make_model
from training.train import train


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_data(tmp_path_factory.mktemp("data"))


@pytest.fixture
def stories(data):
    with open_stories(DataLayout(data), "train") as opened:
        yield opened


def new_model(data, stories, **settings):
    keras.utils.clear_session()
    keras.utils.set_random_seed(1)
    vocabulary = Vocabulary.read(DataLayout(data).vocabulary)
    return make_model(experiment(data, **settings), vocabulary, stories, steps_per_epoch=4)


@pytest.mark.parametrize("from_frequencies", [True, False])
def test_the_bias_starts_at_the_words_frequencies_or_at_zero(data, stories, from_frequencies):
    model = new_model(data, stories, bias_from_word_frequencies=from_frequencies)
    expected = log_word_frequencies(stories, model.vocabulary_size) if from_frequencies else 0.0
    np.testing.assert_equal(np.array(model.next_word_logits.bias), expected)


def stock_step(model, inputs):
    """Keras's own Adam on the gradient of the loss, computed eagerly -> the loss."""
    with tf.GradientTape() as tape:
        loss = NextWordLoss()(inputs["sentences"], model(inputs, training=True))
    model.optimizer.apply(tape.gradient(loss, model.trainable_variables))
    return float(loss)


def test_a_compiled_step_is_adam_on_the_gradient_of_the_loss(data, stories):
    # Clipping acts on every step; the trained embedding has sparse gradients.
    one, other = (new_model(data, stories, gradient_clip_value=0.001) for _ in range(2))
    step = make_train_step(one, tf.distribute.get_strategy())
    batches = StoryBatches(stories, 2)
    for number in range(4):  # the last batch is smaller
        inputs, share, _ = batches.part(number)
        loss, stops = step(inputs, share, False)
        assert float(loss) == pytest.approx(stock_step(other, inputs), rel=1e-5)
        assert float(stops) == 0
    for weight, expected in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(weight, expected, atol=1e-6)
    assert int(one.optimizer.iterations) == 4


def test_all_batch_sizes_run_one_graph(data, stories):
    model = new_model(data, stories)
    step = make_train_step(model, tf.distribute.get_strategy())
    for size in (1, 3, 7):
        inputs, share, _ = StoryBatches(stories, size).part(0)
        step(inputs, share, False)
    assert step.experimental_get_tracing_count() == 1


def test_the_update_is_compiled_by_xla(data, stories):
    step = make_train_step(new_model(data, stories), tf.distribute.get_strategy())
    operations = step.get_concrete_function().graph.get_operations()
    compiled = [
        operation.name
        for operation in operations
        if operation.type.endswith("PartitionedCall") and operation.get_attr("_XlaMustCompile")
    ]
    assert len(compiled) == 1


def test_the_loss_of_a_test_step_is_that_of_the_whole_batch_times_the_share(data, stories):
    model = new_model(data, stories)
    inputs, _, _ = StoryBatches(stories, 3).part(0)
    loss = float(make_test_step(model, tf.distribute.get_strategy())(inputs, np.float32(0.25)))
    expected = NextWordLoss()(inputs["sentences"], model(inputs, training=False))
    assert loss == pytest.approx(0.25 * float(expected), rel=1e-5)


def test_the_models_are_ordinary_keras_models(data, stories):
    model = new_model(data, stories)
    batches, whole = StoryBatches(stories, 2, seed=1), StoryBatches(stories, 7)
    model.compile(keras.optimizers.Adam(0.01), NextWordLoss())
    losses = model.fit(batches, epochs=3, validation_data=whole, verbose=0).history
    assert losses["loss"][-1] < losses["loss"][0]
    assert model.evaluate(whole, verbose=0) == pytest.approx(losses["val_loss"][-1], rel=1e-4)


class Calls(keras.callbacks.Callback):
    """Records the calls that it gets, and ends the training after two epochs."""

    def __init__(self):
        super().__init__()
        self.calls = []

    def on_train_begin(self, logs=None):
        self.calls.append(f"train of {self.params['epochs']} epochs of {self.params['steps']}")

    def on_epoch_begin(self, epoch, logs=None):
        self.calls.append(f"epoch {epoch}")

    def on_train_batch_begin(self, batch, logs=None):
        self.calls.append(f"batch {batch}")

    def on_train_batch_end(self, batch, logs=None):
        assert logs["loss"] > 0
        self.calls.append(f"end of batch {batch}")

    def on_test_begin(self, logs=None):
        self.calls.append("test")

    def on_epoch_end(self, epoch, logs=None):
        self.calls.append(f"end of epoch {epoch}, {', '.join(logs)}")
        self.model.stop_training = epoch == 1

    def on_train_end(self, logs=None):
        self.calls.append("end")


def test_keras_callbacks_get_their_calls_and_may_end_the_training(data, tmp_path):
    calls = Calls()
    tiny = experiment(data, stories_per_batch=4, epochs=5, score_every_epochs=0)
    run = train(tiny, tmp_path, callbacks=[calls])
    epochs = [
        [
            f"epoch {epoch}",
            *("batch 0", "end of batch 0", "batch 1", "end of batch 1", "test"),
            f"end of epoch {epoch}, loss, val_loss",
        ]
        for epoch in (0, 1)
    ]
    assert calls.calls == ["train of 5 epochs of 2", *epochs[0], *epochs[1], "end"]
    assert run.finished()["reason"] == "a callback"
    assert len(read_losses(run)["loss"]) == 2
    assert load_model(run).count_params() > 0


def test_the_update_gets_a_gradient_before_it_is_cast():
    with tf.Graph().as_default():
        cast = tf.cast(tf.ones(2, tf.bfloat16), tf.float32)
        assert [_before_cast(each).dtype for each in (cast, 2 * cast)] == [tf.bfloat16, tf.float32]

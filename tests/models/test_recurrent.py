import keras
import numpy as np
import pytest
import tensorflow as tf

from data_reader.errors import InputError
from models import recurrent_cells
from models.keras_internals import GRU, LSTM
from models.recurrent import RecurrentStack
from models.recurrent_cells import runs_packed

# Three sequences of 5, 1 and 3 steps.
LENGTHS = np.arange(5) < [[5], [1], [3]]


class Sums(keras.layers.Layer):
    """A cell of somebody's own: h is half the h before and the sum of the inputs."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = self.state_size = units

    def call(self, inputs, states):
        h = states[0] / 2 + keras.ops.sum(inputs, axis=-1, keepdims=True)
        return h, [h]


class OtherGru(keras.layers.GRUCell):
    """A subclass, whose equations the engine can't know."""


CELLS = ["gru", "lstm", "simple_rnn", Sums, OtherGru]


def test_a_cell_of_one_s_own_is_called_step_by_step():
    stack = RecurrentStack(Sums, units=2, num_layers=1)
    outputs, [[state]] = stack(np.float32([[[1, 2], [3, 4]]]), mask=np.array([[True, True]]))
    assert np.array(outputs).tolist() == [[[3, 3], [8.5, 8.5]]]
    assert np.array(state).tolist() == [[8.5, 8.5]]


@pytest.mark.parametrize("cell_type", CELLS)
def test_the_padding_of_a_sequence_changes_nothing(cell_type):
    stack = RecurrentStack(cell_type, units=3, num_layers=2)
    sequence = np.random.default_rng(0).normal(size=(1, 4, 2)).astype("float32")
    padded = sequence.copy()
    padded[:, 2:] = 9.0
    _, state = stack(padded, mask=np.array([[True, True, False, False]]))
    _, expected = stack(sequence[:, :2])
    for layer, expected_layer in zip(state, expected, strict=True):
        assert len(layer) == stack.states_per_layer
        for part, expected_part in zip(layer, expected_layer, strict=True):
            np.testing.assert_allclose(part, expected_part, atol=1e-6)


@pytest.mark.parametrize("cell_type", CELLS)
def test_step_by_step_equals_the_whole_sequence(cell_type):
    stack = RecurrentStack(cell_type, units=3, num_layers=2)
    rng = np.random.default_rng(0)
    sequence = rng.normal(size=(2, 4, 2)).astype("float32")
    first = [rng.normal(size=(2, 3)).astype("float32") for _ in range(stack.states_per_layer)]
    outputs, _ = stack(sequence, initial_state=first)
    state = stack.start([keras.ops.convert_to_tensor(part) for part in first])
    assert state[1] == []  # zero, so that nothing is multiplied by it
    for position in range(4):
        output, state = stack.make_step()(sequence[:, position], state)
        np.testing.assert_allclose(output, outputs[:, position], atol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"cell_type": "rnn", "num_layers": 1}, "cell_type is 'rnn'"),
        ({"cell_type": "gru", "num_layers": 0}, "num_layers is 0"),
    ],
)
def test_settings_without_meaning_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        RecurrentStack(units=2, **arguments)


def layers_with_equal_weights(cell_type):
    """Ours and Keras's own, all weights random, moved from one to the other and back."""
    settings = {"units": 4, "return_sequences": True, "return_state": True}
    ours, stock = {
        "gru": (GRU(**settings), keras.layers.GRU(**settings)),
        "lstm": (LSTM(**settings), keras.layers.LSTM(**settings)),
    }[cell_type]
    random = np.random.default_rng(0)
    for layer in (ours, stock):
        layer.build((None, 5, 3))
    stock.set_weights([random.normal(size=weight.shape) for weight in stock.get_weights()])
    ours.set_weights(stock.get_weights())
    stock.set_weights(ours.get_weights())
    return ours, stock


def results_and_gradients(layer, sequences, state):
    """Outputs at real positions, final state, and gradients of a mixture of both."""
    with tf.GradientTape() as tape:
        tape.watch([sequences, state])
        outputs, *final = layer(sequences, mask=LENGTHS, initial_state=state)
        real = tf.where(LENGTHS[:, :, None], outputs, 0.0)
        loss = tf.reduce_sum(real**3) + sum(tf.reduce_sum(part**2) for part in final)
    weights = [weight.value for weight in layer.trainable_weights]
    gradients = tape.gradient(loss, [sequences, *state, *weights])
    return [real, *final, *map(tf.convert_to_tensor, gradients)]


@pytest.mark.parametrize("cell_type", ["gru", "lstm"])
def test_results_and_gradients_are_those_of_keras_s_layers(cell_type):
    ours, stock = layers_with_equal_weights(cell_type)
    random = np.random.default_rng(1)
    sequences = tf.constant(random.normal(size=(3, 5, 3)).astype("float32"))
    state = [
        tf.constant(random.normal(size=(3, 4)).astype("float32"))
        for _ in range({"gru": 1, "lstm": 2}[cell_type])
    ]
    expected = results_and_gradients(stock, sequences, state)
    for got, wanted in zip(results_and_gradients(ours, sequences, state), expected, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("cell_type", CELLS)
def test_the_path_of_a_gpu_gives_what_the_cpu_s_gives(cell_type, monkeypatch):
    """On a machine without GPU Keras's own layer runs its general loop in cuDNN's stead."""
    stack = RecurrentStack(cell_type, units=3, num_layers=2)
    sequences = np.random.default_rng(0).normal(size=(3, 5, 2)).astype("float32")
    _, expected = stack(sequences, mask=LENGTHS)
    monkeypatch.setattr(recurrent_cells, "has_gpu", lambda: True)
    _, state = stack(sequences, mask=LENGTHS)
    for layer, expected_layer in zip(state, expected, strict=True):
        np.testing.assert_allclose(layer, expected_layer, atol=1e-6)


@pytest.mark.parametrize("cell_type", ["gru", "lstm"])
def test_in_bfloat16_a_state_stays_float32(cell_type):
    rounded = RecurrentStack(cell_type, units=3, num_layers=2, dtype="mixed_bfloat16")
    exact = RecurrentStack(cell_type, units=3, num_layers=2)
    sequences = np.random.default_rng(0).normal(size=(3, 5, 2)).astype("float32")
    for stack in (rounded, exact):
        stack.build(sequences.shape)
    exact.set_weights(rounded.get_weights())
    outputs, _ = rounded(sequences, mask=LENGTHS)
    expected, _ = exact(sequences, mask=LENGTHS)
    assert outputs.dtype == tf.float32
    difference = np.abs(np.array(outputs) - expected)[LENGTHS]
    assert 1e-5 < difference.max() < 0.02


@pytest.mark.parametrize("cell_type", ["gru", "lstm", "simple_rnn"])
def test_recurrent_kernels_start_from_the_given_initializer(cell_type):
    def recurrent_kernel(**settings):
        stack = RecurrentStack(cell_type, units=3, num_layers=1, **settings)
        stack.build((2, 4, 2))
        return np.array(stack.recurrent_layers[0].cell.recurrent_kernel)

    assert not recurrent_kernel(recurrent_initializer="zeros").any()
    kernel = recurrent_kernel()
    np.testing.assert_allclose(kernel @ kernel.T, np.eye(3), atol=1e-5)


def test_only_the_engine_s_own_cells_run_packed():
    def runs(cell, mask=LENGTHS, training=False, **settings):
        stack = RecurrentStack(cell, units=3, num_layers=1, **settings)
        return runs_packed(stack.recurrent_layers[0].cell, mask, training)

    assert [runs(cell) for cell in ("gru", "lstm", "simple_rnn", Sums, OtherGru)] == [
        True,
        True,
        False,
        False,
        False,
    ]
    assert not runs("gru", mask=None)
    assert runs("gru", recurrent_dropout=0.5)
    assert not runs("gru", recurrent_dropout=0.5, training=True)


def test_a_cell_without_recurrent_dropout_is_not_asked_for_it():
    with pytest.raises(InputError, match=r"recurrent_dropout is 0\.5, but Sums takes none"):
        RecurrentStack(Sums, units=3, num_layers=1, recurrent_dropout=0.5)


def test_a_config_names_a_cell_class_by_its_import_path():
    stack = RecurrentStack(Sums, units=3, num_layers=1)
    config = stack.get_config()
    assert config["cell_type"] == f"{__name__}:Sums"
    [layer] = RecurrentStack.from_config(config).recurrent_layers
    assert type(layer.cell) is Sums

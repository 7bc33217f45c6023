import keras
import numpy as np
import pytest

from models.keras_internals import GRU, LSTM, reset_dropout_masks


@pytest.mark.parametrize("layer_class", [GRU, LSTM])
def test_keras_runs_a_layer_s_steps_in_its_inner_loop(layer_class):
    layer = layer_class(2, return_sequences=True)
    outputs = layer(np.ones((1, 3, 2), np.float32), mask=np.array([[True, True, False]]))
    # The packed engine leaves the padding zero, where Keras's own loop repeats the last output.
    assert np.array(outputs[0]).any(axis=1).tolist() == [True, True, False]


@pytest.mark.parametrize("cell_class", [keras.layers.GRUCell, keras.layers.SimpleRNNCell])
def test_a_cell_s_dropout_masks_are_drawn_again(cell_class):
    cell = cell_class(50, recurrent_dropout=0.5)
    inputs, state = np.ones((1, 3), np.float32), [np.ones((1, 50), np.float32)]

    def output():
        return np.array(cell(inputs, state, training=True)[0])

    first = output()
    np.testing.assert_array_equal(output(), first)
    reset_dropout_masks([cell])
    assert np.abs(output() - first).max() > 0.01

import keras
import numpy as np
import pytest

from models.recurrent import RecurrentStack


@pytest.mark.parametrize("cell_type", ["gru", "lstm"])
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


@pytest.mark.parametrize("cell_type", ["gru", "lstm"])
def test_step_by_step_equals_the_whole_sequence(cell_type):
    stack = RecurrentStack(cell_type, units=3, num_layers=2)
    rng = np.random.default_rng(0)
    sequence = rng.normal(size=(2, 4, 2)).astype("float32")
    first = [rng.normal(size=(2, 3)).astype("float32") for _ in range(stack.states_per_layer)]
    outputs, _ = stack(sequence, initial_state=first)
    state = stack.start([keras.ops.convert_to_tensor(part) for part in first])
    for position in range(4):
        output, state = stack.step(sequence[:, position], state)
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

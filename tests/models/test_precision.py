import keras
import numpy as np
import pytest

from models import cudnn, precision, recurrent_cells
from models.precision import dtype_policy
from models.recurrent import RecurrentStack

BFLOAT16 = keras.DTypePolicy("mixed_bfloat16")
GRU, LSTM = keras.layers.GRUCell, keras.layers.LSTMCell


@pytest.fixture
def gpu(monkeypatch):
    """The code believes in a GPU, but cuDNN is missing."""
    for module in (recurrent_cells, cudnn):
        monkeypatch.setattr(module, "has_gpu", lambda: True)


def test_a_cpu_computes_in_float32_instead_of_float16_and_says_so_once(capsys):
    precision._say_once.cache_clear()
    assert dtype_policy("float32") == "float32"
    assert dtype_policy("bfloat16") == "mixed_bfloat16"
    assert capsys.readouterr().err == ""
    assert [dtype_policy("float16"), dtype_policy("float16")] == ["float32", "float32"]
    assert capsys.readouterr().err == (
        "float16: this CPU has no fast products in it; the model computes in float32.\n"
    )


def test_a_gpu_computes_in_float16(gpu, capsys):
    assert dtype_policy("float16") == "mixed_float16"
    assert capsys.readouterr().err == ""


def test_a_layer_that_cudnn_accepts_keeps_its_policy(gpu, monkeypatch, capsys):
    tried = []
    monkeypatch.setattr(cudnn, "run_layer", lambda *layer: tried.append(layer))
    for cell in (GRU, LSTM, LSTM):
        assert cudnn.accepted_policy(cell, BFLOAT16) is BFLOAT16
    assert tried == [("gru", 3, "bfloat16"), ("lstm", 4, "bfloat16")]
    assert capsys.readouterr().err == ""


def test_a_layer_that_cudnn_refuses_computes_in_float32(gpu, monkeypatch, capsys):
    def refuse(name, matrices, dtype):
        raise cudnn.tf.errors.InternalError(None, None, "CUDNN_STATUS_NOT_SUPPORTED\nin rnn.cc")

    monkeypatch.setattr(cudnn, "run_layer", refuse)
    for cell in (GRU, GRU):
        assert cudnn.accepted_policy(cell, BFLOAT16).name == "float32"
    assert capsys.readouterr().err == (
        "GRU layers compute in float32: cuDNN here refuses bfloat16 (CUDNN_STATUS_NOT_SUPPORTED)\n"
    )


def test_an_error_of_our_own_is_not_taken_for_a_refusal(gpu, monkeypatch):
    def mistaken(name, matrices, dtype):
        raise TypeError("no such argument")

    monkeypatch.setattr(cudnn, "run_layer", mistaken)
    with pytest.raises(TypeError):
        cudnn.accepted_policy(GRU, BFLOAT16)


def test_nothing_is_tried_without_a_gpu_in_float32_or_for_other_cells(monkeypatch):
    monkeypatch.setattr(cudnn, "run_layer", None)
    assert cudnn.accepted_policy(GRU, BFLOAT16) is BFLOAT16
    monkeypatch.setattr(cudnn, "has_gpu", lambda: True)
    assert cudnn.accepted_policy(keras.layers.SimpleRNNCell, BFLOAT16) is BFLOAT16
    exact = keras.DTypePolicy("float32")
    assert cudnn.accepted_policy(GRU, exact) is exact


@pytest.mark.parametrize("cell_type", ["gru", "lstm"])
def test_where_cudnn_is_missing_a_stack_gives_what_float32_gives(cell_type, gpu):
    refused = RecurrentStack(cell_type, units=3, num_layers=2, dtype="mixed_bfloat16")
    exact = RecurrentStack(cell_type, units=3, num_layers=2)
    # Whole numbers are the same in bfloat16.
    sequences = np.random.default_rng(0).integers(-2, 3, size=(2, 4, 5)).astype("float32")
    mask = np.array([[True] * 4, [True, True, False, False]])
    for stack in (refused, exact):
        stack.build(sequences.shape)
    exact.set_weights(refused.get_weights())
    _, states = refused(sequences, mask=mask)
    _, expected = exact(sequences, mask=mask)
    np.testing.assert_allclose(states[-1][0], expected[-1][0], atol=1e-6)
    outputs, _ = refused.compute_output_spec(keras.KerasTensor((2, 4, 5)))
    assert outputs.dtype == "float32"
    assert refused.get_config()["dtype"] == "mixed_bfloat16"

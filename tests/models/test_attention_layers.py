import keras
import numpy as np
import pytest

from models import recurrent_cells
from models.attention_layers import ATTENTIONS, AttentionDecoder
from models.attention_scores import AdditiveScore, DotScore, GeneralScore

# One sentence; a memory of three positions, the last of which is padding.
QUERY = np.float32([[1, 2]])
MEMORY = np.float32([[[3, 0], [0, 5], [9, 9]]])
IS_REAL = np.array([[True, True, False]])

EVERY_KIND = pytest.mark.parametrize("cell_type", ["gru", "lstm"])
EVERY_ATTENTION = pytest.mark.parametrize("attention", ATTENTIONS)


def test_dot_score():
    score = DotScore()
    score.build(QUERY.shape, MEMORY.shape)
    np.testing.assert_allclose(score(QUERY, score.keys(MEMORY)), [[3, 10, 27]])


def test_general_score():
    score = GeneralScore()
    score.build(QUERY.shape, MEMORY.shape)
    score.kernel.assign([[0, 1], [10, 0]])
    # h W_a = [1, 2] W_a = [20, 1]
    np.testing.assert_allclose(score(QUERY, score.keys(MEMORY)), [[60, 5, 189]])


def test_additive_score():
    score = AdditiveScore()
    score.build(QUERY.shape, MEMORY.shape)
    score.query_kernel.assign([[1, 0], [0, 0]])
    score.memory_kernel.assign([[0, 0], [0, 1]])
    score.v.assign([10, 1])
    # W_h h = [1, 0]; W_s s = [0, 0], [0, 5], [0, 9]
    expected = 10 * np.tanh(1) + np.tanh([[0, 5, 9]])
    np.testing.assert_allclose(score(QUERY, score.keys(MEMORY)), expected, rtol=1e-6)


def make_decoder(attention, cell_type="gru", num_layers=2, memory_size=3, **settings):
    keras.utils.set_random_seed(0)
    decoder = AttentionDecoder(attention, 3, num_layers, cell_type, **settings)
    decoder.build(sequences_shape=(None, 4, 2), memory_shape=(None, 5, memory_size))
    random = np.random.default_rng(0)
    decoder.set_weights([random.normal(size=w.shape) for w in decoder.get_weights()])
    return decoder


def inputs(cell_type="gru", memory_size=3):
    random = np.random.default_rng(1)
    return {
        "sequences": random.normal(size=(2, 4, 2)).astype("float32"),
        "memory": random.normal(size=(2, 5, memory_size)).astype("float32"),
        "memory_mask": np.array([[True] * 5, [True, True, False, False, False]]),
        "initial_state": [
            keras.ops.convert_to_tensor(random.normal(size=(2, 3)).astype("float32"))
            for _ in range({"gru": 1, "lstm": 2}[cell_type])
        ],
    }


@EVERY_ATTENTION
def test_the_weights_share_out_one_among_the_real_positions(attention):
    _, weights = make_decoder(attention).attend(**inputs())
    weights = np.array(weights)
    assert weights.shape == (2, 4, 5)
    np.testing.assert_allclose(weights.sum(axis=-1), 1.0, rtol=1e-6)
    assert (weights[0] > 0).all()
    assert (weights[1, :, 2:] == 0).all()


@EVERY_ATTENTION
def test_the_memory_s_padding_changes_nothing(attention):
    decoder, given = make_decoder(attention), inputs()
    expected = decoder(**given)
    given["memory"][1, 2:] = 7.0
    np.testing.assert_array_equal(decoder(**given), expected)


@EVERY_ATTENTION
@EVERY_KIND
@pytest.mark.parametrize("num_layers", [1, 3])
def test_step_by_step_equals_the_whole_sentence(attention, cell_type, num_layers):
    decoder, given = make_decoder(attention, cell_type, num_layers), inputs(cell_type)
    outputs = decoder(**given, mask=np.ones((2, 4), bool))
    state = decoder.start(given["initial_state"], given["memory"], given["memory_mask"])
    for position in range(4):
        output, state = decoder.make_step()(given["sequences"][:, position], state)
        np.testing.assert_allclose(output, outputs[:, position], atol=1e-6)


@EVERY_ATTENTION
@EVERY_KIND
def test_packed_sentences_come_out_as_those_with_padding(attention, cell_type):
    decoder, given = make_decoder(attention, cell_type), inputs(cell_type)
    mask = np.array([[True, False, False, False], [True, True, True, False]])
    expected, _ = decoder.attend(**given, mask=mask)
    np.testing.assert_allclose(
        np.array(decoder(**given, mask=mask))[mask], np.array(expected)[mask], atol=1e-6
    )


@pytest.mark.parametrize("attention", ["general", "concat", "bahdanau"])
def test_a_memory_of_another_size_will_do(attention):
    outputs = make_decoder(attention, memory_size=7)(**inputs(memory_size=7))
    assert outputs.shape == (2, 4, 3)


def test_the_dot_score_wants_a_memory_of_its_own_size():
    with pytest.raises(ValueError, match="the decoder has 3 units, the memory 7; take 'general'"):
        make_decoder("dot", memory_size=7)


def test_input_feeding_by_hand():
    """One unit that remembers nothing; all attention goes to the only position that is real."""
    decoder = AttentionDecoder("dot", 1, 1, "simple_rnn", attention_feeds="input")
    decoder.build(sequences_shape=(1, 2, 1), memory_shape=(1, 2, 1))
    # The word times 2 and h~ times 3; h; a bias; h times 5 and the context times 7; a bias.
    weights = [[[2], [3]], [[0]], [0.1], [[5], [7]], [0.2]]
    decoder.set_weights([np.float32(weight) for weight in weights])
    outputs = decoder(
        sequences=np.float32([[[0.1], [-0.4]]]),
        memory=np.float32([[[0.03], [0.4]]]),
        memory_mask=np.array([[True, False]]),
        initial_state=[np.float32([[9]])],
    )
    first = np.tanh(5 * np.tanh(2 * 0.1 + 0.1) + 7 * 0.03 + 0.2)
    second = np.tanh(5 * np.tanh(2 * -0.4 + 3 * first + 0.1) + 7 * 0.03 + 0.2)
    np.testing.assert_allclose(outputs, [[[first], [second]]], rtol=1e-6)


@pytest.mark.parametrize("cell_type", ["gru", "lstm"])
def test_with_input_feeding_packed_sentences_come_out_as_step_by_step(cell_type):
    decoder = make_decoder("general", cell_type, num_layers=3, attention_feeds="input")
    mask = np.array([[True, False, False, False], [True, True, True, False]])
    expected, weights = decoder.attend(**inputs(cell_type), mask=mask)
    outputs = np.array(decoder(**inputs(cell_type), mask=mask))
    np.testing.assert_allclose(outputs[mask], np.array(expected)[mask], atol=1e-6)
    np.testing.assert_allclose(np.sum(weights, axis=-1), 1.0, rtol=1e-6)


def test_with_input_feeding_a_gpu_s_step_keeps_its_state_s_types(monkeypatch):
    monkeypatch.setattr(recurrent_cells, "has_gpu", lambda: True)
    decoder, given = (
        make_decoder("general", attention_feeds="input", dtype="mixed_float16"),
        inputs(),
    )
    state = decoder.start(given["initial_state"], given["memory"], given["memory_mask"])
    output, after = decoder.make_step()(given["sequences"][:, 0].astype("float16"), state)
    assert output.dtype == "float16"
    keras.tree.assert_same_structure(after, state)
    assert [part.dtype for part in keras.tree.flatten(after)] == [
        part.dtype for part in keras.tree.flatten(state)
    ]


@pytest.mark.parametrize("settings", [{}, {"num_layers": 2, "attention_feeds": "input"}])
def test_recurrent_dropout_works_in_training_alone(settings):
    decoder = make_decoder("general", recurrent_dropout=0.5, **{"num_layers": 1, **settings})
    given = inputs()
    calm = decoder(**given)
    np.testing.assert_array_equal(decoder(**given), calm)
    dropped = decoder(**given, training=True)
    assert np.abs(np.array(dropped) - calm).max() > 1e-3


def test_an_attention_without_meaning_is_refused():
    with pytest.raises(ValueError, match="attention is 'self'; there is: dot, general, concat, ba"):
        AttentionDecoder("self", 3, 1)
    with pytest.raises(ValueError, match=r"attention is \[1\]; there is"):
        AttentionDecoder([1], 3, 1)
    with pytest.raises(ValueError, match="attention_feeds is 'output'; it must be 'state' or 'in"):
        AttentionDecoder("dot", 3, 1, attention_feeds="output")
    with pytest.raises(ValueError, match="'bahdanau' there is no attentional state to feed"):
        AttentionDecoder("bahdanau", 3, 1, attention_feeds="input")
    with pytest.raises(ValueError, match="num_layers is 0"):
        AttentionDecoder("dot", 3, 0)

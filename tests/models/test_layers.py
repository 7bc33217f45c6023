import keras
import numpy as np
import pytest

from data_reader import vocabulary
from models.layers import (
    END,
    NULL,
    ROW_LENGTH,
    START,
    DecoderInputs,
    FeatureStandardisation,
    ImageGrouping,
    PreviousSentences,
    RecurrentStack,
    SentencesToStories,
    StoriesToSentences,
)


def test_the_models_count_as_the_stories_files_do():
    assert (NULL, START, END) == (vocabulary.NULL, vocabulary.START, vocabulary.END)
    assert ROW_LENGTH == vocabulary.ROW_LENGTH


# Five photos with one feature, 1 to 5, of one story.
PHOTOS = np.float32([[[1], [2], [3], [4], [5]]])


def windows(image_group_size, reverse=False):
    grouped, is_photo = ImageGrouping(image_group_size, reverse)(PHOTOS)
    return np.array(grouped)[0, :, :, 0].tolist(), np.array(is_photo)[0].astype(int).tolist()


def test_a_window_is_the_photo_and_the_ones_before_moved_to_the_left():
    grouped, is_photo = windows(3)
    assert grouped == [[1, 0, 0], [1, 2, 0], [1, 2, 3], [2, 3, 4], [3, 4, 5]]
    assert is_photo == [[1, 0, 0], [1, 1, 0], [1, 1, 1], [1, 1, 1], [1, 1, 1]]


def test_a_reversed_window_starts_with_the_current_photo():
    grouped, is_photo = windows(3, reverse=True)
    assert grouped == [[1, 0, 0], [2, 1, 0], [3, 2, 1], [4, 3, 2], [5, 4, 3]]
    assert is_photo == [[1, 0, 0], [1, 1, 0], [1, 1, 1], [1, 1, 1], [1, 1, 1]]


def test_a_group_of_one_is_captioning_and_of_five_the_whole_story_so_far():
    assert windows(1)[0] == [[1], [2], [3], [4], [5]]
    assert windows(5)[0] == [
        [1, 0, 0, 0, 0],
        [1, 2, 0, 0, 0],
        [1, 2, 3, 0, 0],
        [1, 2, 3, 4, 0],
        [1, 2, 3, 4, 5],
    ]


def test_a_window_without_photos_is_refused():
    with pytest.raises(ValueError, match="image_group_size is 0"):
        ImageGrouping(0)


def test_standardised_features_have_mean_0_and_a_fixed_spread():
    layer = FeatureStandardisation()
    layer.build((None, None, 3))
    # The third dimension never fired; its spread counts as 1 % of the mean spread of 3.
    layer.set_statistics(np.float32([1, 2, 0]), np.float32([4, 5, 0]))
    features = np.float32([[[5, 2, 0.03]]])
    np.testing.assert_allclose(layer(features), [[[0.2, 0.0, 0.2]]], rtol=1e-6)
    assert layer.trainable_weights == []


def test_previous_sentences_and_decoder_inputs():
    story = np.int32([[[1, 7, 8, 2, 0], [1, 9, 2, 0, 0], [1, 7, 2, 0, 0]]])
    assert np.array(PreviousSentences()(story)).tolist() == [
        [[1, 0, 0, 0, 0], [1, 7, 8, 2, 0], [1, 9, 2, 0, 0]]
    ]
    assert np.array(DecoderInputs()(story)).tolist() == [[[1, 7, 8, 0], [1, 9, 0, 0], [1, 7, 0, 0]]]


def test_stories_become_sentences_and_back():
    stories = np.arange(24).reshape(2, 3, 4)
    sentences = StoriesToSentences()(stories)
    assert sentences.shape == (6, 4)
    assert np.array(sentences)[3].tolist() == [12, 13, 14, 15]
    assert np.array(SentencesToStories()(sentences, stories)).tolist() == stories.tolist()


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
    state = stack.full_state([keras.ops.convert_to_tensor(part) for part in first])
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

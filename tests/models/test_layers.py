import numpy as np
import pytest

from models.layers import (
    DecoderInputs,
    FeatureStandardisation,
    GatherNonPadding,
    ImageGrouping,
    PaddingMask,
    PreviousSentences,
)

# Five photos with one feature, 1 to 5, of one story.
PHOTOS = np.float32([[[1], [2], [3], [4], [5]]])


def windows(image_group_size, reverse=False):
    grouped, is_photo = ImageGrouping(image_group_size, reverse)(PHOTOS)
    return np.array(grouped)[:, :, 0].tolist(), np.array(is_photo).astype(int).tolist()


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


def test_windows_stand_story_by_story():
    grouped, _ = ImageGrouping(2)(np.float32([[[1], [2]], [[3], [4]]]))
    assert np.array(grouped)[:, :, 0].tolist() == [[1, 0], [1, 2], [3, 0], [3, 4]]


STORIES = np.int32(
    [
        [[1, 7, 8, 2, 0], [1, 9, 2, 0, 0], [1, 7, 2, 0, 0]],
        [[1, 2, 0, 0, 0], [1, 9, 9, 9, 2], [1, 8, 2, 0, 0]],
    ]
)


def test_the_previous_sentence_of_the_first_is_start_alone():
    assert np.array(PreviousSentences()(STORIES)).tolist() == [
        [1, 0, 0, 0, 0],
        [1, 7, 8, 2, 0],
        [1, 9, 2, 0, 0],
        [1, 0, 0, 0, 0],
        [1, 2, 0, 0, 0],
        [1, 9, 9, 9, 2],
    ]


def test_the_decoder_is_fed_the_sentence_without_its_end():
    words = DecoderInputs()(STORIES)
    assert np.array(words).tolist() == [
        [1, 7, 8, 0],
        [1, 9, 0, 0],
        [1, 7, 0, 0],
        [1, 0, 0, 0],
        [1, 9, 9, 9],
        [1, 8, 0, 0],
    ]
    assert np.array(PaddingMask()(words)).sum(axis=1).tolist() == [3, 2, 2, 1, 4, 2]


def test_outputs_are_kept_where_a_real_word_follows():
    outputs = np.float32(np.arange(24)).reshape(6, 4, 1)
    kept = np.array(GatherNonPadding()(outputs, STORIES))[:, 0]
    assert kept.tolist() == [0, 1, 2, 4, 5, 8, 9, 12, 16, 17, 18, 19, 20, 21]

from pathlib import Path

import cv2
import numpy as np
import pytest

from data_reader.errors import InputError
from generation.attribution import GRADIENT, Attribution
from generation.attribution_picture import (
    _check_format,
    attribution_maps,
    draw_attribution,
)

WORDS = ["<NULL>", "<START>", "<END>", "<UNK>", "a", "dog"]
ROWS = np.array([[1, 4, 2, 0], [1, 4, 5, 2], [1, 5, 2, 0]])
THUMBNAILS = [np.full((4, 4, 3), shade, np.uint8) for shade in (50, 100, 150)]


def words(row):
    return [WORDS[index] for index in row if index]


def story(previous_words_by=GRADIENT):
    photos = np.zeros((3, 3, 3))
    photos[0, :2, 0] = 7
    photos[1, :3, :2] = [[1, 3], [0, 0], [2, 2]]
    photos[2, :2, 1:] = [[4, 1], [5, 0]]
    previous = np.zeros((3, 3, 4))
    previous[0, :2, 0] = 2
    previous[1, :3, :3] = [[1, 1, 2], [0, 5, 0], [3, 0, 0]]
    previous[2, :2] = [[1, 1, 1, 1], [0, 0, 0, 9]]
    return Attribution(photos, previous, GRADIENT, previous_words_by)


def test_each_column_sums_to_one():
    maps = attribution_maps(story(), ROWS, words, THUMBNAILS, group_size=2)
    photos, before = maps[1]
    assert photos.words == ["a", "dog", "<END>"]
    nan = np.nan
    np.testing.assert_array_equal(photos.shares, [[0.25, 0, 0.5], [0.75, 0, 0.5], [nan, nan, nan]])
    assert before.sources == ["<START>", "a", "<END>"]
    np.testing.assert_array_equal(before.shares, [[0.25, 0, 1], [0.25, 1, 0], [0.5, 0, 0]])


def test_the_first_sentence_has_no_previous_sentence():
    [(photos, before), *_] = attribution_maps(story(), ROWS, words, THUMBNAILS, group_size=2)
    assert before.sources == ["<START>"]
    assert before.shares.tolist() == [[1, 1]]
    assert np.isnan(photos.shares[1:]).all()


def test_a_window_ends_with_the_current_photo():
    *_, (photos, _) = attribution_maps(story(), ROWS, words, THUMBNAILS, group_size=2)
    assert np.isnan(photos.shares).tolist() == [[True, True], [False, False], [False, False]]


def test_a_picture_of_the_maps(tmp_path):
    path = tmp_path / "attribution.png"
    titles = ["photos: gradient times input", "previous sentence: gradient times input"]
    draw_attribution(attribution_maps(story(), ROWS, words, THUMBNAILS, 2), titles, path)
    both = cv2.imread(str(path))
    assert both.min() < 60 < 250 < both.max()
    draw_attribution(attribution_maps(story(None), ROWS, words, THUMBNAILS, 2), titles, path)
    alone = cv2.imread(str(path))
    assert alone.shape[1] < 0.7 * both.shape[1]


@pytest.mark.parametrize("name", ["picture", "picture.xyz"])
def test_an_unknown_picture_format_is_refused(name):
    _check_format(Path("picture.PNG"))
    with pytest.raises(InputError, match=f"--output is {name}; its name must end in"):
        _check_format(Path(name))

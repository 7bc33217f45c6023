import cv2
import numpy as np

from generation.attribution import Attribution
from generation.attribution_picture import draw_looked_at, looked_at

WORDS = ["<NULL>", "<START>", "<END>", "<UNK>", "a", "dog"]
ROWS = np.array([[1, 4, 2, 0], [1, 4, 5, 2], [1, 5, 2, 0]])
THUMBNAILS = [np.full((4, 4, 3), shade, np.uint8) for shade in (50, 100, 150)]


def words(row):
    return [WORDS[index] for index in row if index]


def story(previous_words_by="gradient"):
    photos = np.zeros((3, 3, 3))
    photos[0, :2, 0] = 7
    photos[1, :3, :2] = [[1, 3], [0, 0], [2, 2]]
    photos[2, :2, 1:] = [[4, 1], [5, 0]]
    previous = np.zeros((3, 3, 4))
    previous[0, :2, 0] = 2
    previous[1, :3, :3] = [[1, 1, 2], [0, 5, 0], [3, 0, 0]]
    previous[2, :2] = [[1, 1, 1, 1], [0, 0, 0, 9]]
    return Attribution(photos, previous, "gradient", previous_words_by)


def test_each_word_s_column_is_shared_out():
    maps = looked_at(story(), ROWS, words, THUMBNAILS, group_size=2)
    photos, before = maps[1]
    assert photos.words == ["a", "dog", "<END>"]
    nan = np.nan
    np.testing.assert_array_equal(photos.shares, [[0.25, 0, 0.5], [0.75, 0, 0.5], [nan, nan, nan]])
    assert before.sources == ["<START>", "a", "<END>"]
    np.testing.assert_array_equal(before.shares, [[0.25, 0, 1], [0.25, 1, 0], [0.5, 0, 0]])


def test_the_first_sentence_has_no_words_before_it():
    [(photos, before), *_] = looked_at(story(), ROWS, words, THUMBNAILS, group_size=2)
    assert before.sources == ["<START>"]
    assert before.shares.tolist() == [[1, 1]]
    assert np.isnan(photos.shares[1:]).all()


def test_a_window_ends_with_the_current_photo():
    *_, (photos, _) = looked_at(story(), ROWS, words, THUMBNAILS, group_size=2)
    assert np.isnan(photos.shares).tolist() == [[True, True], [False, False], [False, False]]


def test_a_picture_of_it(tmp_path):
    path = tmp_path / "looked_at.png"
    titles = ["photos, by gradient", "words of the sentence before, by gradient"]
    draw_looked_at(looked_at(story(), ROWS, words, THUMBNAILS, 2), titles, path)
    both = cv2.imread(str(path))
    assert both.min() < 60 < 250 < both.max()
    draw_looked_at(looked_at(story(None), ROWS, words, THUMBNAILS, 2), titles, path)
    alone = cv2.imread(str(path))
    assert alone.shape[1] < 0.7 * both.shape[1]

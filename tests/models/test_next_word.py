import numpy as np

from models.next_word import NextWordLoss, next_words

SENTENCES = np.int32([[[1, 4, 5, 2, 0], [1, 5, 2, 0, 0]]])


def test_targets_are_the_words_and_their_ends():
    assert np.array(next_words(SENTENCES)).tolist() == [4, 5, 2, 5, 2]


def test_all_words_equally_likely_cost_the_logarithm_of_their_number():
    np.testing.assert_allclose(NextWordLoss()(SENTENCES, np.zeros((5, 6))), np.log(6), rtol=1e-6)


def test_a_sure_model_pays_for_its_one_mistake():
    logits = np.full((5, 6), -100.0, np.float32)
    logits[range(5), [4, 5, 2, 5, 3]] = 100.0
    np.testing.assert_allclose(NextWordLoss()(SENTENCES, logits), 200 / 5, rtol=1e-6)

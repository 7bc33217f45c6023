import numpy as np

from models.next_word import NextWordLoss, next_words

# The first story is to write 4 5 <END> and 5 <END>, the second 4 <END> and <END>.
SENTENCES = np.int32([[[1, 4, 5, 2, 0], [1, 5, 2, 0, 0]], [[1, 4, 2, 0, 0], [1, 2, 0, 0, 0]]])


def test_targets_are_the_words_and_their_ends():
    assert np.array(next_words(SENTENCES)).tolist() == [4, 5, 2, 5, 2, 4, 2, 2]


def test_all_words_equally_likely_cost_the_logarithm_of_their_number():
    np.testing.assert_allclose(NextWordLoss()(SENTENCES, np.zeros((8, 6))), np.log(6), rtol=1e-6)


def logits_that_say(words):
    logits = np.full((8, 6), -100.0, np.float32)
    logits[range(8), words] = 100.0
    return logits


def test_a_sure_model_pays_for_its_one_mistake():
    logits = logits_that_say([4, 5, 2, 5, 3, 4, 2, 2])
    np.testing.assert_allclose(NextWordLoss()(SENTENCES, logits), 200 / 8, rtol=1e-6)


def test_a_story_of_no_weight_does_not_count():
    logits = logits_that_say([4, 5, 2, 5, 3, 3, 3, 3])
    weighted = NextWordLoss()(SENTENCES, logits, sample_weight=np.float32([1, 0]))
    np.testing.assert_allclose(weighted, 200 / 5, rtol=1e-6)

import numpy as np

from models.next_word import NextWordLoss, next_words

SENTENCES = np.int32([[[1, 4, 5, 2, 0], [1, 5, 2, 0, 0]]])


def test_targets_are_the_words_and_their_end():
    targets, weights = next_words(SENTENCES)
    assert np.array(targets).tolist() == [[[4, 5, 2, 0], [5, 2, 0, 0]]]
    assert np.array(weights).tolist() == [[[1, 1, 1, 0], [1, 1, 0, 0]]]


def test_the_loss_is_the_mean_over_real_words():
    # All words are equally likely, so each of the five costs log 6, whatever stands behind them.
    logits = np.zeros((1, 2, 4, 6), np.float32)
    logits[0, 0, 3] = logits[0, 1, 2:] = 50 * np.arange(6)
    np.testing.assert_allclose(NextWordLoss()(SENTENCES, logits), np.log(6), rtol=1e-6)


def test_a_sure_model_pays_for_its_one_mistake():
    logits = np.full((1, 2, 4, 6), -100.0, np.float32)
    for image, position, word in [(0, 0, 4), (0, 1, 5), (0, 2, 2), (1, 0, 5), (1, 1, 3)]:
        logits[0, image, position, word] = 100.0
    np.testing.assert_allclose(NextWordLoss()(SENTENCES, logits), 200 / 5, rtol=1e-6)

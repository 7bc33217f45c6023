import numpy as np

from models.sentence_encoder import ConvolutionalSentenceEncoder


def test_trigrams_are_pooled_by_two():
    encoder = ConvolutionalSentenceEncoder(states=1, units=1)
    words = np.float32([[[1], [2], [3], [4], [5], [6]]]) / 10
    mask = np.array([[True] * 6])
    encoder(words, mask)
    encoder.trigrams.set_weights([np.ones((3, 1, 64)), np.zeros(64)])
    encoder.parts[0].set_weights([np.ones((128, 1)), np.float32([0.5])])
    pooled, [[state]] = encoder(words, mask)
    # The sums of three neighbours are 0.6, 0.9, 1.2, 1.5.
    expected = np.tanh([0.9, 1.5])
    np.testing.assert_allclose(pooled[0, :, 0], expected, rtol=1e-6)
    np.testing.assert_allclose(state, [[64 * expected.sum() + 0.5]], rtol=1e-6)


def test_the_padding_of_a_sentence_changes_nothing():
    encoder = ConvolutionalSentenceEncoder(states=2, units=3)
    words = np.random.default_rng(0).normal(size=(2, 22, 4)).astype("float32")
    mask = np.arange(22)[None] < [[22], [3]]
    _, [state] = encoder(words, mask)
    assert [part.shape for part in state] == [(2, 3), (2, 3)]
    words[1, 3:] = 9.0
    encoder.trigrams.bias.assign(np.zeros(64))
    _, [unchanged] = encoder(words, mask)
    np.testing.assert_array_equal(unchanged, state)

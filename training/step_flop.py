"""The number of floating-point operations that a training step can't do without.

Legend of shapes: B stories, I images, K images of a window, T words of a row, F feature size,
E embedding size, U units, V vocabulary, N = B * I sentences.
"""

import numpy as np

from data_reader.vocabulary import NULL


def step_flop(model, sentences, sizes):
    """Floating-point operations of a step's matmuls: forward and the gradients.

    Padding does not count.  A photo is projected once, however many windows it stands in; a
    recurrent product counts where there is a state, so not at the first step after a zero state;
    photos and frozen word vectors need no gradient.  Nothing else (gates, softmax, dropout,
    clipping, Adam) counts.  A multiplication and an addition are two operations.

    Args:
        model: the name of one of `models.MODELS`, with GRUs, two layers and the score "general".
        sentences: int32 [B, I, T], rows <START> words <END> padded with <NULL>.
        sizes: `training.benchmark.Sizes`; embeddings are frozen.
    """
    written = (sentences[..., 1:] != NULL).sum(axis=2)
    read_before = np.ones_like(written)  # <START> alone before the first sentence
    read_before[:, 1:] = written[:, :-1] + 1
    words = written.sum()
    has_previous = model != "EncoderDecoder"
    decoder = sizes.units * (2 if model == "ImageGroupingModel" else 1)

    flop = _image_encoder(sentences, sizes)
    if has_previous:
        flop += _first_gru(read_before.sum(), sizes.word_embedding_size, sizes.units)
        flop += _recurrent(read_before.sum() - written.size, sizes.units)
    flop += _first_gru(words, sizes.word_embedding_size, decoder) + _recurrent(words, decoder)
    flop += _product(words, decoder, 3 * decoder) + _recurrent(words - written.size, decoder)
    if model == "AttentionEncoderDecoder":
        flop += _attention(written, read_before, sizes.units)
    return int(flop + _product(words, decoder, sizes.vocabulary_size))


def _image_encoder(sentences, sizes):
    stories, images, _ = sentences.shape
    windows = stories * np.minimum(np.arange(images) + 1, sizes.image_group_size).sum()
    after_first = windows - stories * images
    first = _first_gru(stories * images, sizes.feature_size, sizes.units)
    first += _recurrent(after_first, sizes.units)
    second = _product(windows, sizes.units, 3 * sizes.units) + _recurrent(after_first, sizes.units)
    return first + second


def _attention(written, read_before, units):
    """Keys; scores and contexts, of each word with each of the words before; W_c."""
    pairs = (written * read_before).sum()
    looks = 2 * _product(pairs, units, 1)
    keys = _product(read_before.sum(), units, units)
    return keys + looks + _product(written.sum(), 2 * units, units)


def _first_gru(rows, inputs, units):
    return _product(rows, inputs, 3 * units, passes=2)


def _recurrent(rows, units):
    return _product(rows, units, 3 * units)


def _product(rows, inputs, outputs, passes=3):
    """[rows, inputs] x [inputs, outputs]: forward, by the weights and by the inputs."""
    return 2 * passes * int(rows) * inputs * outputs

"""The baseline of `generation.benchmark`: the proposed model with one `predict` per word.

Stock layers, one story at a time, as in the original.  Legend of shapes: I images of a story,
T words of a row, F feature size, U units.
"""

import keras
import numpy as np
from keras import layers

from data_reader.vocabulary import END, MAX_WORDS, NULL, ROW_LENGTH, START


class NaiveLoop:
    """Generates stories with the weights of an `ImageGroupingModel` of GRUs.

    Args:
        model: without `standardise_features`.
        images: I.
    """

    def __init__(self, model, images=5):
        self._group_size = model.image_group_size
        self._encoder = _encoder(model, images)
        self._decoder_step = _decoder_step(model)

    def generate(self, image_features, lengths=None):
        """Generate a story: float32 [I, F] -> int32 [I, T], rows <START> words <END>.

        Args:
            lengths: number of words of each sentence; by default the model decides.
        """
        rows = np.full((len(image_features), ROW_LENGTH), NULL, np.int32)
        previous = np.array([START] + [NULL] * (ROW_LENGTH - 1), np.int32)
        for image, row in enumerate(rows):
            window = np.zeros_like(image_features)
            seen = slice(max(0, image - self._group_size + 1), image + 1)
            window[seen] = image_features[seen]
            inputs = {"window": window[None], "previous_sentence": previous[None]}
            start = self._encoder.predict(inputs, verbose=0)
            words = self._write(start, MAX_WORDS if lengths is None else lengths[image], lengths)
            row[: len(words) + 2] = [START, *words, END]
            previous = row
        return rows

    def _write(self, start, length, is_forced):
        state = [start] + [np.zeros_like(start)] * (len(self._decoder_step.inputs) - 2)
        words = [START]
        while len(words) <= length:
            inputs = [np.array([[words[-1]]], np.int32), *state]
            logits, *state = self._decoder_step.predict(inputs, verbose=0)
            logits[0, 0, [NULL, START]] = -np.inf
            if is_forced is not None or len(words) == 1:
                logits[0, 0, END] = -np.inf
            words.append(int(logits[0, 0].argmax()))
            if words[-1] == END:
                return words[1:-1]
        return words[1:]


def _encoder(model, images):
    """Build the encoder: window [1, I, F], previous sentence [1, T] -> decoder's state [1, U]."""
    window = keras.Input((images, model.feature_size), name="window")
    previous = keras.Input((ROW_LENGTH,), dtype="int32", name="previous_sentence")
    state = layers.Masking()(window)
    for place, layer in enumerate(model.image_sequence_encoder.recurrent_layers, 1):
        stock = layers.GRU(layer.units, return_sequences=place < model.num_layers)
        state = _alike(stock, layer, state)
    [layer] = model.previous_sentence_encoder.recurrent_layers
    vectors = _embed(model, previous, mask_zero=True)
    sentence = _alike(layers.GRU(layer.units), layer, vectors)
    return keras.Model([window, previous], layers.Concatenate()([state, sentence]))


def _decoder_step(model):
    """Build the step: word [1, 1], one state per layer -> logits [1, 1, V], the states."""
    word = keras.Input((1,), dtype="int32")
    outputs = _embed(model, word)
    before, after = [], []
    for layer in model.decoder.recurrent_layers:
        before.append(keras.Input((layer.units,)))
        stock = layers.GRU(layer.units, return_sequences=True, return_state=True)
        outputs, state = _alike(stock, layer, outputs, initial_state=before[-1])
        after.append(state)
    logits = _alike(layers.Dense(model.vocabulary_size), model.next_word_logits, outputs)
    return keras.Model([word, *before], [logits, *after])


def _embed(model, words, **settings):
    stock = layers.Embedding(model.vocabulary_size, model.word_embedding_size, **settings)
    return _alike(stock, model.word_embedding, words)


def _alike(stock, layer, inputs, **others):
    """Call a stock layer, then give it the weights of the model's."""
    outputs = stock(inputs, **others)
    stock.set_weights(layer.get_weights())
    return outputs

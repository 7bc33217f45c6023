"""What the three models have in common: how a story is told with them.

Legend of shapes as in `models.layers`.
"""

import keras
import numpy as np
from keras import layers, ops

from data_reader.errors import InputError
from models.layers import (
    NULL,
    ROW_LENGTH,
    DecoderInputs,
    GatherNonPadding,
    PaddingMask,
    PreviousSentences,
)
from models.next_word import LossPerWord
from models.packed import Weights


class StoryModel(keras.Model):
    """A Keras functional model of whole stories, and three views on its layers to tell one with.

    Training calls the model itself.  Telling calls `encode_images` once a story, `start_sentence`
    once a sentence and what `make_decode_step` gives once a word.

    A subclass makes the layers `feature_standardisation` (or None), `image_dropout`,
    `image_grouping`, `image_sequence_encoder`, `word_embedding`, `decoder`, `softmax_dropout` and
    `next_word_logits`, says in `decoder_start` how a sentence begins, and has them connected.
    """

    def __init__(self, **graph):
        super().__init__(**graph)
        self.loss_per_word = LossPerWord()

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        loss = super().compute_loss(x, y, y_pred, sample_weight, training)
        self.loss_per_word.update_state(loss, y, sample_weight)
        return loss

    def connect(self, feature_size):
        """The graph that is trained -> inputs `{name: tensor}`, logits [W, V]."""
        image_features = keras.Input((None, feature_size), name="image_features")
        sentences = keras.Input((None, ROW_LENGTH), dtype="int32", name="sentences")
        previous = PreviousSentences(name="previous_sentences")(sentences)
        start = self.decoder_start(
            self.encode_windows(*self.image_windows(image_features)),
            self.word_embedding(previous),
            PaddingMask(name="real_previous_words")(previous),
        )
        words = DecoderInputs(name="decoder_inputs")(sentences)
        outputs = self.decode(words, PaddingMask(name="real_words")(words), start)
        outputs = GatherNonPadding(name="before_real_words")(outputs, sentences)
        logits = self.next_word_logits(self.softmax_dropout(outputs))
        return {"image_features": image_features, "sentences": sentences}, logits

    def encode_images(self, image_features):
        """float32 [B, I, F] -> what `start_sentence` wants of each image, a list of [B, I, ...]."""
        stories = ops.shape(image_features)[:2]
        return [
            ops.reshape(part, (*stories, *part.shape[1:]))
            for part in self.encode_windows(*self.image_windows(image_features))
        ]

    def start_sentence(self, image_state, previous_sentences):
        """The decoder's state before the first word.

        Args:
            image_state: what `encode_images` says of each sentence's image, a list of [N, ...].
            previous_sentences: int32 [N, T], rows <START> words <END>, or <START> alone.
        """
        vectors = self.word_embedding(previous_sentences)
        start = self.decoder_start(image_state, vectors, previous_sentences != NULL)
        return self.decoder.start(**start)

    def make_decode_step(self):
        """-> a function of the words just written and the state, for one word after another.

        It takes words int32 [N] and a state and gives logits [N, V] of the words after them, and
        the state after that.  What many steps need of the weights is made ready once.
        """
        decoder_step = self.decoder.make_decode_step()
        softmax = self.next_word_logits
        kernel = Weights(softmax.kernel, softmax.compute_dtype)

        def next_word(words, state):
            output, state = decoder_step(self.word_embedding(words), state)
            return kernel.times(output) + softmax.bias, state

        return next_word

    def image_windows(self, image_features):
        """[B, I, F] -> each image's window [N, K, F], standardised, and where photos stand [N, K].

        Dropout takes the same features of a photo away in each window that it stands in.
        """
        if self.feature_standardisation is not None:
            image_features = self.feature_standardisation(image_features)
        return self.image_grouping(self.image_dropout(image_features))

    def encode_windows(self, windows, is_photo):
        """Windows and where photos stand -> the last layer's state, a list of [N, U]."""
        _, state = self.image_sequence_encoder(windows, mask=is_photo)
        return state[-1]

    def decode(self, words, is_word, start):
        """Whole sentences [N, T - 1] from their `decoder_start` -> outputs [N, T - 1, U]."""
        outputs, _ = self.decoder(self.word_embedding(words), mask=is_word, **start)
        return outputs

    def decoder_start(self, image_state, previous_vectors, is_previous_word):
        """What the decoder is given before its first word, by the names of its arguments.

        Args:
            image_state: what `encode_windows` says, [N, ...] each.
            previous_vectors: the previous sentences' word vectors [N, T, E].
            is_previous_word: bool [N, T], False at their padding.
        """
        raise NotImplementedError


def make_word_embedding(vocabulary_size, size, matrix, trainable):
    """The embedding of all words, `matrix` [V, E] its start where there is one.

    Raises:
        ValueError: the matrix has another size.
    """
    layer = layers.Embedding(vocabulary_size, size, trainable=trainable, name="word_embedding")
    if matrix is not None:
        if np.shape(matrix) != (vocabulary_size, size):
            raise InputError(
                f"word_embeddings are {' x '.join(map(str, np.shape(matrix)))}; vocabulary_size "
                f"and word_embedding_size make it {vocabulary_size} x {size}."
            )
        layer.build()
        layer.set_weights([matrix])
    return layer

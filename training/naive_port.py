"""The reference of `training.benchmark`: the three models as in a plain port to Keras 3.

Stock layers, two recurrent layers each, on inputs made on the host for each sentence, as in the
original: its window of photos, at their own places among all photos; the sentence before it; its
words; and the next words one-hot.  The loss is that of `models.next_word`.

Legend of shapes: B stories, I images, T words of a row, F feature size, E embedding size,
U units, V vocabulary, N = B * I sentences.
"""

import keras
import numpy as np
from keras import layers, ops

from data_reader.stories_file import VIST_PHOTOS_PER_STORY
from data_reader.vocabulary import END, NULL, ROW_LENGTH, START


def naive_batch(image_features, sentences, vocabulary_size, image_group_size):
    """float32 [B, I, F], int32 [B, I, T] -> inputs, one-hot targets, weights.

    Inputs are `windows` float32 [N, I, F], `previous_sentences` and `words` int32 [N, T]; targets
    int32 [N, T, V]; weights float32 [N, T], 1 where there is a target.
    """
    rows = sentences.reshape(-1, ROW_LENGTH)
    previous = np.full_like(sentences, NULL)
    previous[:, 0, 0] = START
    previous[:, 1:] = sentences[:, :-1]
    next_words = np.pad(rows[:, 1:], ((0, 0), (0, 1)), constant_values=NULL)
    targets = np.zeros((*rows.shape, vocabulary_size), np.int32)
    sentence, place = np.nonzero(next_words)
    targets[sentence, place, next_words[sentence, place]] = 1
    inputs = {
        "windows": windows_at_their_places(image_features, image_group_size),
        "previous_sentences": previous.reshape(-1, ROW_LENGTH),
        "words": np.where(rows == END, NULL, rows),
    }
    return inputs, targets, (next_words != NULL).astype(np.float32)


def windows_at_their_places(image_features, image_group_size):
    """[B, I, F] -> [N, I, F]: for image j the images max(0, j - k + 1) .. j, elsewhere zero."""
    stories, images, feature_size = image_features.shape
    windows = np.zeros((stories, images, images, feature_size), np.float32)
    for current in range(images):
        window = slice(max(0, current - image_group_size + 1), current + 1)
        windows[:, current, window] = image_features[:, window]
    return windows.reshape(-1, images, feature_size)


def encoder_decoder(word_embeddings, feature_size, units, input_dropout):
    """`models.encoder_decoder.EncoderDecoder`; `word_embeddings` [V, E] stay as they are."""
    windows, words = _windows_input(feature_size), _words_input("words")
    state = _image_state(windows, units, input_dropout)
    vectors = _embedding(word_embeddings)(words)
    outputs, _ = _recurrent("decoder_1", units)(vectors, initial_state=state)
    outputs, _ = _recurrent("decoder_2", units)(outputs)
    probabilities = _next_word(outputs, len(word_embeddings), input_dropout)
    return keras.Model({"windows": windows, "words": words}, probabilities)


def attention_encoder_decoder(word_embeddings, feature_size, units, input_dropout):
    """`models.attention.AttentionEncoderDecoder`, with the score "general"."""
    windows, words = _windows_input(feature_size), _words_input("words")
    previous = _words_input("previous_sentences")
    embedding = _embedding(word_embeddings)
    memory, _ = _recurrent("previous_sentence_encoder", units)(embedding(previous))
    state = _image_state(windows, units, input_dropout)
    outputs, _ = _recurrent("decoder_1", units)(embedding(words), initial_state=state)
    outputs = AttendingGRU(units, name="decoder_2")(outputs, memory, previous != NULL)
    probabilities = _next_word(outputs, len(word_embeddings), input_dropout)
    inputs = {"windows": windows, "previous_sentences": previous, "words": words}
    return keras.Model(inputs, probabilities)


def image_grouping_model(word_embeddings, feature_size, units, input_dropout):
    """`models.image_grouping.ImageGroupingModel`; the decoder has 2U units."""
    windows, words = _windows_input(feature_size), _words_input("words")
    previous = _words_input("previous_sentences")
    embedding = _embedding(word_embeddings)
    _, sentence_state = _recurrent("previous_sentence_encoder", units)(embedding(previous))
    image_state = _image_state(windows, units, input_dropout)
    state = layers.Concatenate()([image_state, sentence_state])
    outputs, _ = _recurrent("decoder_1", 2 * units)(embedding(words), initial_state=state)
    outputs, _ = _recurrent("decoder_2", 2 * units)(outputs)
    probabilities = _next_word(outputs, len(word_embeddings), input_dropout)
    inputs = {"windows": windows, "previous_sentences": previous, "words": words}
    return keras.Model(inputs, probabilities)


NAIVE_MODELS = {
    "EncoderDecoder": encoder_decoder,
    "AttentionEncoderDecoder": attention_encoder_decoder,
    "ImageGroupingModel": image_grouping_model,
}


def compile_naive(model, learning_rate, gradient_clip_value):
    optimizer = keras.optimizers.Adam(learning_rate, clipvalue=gradient_clip_value)
    model.compile(
        optimizer, keras.losses.CategoricalCrossentropy(reduction="mean_with_sample_weight")
    )


class AttendingGRU(layers.Layer):
    """A GRU whose state is Luong's attentional state, with the score "general", on U features."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        # Keras's own masks end here.
        self.supports_masking = True
        self.cell = layers.GRUCell(units)
        self.score = layers.Dense(units, use_bias=False)
        self.attentional_state = layers.Dense(units, activation="tanh")

    def compute_mask(self, *_):
        return None

    def call(self, sequences, memory, memory_mask):
        """[N, T, U], [N, S, U], bool [N, S] -> [N, T, U]."""
        keys = self.score(memory)
        state = ops.zeros_like(sequences[:, 0])
        outputs = []
        for position in range(sequences.shape[1]):
            hidden, _ = self.cell(sequences[:, position], [state])
            scores = ops.einsum("nu,nsu->ns", hidden, keys)
            attention = ops.softmax(ops.where(memory_mask, scores, -1e9))
            context = ops.einsum("ns,nsm->nm", attention, memory)
            state = self.attentional_state(ops.concatenate([hidden, context], axis=-1))
            outputs.append(state)
        return ops.stack(outputs, axis=1)


def _windows_input(feature_size):
    return keras.Input((VIST_PHOTOS_PER_STORY, feature_size), name="windows")


def _words_input(name):
    return keras.Input((ROW_LENGTH,), dtype="int32", name=name)


def _embedding(word_embeddings):
    return layers.Embedding(
        *word_embeddings.shape, weights=[word_embeddings], mask_zero=True, trainable=False
    )


def _image_state(windows, units, input_dropout):
    """[N, I, F] -> [N, U]."""
    outputs = layers.Dropout(input_dropout)(layers.Masking()(windows))
    # cuDNN's kernel refuses windows that do not start at the first place.
    outputs, _ = _recurrent("image_encoder_1", units, use_cudnn=False)(outputs)
    _, state = _recurrent("image_encoder_2", units, use_cudnn=False)(outputs)
    return state


def _recurrent(name, units, use_cudnn="auto"):
    return layers.GRU(
        units, return_sequences=True, return_state=True, use_cudnn=use_cudnn, name=name
    )


def _next_word(outputs, vocabulary_size, input_dropout):
    """[N, T, U] -> probabilities [N, T, V]."""
    outputs = layers.Dropout(input_dropout)(outputs)
    return layers.Dense(vocabulary_size, activation="softmax", name="next_word")(outputs)

"""Attribution of each generated word to the photos and to the words of the previous sentence.

Legend of shapes: I images of a story, K images of a window, T words of a row, E embedding size,
F feature size, W words generated in the whole story.
"""

from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from models.layers import NULL, DecoderInputs, PreviousSentences

ATTENTION, GRADIENT = "attention weights", "gradient times input"


@dataclass(frozen=True, eq=False)
class Attribution:
    """The attribution of each word of a story.

    Row t of a sentence is that of the word at place t + 1 of its row, <END> included; rows after
    the <END>, photos outside the window and the padding of the previous sentence are 0.

    Attributes:
        photos: float32 [I, T - 1, I], to each photo of the story.
        previous_words: float32 [I, T - 1, T], to each word of the previous sentence's row.
        photos_by, previous_words_by: `ATTENTION`: the model's own attention weights, which sum to
            1; `GRADIENT`: gradient times input, that is by how much the word's logit would change,
            to a first approximation, if the photo's standardised features (the word's embedding)
            were all zero; None: the model has no such input.
    """

    photos: np.ndarray
    previous_words: np.ndarray
    photos_by: str
    previous_words_by: str | None


def attribution(model, image_features, sentences):
    """Return the `Attribution` of the words of one story.

    Args:
        model: a `StoryModel`.
        image_features: float [I, F].
        sentences: int [I, T], rows <START> words <END>, as generated or as written by a human.
    """
    story = np.asarray(sentences, np.int32)[None]
    image_features = np.asarray(image_features, np.float32)[None]
    # A copy of its sentence for each word, so that one backward pass serves all words.
    sentence, place = np.nonzero(story[0, :, 1:])
    targets = story[0, sentence, place + 1]
    inputs = [
        tf.gather(rows, sentence)
        for rows in (
            *model.image_windows(image_features),
            PreviousSentences()(story),
            DecoderInputs()(story),
        )
    ]
    by_window, by_word, attended = _attribute(model, *inputs, place, targets)
    if model.attend_to == "images":
        by_window = attended
    elif model.attend_to == "previous_sentence":
        by_word = attended
    by_photo = _of_whole_story(model, by_window, sentence, images=story.shape[1])
    has_previous = model.previous_sentence_encoder is not None
    return Attribution(
        photos=_as_rows(by_photo, sentence, place, story.shape),
        previous_words=_as_rows(by_word, sentence, place, story.shape),
        photos_by=ATTENTION if model.attend_to == "images" else GRADIENT,
        previous_words_by=(ATTENTION if model.attend_to else GRADIENT) if has_previous else None,
    )


def _attribute(model, windows, is_photo, previous, words, place, targets):
    """Attribute the target of each of W sentences, the word at its place, to the inputs.

    -> gradient times input by photo of the window [W, K] and by previous word [W, T], and the
    attention weights [W, S] (None of a model without attention).
    """
    vectors = model.word_embedding(previous)
    with tf.GradientTape() as tape:
        tape.watch([windows, vectors])
        start = model.decoder_start(
            model.encode_windows(windows, is_photo), vectors, previous != NULL
        )
        attended = None
        if model.attend_to:
            outputs, weights = model.attend(words, words != NULL, start)
            attended = _at(place, weights).numpy()
        else:
            outputs = model.decode(words, words != NULL, start)
        logits = model.next_word_logits(_at(place, outputs))
        score = tf.reduce_sum(_at(targets, logits))
    by_feature, by_number = tape.gradient(
        score, [windows, vectors], unconnected_gradients=tf.UnconnectedGradients.ZERO
    )
    by_window = tf.abs(tf.reduce_sum(by_feature * windows, axis=-1))
    by_word = tf.abs(tf.reduce_sum(by_number * vectors, axis=-1))
    return by_window.numpy(), by_word.numpy(), attended


def _at(places, rows):
    """Take from each row the entry at its place: [W], [W, T, ...] -> [W, ...]."""
    return tf.gather(rows, places, axis=1, batch_dims=1)


def _of_whole_story(model, by_window, sentence, images):
    """Move the photos of a window to their places in the story: [W, K] -> [W, I]."""
    numbers = np.arange(images, dtype=np.float32)[None, :, None]
    stands_at, is_photo = (np.array(each) for each in model.image_grouping(numbers))
    stands_at = stands_at[sentence, :, 0].astype(int)
    by_photo = np.zeros((len(sentence), images), np.float32)
    rows = np.arange(len(sentence))[:, None]
    np.add.at(by_photo, (rows, stands_at), by_window * is_photo[sentence])
    return by_photo


def _as_rows(values, sentence, place, story_shape):
    """[W, ...] -> [I, T - 1, ...], 0 after the sentences."""
    _, images, length = story_shape
    rows = np.zeros((images, length - 1, values.shape[-1]), np.float32)
    rows[sentence, place] = values
    return rows

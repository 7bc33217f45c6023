"""The training objective: the next word at each non-padding position."""

import keras
from keras import ops

from data_reader.vocabulary import NULL
from models.layers import gather_non_padding


def next_words(sentences):
    """Rows <START> words <END>, int32 [B, I, T] -> the targets, <END>s included, [W]."""
    targets = sentences[..., 1:]
    return gather_non_padding(ops.reshape(targets, (-1, targets.shape[-1])), targets)


def words_of_each_story(sentences):
    """int32 [B, I, T] -> the number of targets of each story, int32 [B]."""
    return ops.sum(ops.cast(sentences[..., 1:] != NULL, "int32"), axis=(1, 2))


@keras.saving.register_keras_serializable("stories")
class NextWordLoss(keras.losses.Loss):
    """Mean cross-entropy (nats) of a batch's words, padding excluded.

    `y_true` are the sentences themselves, int32 [B, I, T]; `y_pred` the logits [W, V] of the words
    in reading order, as the models give them; `sample_weight` [B] weighs the words of whole
    stories.
    """

    def __init__(self, name="next_word_loss", **kwargs):
        # The mean over words is the reduction.
        kwargs["reduction"] = "sum"
        super().__init__(name=name, **kwargs)

    def __call__(self, y_true, y_pred, sample_weight=None):
        y_true, y_pred = ops.convert_to_tensor(y_true), ops.cast(y_pred, self.dtype)
        losses = ops.sparse_categorical_crossentropy(next_words(y_true), y_pred, from_logits=True)
        if sample_weight is not None:
            weights = ops.cast(sample_weight, self.dtype)
            losses = losses * ops.repeat(weights, words_of_each_story(y_true), axis=0)
        return ops.sum(losses) / _count_words(y_true, sample_weight)


def _count_words(sentences, story_weights):
    """[B, I, T], [B] or None -> the weighted number of targets, a scalar."""
    words = ops.cast(words_of_each_story(sentences), "float32")
    return ops.sum(words if story_weights is None else words * ops.cast(story_weights, "float32"))

"""What a model learns: each sentence's next word, over its real words only."""

import keras
from keras import ops

from models.layers import at_real_words


def next_words(sentences):
    """Rows <START> words <END>, int32 [B, I, T] -> the words to be written, <END>s too, [W]."""
    targets = sentences[..., 1:]
    return at_real_words(ops.reshape(targets, (-1, targets.shape[-1])), targets)


@keras.saving.register_keras_serializable("stories")
class NextWordLoss(keras.losses.Loss):
    """Mean cross-entropy (nats) of a batch's real words; `y_true` are the sentences themselves.

    `y_pred` are the logits [W, V] of the words in reading order, as the models give them.
    """

    def __init__(self, name="next_word_loss", **kwargs):
        # The mean over real words is the reduction.
        kwargs["reduction"] = "sum"
        super().__init__(name=name, **kwargs)

    def call(self, y_true, y_pred):
        words = next_words(y_true)
        return ops.mean(ops.sparse_categorical_crossentropy(words, y_pred, from_logits=True))

"""What a model learns: each sentence's next word, over its real words only."""

import keras
from keras import ops

from models.layers import NULL


def next_words(sentences):
    """Rows <START> words <END> -> targets: words <END>, and their weights, 0 at the padding.

    int32 [B, I, T] -> int32 [B, I, T - 1], float32 [B, I, T - 1].
    """
    targets = sentences[..., 1:]
    return targets, ops.cast(targets != NULL, "float32")


@keras.saving.register_keras_serializable("stories")
class NextWordLoss(keras.losses.Loss):
    """Mean cross-entropy (nats) of a batch's real words; `y_true` are the sentences themselves."""

    def __init__(self, name="next_word_loss", **kwargs):
        # The mean over real words is the reduction.
        kwargs["reduction"] = "sum"
        super().__init__(name=name, **kwargs)

    def call(self, y_true, y_pred):
        targets, weights = next_words(y_true)
        losses = ops.sparse_categorical_crossentropy(targets, y_pred, from_logits=True)
        return ops.sum(losses * weights) / ops.sum(weights)

"""The layers that the models share.

Legend of shapes: B stories, I images of a story, K images of a window, T words of a row,
F feature size, U units, V vocabulary, N = B * I sentences, W words to be generated, <END>s
included: the non-padding positions of all targets.
"""

import keras
from keras import layers, ops

from data_reader.errors import check_whole_number
from data_reader.vocabulary import END, NULL, START


@keras.saving.register_keras_serializable("stories")
class FeatureStandardisation(layers.Layer):
    """Features -> (features - mean) * scale, per dimension, with fixed weights.

    [B, I, F] -> [B, I, F].  The features of seeded weights, which are much alike for all photos,
    teach the recurrent layers nothing without it.  `set_statistics` sets the weights.
    """

    # Scaled to this spread: features of spread 1 saturate a GRU with 4,096 inputs.
    SPREAD = 0.2
    # A dimension that hardly ever fires must not explode: its spread counts as at least this
    # share of the mean spread.
    SMALLEST_SPREAD = 0.01

    def __init__(self, **kwargs):
        # Features with a large common mean lose their differences when they are rounded first.
        kwargs.setdefault("dtype", "float32")
        super().__init__(**kwargs)

    def build(self, input_shape):
        size = (input_shape[-1],)
        self.mean = self.add_weight(name="mean", shape=size, initializer="zeros", trainable=False)
        self.scale = self.add_weight(name="scale", shape=size, initializer="ones", trainable=False)

    def set_statistics(self, mean, standard_deviation):
        """Set the mean [F] and standard deviation [F] of the training photos' features."""
        floor = max(self.SMALLEST_SPREAD * float(standard_deviation.mean()), 1e-12)
        self.mean.assign(mean)
        self.scale.assign(self.SPREAD / standard_deviation.clip(floor))

    def call(self, features):
        return (features - self.mean) * self.scale


@keras.saving.register_keras_serializable("stories")
class ImageGrouping(layers.Layer):
    """For each image of a story the window of that image and the few before it.

    [B, I, F] -> windows [N, K, F] and a padding mask [N, K], True where a photo stands.  Image
    j's window holds the images max(0, j - K + 1) .. j in order (with `reverse`, from j backwards),
    moved to the left; the rest is zero.  Paper section 3.2.

    Raises:
        InputError: `image_group_size` is no whole number from 1.
    """

    def __init__(self, image_group_size, reverse=False, **kwargs):
        super().__init__(**kwargs)
        check_whole_number("image_group_size", image_group_size)
        self.image_group_size = image_group_size
        self.reverse = reverse

    def call(self, features):
        current = ops.arange(ops.shape(features)[1])[:, None]
        step = ops.arange(self.image_group_size)[None, :]
        first = ops.maximum(current - self.image_group_size + 1, 0)
        position = current - step if self.reverse else first + step
        is_photo = ops.logical_and(first <= position, position <= current)
        windows = ops.take(features, ops.where(is_photo, position, 0), axis=1)
        windows = windows * ops.cast(is_photo, features.dtype)[None, :, :, None]
        is_photo = ops.broadcast_to(is_photo[None], ops.shape(windows)[:3])
        return _one_by_one(windows), _one_by_one(is_photo)

    def compute_output_spec(self, features):
        shape = (None, self.image_group_size)
        return (
            keras.KerasTensor((*shape, features.shape[2]), features.dtype),
            keras.KerasTensor(shape, "bool"),
        )

    def get_config(self):
        return {
            **super().get_config(),
            "image_group_size": self.image_group_size,
            "reverse": self.reverse,
        }


@keras.saving.register_keras_serializable("stories")
class PreviousSentences(layers.Layer):
    """Rows of a story's sentences -> the row before each; <START> alone before the first.

    int32 [B, I, T] -> [N, T].
    """

    def call(self, sentences):
        first = ops.zeros_like(sentences[:, :1])
        first = ops.concatenate([ops.full_like(first[..., :1], START), first[..., 1:]], axis=-1)
        return _one_by_one(ops.concatenate([first, sentences[:, :-1]], axis=1))

    def compute_output_shape(self, input_shape):
        return (None, input_shape[-1])


@keras.saving.register_keras_serializable("stories")
class DecoderInputs(layers.Layer):
    """Rows <START> words <END> -> the decoder's inputs: <START> words, <END> made <NULL>.

    int32 [B, I, T] -> [N, T - 1].
    """

    def call(self, sentences):
        return _one_by_one(ops.where(sentences == END, NULL, sentences)[..., :-1])

    def compute_output_shape(self, input_shape):
        return (None, input_shape[-1] - 1)


@keras.saving.register_keras_serializable("stories")
class PaddingMask(layers.Layer):
    """Rows -> False at their padding: int32 [N, T] -> bool [N, T]."""

    def call(self, words):
        return words != NULL

    def compute_output_spec(self, words):
        return keras.KerasTensor(words.shape, "bool")


@keras.saving.register_keras_serializable("stories")
class GatherNonPadding(layers.Layer):
    """The decoder's outputs at whose place the target is no padding, W of them, in reading order.

    float32 [N, T - 1, U] and sentences int32 [B, I, T] -> [W, U].  All that comes after (softmax,
    loss) is spared the padding, nearly half of all positions.
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        # Keras's own masks end here.
        self.supports_masking = True

    def compute_mask(self, *_):
        return None

    def call(self, outputs, sentences):
        return gather_non_padding(outputs, sentences[..., 1:])

    def compute_output_shape(self, outputs_shape, sentences_shape):
        return (None, outputs_shape[-1])


def gather_non_padding(values, targets):
    """The values where the target is no padding: [N, T, ...] and [B, I, T] -> [W, ...]."""
    places = ops.nonzero(ops.reshape(targets, (-1,)))[0]
    return ops.take(ops.reshape(values, (-1, *values.shape[2:])), places, axis=0)


def _one_by_one(stories):
    """[B, I, ...] -> [N, ...]: from here on each sentence is a sample of its own."""
    return ops.reshape(stories, (-1, *ops.shape(stories)[2:]))

"""AlexNet up to fc7 as a Keras functional model (Krizhevsky, Sutskever, Hinton 2012).

The layer sizes are those of Caffe's `bvlc_alexnet`, whose weights fit it.
"""

from itertools import count

import keras
import tensorflow as tf
from keras import layers, ops

from data_reader.image_data_reader import ALEXNET_IMAGE_SIZE as IMAGE_SIZE

FEATURE_SIZE = 4096


class SplitConvolution(layers.Conv2D):
    """A grouped convolution, computed as one convolution per group.

    TensorFlow has a fast kernel on a CPU for these, but not for grouped ones.
    """

    def convolution_op(self, inputs, kernel):
        """inputs [B, H, W, C], kernel [h, w, C / groups, filters] -> [B, H', W', filters]."""
        of_groups = map(
            super().convolution_op,
            ops.split(inputs, self.groups, axis=-1),
            ops.split(kernel, self.groups, axis=-1),
        )
        return ops.concatenate(list(of_groups), axis=-1)


@keras.saving.register_keras_serializable("stories")
class LocalResponseNormalization(layers.Layer):
    """x / (1 + 2e-5 * sum of x^2 over the channel and two on either side)^0.75.

    Krizhevsky et al. 2012, section 3.3, with Caffe's constants. [B, H, W, C] -> the same shape,
    computed in float32.
    """

    REACH, ALPHA = 2, 2e-5

    def call(self, inputs):
        return ops.cast(self._normalised(ops.cast(inputs, "float32")), self.compute_dtype)

    # Compiled, it passes over the memory once: six times as fast on a CPU as TensorFlow's kernels.
    @tf.function(jit_compile=True, autograph=False)
    def _normalised(self, inputs):
        channels = inputs.shape[-1]
        squares = ops.pad(ops.square(inputs), [(0, 0)] * 3 + [(self.REACH, self.REACH)])
        near = [squares[..., first : first + channels] for first in range(2 * self.REACH + 1)]
        inverse_root = ops.rsqrt(1.0 + self.ALPHA * sum(near))
        return inputs * inverse_root * ops.sqrt(inverse_root)

    def compute_output_shape(self, input_shape):
        return input_shape


def build_network(seed=1):
    """Build the network with seeded random weights.

    Input: float32 [B, 227, 227, 3], B,G,R less the channel means; output: fc7, [B, 4096].
    """
    initial = _seeded_initialisers(seed)

    def convolution(name, filters, size, kind=layers.Conv2D, **options):
        return kind(
            filters,
            size,
            padding="same",
            activation="relu",
            kernel_initializer=next(initial),
            name=name,
            **options,
        )

    def fully_connected(name):
        return layers.Dense(
            FEATURE_SIZE, activation="relu", kernel_initializer=next(initial), name=name
        )

    photos = keras.Input((IMAGE_SIZE, IMAGE_SIZE, 3), name="photos")
    x = convolution("conv1", 96, 11, strides=4)(photos)
    x = LocalResponseNormalization(name="norm1")(x)
    x = layers.MaxPooling2D(3, 2, name="pool1")(x)
    x = convolution("conv2", 256, 5, SplitConvolution, groups=2)(x)
    x = LocalResponseNormalization(name="norm2")(x)
    x = layers.MaxPooling2D(3, 2, name="pool2")(x)
    x = convolution("conv3", 384, 3)(x)
    x = convolution("conv4", 384, 3, SplitConvolution, groups=2)(x)
    x = convolution("conv5", 256, 3, SplitConvolution, groups=2)(x)
    x = layers.MaxPooling2D(3, 2, name="pool5")(x)
    x = layers.Flatten(name="flatten")(x)
    x = fully_connected("fc6")(x)
    fc7 = fully_connected("fc7")(x)
    return keras.Model(photos, fc7, name="alexnet")


def _seeded_initialisers(seed):
    """Yield initialisers that draw the same values in every precision."""
    for number in count(seed * 1000):
        draw = keras.initializers.HeNormal(seed=number)
        yield lambda shape, dtype, draw=draw: ops.cast(draw(shape, "float32"), dtype)

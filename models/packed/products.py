"""Matrix products in float32, bfloat16 or float16, with float32 results.

Legend of shapes as in `models.packed`.
"""

import tensorflow as tf


def matmul(inputs, kernel, dtype):
    """[R, F] x [F, G] -> float32 [R, G], by a matmul in `dtype`; its gradients too.

    In bfloat16 the products are summed in float32 and the sums rounded.
    """
    return tf.cast(tf.matmul(tf.cast(inputs, dtype), tf.cast(kernel, dtype)), tf.float32)


class Weights:
    """A kernel [F, G] as an operand of many matmuls of few rows: cast and transposed once."""

    def __init__(self, kernel, dtype):
        self._kernel = tf.cast(kernel, dtype)
        self._transposed = tf.cast(tf.transpose(kernel), dtype)
        # With few rows bfloat16 is the faster when the second operand is given transposed,
        # float32 when it is not: by a fifth and by a quarter.
        self._given_transposed = dtype == tf.bfloat16

    def times(self, inputs):
        """[n, F] -> float32 [n, G]."""
        return self._product(inputs, self._kernel, self._transposed)

    def times_transposed(self, gradients):
        """[n, G] -> float32 [n, F]."""
        return self._product(gradients, self._transposed, self._kernel)

    def _product(self, rows, operand, transposed):
        rows = tf.cast(rows, operand.dtype)
        if self._given_transposed:
            product = tf.matmul(rows, transposed, transpose_b=True)
        else:
            product = tf.matmul(rows, operand)
        return tf.cast(product, tf.float32)


def weight_gradient(inputs, gradients, dtype):
    """[R, F], [R, G] -> float32 [F, G]."""
    product = tf.matmul(tf.cast(inputs, dtype), tf.cast(gradients, dtype), transpose_a=True)
    return tf.cast(product, tf.float32)

"""Luong's attention over the steps of packed sequences, forward and backward.

Legend of shapes as in `models.packed`.
"""

from typing import NamedTuple

import tensorflow as tf

from models.packed.plan import unpack
from models.packed.products import Weights, weight_gradient


class Memory(NamedTuple):
    """What Luong's attention attends to, and its weights.

    For the score "general" the keys are `values` times W_a, for "dot" they are `values`.

    Attributes:
        keys: [N, S, U].
        values: [N, S, M].
        mask: [N, S], True at real positions: at least one a sequence.
        kernel: [U + M, U], of the attentional state tanh([h; context] kernel + bias).
        bias: [U].
    """

    keys: tf.Tensor
    values: tf.Tensor
    mask: tf.Tensor
    kernel: tf.Tensor
    bias: tf.Tensor

    @property
    def weights(self):
        """All that gradients flow to."""
        return [self.keys, self.values, self.kernel, self.bias]


class LuongAttention:
    """h -> the attentional state, for the first n sequences in the plan's order."""

    num_found = 3

    def __init__(self, keys, values, kernel, bias, mask, plan, dtype):
        self._keys = tf.gather(keys, plan.order)
        self._values = tf.gather(values, plan.order)
        self._padding = tf.where(tf.gather(mask, plan.order), 0.0, float("-inf"))
        self._weights = Weights(kernel, dtype)
        self._bias = bias
        self._units = kernel.shape[1]
        self._plan = plan
        self._dtype = dtype

    def forward(self, h):
        """[n, U] -> attentional state [n, U] and what the gradients need."""
        running = tf.shape(h)[0]
        scores = tf.linalg.matvec(self._keys[:running], h) + self._padding[:running]
        attention = tf.nn.softmax(scores)
        context = tf.linalg.matvec(self._values[:running], attention, transpose_a=True)
        both = tf.concat([h, context], axis=1)
        return tf.tanh(self._weights.times(both) + self._bias), [both, attention]

    def backward(self, d_attentional, attentional, kept):
        """[n, U] -> gradient by h [n, U] and those that the weights and the memory need."""
        attention = kept[1]
        running = tf.shape(attention)[0]
        d_activation = d_attentional * (1 - tf.square(attentional))
        d_both = self._weights.times_transposed(d_activation)
        d_h, d_context = tf.split(d_both, [self._units, -1], axis=1)
        d_attention = tf.linalg.matvec(self._values[:running], d_context)
        mean = tf.reduce_sum(attention * d_attention, axis=1, keepdims=True)
        d_scores = attention * (d_attention - mean)
        d_h += tf.linalg.matvec(self._keys[:running], d_scores, transpose_a=True)
        return d_h, [d_activation, d_context, d_scores]

    def gradients(self, kept, found):
        """What all rows kept and found -> gradients by keys, values, kernel, bias."""
        both, attention = kept
        d_activation, d_context, d_scores = found
        return [
            self._memory_gradient(d_scores, both[:, : self._units]),
            self._memory_gradient(attention, d_context),
            weight_gradient(both, d_activation, self._dtype),
            tf.reduce_sum(d_activation, axis=0),
        ]

    def _memory_gradient(self, by_position, rows):
        """[R, S], [R, U] -> the sum of the outer products of each sequence's rows, [N, S, U]."""
        by_position, rows = unpack(by_position, self._plan), unpack(rows, self._plan)
        return tf.matmul(by_position, rows, transpose_a=True)


class NoAttention:
    """In place of `LuongAttention`: h stays as it is."""

    num_found = 0

    def forward(self, h):
        return h, []

    def backward(self, d_h, h, kept):
        return d_h, []

    def gradients(self, kept, found):
        return []

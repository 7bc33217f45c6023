"""Where the positions of sequences stand once they are packed.

Legend of shapes as in `models.packed`.
"""

from typing import NamedTuple

import tensorflow as tf


class PackingPlan(NamedTuple):
    """Where the real positions of right-padded sequences stand when they are packed.

    Attributes:
        order: [N], the sequences, the longest first.
        running: [longest length], the sequences that each step still has.
        offsets: [longest length], the first packed row of each step.
        positions: [R, 2], sequence and step of each packed row.
        previous: [R - N], the row one step before each row after the first step.
        last: [N], the packed row of each sequence's last position.
        steps: T, the steps with padding.
    """

    order: tf.Tensor
    running: tf.Tensor
    offsets: tf.Tensor
    positions: tf.Tensor
    previous: tf.Tensor
    last: tf.Tensor
    steps: tf.Tensor

    def rows(self, step):
        """The packed rows of a step."""
        return slice(self.offsets[step], self.offsets[step] + self.running[step])


def packing_plan(mask):
    """Mask [N, T], True at real positions: at least one a sequence, all to the left."""
    lengths = tf.reduce_sum(tf.cast(mask, tf.int32), axis=1)
    order = tf.argsort(lengths, direction="DESCENDING", stable=True)
    is_running = tf.range(tf.reduce_max(lengths))[:, None] < tf.gather(lengths, order)[None]
    running = tf.reduce_sum(tf.cast(is_running, tf.int32), axis=1)
    offsets = tf.cumsum(running, exclusive=True)
    step, place = tf.unstack(tf.cast(tf.where(is_running), tf.int32), axis=1)
    after_first = slice(tf.size(order), None)
    return PackingPlan(
        order=order,
        running=running,
        offsets=offsets,
        positions=tf.stack([tf.gather(order, place), step], axis=1),
        previous=tf.gather(offsets, step[after_first] - 1) + place[after_first],
        last=tf.gather(offsets, lengths - 1) + tf.math.invert_permutation(order),
        steps=tf.shape(mask)[1],
    )


def pack(sequences, plan):
    """[N, T, ...] -> [R, ...]."""
    return tf.gather_nd(sequences, plan.positions)


def unpack(rows, plan):
    """[R, ...] -> [N, T, ...], zero at the padding."""
    shape = tf.concat([[tf.size(plan.order), plan.steps], tf.shape(rows)[1:]], axis=0)
    sequences = tf.scatter_nd(plan.positions, rows, shape)
    return tf.ensure_shape(sequences, [None, None, *rows.shape[1:]])

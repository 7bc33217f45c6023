"""Image features in a GPU's memory, so that no training step waits for the disk."""

import math

import numpy as np
import tensorflow as tf
from tqdm import tqdm

STORIES_AT_A_TIME = 200
# What a training step needs beside the features: so many bytes, and a quarter of the features.
STEP_BYTES = 2_000_000_000
_ROW = 2**18  # values; the sizes of a tensor that `Empty` makes are int32


class DeviceFeatures:
    """Features [N, I, F] in a device's memory; indexed with stories' numbers [B] -> [B, I, F]."""

    def __init__(self, variable):
        self._variable = variable

    def __getitem__(self, rows):
        return self._variable.sparse_read(rows)


def on_device(features, device="GPU:0"):
    """Copy all stories' features into a device's memory, if a training step fits beside them.

    Args:
        features: `StoryFeatures`, [N, I, F].
        device: its name in TensorFlow.

    Returns:
        `DeviceFeatures`, float32; None without such a device, and where they do not fit.
    """
    kind = device.partition(":")[0]
    if not tf.config.list_logical_devices(kind):
        return None
    size = 4 * math.prod(features.shape)
    described = f"features: {size / 1e9:.3g} GB"
    with tf.device(device):
        try:
            variable = _allocate_beside(features.shape, STEP_BYTES + size // 4)
        except tf.errors.ResourceExhaustedError:
            print(f"{described} do not fit on the {kind}; they are read from the file")
            return None
        _fill(variable, features)
    print(f"{described} on the {kind}")
    return DeviceFeatures(variable)


def _allocate_beside(shape, reserve):
    """An unfilled float32 variable; so many bytes more have been free, too.

    Raises:
        tf.errors.ResourceExhaustedError: they were not.
    """
    values = tf.raw_ops.Empty(shape=shape, dtype=tf.float32)
    tf.raw_ops.Empty(shape=[reserve // (4 * _ROW) + 1, _ROW], dtype=tf.float32)
    return tf.Variable(values, trainable=False)


def _fill(variable, features):
    with tqdm(total=len(features), desc="features", unit="story", disable=None) as bar:
        for start in range(0, len(features), STORIES_AT_A_TIME):
            piece = features[start : start + STORIES_AT_A_TIME]
            # In place; the assignment of a slice would read the variable first.
            rows = np.arange(start, start + len(piece))
            variable.scatter_update(tf.IndexedSlices(piece, rows))
            bar.update(len(piece))

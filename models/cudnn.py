"""In which precision cuDNN computes the recurrent layers of a GPU: its older versions know fewer.

In bfloat16 cuDNN computes recurrent layers from version 9.13 on.
"""

import functools
import sys

import keras
import tensorflow as tf
from keras import layers

from models.recurrent_cells import has_gpu

# Keras's cells that cuDNN computes: its name for them, and the matrices in each of their kernels.
_CELLS = {layers.GRUCell: ("gru", 3), layers.LSTMCell: ("lstm", 4)}


def accepted_policy(cell, policy):
    """The dtype policy of a layer of a cell: the one given, or float32 where cuDNN refuses it.

    Args:
        cell: a cell class.
        policy: a dtype policy of Keras.
    """
    dtype = policy.compute_dtype
    if cell not in _CELLS or dtype == "float32" or not has_gpu():
        return policy
    return policy if _accepts(*_CELLS[cell], dtype, run_layer) else keras.DTypePolicy("float32")


@functools.cache
def _accepts(name, matrices, dtype, trial):
    try:
        trial(name, matrices, dtype)
    except tf.errors.OpError as error:
        reason = error.message.partition("\n")[0]
        print(
            f"{name.upper()} layers compute in float32: cuDNN here refuses {dtype} ({reason})",
            file=sys.stderr,
        )
        return False
    return True


def run_layer(name, matrices, dtype, units=8):
    """Two sequences, one of them padded, forward and backward through cuDNN.

    It is called as Keras's layers call it.  A layer itself would draw from the random states of
    the training that is about to begin, and count in the names of its variables.

    Raises:
        tf.errors.OpError: cuDNN refuses.
    """
    state = tf.zeros([2, 1, units], dtype)
    parameters = tf.zeros([matrices * (2 * units * units + 2 * units)], dtype)
    with tf.GradientTape() as tape:
        tape.watch(parameters)
        results = tf.raw_ops.CudnnRNNV3(
            input=tf.zeros([2, 3, units], dtype),
            input_h=state,
            input_c=state if name == "lstm" else 0,
            params=parameters,
            sequence_lengths=[3, 1],
            rnn_mode=name,
            time_major=False,
        )
    tape.gradient(results.output, parameters).numpy()  # waits for the GPU

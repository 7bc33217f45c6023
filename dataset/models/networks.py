"""Building image networks in a precision, and computing features with them."""

from contextlib import contextmanager

import keras
import numpy as np


@contextmanager
def default_policy(name):
    """Give the layers that are made in a block a dtype policy of Keras."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def make_compute(network):
    """Compile a network -> a function of inputs [B, H, W, 3] that returns float32 [B, F]."""
    network.compile()

    def compute(photos):
        features = keras.ops.convert_to_numpy(network.predict_on_batch(photos))
        return features.astype(np.float32, copy=False)

    return compute

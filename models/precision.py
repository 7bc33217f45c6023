"""In which precision models compute; their weights, states, losses and logits stay float32."""

from contextlib import contextmanager

# What a precision means to Keras.
_POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16"}
PRECISIONS = tuple(_POLICIES)


@contextmanager
def made_in(precision):
    """The models made meanwhile compute their matrix products in this precision."""
    import keras  # commands that only name precisions do not wait for it

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(_POLICIES[precision])
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)

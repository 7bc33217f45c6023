"""In which precision models compute; their weights, losses and optimisers stay float32."""

import functools
import sys

# Each precision as a dtype policy of Keras.
DTYPE_POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16", "float16": "mixed_float16"}
PRECISIONS = tuple(DTYPE_POLICIES)


def dtype_policy(precision):
    """The name of the dtype policy of a model that is to compute in a precision here.

    Args:
        precision: of `PRECISIONS`; on a CPU "float16" becomes float32, and one line says so.
    """
    from models.recurrent_cells import has_gpu  # TensorFlow takes seconds

    if precision == "float16" and not has_gpu():
        _say_once("float16: this CPU has no fast products in it; the model computes in float32.")
        precision = "float32"
    return DTYPE_POLICIES[precision]


def precisions_here():
    """List the precisions that this device does not replace by another."""
    return [p for p in PRECISIONS if dtype_policy(p) == DTYPE_POLICIES[p]]


@functools.cache
def _say_once(line):
    print(line, file=sys.stderr)

"""All that leans on Keras's insides, which may change without notice; its pin is Keras 3.15.

tests/models/test_keras_internals.py compares each piece with Keras's own result, and fails if
Keras no longer calls it.
"""

from contextlib import contextmanager

import keras
from keras import layers
from keras.src.backend.common import global_state

from models.packed import pack, packing_plan, run_packed, unpack
from models.recurrent_cells import PackedLayer, runs_packed

_WAITING = "uninitialized_variables"  # Keras's list of those that get their values later


class _PackedInnerLoop(PackedLayer):
    """Replaces the loop over the steps (`inner_loop`) of the Keras layer that it stands before.

    A mask has to be True to the left and False to the right, and True at least once a sequence;
    outputs at the padding are zero.
    """

    def inner_loop(self, sequences, initial_state, mask, training=False):
        if not runs_packed(self.cell, mask, training):
            return super().inner_loop(sequences, initial_state, mask, training=training)
        plan = packing_plan(mask)
        rows = pack(sequences, plan)
        outputs, state = run_packed(self.cell, rows, initial_state, plan, self.matmul_dtype)
        return state[0], unpack(outputs, plan), state


@keras.saving.register_keras_serializable("stories")
class GRU(_PackedInnerLoop, layers.GRU):
    """`keras.layers.GRU`, packed on a CPU: its weights and results, on a GPU also its kernel."""


@keras.saving.register_keras_serializable("stories")
class LSTM(_PackedInnerLoop, layers.LSTM):
    """`keras.layers.LSTM`, packed on a CPU: its weights and results, on a GPU also its kernel."""


def reset_dropout_masks(cells):
    """Have cells draw their dropout masks again; only Keras's own cells keep any."""
    for cell in cells:
        if hasattr(cell, "reset_recurrent_dropout_mask"):
            cell.reset_dropout_mask()
            cell.reset_recurrent_dropout_mask()


@contextmanager
def without_variables():
    """Models that are made inside have the shapes of their variables, but no memory for them.

    Yields:
        a function that makes the variables, to be called afterwards.
    """
    before = global_state.get_global_attribute(_WAITING)
    waiting = []
    global_state.set_global_attribute(_WAITING, waiting)
    try:
        with keras.StatelessScope(initialize_variables=False):
            yield lambda: [variable._deferred_initialize() for variable in waiting]
    finally:
        # Keras would make them all when it next leaves such a scope.
        global_state.set_global_attribute(_WAITING, before)

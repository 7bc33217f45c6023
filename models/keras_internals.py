"""All that leans on Keras's insides, which may change without notice; its pin is Keras 3.15.

tests/models/test_keras_internals.py compares each piece with Keras's own result, and fails if
Keras no longer calls it.
"""

import keras
import tensorflow as tf
from keras import layers

from models.packed import pack, packing_plan, run_packed, unpack
from models.recurrent_cells import PackedLayer, runs_packed


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


def reset_dropout_masks(cell):
    """Have a cell draw its dropout masks again; only Keras's own cells keep any."""
    if hasattr(cell, "reset_recurrent_dropout_mask"):
        cell.reset_dropout_mask()
        cell.reset_recurrent_dropout_mask()


@keras.saving.register_keras_serializable("stories")
class CompiledAdam(keras.optimizers.Adam):
    """`keras.optimizers.Adam`, clipping included, compiled by XLA when a CPU runs a graph.

    The stock update passes over all weights about ten times, the compiled one three times.
    Eagerly, on a GPU, under a `tf.distribute` strategy or with `global_clipnorm` it is the stock
    one.
    """

    def _clip_gradients(self, grads):
        # The compiled update clips on its way.
        return grads if self._is_compiled() else super()._clip_gradients(grads)

    def _backend_update_step(self, grads, trainable_variables, learning_rate):
        if not self._is_compiled():
            super()._backend_update_step(grads, trainable_variables, learning_rate)
            return
        pairs = list(zip(grads, trainable_variables, strict=True))
        # An embedding's rows: their number changes from batch to batch, and each would be compiled.
        sparse = [pair for pair in pairs if isinstance(pair[0], tf.IndexedSlices)]
        dense = [pair for pair in pairs if not isinstance(pair[0], tf.IndexedSlices)]
        if sparse:
            self._clip_and_update(*zip(*sparse, strict=True), learning_rate)
        if dense:
            dense_grads, variables = zip(*dense, strict=True)

            @tf.function(jit_compile=True, autograph=False)
            def compiled_update(dense_grads, learning_rate):
                self._clip_and_update(dense_grads, variables, learning_rate)

            compiled_update(dense_grads, tf.convert_to_tensor(learning_rate))

    def _clip_and_update(self, grads, variables, learning_rate):
        clipped = super()._clip_gradients(list(grads))
        for grad, variable in zip(clipped, variables, strict=True):
            self.update_step(grad, variable, learning_rate)

    def _is_compiled(self):
        return (
            tf.inside_function()
            and not tf.distribute.has_strategy()
            and not tf.config.list_logical_devices("GPU")
            and not self.global_clipnorm
        )

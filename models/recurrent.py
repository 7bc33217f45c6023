"""Recurrent layers: Keras's own, run by a faster engine on a CPU, and stacks of them.

Legend of shapes: N sequences, T steps, F features, U units.
"""

from contextlib import contextmanager
from contextvars import ContextVar

import keras
import tensorflow as tf
from keras import layers, ops

from data_reader.errors import InputError
from models.packed import (
    GruCell,
    LstmCell,
    Weights,
    matmul,
    pack,
    packed_gru,
    packed_lstm,
    packing_plan,
    unpack,
)

_RECURRENT_INITIALIZER = ContextVar("recurrent_initializer", default="orthogonal")


@contextmanager
def to_be_loaded():
    """Recurrent layers made meanwhile start from zeros, since their weights come from a file.

    Orthogonal matrices of the paper's sizes take seconds to draw.
    """
    token = _RECURRENT_INITIALIZER.set("zeros")
    try:
        yield
    finally:
        _RECURRENT_INITIALIZER.reset(token)


def recurrent_initializer():
    """What recurrent kernels start from."""
    return _RECURRENT_INITIALIZER.get()


def has_gpu():
    return bool(tf.config.list_logical_devices("GPU"))


class PackedLayer(layers.Layer):
    """What layers that run packed sequences on a CPU share.

    Under the dtype policy "mixed_bfloat16" their matmuls on a CPU take operands in bfloat16, and
    all else in them stays float32.  On a GPU a policy means what it means to any layer.
    """

    def __init__(self, *args, **kwargs):
        self.matmul_dtype = keras.config.dtype_policy().compute_dtype
        if not has_gpu():
            kwargs.setdefault("dtype", "float32")
        super().__init__(*args, **kwargs)


class _PackedRecurrence(PackedLayer):
    """Replaces the loop over the steps of a Keras layer that it stands before.

    A mask has to be True to the left and False to the right, and True at least once a sequence;
    outputs at the padding are zero.
    """

    def inner_loop(self, sequences, initial_state, mask, training=False):
        if has_gpu() or mask is None or (training and self.recurrent_dropout):
            return super().inner_loop(sequences, initial_state, mask, training=training)
        plan = packing_plan(mask)
        outputs, state = self.read_packed(pack(sequences, plan), initial_state, plan)
        return state[0], unpack(outputs, plan), state


@keras.saving.register_keras_serializable("stories")
class GRU(_PackedRecurrence, layers.GRU):
    """`keras.layers.GRU`: its weights and results, on a GPU also its kernel.

    Cho et al. 2014, in the form with the reset gate after the matrix product.
    """

    def read_packed(self, rows, initial_state, plan):
        """Packed rows [R, F], [h] -> outputs [R, U], [h]."""
        cell, dtype = self.cell, self.matmul_dtype
        input_bias, recurrent_bias = tf.unstack(cell.bias)
        projections = matmul(rows, cell.kernel, dtype) + input_bias
        return packed_gru(
            projections, initial_state, cell.recurrent_kernel, recurrent_bias, plan, dtype
        )

    def make_decode_step(self):
        """See `RecurrentStack.make_decode_step`."""
        input_bias, recurrent_bias = tf.unstack(self.cell.bias)
        return _stepper(self, GruCell(self.units, recurrent_bias), input_bias)


@keras.saving.register_keras_serializable("stories")
class LSTM(_PackedRecurrence, layers.LSTM):
    """`keras.layers.LSTM`: its weights and results, on a GPU also its kernel.

    Hochreiter and Schmidhuber 1997.
    """

    def read_packed(self, rows, initial_state, plan):
        """Packed rows [R, F], [h, c] -> outputs [R, U], [h, c]."""
        cell, dtype = self.cell, self.matmul_dtype
        projections = matmul(rows, cell.kernel, dtype) + cell.bias
        return packed_lstm(projections, initial_state, cell.recurrent_kernel, plan, dtype)

    def make_decode_step(self):
        """See `RecurrentStack.make_decode_step`."""
        return _stepper(self, LstmCell(self.units), self.cell.bias)


def _stepper(layer, cell, bias):
    kernel = Weights(layer.cell.kernel, layer.matmul_dtype)
    recurrent_kernel = Weights(layer.cell.recurrent_kernel, layer.matmul_dtype)

    def step(inputs, state):
        projections = kernel.times(inputs) + bias
        state, _ = cell.forward(projections, recurrent_kernel.times(state[0]), state)
        return state[0], state

    return step


def check_recurrent(cell_type, num_layers):
    """Refuse what is no recurrent layer.

    Raises:
        ValueError: the cell type is unknown or there are no layers.
    """
    if cell_type not in ("gru", "lstm"):
        raise InputError(f"cell_type is {cell_type!r}; it must be 'gru' or 'lstm'.")
    if num_layers < 1:
        raise InputError(f"num_layers is {num_layers}; there must be at least 1.")


@keras.saving.register_keras_serializable("stories")
class RecurrentStack(PackedLayer):
    """Recurrent layers on top of each other; encoder or decoder, as it is called.

    A state is a list with an entry a layer; an entry is [h] for a GRU, [h, c] for an LSTM, each
    [N, U].  See `GRU` for what is asked of masks.

    Raises:
        ValueError: the cell type is unknown or there are no layers.
    """

    def __init__(self, cell_type, units, num_layers, recurrent_dropout=0.0, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        check_recurrent(cell_type, num_layers)
        self.cell_type = cell_type
        self.units = units
        self.num_layers = num_layers
        self.recurrent_dropout = recurrent_dropout
        layer = {"gru": GRU, "lstm": LSTM}[cell_type]
        self.recurrent_layers = [
            layer(
                units,
                return_sequences=True,
                return_state=True,
                recurrent_dropout=recurrent_dropout,
                recurrent_initializer=recurrent_initializer(),
                name=f"{cell_type}_{number}",
            )
            for number in range(1, num_layers + 1)
        ]

    @property
    def states_per_layer(self):
        return 2 if self.cell_type == "lstm" else 1

    def build(self, sequences_shape, *_, **__):
        shape = sequences_shape
        for layer in self.recurrent_layers:
            layer.build(shape)
            shape = (*shape[:-1], self.units)

    def call(self, sequences, mask=None, initial_state=None, training=None):
        """[N, T, F], mask [N, T], state of the first layer -> outputs [N, T, U], state."""
        state = []
        for number, layer in enumerate(self.recurrent_layers):
            sequences, *layer_state = layer(
                sequences,
                mask=mask,
                initial_state=initial_state if number == 0 else None,
                training=training,
            )
            state.append(layer_state)
        return sequences, state

    def compute_output_spec(self, sequences, mask=None, initial_state=None, training=None):
        rows, steps, _ = sequences.shape
        outputs = keras.KerasTensor((rows, steps, self.units), self.compute_dtype)
        state = [
            [keras.KerasTensor((rows, self.units), self.compute_dtype) for _ in range(parts)]
            for parts in [self.states_per_layer] * self.num_layers
        ]
        return outputs, state

    def make_decode_step(self):
        """-> a function of one time step: inputs [N, F], state -> output [N, U], state.

        What many steps need of the weights is made ready once.
        """
        steps = [layer.make_decode_step() for layer in self.recurrent_layers]

        def step(inputs, state):
            new_state = []
            for step_of_layer, layer_state in zip(steps, state, strict=True):
                inputs, layer_state = step_of_layer(inputs, layer_state)
                new_state.append(layer_state)
            return inputs, new_state

        return step

    def start(self, initial_state):
        """The first layer's state -> the stack's, where all other layers start at zero."""
        zero = [ops.zeros_like(part) for part in initial_state]
        return [initial_state] + [zero] * (self.num_layers - 1)

    def get_config(self):
        return {
            **super().get_config(),
            "cell_type": self.cell_type,
            "units": self.units,
            "num_layers": self.num_layers,
            "recurrent_dropout": self.recurrent_dropout,
        }

"""Recurrent cells by name or class, and the one rule by which they run packed.

Legend of shapes: N sequences, F features, U units.
"""

import inspect

import keras
import tensorflow as tf
from keras import layers, ops

from data_reader.errors import InputError
from data_reader.import_paths import import_object, import_path
from models.packed import PACKED_CELLS, make_packed_step

CELLS = {"gru": layers.GRUCell, "lstm": layers.LSTMCell, "simple_rnn": layers.SimpleRNNCell}


def cell_class(cell_type):
    """The Keras cell class that a setting means.

    Args:
        cell_type: a name of `CELLS`; or any Keras RNN cell class, itself or as "module:Class": it
            is made with `units`, and with `recurrent_initializer` and `recurrent_dropout` if it
            takes them.  Each part of its state is [N, U], and the first is its output h.

    Raises:
        InputError: it is something else.
    """
    if isinstance(cell_type, str):
        chosen = import_object(cell_type) if ":" in cell_type else CELLS.get(cell_type)
    else:
        chosen = cell_type
    if not (isinstance(chosen, type) and issubclass(chosen, layers.Layer)):
        raise InputError(
            f"cell_type is {cell_type!r}; it must be {', '.join(map(repr, CELLS))}, or a Keras RNN "
            "cell class, itself or as 'module:Class'."
        )
    return chosen


def cell_name(cell_type):
    """A cell type as configs keep it: the name, or a class's import path."""
    return cell_type if isinstance(cell_type, str) else import_path(cell_type)


def make_cell(cell_type, units, recurrent_dropout, recurrent_initializer, **kwargs):
    """A new cell.

    Raises:
        InputError: the cell can't drop its recurrent inputs out, but is asked to.
    """
    chosen = cell_class(cell_type)
    accepted = inspect.signature(chosen.__init__).parameters
    if "recurrent_initializer" in accepted:
        kwargs["recurrent_initializer"] = recurrent_initializer
    if "recurrent_dropout" in accepted:
        kwargs["recurrent_dropout"] = recurrent_dropout
    elif recurrent_dropout:
        raise InputError(
            f"recurrent_dropout is {recurrent_dropout}, but {chosen.__name__} takes none; set it "
            "to 0, or give the cell an argument of that name."
        )
    return chosen(units, **kwargs)


def has_gpu():
    return bool(tf.config.list_logical_devices("GPU"))


def runs_packed(cell, mask, training, score=None):
    """Whether a cell's sequences run packed; if not, Keras's own loop or steps run.

    On a GPU Keras has kernels of its own; without a mask there is nothing to pack; recurrent
    dropout is drawn by the cell itself; other cells and other scores than products of query and
    key have no packed equations.

    Args:
        score: of the attention that the cell's layer has, if any; see `models.attention_layers`.
    """
    return (
        type(cell) in PACKED_CELLS
        and mask is not None
        and not has_gpu()
        and not (training and cell.recurrent_dropout)
        and (score is None or score.is_product)
    )


def make_cell_step(cell, matmul_dtype):
    """A function of one time step: inputs [N, F], state -> output [N, U], state, all float32.

    A state that is [] is zero.  The engine's cells prepare once what many steps need of the
    weights; any other cell is called.
    """
    if type(cell) in PACKED_CELLS:
        return make_packed_step(cell, matmul_dtype)

    def step(inputs, state):
        if not state:
            rows = ops.shape(inputs)[0]
            state = [ops.zeros((rows, size)) for size in keras.tree.flatten(cell.state_size)]
        output, state = cell(inputs, state)
        return ops.cast(output, "float32"), [
            ops.cast(s, "float32") for s in keras.tree.flatten(state)
        ]

    return step


class PackedLayer(layers.Layer):
    """What layers that run packed sequences on a CPU share.

    Under the dtype policy "mixed_bfloat16" their matmuls on a CPU take operands in bfloat16, and
    all else in them stays float32 (see `models.precision` for float16).  On a GPU a policy means
    what it means to any layer.
    """

    def __init__(self, *args, dtype=None, **kwargs):
        self.policy = keras.dtype_policies.get(dtype)
        super().__init__(*args, dtype=self.policy if has_gpu() else "float32", **kwargs)

    @property
    def matmul_dtype(self):
        return self.policy.compute_dtype

    def get_config(self):
        return {**super().get_config(), "dtype": self.policy.name}

"""Recurrent layers on top of each other: encoders and decoders.

Legend of shapes: N sequences, T steps, F features, U units.
"""

import keras
from keras import layers, ops

from data_reader.errors import check_whole_number
from models.cudnn import accepted_policy
from models.keras_internals import GRU, LSTM
from models.recurrent_cells import (
    PackedLayer,
    cell_class,
    cell_name,
    make_cell,
    make_cell_step,
)

# Whole layers of Keras, for their kernels on a GPU; any other cell runs in Keras's general layer.
_LAYERS = {layers.GRUCell: GRU, layers.LSTMCell: LSTM}


@keras.saving.register_keras_serializable("stories")
class RecurrentStack(PackedLayer):
    """Recurrent layers on top of each other.

    A state is a list with one entry per layer; an entry is a list of [N, U], [h] for a GRU and
    [h, c] for an LSTM, or [] for zero.  A mask has to be True to the left and False to the right,
    and True at least once per sequence.

    Args:
        cell_type: see `models.recurrent_cells.cell_class`.
        units: U.
        num_layers: at least 1.
        recurrent_dropout: of all layers.
        recurrent_initializer: of the recurrent kernels.

    Raises:
        InputError: the cell type is unknown or there are no layers.
    """

    def __init__(
        self,
        cell_type,
        units,
        num_layers,
        recurrent_dropout=0.0,
        recurrent_initializer="orthogonal",
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.supports_masking = True
        check_whole_number("num_layers", num_layers)
        self.cell_type = cell_type
        self.units = units
        self.num_layers = num_layers
        self.recurrent_dropout = recurrent_dropout
        self.recurrent_initializer = recurrent_initializer
        self.recurrent_layers = [self._make_layer(number) for number in range(1, num_layers + 1)]

    def _make_layer(self, number):
        chosen = cell_class(self.cell_type)
        options = {
            "recurrent_dropout": self.recurrent_dropout,
            "recurrent_initializer": self.recurrent_initializer,
            "dtype": self.policy,
        }
        wanted = {"return_sequences": True, "return_state": True, "name": f"layer_{number}"}
        if chosen in _LAYERS:
            options["dtype"] = accepted_policy(chosen, self.policy)
            return _LAYERS[chosen](self.units, **options, **wanted)
        return layers.RNN(make_cell(chosen, self.units, **options), dtype=self.policy, **wanted)

    @property
    def states_per_layer(self):
        return len(keras.tree.flatten(self.recurrent_layers[0].cell.state_size))

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
        dtype = self.recurrent_layers[0].compute_dtype
        outputs = keras.KerasTensor((rows, steps, self.units), dtype)
        state = [
            [keras.KerasTensor((rows, self.units), dtype) for _ in range(parts)]
            for parts in [self.states_per_layer] * self.num_layers
        ]
        return outputs, state

    def start(self, initial_state):
        """The first layer's state -> the stack's, where all other layers start at zero: []."""
        first = [ops.cast(part, "float32") for part in initial_state]
        return [first] + [[]] * (self.num_layers - 1)

    def make_step(self):
        """-> a function of one time step: inputs [N, F], state -> output [N, U], state.

        The work that many steps share is done once.
        """
        steps = [make_cell_step(layer.cell, self.matmul_dtype) for layer in self.recurrent_layers]

        def step(inputs, state):
            new_state = []
            for step_of_layer, layer_state in zip(steps, state, strict=True):
                inputs, layer_state = step_of_layer(inputs, layer_state)
                new_state.append(layer_state)
            return inputs, new_state

        return step

    def get_config(self):
        return {
            **super().get_config(),
            "cell_type": cell_name(self.cell_type),
            "units": self.units,
            "num_layers": self.num_layers,
            "recurrent_dropout": self.recurrent_dropout,
            "recurrent_initializer": self.recurrent_initializer,
        }

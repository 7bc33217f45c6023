"""Recurrent layers on top of each other.

Legend of shapes: N sequences, T steps, F features, U units.
"""

import keras
from keras import layers, ops


def check_recurrent(cell_type, num_layers):
    """Refuse what is no recurrent layer.

    Raises:
        ValueError: the cell type is unknown or there are no layers.
    """
    if cell_type not in ("gru", "lstm"):
        raise ValueError(f"cell_type is {cell_type!r}; it must be 'gru' or 'lstm'.")
    if num_layers < 1:
        raise ValueError(f"num_layers is {num_layers}; there must be at least 1.")


@keras.saving.register_keras_serializable("stories")
class RecurrentStack(layers.Layer):
    """Recurrent layers on top of each other; encoder or decoder, as it is called.

    A state is a list with an entry a layer; an entry is [h] for a GRU, [h, c] for an LSTM, each
    [N, U].  Cho et al. 2014 (GRU, in the form with the reset gate after the matrix product),
    Hochreiter and Schmidhuber 1997 (LSTM).

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
        layer = {"gru": layers.GRU, "lstm": layers.LSTM}[cell_type]
        self.recurrent_layers = [
            layer(
                units,
                return_sequences=True,
                return_state=True,
                recurrent_dropout=recurrent_dropout,
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

    def step(self, inputs, state):
        """One time step: inputs [N, F], state -> output [N, U], state."""
        new_state = []
        for layer, layer_state in zip(self.recurrent_layers, state, strict=True):
            inputs, layer_state = layer.cell(inputs, layer_state, training=False)
            new_state.append(list(layer_state))
        return inputs, new_state

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

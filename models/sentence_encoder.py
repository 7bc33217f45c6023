"""The previous sentence read by convolution instead of recurrence.

Legend of shapes: N sentences, T words of a row, E embedding size, U units.
"""

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable("stories")
class ConvolutionalSentenceEncoder(layers.Layer):
    """Trigrams of words -> 64 features, the larger of each two neighbours, and a dense layer.

    It stands in for a `RecurrentStack` of one layer: for each part of a decoder's state (h; an
    LSTM's c) it has a dense layer.  The row's padding gives zeros whatever its words' vectors are.

    Args:
        states: parts of the state of a decoder's layer, `RecurrentStack.states_per_layer`.
        units: U, of each part.
    """

    FILTERS, WIDTH = 64, 3

    def __init__(self, states, units, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.states = states
        self.units = units
        dtype = self.dtype_policy
        self.trigrams = layers.Conv1D(
            self.FILTERS, self.WIDTH, activation="tanh", dtype=dtype, name="trigrams"
        )
        self.pool = layers.MaxPooling1D(2, dtype=dtype, name="pool")
        self.flatten = layers.Flatten(dtype=dtype, name="flatten")
        self.parts = [
            layers.Dense(units, dtype=dtype, name=f"state_{part}") for part in range(states)
        ]

    def build(self, sequences_shape, **_):
        self.trigrams.build(sequences_shape)
        trigrams = sequences_shape[1] - self.WIDTH + 1
        for part in self.parts:
            part.build((None, trigrams // 2 * self.FILTERS))

    def call(self, sequences, mask):
        """[N, T, E], mask [N, T] -> what the pooling gives, state [[h]] or [[h, c]], [N, U]s."""
        is_word = ops.cast(mask, sequences.dtype)[:, :, None]
        trigrams = self.trigrams(sequences * is_word)
        pooled = self.pool(trigrams * is_word[:, : trigrams.shape[1]])
        return pooled, [[part(self.flatten(pooled)) for part in self.parts]]

    def get_config(self):
        return {**super().get_config(), "states": self.states, "units": self.units}

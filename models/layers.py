"""The layers that the models share.

Legend of shapes: B stories, I images of a story, K images of a window, T words of a row,
F feature size, U units, V vocabulary, N = B * I sentences.
"""

import keras
from keras import layers, ops

# As the stories files have them.
NULL, START, END = 0, 1, 2
ROW_LENGTH = 22


@keras.saving.register_keras_serializable("stories")
class FeatureStandardisation(layers.Layer):
    """Features -> (features - mean) * scale, per dimension, with fixed weights.

    [B, I, F] -> [B, I, F].  Without it the features of seeded weights, of which each photo's are
    much alike, teach the recurrent layers nothing.  `set_statistics` gives it its weights.
    """

    # Scaled to this spread: features of spread 1 saturate a GRU with 4,096 inputs.
    SPREAD = 0.2
    # A dimension that hardly ever fires must not explode: its spread counts as at least this
    # share of the mean spread.
    SMALLEST_SPREAD = 0.01

    def build(self, input_shape):
        size = (input_shape[-1],)
        self.mean = self.add_weight(name="mean", shape=size, initializer="zeros", trainable=False)
        self.scale = self.add_weight(name="scale", shape=size, initializer="ones", trainable=False)

    def set_statistics(self, mean, standard_deviation):
        """Take the mean [F] and standard deviation [F] of the training photos' features."""
        floor = max(self.SMALLEST_SPREAD * float(standard_deviation.mean()), 1e-12)
        self.mean.assign(mean)
        self.scale.assign(self.SPREAD / standard_deviation.clip(floor))

    def call(self, features):
        return (features - self.mean) * self.scale


@keras.saving.register_keras_serializable("stories")
class ImageGrouping(layers.Layer):
    """For each image of a story the window of that image and the few before it.

    [B, I, F] -> windows [B, I, K, F] and a mask [B, I, K], True where a photo stands.  Window j
    holds the images max(0, j - K + 1) .. j in order (with `reverse`, from j backwards), moved to
    the left; the rest is zero.  Paper section 3.2.

    Raises:
        ValueError: `image_group_size` is less than 1.
    """

    def __init__(self, image_group_size, reverse=False, **kwargs):
        super().__init__(**kwargs)
        if image_group_size < 1:
            raise ValueError(f"image_group_size is {image_group_size}; a window holds at least 1.")
        self.image_group_size = image_group_size
        self.reverse = reverse

    def call(self, features):
        current = ops.arange(ops.shape(features)[1])[:, None]
        step = ops.arange(self.image_group_size)[None, :]
        first = ops.maximum(current - self.image_group_size + 1, 0)
        position = current - step if self.reverse else first + step
        is_photo = ops.logical_and(first <= position, position <= current)
        windows = ops.take(features, ops.where(is_photo, position, 0), axis=1)
        windows = windows * ops.cast(is_photo, features.dtype)[None, :, :, None]
        return windows, ops.broadcast_to(is_photo[None], ops.shape(windows)[:3])

    def compute_output_spec(self, features):
        shape = (*features.shape[:2], self.image_group_size)
        return (
            keras.KerasTensor((*shape, features.shape[2]), features.dtype),
            keras.KerasTensor(shape, "bool"),
        )

    def get_config(self):
        return {
            **super().get_config(),
            "image_group_size": self.image_group_size,
            "reverse": self.reverse,
        }


@keras.saving.register_keras_serializable("stories")
class PreviousSentences(layers.Layer):
    """Rows of a story's sentences -> the row before each; before the first <START> and nothing.

    int32 [B, I, T] -> [B, I, T].
    """

    def call(self, sentences):
        first = ops.zeros_like(sentences[:, :1])
        first = ops.concatenate([ops.full_like(first[..., :1], START), first[..., 1:]], axis=-1)
        return ops.concatenate([first, sentences[:, :-1]], axis=1)

    def compute_output_shape(self, input_shape):
        return input_shape


@keras.saving.register_keras_serializable("stories")
class DecoderInputs(layers.Layer):
    """Rows <START> words <END> -> what the decoder is fed: <START> words, <END> made <NULL>.

    int32 [B, I, T] -> [B, I, T - 1].
    """

    def call(self, sentences):
        return ops.where(sentences == END, NULL, sentences)[..., :-1]

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], input_shape[-1] - 1)


@keras.saving.register_keras_serializable("stories")
class StoriesToSentences(layers.Layer):
    """[B, I, ...] -> [N, ...]: from here on each sentence is a sample of its own."""

    def call(self, stories):
        return ops.reshape(stories, (-1, *ops.shape(stories)[2:]))

    def compute_output_shape(self, input_shape):
        return (None, *input_shape[2:])


@keras.saving.register_keras_serializable("stories")
class SentencesToStories(layers.Layer):
    """[N, ...] and anything of shape [B, I, ...] -> [B, I, ...]: the way back."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        # Keras's own masks end here: the loss takes its weights from the sentences.
        self.supports_masking = True

    def compute_mask(self, *_):
        return None

    def call(self, sentences, stories):
        return ops.reshape(sentences, (*ops.shape(stories)[:2], *ops.shape(sentences)[1:]))

    def compute_output_shape(self, sentences_shape, stories_shape):
        return (*stories_shape[:2], *sentences_shape[1:])


@keras.saving.register_keras_serializable("stories")
class RecurrentStack(layers.Layer):
    """Recurrent layers on top of each other; encoder or decoder, as it is called.

    A state is a list with an entry a layer; an entry is [h] for a GRU, [h, c] for an LSTM, each
    [N, U].

    Raises:
        ValueError: the cell type is unknown or there are no layers.
    """

    def __init__(self, cell_type, units, num_layers, recurrent_dropout=0.0, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        if cell_type not in ("gru", "lstm"):
            raise ValueError(f"cell_type is {cell_type!r}; it must be 'gru' or 'lstm'.")
        if num_layers < 1:
            raise ValueError(f"num_layers is {num_layers}; a stack has at least 1.")
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

    def full_state(self, first_layer_state):
        """The first layer's state -> the stack's, where all other layers start at zero."""
        zero = [ops.zeros_like(part) for part in first_layer_state]
        return [first_layer_state] + [zero] * (self.num_layers - 1)

    def get_config(self):
        return {
            **super().get_config(),
            "cell_type": self.cell_type,
            "units": self.units,
            "num_layers": self.num_layers,
            "recurrent_dropout": self.recurrent_dropout,
        }

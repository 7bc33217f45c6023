"""A decoder that looks, word by word, at what an encoder said.

Legend of shapes: N sentences, T words, S positions of the memory (what is attended to), F features,
U units of the decoder, M of the memory.

    Luong, Pham, Manning 2015, Effective Approaches to Attention-based Neural Machine Translation
    Bahdanau, Cho, Bengio 2015, Neural Machine Translation by Jointly Learning to Align and
    Translate
"""

import keras
import tensorflow as tf
from keras import layers, ops

from data_reader.errors import InputError
from models.packed import (
    Memory,
    matmul,
    pack,
    packed_luong_gru,
    packed_luong_lstm,
    packing_plan,
    unpack,
)
from models.recurrent import (
    PackedLayer,
    RecurrentStack,
    check_recurrent,
    has_gpu,
    recurrent_initializer,
)


@keras.saving.register_keras_serializable("stories")
class DotScore(PackedLayer):
    """score(h, s) = h . s, so that M = U.  Luong et al., equation 8.

    Raises:
        ValueError: M is not U.
    """

    def build(self, query_shape, memory_shape):
        if query_shape[-1] != memory_shape[-1]:
            raise InputError(
                f"The dot score needs a decoder and a memory of one size, the decoder has "
                f"{query_shape[-1]} units, the memory {memory_shape[-1]}; take 'general'."
            )

    def keys(self, memory):
        """What `call` wants to know of the memory; computed once a sentence."""
        return memory

    def call(self, query, keys):
        """query [N, U], keys [N, S, U] -> scores [N, S]."""
        return ops.einsum("nu,nsu->ns", query, keys)


@keras.saving.register_keras_serializable("stories")
class GeneralScore(PackedLayer):
    """score(h, s) = h W_a s with W_a [U, M].  Luong et al., equation 8."""

    def build(self, query_shape, memory_shape):
        self.kernel = self.add_weight(name="kernel", shape=(query_shape[-1], memory_shape[-1]))

    def keys(self, memory):
        """W_a s, [N, S, U]."""
        return ops.einsum("nsm,um->nsu", memory, self.kernel)

    def call(self, query, keys):
        """query [N, U], keys [N, S, U] -> scores [N, S]."""
        return ops.einsum("nu,nsu->ns", query, keys)


@keras.saving.register_keras_serializable("stories")
class AdditiveScore(PackedLayer):
    """score(h, s) = v . tanh(W_h h + W_s s) with W_h [U, U], W_s [M, U], v [U].

    Bahdanau et al., section 3.1; W_h and W_s side by side are the W_a of Luong's `concat`,
    v . tanh(W_a [h; s]), equation 8.
    """

    def build(self, query_shape, memory_shape):
        units = query_shape[-1]
        self.query_kernel = self.add_weight(name="query_kernel", shape=(units, units))
        self.memory_kernel = self.add_weight(name="memory_kernel", shape=(memory_shape[-1], units))
        self.v = self.add_weight(name="v", shape=(units,), initializer="random_uniform")

    def keys(self, memory):
        """W_s s, [N, S, U]."""
        return ops.matmul(memory, self.memory_kernel)

    def call(self, query, keys):
        """query [N, U], keys [N, S, U] -> scores [N, S]."""
        both = ops.tanh(ops.matmul(query, self.query_kernel)[:, None] + keys)
        return ops.einsum("nsu,u->ns", both, self.v)


class _AttentionCell(PackedLayer):
    """What both attention cells share: a recurrent cell, a score, and the weighted memory."""

    can_be_packed = False

    def __init__(self, score, cell_type, units, recurrent_dropout=0.0, **kwargs):
        super().__init__(**kwargs)
        cell = {"gru": layers.GRUCell, "lstm": layers.LSTMCell}[cell_type]
        self.cell = cell(
            units,
            recurrent_dropout=recurrent_dropout,
            recurrent_initializer=recurrent_initializer(),
            dtype=self.dtype_policy,
            name=cell_type,
        )
        self.score = score
        self.units = units

    def look_at(self, memory, is_real):
        """memory [N, S, M] and which of it is no padding, [N, S] -> what `step` wants of it."""
        return [memory, self.score.keys(memory), is_real]

    def _attend(self, query, looked_at):
        """-> the context c [N, M], which is the memory weighted, and the weights [N, S]."""
        memory, keys, is_real = looked_at
        scores = ops.where(is_real, self.score(query, keys), -1e9)
        weights = ops.softmax(scores, axis=-1)
        return ops.einsum("ns,nsm->nm", weights, memory), weights


@keras.saving.register_keras_serializable("stories")
class LuongCell(_AttentionCell):
    """The recurrent layer's new h asks the memory, and the answer takes h's place.

        h_t  = RNN(x_t, h~_{t-1})
        a_t  = softmax over s of score(h_t, s)
        c_t  = sum over s of a_t(s) s
        h~_t = tanh(W_c [h_t; c_t] + b)

    h~_t is the output and the recurrent state (an LSTM keeps its own c).  Luong et al. feed h~ to
    the next step's input; that it replaces the state is the stories system's own choice.
    """

    @property
    def can_be_packed(self):
        return isinstance(self.score, DotScore | GeneralScore)

    def build(self, inputs_shape, memory_shape):
        query_shape = (inputs_shape[0], self.units)
        self.cell.build(inputs_shape)
        self.score.build(query_shape, memory_shape)
        self.attentional_state = layers.Dense(
            self.units, activation="tanh", dtype=self.dtype_policy, name="attentional_state"
        )
        self.attentional_state.build((None, self.units + memory_shape[-1]))

    def step(self, inputs, state, looked_at, training=False):
        """inputs [N, F], state -> output [N, U], state, weights [N, S]."""
        hidden, [_, *rest] = self.cell(inputs, state, training=training)
        context, weights = self._attend(hidden, looked_at)
        attentional = self.attentional_state(ops.concatenate([hidden, context], axis=-1))
        return attentional, [attentional, *rest], weights

    def read_packed(self, rows, initial_state, looked_at, plan):
        """All steps of packed sequences, where the score is h . key: [R, F] -> [R, U]."""
        cell, dtype = self.cell, self.matmul_dtype
        combine = self.attentional_state
        memory, keys, is_real = looked_at
        attended = Memory(keys, memory, is_real, combine.kernel, combine.bias)
        rows = matmul(rows, cell.kernel, dtype)
        if isinstance(cell, layers.LSTMCell):
            outputs, _ = packed_luong_lstm(
                rows + cell.bias, initial_state, cell.recurrent_kernel, attended, plan, dtype
            )
        else:
            input_bias, recurrent_bias = tf.unstack(cell.bias)
            outputs, _ = packed_luong_gru(
                rows + input_bias,
                initial_state,
                cell.recurrent_kernel,
                recurrent_bias,
                attended,
                plan,
                dtype,
            )
        return outputs


@keras.saving.register_keras_serializable("stories")
class BahdanauCell(_AttentionCell):
    """The recurrent layer's last h asks the memory, and the answer joins the input.

    a_t = softmax over s of v . tanh(W_h h_{t-1} + W_s s)
    c_t = sum over s of a_t(s) s
    h_t = RNN([x_t; c_t], h_{t-1})
    """

    def build(self, inputs_shape, memory_shape):
        self.cell.build((*inputs_shape[:-1], inputs_shape[-1] + memory_shape[-1]))
        self.score.build((inputs_shape[0], self.units), memory_shape)

    def step(self, inputs, state, looked_at, training=False):
        """inputs [N, F], state -> output [N, U], state, weights [N, S]."""
        context, weights = self._attend(state[0], looked_at)
        joined = ops.concatenate([inputs, context], axis=-1)
        output, state = self.cell(joined, state, training=training)
        return output, list(state), weights


ATTENTIONS = {
    "dot": (LuongCell, DotScore),
    "general": (LuongCell, GeneralScore),
    "concat": (LuongCell, AdditiveScore),
    "bahdanau": (BahdanauCell, AdditiveScore),
}


@keras.saving.register_keras_serializable("stories")
class AttentionDecoder(PackedLayer):
    """Recurrent layers on top of each other, the last of which attends to a memory.

    A state is `[layers, looked_at]`: an entry a layer as `RecurrentStack` has them, and what the
    attending cell wants of the memory, which stays as it is through a sentence.

    Args:
        attention: "dot", "general" or "concat" (`LuongCell`), or "bahdanau" (`BahdanauCell`).
        cell_type: "gru" or "lstm".
        units: U.
        num_layers: the attending one included.
        recurrent_dropout: of all layers.

    Raises:
        ValueError: there is no such attention or cell type, or there are no layers.
    """

    def __init__(self, attention, cell_type, units, num_layers, recurrent_dropout=0.0, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        if attention not in ATTENTIONS:
            raise InputError(f"attention is {attention!r}; there is: {', '.join(ATTENTIONS)}.")
        check_recurrent(cell_type, num_layers)
        self.attention = attention
        self.cell_type = cell_type
        self.units = units
        self.num_layers = num_layers
        self.recurrent_dropout = recurrent_dropout
        self.lower_layers = None
        if num_layers > 1:
            self.lower_layers = RecurrentStack(
                cell_type, units, num_layers - 1, recurrent_dropout, name="lower_layers"
            )
        cell, score = ATTENTIONS[attention]
        self.attention_cell = cell(
            score(name=f"{attention}_score"), cell_type, units, recurrent_dropout, name="attention"
        )

    def build(self, sequences_shape, memory_shape, **_):
        if self.lower_layers:
            self.lower_layers.build(sequences_shape)
            sequences_shape = (*sequences_shape[:-1], self.units)
        self.attention_cell.build((sequences_shape[0], sequences_shape[-1]), memory_shape)

    def call(self, sequences, memory, is_memory, initial_state, mask=None, training=None):
        """Read a whole sentence -> outputs [N, T, U].

        Args:
            sequences: float32 [N, T, F].
            memory: float32 [N, S, M].
            is_memory: bool [N, S], False at the memory's padding.
            initial_state: of the first layer; the others start at zero.
            mask: bool [N, T], False at the sequences' padding; what comes out there has no meaning.
        """
        sequences, state, looked_at = self._below(
            sequences, memory, is_memory, initial_state, mask, training
        )
        dropped = training and self.recurrent_dropout
        if mask is None or dropped or has_gpu() or not self.attention_cell.can_be_packed:
            return self._step_by_step(sequences, state, looked_at, training)[0]
        plan = packing_plan(mask)
        rows = pack(sequences, plan)
        return unpack(self.attention_cell.read_packed(rows, state, looked_at, plan), plan)

    def attend(self, sequences, memory, is_memory, initial_state, mask=None):
        """As `call` -> outputs [N, T, U] and the attention's weights [N, T, S]."""
        below = self._below(sequences, memory, is_memory, initial_state, mask, training=False)
        return self._step_by_step(*below, training=False)

    def _below(self, sequences, memory, is_memory, initial_state, mask, training):
        """-> the attending layer's inputs [N, T, ...], its first state, what it looks at."""
        [*_, state], looked_at = self.start(initial_state, memory, is_memory)
        if self.lower_layers:
            sequences, _ = self.lower_layers(
                sequences, mask=mask, initial_state=initial_state, training=training
            )
        return sequences, state, looked_at

    def _step_by_step(self, sequences, state, looked_at, training):
        self.attention_cell.cell.reset_recurrent_dropout_mask()
        outputs, weights = [], []
        # A sentence's padding stands at its end: no state after it is wanted.
        for position in range(sequences.shape[1]):
            output, state, looked = self.attention_cell.step(
                sequences[:, position], state, looked_at, training=training
            )
            outputs.append(output)
            weights.append(looked)
        self.attention_cell.cell.reset_recurrent_dropout_mask()
        return ops.stack(outputs, axis=1), ops.stack(weights, axis=1)

    def compute_output_spec(self, sequences, *_, **__):
        rows, steps, _ = sequences.shape
        return keras.KerasTensor((rows, steps, self.units), self.compute_dtype)

    def start(self, initial_state, memory, is_memory):
        """The state before the first word; arguments as those of `call`."""
        zero = [ops.zeros_like(part) for part in initial_state]
        states = [initial_state] + [zero] * (self.num_layers - 1)
        return [states, self.attention_cell.look_at(memory, is_memory)]

    def make_decode_step(self):
        """As `RecurrentStack.make_decode_step`; the attending cell steps in the precision of its weights."""
        lower_step = self.lower_layers.make_decode_step() if self.lower_layers else None

        def step(inputs, state):
            [*lower, attending], looked_at = state
            if lower_step:
                inputs, lower = lower_step(inputs, lower)
            output, attending, _ = self.attention_cell.step(inputs, attending, looked_at)
            return output, [[*lower, attending], looked_at]

        return step

    def get_config(self):
        return {
            **super().get_config(),
            "attention": self.attention,
            "cell_type": self.cell_type,
            "units": self.units,
            "num_layers": self.num_layers,
            "recurrent_dropout": self.recurrent_dropout,
        }

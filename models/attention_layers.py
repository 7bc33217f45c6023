"""A decoder that attends, word by word, to the outputs of an encoder.

Legend of shapes: N sentences, T words, S positions of the memory (what is attended to), F features,
U units of the decoder, M of the memory.

    Luong, Pham, Manning 2015, Effective Approaches to Attention-based Neural Machine Translation
    Bahdanau, Cho, Bengio 2015, Neural Machine Translation by Jointly Learning to Align and
    Translate
"""

import keras
from keras import layers, ops

from data_reader.errors import InputError, check_whole_number
from models.keras_internals import reset_dropout_masks
from models.packed import Memory, pack, packing_plan, run_packed, unpack
from models.recurrent import RecurrentStack, states_of_layers
from models.recurrent_cells import PackedLayer, cell_name, make_cell, runs_packed


@keras.saving.register_keras_serializable("stories")
class DotScore(PackedLayer):
    """score(h, s) = h . s, so that M = U.  Luong et al., equation 8.

    Raises:
        InputError: M is not U.
    """

    is_product = True

    def build(self, query_shape, memory_shape):
        if query_shape[-1] != memory_shape[-1]:
            raise InputError(
                f"The dot score needs a decoder and a memory of one size, the decoder has "
                f"{query_shape[-1]} units, the memory {memory_shape[-1]}; take 'general'."
            )

    def keys(self, memory):
        """The memory as `call` takes it; computed once per sentence."""
        return memory

    def call(self, query, keys):
        """query [N, U], keys [N, S, U] -> scores [N, S]."""
        return ops.einsum("nu,nsu->ns", query, keys)


@keras.saving.register_keras_serializable("stories")
class GeneralScore(PackedLayer):
    """score(h, s) = h W_a s with W_a [U, M].  Luong et al., equation 8."""

    is_product = True

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

    is_product = False

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
    """A recurrent cell, a score, and the memory weighted by it: what both attention cells share."""

    def __init__(self, score, cell_type, units, recurrent_dropout, recurrent_initializer, **kwargs):
        super().__init__(**kwargs)
        self.cell = make_cell(
            cell_type, units, recurrent_dropout, recurrent_initializer, dtype=self.dtype_policy
        )
        self.score = score
        self.units = units

    def prepare(self, memory, memory_mask):
        """memory [N, S, M], mask [N, S] -> the attended parts that `step` takes."""
        return [memory, self.score.keys(memory), memory_mask]

    def _attend(self, query, attended):
        """-> the context c [N, M], the memory's weighted sum, and the weights [N, S]."""
        memory, keys, mask = attended
        scores = ops.cast(self.score(query, keys), "float32")  # -1e9 is none of float16's numbers
        weights = ops.softmax(ops.where(mask, scores, -1e9), axis=-1)
        return ops.einsum("ns,nsm->nm", ops.cast(weights, memory.dtype), memory), weights

    def _step_cell(self, inputs, state):
        output, state = self.cell(inputs, state)
        return output, keras.tree.flatten(state)


@keras.saving.register_keras_serializable("stories")
class LuongCell(_AttentionCell):
    """The recurrent layer's new h queries the memory, and the answer replaces h.

        h_t  = RNN(x_t, h~_{t-1})
        a_t  = softmax over s of score(h_t, s)
        c_t  = sum over s of a_t(s) s
        h~_t = tanh(W_c [h_t; c_t] + b)

    h~_t is the output and the recurrent state (an LSTM keeps its own c).  Luong et al. feed h~ to
    the next step's input; that it replaces the state is the stories system's own choice.
    """

    def build(self, inputs_shape, memory_shape):
        query_shape = (inputs_shape[0], self.units)
        self.cell.build(inputs_shape)
        self.score.build(query_shape, memory_shape)
        self.attentional_state = layers.Dense(
            self.units, activation="tanh", dtype=self.dtype_policy, name="attentional_state"
        )
        self.attentional_state.build((None, self.units + memory_shape[-1]))

    def step(self, inputs, state, attended):
        """inputs [N, F], state -> output [N, U], state, weights [N, S]."""
        hidden, [_, *rest] = self._step_cell(inputs, state)
        context, weights = self._attend(hidden, attended)
        attentional = self.attentional_state(ops.concatenate([hidden, context], axis=-1))
        return attentional, [attentional, *rest], weights

    def read_packed(self, rows, initial_state, attended, plan):
        """All steps of packed sequences, with a score that is a product: [R, F] -> [R, U]."""
        memory, keys, mask = attended
        combine = self.attentional_state
        attended = Memory(keys, memory, mask, combine.kernel, combine.bias)
        return run_packed(self.cell, rows, initial_state, plan, self.matmul_dtype, attended)[0]


@keras.saving.register_keras_serializable("stories")
class BahdanauCell(_AttentionCell):
    """The recurrent layer's last h queries the memory, and the answer joins the input.

    a_t = softmax over s of v . tanh(W_h h_{t-1} + W_s s)
    c_t = sum over s of a_t(s) s
    h_t = RNN([x_t; c_t], h_{t-1})
    """

    def build(self, inputs_shape, memory_shape):
        self.cell.build((*inputs_shape[:-1], inputs_shape[-1] + memory_shape[-1]))
        self.score.build((inputs_shape[0], self.units), memory_shape)

    def step(self, inputs, state, attended):
        """inputs [N, F], state -> output [N, U], state, weights [N, S]."""
        context, weights = self._attend(state[0], attended)
        output, state = self._step_cell(ops.concatenate([inputs, context], axis=-1), state)
        return output, state, weights


ATTENTIONS = {
    "dot": (LuongCell, DotScore),
    "general": (LuongCell, GeneralScore),
    "concat": (LuongCell, AdditiveScore),
    "bahdanau": (BahdanauCell, AdditiveScore),
}


@keras.saving.register_keras_serializable("stories")
class AttentionDecoder(PackedLayer):
    """Recurrent layers on top of each other, the last of which attends to a memory.

    A state is `[layers, attended]`: one entry per layer as `RecurrentStack` has them, and the
    prepared memory, which stays as it is through a sentence.

    Args:
        attention: "dot", "general" or "concat" (`LuongCell`), or "bahdanau" (`BahdanauCell`).
        units: U.
        num_layers: the attending one included.
        cell_type, recurrent_dropout, recurrent_initializer: as those of `RecurrentStack`.

    Raises:
        InputError: there is no such attention or cell type, or there are no layers.
    """

    def __init__(
        self,
        attention,
        units,
        num_layers,
        cell_type="gru",
        recurrent_dropout=0.0,
        recurrent_initializer="orthogonal",
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.supports_masking = True
        if attention not in list(ATTENTIONS):
            raise InputError(f"attention is {attention!r}; there is: {', '.join(ATTENTIONS)}.")
        check_whole_number("num_layers", num_layers)
        self.attention = attention
        self.cell_type = cell_type
        self.units = units
        self.num_layers = num_layers
        self.recurrent = {
            "recurrent_dropout": recurrent_dropout,
            "recurrent_initializer": recurrent_initializer,
        }
        options = {**self.recurrent, "dtype": self.policy}
        self.lower_layers = None
        if num_layers > 1:
            self.lower_layers = RecurrentStack(
                cell_type, units, num_layers - 1, name="lower_layers", **options
            )
        cell, score = ATTENTIONS[attention]
        score = score(dtype=self.policy, name=f"{attention}_score")
        self.attention_cell = cell(score, cell_type, units, name="attention", **options)

    def build(self, sequences_shape, memory_shape, **_):
        if self.lower_layers:
            self.lower_layers.build(sequences_shape)
            sequences_shape = (*sequences_shape[:-1], self.units)
        self.attention_cell.build((sequences_shape[0], sequences_shape[-1]), memory_shape)

    def call(self, sequences, memory, memory_mask, initial_state, mask=None, training=None):
        """Read whole sentences -> outputs [N, T, U].

        Args:
            sequences: float32 [N, T, F].
            memory: float32 [N, S, M].
            memory_mask: bool [N, S], False at the memory's padding.
            initial_state: of the first layer; the others start at zero.
            mask: bool [N, T], False at the sequences' padding, where outputs have no meaning.
        """
        sequences, state, attended = self._below(
            sequences, memory, memory_mask, initial_state, mask, training
        )
        cell = self.attention_cell
        if not runs_packed(cell.cell, mask, training, cell.score):
            return self._step_by_step(sequences, state, attended)[0]
        plan = packing_plan(mask)
        return unpack(cell.read_packed(pack(sequences, plan), state, attended, plan), plan)

    def attend(self, sequences, memory, memory_mask, initial_state, mask=None):
        """As `call` -> outputs [N, T, U] and the attention weights [N, T, S]."""
        below = self._below(sequences, memory, memory_mask, initial_state, mask, training=False)
        return self._step_by_step(*below)

    def _below(self, sequences, memory, memory_mask, initial_state, mask, training):
        """-> the attending layer's inputs [N, T, ...], its first state, the attended parts."""
        [*_, state], attended = self.start(initial_state, memory, memory_mask)
        if self.lower_layers:
            sequences, _ = self.lower_layers(
                sequences, mask=mask, initial_state=initial_state, training=training
            )
        return sequences, state, attended

    def _step_by_step(self, sequences, state, attended):
        reset_dropout_masks(self.attention_cell.cell)
        outputs, all_weights = [], []
        # A sentence's padding stands at its end: no state after it is wanted.
        for position in range(sequences.shape[1]):
            output, state, weights = self.attention_cell.step(
                sequences[:, position], state, attended
            )
            outputs.append(output)
            all_weights.append(weights)
        reset_dropout_masks(self.attention_cell.cell)
        return ops.stack(outputs, axis=1), ops.stack(all_weights, axis=1)

    def compute_output_spec(self, sequences, *_, **__):
        rows, steps, _ = sequences.shape
        return keras.KerasTensor((rows, steps, self.units), self.compute_dtype)

    def start(self, initial_state, memory, memory_mask):
        """The state before the first word; arguments as those of `call`."""
        states = states_of_layers(initial_state, self.num_layers)
        return [states, self.attention_cell.prepare(memory, memory_mask)]

    def make_step(self):
        """As `RecurrentStack.make_step`; the attending cell computes in its weights' precision."""
        lower_step = self.lower_layers.make_step() if self.lower_layers else None

        def step(inputs, state):
            [*lower, attending], attended = state
            if lower_step:
                inputs, lower = lower_step(inputs, lower)
            output, attending, _ = self.attention_cell.step(inputs, attending, attended)
            attending = [ops.cast(part, "float32") for part in attending]
            return output, [[*lower, attending], attended]

        return step

    def get_config(self):
        return {
            **super().get_config(),
            **self.recurrent,
            "attention": self.attention,
            "cell_type": cell_name(self.cell_type),
            "units": self.units,
            "num_layers": self.num_layers,
        }

"""Recurrent cells that attend to the outputs of an encoder at each step.

Legend of shapes: N sentences, S positions of the memory (what is attended to), F features, U units
of the decoder, M of the memory, R packed rows.  Papers as in `models.attention_scores`.
"""

import keras
from keras import layers, ops

from models.packed import Memory, run_input_feeding, run_packed
from models.recurrent_cells import PackedLayer, make_cell


class _AttentionCell(PackedLayer):
    """A recurrent cell, a score, and the memory weighted by it: what all attention cells share."""

    def __init__(self, score, cell_type, units, recurrent_dropout, recurrent_initializer, **kwargs):
        super().__init__(**kwargs)
        self.cell = make_cell(
            cell_type, units, recurrent_dropout, recurrent_initializer, dtype=self.dtype_policy
        )
        self.score = score
        self.units = units

    @property
    def cells(self):
        """All recurrent cells, the lowest first."""
        return [self.cell]

    def start(self, states):
        """The state before the first word, of those of the cells' layers."""
        [state] = states
        return state

    def prepare(self, memory, memory_mask):
        """memory [N, S, M], mask [N, S] -> the attended parts that `step` takes."""
        return [memory, self.score.keys(memory), memory_mask]

    def _attend(self, query, attended):
        """-> the context c [N, M], the memory's weighted sum, and the weights [N, S]."""
        memory, keys, mask = attended
        scores = ops.cast(self.score(query, keys), "float32")  # -1e9 is none of float16's numbers
        weights = ops.softmax(ops.where(mask, scores, -1e9), axis=-1)
        return ops.einsum("ns,nsm->nm", ops.cast(weights, memory.dtype), memory), weights


def _step_cell(cell, inputs, state):
    output, state = cell(inputs, state)
    return output, keras.tree.flatten(state)


@keras.saving.register_keras_serializable("stories")
class LuongCell(_AttentionCell):
    """The recurrent layer's new h queries the memory, and the answer replaces h.

        h_t  = RNN(x_t, h~_{t-1})
        a_t  = softmax over s of score(h_t, s)
        c_t  = sum over s of a_t(s) s
        h~_t = tanh(W_c [h_t; c_t] + b)

    h~_t is the output and the recurrent state (an LSTM keeps its own c).  That it replaces the
    state is the stories system's own choice; `InputFeedingCell` is as published.
    """

    def build(self, inputs_shape, memory_shape):
        self.cell.build(inputs_shape)
        self._build_attention(memory_shape)

    def _build_attention(self, memory_shape):
        self.score.build((None, self.units), memory_shape)
        self.attentional_state = layers.Dense(
            self.units, activation="tanh", dtype=self.dtype_policy, name="attentional_state"
        )
        self.attentional_state.build((None, self.units + memory_shape[-1]))

    def step(self, inputs, state, attended):
        """inputs [N, F], state -> output [N, U], state, weights [N, S]."""
        hidden, [_, *rest] = _step_cell(self.cell, inputs, state)
        attentional, weights = self._attentional_state(hidden, attended)
        return attentional, [attentional, *rest], weights

    def _attentional_state(self, hidden, attended):
        """h [N, U] -> h~ [N, U], weights [N, S]."""
        context, weights = self._attend(hidden, attended)
        return self.attentional_state(ops.concatenate([hidden, context], axis=-1)), weights

    def read_packed(self, rows, state, attended, plan):
        """All steps of packed sequences, with a score that is a product: [R, F] -> [R, U]."""
        memory = self._packed_memory(attended)
        return run_packed(self.cell, rows, state, plan, self.matmul_dtype, memory)[0]

    def _packed_memory(self, attended):
        memory, keys, mask = attended
        combine = self.attentional_state
        return Memory(keys, memory, mask, combine.kernel, combine.bias)


@keras.saving.register_keras_serializable("stories")
class InputFeedingCell(LuongCell):
    """Recurrent layers on top of each other, whose last h queries the memory.

        h_t  = RNN([x_t; h~_{t-1}], h_{t-1}), with several layers that of the last
        a_t  = softmax over s of score(h_t, s)
        c_t  = sum over s of a_t(s) s
        h~_t = tanh(W_c [h_t; c_t] + b)

    h~_t is the output and joins the first layer's input at the next step; before the first word it
    is zero.  Each layer keeps its own state.  Luong et al., section 3.3, "input feeding".
    A state is [h~, states of the layers].

    Args:
        num_layers: at least 1; the other arguments are those of `LuongCell`.
    """

    def __init__(
        self,
        num_layers,
        score,
        cell_type,
        units,
        recurrent_dropout,
        recurrent_initializer,
        **kwargs,
    ):
        recurrent = recurrent_dropout, recurrent_initializer
        super().__init__(score, cell_type, units, *recurrent, **kwargs)
        self.lower_cells = [
            make_cell(cell_type, units, *recurrent, dtype=self.dtype_policy)
            for _ in range(num_layers - 1)
        ]

    @property
    def cells(self):
        return [*self.lower_cells, self.cell]

    def build(self, inputs_shape, memory_shape):
        size = inputs_shape[-1] + self.units
        for cell in self.cells:
            cell.build((inputs_shape[0], size))
            size = self.units
        self._build_attention(memory_shape)

    def start(self, states):
        return [ops.zeros_like(states[0][0]), states]

    def step(self, inputs, state, attended):
        """inputs [N, F], state -> output [N, U], state, weights [N, S]."""
        attentional, states = state
        hidden, new_states = ops.concatenate([inputs, attentional], axis=-1), []
        for cell, before in zip(self.cells, states, strict=True):
            hidden, after = _step_cell(cell, hidden, before)
            new_states.append(after)
        attentional, weights = self._attentional_state(hidden, attended)
        return attentional, [attentional, new_states], weights

    def read_packed(self, rows, state, attended, plan):
        _, [first, *_] = state
        memory = self._packed_memory(attended)
        return run_input_feeding(self.cells, rows, first, plan, self.matmul_dtype, memory)


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
        output, state = _step_cell(self.cell, ops.concatenate([inputs, context], axis=-1), state)
        return output, state, weights

"""`keras.layers.GRU`, `keras.layers.LSTM` and Luong's attention for a CPU, on real positions only.

Sequences of different lengths are packed: ordered by length, the longest first, and laid out step
by step without their padding, so that the sequences which are still running at a step are its
first rows.  The input projections and the gradients of the weights are then one matmul each; what
remains step by step is the recurrent matmul of the running sequences.

Weights and results are those of the Keras layers (of the GRU with `reset_after`).

Legend of shapes: N sequences, T steps, R packed rows, F features, U units, S positions and
M features of an attended memory, G = 3U for a GRU and 4U for an LSTM; n sequences are running at
a step.
"""

from typing import NamedTuple

import tensorflow as tf


class PackingPlan(NamedTuple):
    """Where the real positions of right-padded sequences stand when they are packed.

    Attributes:
        order: [N], the sequences, the longest first.
        running: [longest length], the sequences that each step still has.
        offsets: [longest length], the first packed row of each step.
        positions: [R, 2], sequence and step of each packed row.
        previous: [R - N], the row one step before each row after the first step.
        last: [N], the packed row of each sequence's last position.
        steps: T, the steps with padding.
    """

    order: tf.Tensor
    running: tf.Tensor
    offsets: tf.Tensor
    positions: tf.Tensor
    previous: tf.Tensor
    last: tf.Tensor
    steps: tf.Tensor

    def rows(self, step):
        """The packed rows of a step."""
        return slice(self.offsets[step], self.offsets[step] + self.running[step])


def packing_plan(mask):
    """Mask [N, T], True at real positions: at least one a sequence, all to the left."""
    lengths = tf.reduce_sum(tf.cast(mask, tf.int32), axis=1)
    order = tf.argsort(lengths, direction="DESCENDING", stable=True)
    is_running = tf.range(tf.reduce_max(lengths))[:, None] < tf.gather(lengths, order)[None]
    running = tf.reduce_sum(tf.cast(is_running, tf.int32), axis=1)
    offsets = tf.cumsum(running, exclusive=True)
    step, place = tf.unstack(tf.cast(tf.where(is_running), tf.int32), axis=1)
    after_first = slice(tf.size(order), None)
    return PackingPlan(
        order=order,
        running=running,
        offsets=offsets,
        positions=tf.stack([tf.gather(order, place), step], axis=1),
        previous=tf.gather(offsets, step[after_first] - 1) + place[after_first],
        last=tf.gather(offsets, lengths - 1) + tf.math.invert_permutation(order),
        steps=tf.shape(mask)[1],
    )


def pack(sequences, plan):
    """[N, T, ...] -> [R, ...]."""
    return tf.gather_nd(sequences, plan.positions)


def unpack(rows, plan):
    """[R, ...] -> [N, T, ...], zero at the padding."""
    shape = tf.concat([[tf.size(plan.order), plan.steps], tf.shape(rows)[1:]], axis=0)
    sequences = tf.scatter_nd(plan.positions, rows, shape)
    return tf.ensure_shape(sequences, [None, None, *rows.shape[1:]])


def matmul(inputs, kernel, dtype):
    """[R, F] x [F, G] -> float32 [R, G], by a matmul in `dtype`; its gradients too.

    In bfloat16 the products are summed in float32 and the sums rounded.
    """
    return tf.cast(tf.matmul(tf.cast(inputs, dtype), tf.cast(kernel, dtype)), tf.float32)


def packed_gru(projections, initial_state, recurrent_kernel, recurrent_bias, plan, matmul_dtype):
    """The recurrence of a `keras.layers.GRU`.

    Args:
        projections: [R, 3U], the packed inputs times the kernel, plus the input bias.
        initial_state: [h], [N, U] in the batch's order, or None for zero.
        recurrent_kernel: [U, 3U].
        recurrent_bias: [3U].
        plan: `packing_plan` of the batch.
        matmul_dtype: "float32" or "bfloat16", of the matmuls, the gradients' included; all else
            is float32.

    Returns:
        Outputs [R, U] and the final state [h], [N, U] in the batch's order.
    """
    weights = [recurrent_kernel, recurrent_bias]
    return _recurrence(GruCell, projections, initial_state, weights, None, plan, matmul_dtype)


def packed_lstm(projections, initial_state, recurrent_kernel, plan, matmul_dtype):
    """The recurrence of a `keras.layers.LSTM`: as `packed_gru`, with states [h, c].

    `projections` [R, 4U] include the only bias.
    """
    weights = [recurrent_kernel]
    return _recurrence(LstmCell, projections, initial_state, weights, None, plan, matmul_dtype)


class Memory(NamedTuple):
    """What Luong's attention attends to, and its weights.

    For the score "general" the keys are `values` times W_a, for "dot" they are `values`.

    Attributes:
        keys: [N, S, U].
        values: [N, S, M].
        mask: [N, S], True at real positions: at least one a sequence.
        kernel: [U + M, U], of the attentional state tanh([h; context] kernel + bias).
        bias: [U].
    """

    keys: tf.Tensor
    values: tf.Tensor
    mask: tf.Tensor
    kernel: tf.Tensor
    bias: tf.Tensor


def packed_luong_gru(
    projections, initial_state, recurrent_kernel, recurrent_bias, memory, plan, matmul_dtype
):
    """`packed_gru` whose h is replaced by the attentional state: Luong et al. 2015, input feeding.

    The outputs and the final state are attentional states.
    """
    weights = [recurrent_kernel, recurrent_bias]
    return _recurrence(GruCell, projections, initial_state, weights, memory, plan, matmul_dtype)


def packed_luong_lstm(projections, initial_state, recurrent_kernel, memory, plan, matmul_dtype):
    """`packed_lstm` whose h is replaced by the attentional state; c stays the cell's."""
    weights = [recurrent_kernel]
    return _recurrence(LstmCell, projections, initial_state, weights, memory, plan, matmul_dtype)


class Weights:
    """A kernel [F, G] as an operand of many matmuls of few rows: cast and transposed once."""

    def __init__(self, kernel, dtype):
        self._kernel = tf.cast(kernel, dtype)
        self._transposed = tf.cast(tf.transpose(kernel), dtype)
        # With few rows bfloat16 is the faster when the second operand is given transposed,
        # float32 when it is not: by a fifth and by a quarter.
        self._given_transposed = dtype == tf.bfloat16

    def times(self, inputs):
        """[n, F] -> float32 [n, G]."""
        return self._product(inputs, self._kernel, self._transposed)

    def times_transposed(self, gradients):
        """[n, G] -> float32 [n, F]."""
        return self._product(gradients, self._transposed, self._kernel)

    def _product(self, rows, operand, transposed):
        rows = tf.cast(rows, operand.dtype)
        if self._given_transposed:
            return tf.cast(tf.matmul(rows, transposed, transpose_b=True), tf.float32)
        return tf.matmul(rows, operand)


def _weight_gradient(inputs, gradients, dtype):
    """[R, F], [R, G] -> float32 [F, G]."""
    product = tf.matmul(tf.cast(inputs, dtype), tf.cast(gradients, dtype), transpose_a=True)
    return tf.cast(product, tf.float32)


class GruCell:
    """Gates in Keras's order: update, reset, candidate."""

    num_states = 1

    def __init__(self, units, bias):
        self._units = units
        self._bias = bias

    def forward(self, projections, recurrent, state):
        """[n, 3U], h U_r [n, 3U], [h] -> [new h] and what the gradients need."""
        [h] = state
        recurrent = recurrent + self._bias
        both = 2 * self._units
        gates = tf.sigmoid(projections[:, :both] + recurrent[:, :both])
        update, reset = tf.split(gates, 2, axis=1)
        recurrent_candidate = recurrent[:, both:]
        candidate = tf.tanh(projections[:, both:] + reset * recurrent_candidate)
        return [candidate + update * (h - candidate)], [gates, candidate, recurrent_candidate]

    def derivatives(self, kept, previous, states):
        """For all rows at once: by which the gradient by h [R, U] is multiplied, and reset.

        In order for update, reset, candidate and the previous h.
        """
        gates, candidate, recurrent_candidate = kept
        update, reset = tf.split(gates, 2, axis=1)
        by_candidate = (1 - update) * (1 - tf.square(candidate))
        by_update = (previous[0] - candidate) * update * (1 - update)
        by_reset = by_candidate * recurrent_candidate * reset * (1 - reset)
        return [by_update, by_reset, by_candidate, update, reset]

    def backward(self, d_state, derivatives):
        """Gradients by the new state -> by the projections, by the previous state directly."""
        [d_h] = d_state
        by_update, by_reset, by_candidate, by_previous, _ = derivatives
        d_projections = tf.concat([d_h * by_update, d_h * by_reset, d_h * by_candidate], axis=1)
        return d_projections, [d_h * by_previous]

    def recurrent_gradients(self, d_projections, derivatives):
        """Gradients by the projections -> by what the recurrent kernel gives."""
        both = 2 * self._units
        reset = derivatives[-1]
        return tf.concat([d_projections[:, :both], d_projections[:, both:] * reset], axis=1)

    def bias_gradients(self, d_recurrent):
        return [tf.reduce_sum(d_recurrent, axis=0)]


class LstmCell:
    """Gates in Keras's order: input, forget, candidate, output."""

    num_states = 2

    def __init__(self, units):
        self._units = units

    def forward(self, projections, recurrent, state):
        """[n, 4U], h U_r [n, 4U], [h, c] -> [new h, new c] and what the gradients need."""
        gates = tf.split(projections + recurrent, 4, axis=1)
        write, forget, output = (tf.sigmoid(gates[place]) for place in (0, 1, 3))
        candidate = tf.tanh(gates[2])
        c = forget * state[1] + write * candidate
        return [output * tf.tanh(c), c], [write, forget, candidate, output]

    def derivatives(self, kept, previous, states):
        """For all rows at once: by which the gradients by the states [R, U] are multiplied.

        That by c for write, forget, candidate and the previous c; that by h for output and c.
        """
        write, forget, candidate, output = kept
        squashed = tf.tanh(states[1])
        by_c = [
            candidate * write * (1 - write),
            previous[1] * forget * (1 - forget),
            write * (1 - tf.square(candidate)),
            forget,
        ]
        by_h = [squashed * output * (1 - output), output * (1 - tf.square(squashed))]
        return by_c + by_h

    def backward(self, d_state, derivatives):
        """Gradients by the new state -> by the projections, by the previous state directly."""
        by_write, by_forget, by_candidate, by_previous, by_output, c_by_h = derivatives
        d_h = d_state[0]
        d_c = d_state[1] + d_h * c_by_h
        d_projections = tf.concat(
            [d_c * by_write, d_c * by_forget, d_c * by_candidate, d_h * by_output], axis=1
        )
        return d_projections, [tf.zeros_like(d_h), d_c * by_previous]

    def recurrent_gradients(self, d_projections, derivatives):
        """Gradients by the projections -> by what the recurrent kernel gives."""
        return d_projections

    def bias_gradients(self, d_recurrent):
        return []


class _LuongAttention:
    """h -> the attentional state, for the first n sequences in the plan's order."""

    num_found = 3

    def __init__(self, keys, values, kernel, bias, mask, plan, dtype):
        self._keys = tf.gather(keys, plan.order)
        self._values = tf.gather(values, plan.order)
        self._padding = tf.where(tf.gather(mask, plan.order), 0.0, float("-inf"))
        self._weights = Weights(kernel, dtype)
        self._bias = bias
        self._units = kernel.shape[1]
        self._plan = plan
        self._dtype = dtype

    def forward(self, h):
        """[n, U] -> attentional state [n, U] and what the gradients need."""
        running = tf.shape(h)[0]
        scores = tf.linalg.matvec(self._keys[:running], h) + self._padding[:running]
        attention = tf.nn.softmax(scores)
        context = tf.linalg.matvec(self._values[:running], attention, transpose_a=True)
        both = tf.concat([h, context], axis=1)
        return tf.tanh(self._weights.times(both) + self._bias), [both, attention]

    def backward(self, d_attentional, attentional, kept):
        """[n, U] -> gradient by h [n, U] and those that the weights and the memory need."""
        attention = kept[1]
        running = tf.shape(attention)[0]
        d_activation = d_attentional * (1 - tf.square(attentional))
        d_both = self._weights.times_transposed(d_activation)
        d_h, d_context = tf.split(d_both, [self._units, -1], axis=1)
        d_attention = tf.linalg.matvec(self._values[:running], d_context)
        mean = tf.reduce_sum(attention * d_attention, axis=1, keepdims=True)
        d_scores = attention * (d_attention - mean)
        d_h += tf.linalg.matvec(self._keys[:running], d_scores, transpose_a=True)
        return d_h, [d_activation, d_context, d_scores]

    def gradients(self, kept, found):
        """What all rows kept and found -> gradients by keys, values, kernel, bias."""
        both, attention = kept
        d_activation, d_context, d_scores = found
        return [
            self._memory_gradient(d_scores, both[:, : self._units]),
            self._memory_gradient(attention, d_context),
            _weight_gradient(both, d_activation, self._dtype),
            tf.reduce_sum(d_activation, axis=0),
        ]

    def _memory_gradient(self, by_position, rows):
        """[R, S], [R, U] -> the sum of the outer products of each sequence's rows, [N, S, U]."""
        by_position, rows = unpack(by_position, self._plan), unpack(rows, self._plan)
        return tf.matmul(by_position, rows, transpose_a=True)


class _NoAttention:
    """In place of `_LuongAttention`: h stays as it is."""

    num_found = 0

    def forward(self, h):
        return h, []

    def backward(self, d_h, h, kept):
        return d_h, []

    def gradients(self, kept, found):
        return []


class _Recurrence:
    """A cell and an attention over the steps of a batch, forward and backward."""

    def __init__(self, cell, attention, recurrent_kernel, plan, dtype):
        self._cell = cell
        self._attention = attention
        self._weights = Weights(recurrent_kernel, dtype)
        self._units = recurrent_kernel.shape[0]
        self._plan = plan
        self._steps = tf.size(plan.running)
        self._dtype = dtype

    def forward(self, projections, initial_state):
        """[R, G], state of [N, U]s in the plan's order, or [] for zero -> three lists of rows.

        They are the states and what the gradients of the cell and of the attention need.
        """
        first = self._first_step(projections[self._plan.rows(0)], initial_state)

        def step_forward(step, arrays):
            running = self._plan.running[step]
            previous = [array.read(step - 1)[:running] for array in arrays[0]]
            recurrent = self._weights.times(previous[0])
            rows = projections[self._plan.rows(step)]
            return step + 1, _write(arrays, step, self._step(rows, recurrent, previous))

        _, arrays = tf.while_loop(
            lambda step, _: step < self._steps,
            step_forward,
            (tf.constant(1), _write(self._arrays(first), 0, first)),
        )
        return _concatenated(arrays)

    def _first_step(self, projections, initial_state):
        if initial_state:
            return self._step(projections, self._weights.times(initial_state[0]), initial_state)
        zero = tf.zeros([tf.shape(projections)[0], self._units])
        return self._step(projections, tf.zeros_like(projections), [zero] * self._cell.num_states)

    def _step(self, projections, recurrent, previous):
        [h, *rest], kept = self._cell.forward(projections, recurrent, previous)
        output, attended = self._attention.forward(h)
        return [output, *rest], kept, attended

    def gradients(self, d_states, initial_state, states, kept, attended):
        """Gradients by all states -> by projections, initial state, weights, attended weights.

        Args:
            d_states: list of [R, U].
            initial_state: what `forward` was given.
            states, kept, attended: what `forward` gave.
        """
        previous = self._previous(states, initial_state)
        derivatives = self._cell.derivatives(kept, previous, states)
        d_projections, d_initial, found = self._backward(
            (d_states, states[0], derivatives, attended)
        )
        d_recurrent = self._cell.recurrent_gradients(d_projections, derivatives)
        # The first step's rows of a zero state add nothing.
        rows = slice(0 if initial_state else tf.size(self._plan.order), None)
        d_kernel = _weight_gradient(previous[0][rows], d_recurrent[rows], self._dtype)
        return (
            d_projections,
            d_initial if initial_state else [],
            [d_kernel, *self._cell.bias_gradients(d_recurrent)],
            self._attention.gradients(attended, found),
        )

    def _previous(self, states, initial_state):
        """States [R, U] -> those one step before; before the first step the initial ones."""
        first = self._plan.rows(0)
        initial_state = initial_state or [tf.zeros_like(state[first]) for state in states]
        return [
            tf.concat([initial, tf.gather(state, self._plan.previous)], axis=0)
            for initial, state in zip(initial_state, states, strict=True)
        ]

    def _backward(self, packed):
        """Gradients by the projections, by the initial state, and what the attention found.

        Args:
            packed: rows [R, ...] of the gradients by the states, of the outputs, and of what
                the gradients of the cell and of the attention need.
        """

        def step_backward(step, d_state, arrays):
            d_states, outputs, derivatives, attended = self._rows_at(step, packed)
            d_state = [
                d + _with_rows(part, self._plan.running[step])
                for d, part in zip(d_states, d_state, strict=True)
            ]
            d_h, found = self._attention.backward(d_state[0], outputs, attended)
            d_projections, direct = self._cell.backward([d_h, *d_state[1:]], derivatives)
            d_recurrent = self._cell.recurrent_gradients(d_projections, derivatives)
            d_previous = [direct[0] + self._weights.times_transposed(d_recurrent), *direct[1:]]
            return step - 1, d_previous, _write(arrays, step, (d_projections, found))

        found = (None, [None] * self._attention.num_found)
        after_last = [tf.zeros([0, self._units])] * self._cell.num_states
        until_first = tf.while_loop(
            lambda step, *_: step > 0,
            step_backward,
            (self._steps - 1, after_last, self._arrays(found)),
            shape_invariants=(
                tf.TensorShape([]),
                [tf.TensorShape([None, self._units])] * self._cell.num_states,
                tf.nest.map_structure(lambda _: tf.TensorShape(None), found),
            ),
        )
        # Outside the loop, since a graph leaves the gradient by a zero state out.
        _, d_initial, arrays = step_backward(*until_first)
        d_projections, found = _concatenated(arrays)
        return d_projections, d_initial, found

    def _rows_at(self, step, packed):
        rows = self._plan.rows(step)
        return tf.nest.map_structure(lambda part: part[rows], packed)

    def _arrays(self, structure):
        """A TensorArray of rows over the steps for each part."""

        def array(_):
            return tf.TensorArray(
                tf.float32,
                size=self._steps,
                element_shape=[None, None],
                infer_shape=False,
                clear_after_read=False,
            )

        return tf.nest.map_structure(array, structure)


def _write(arrays, step, parts):
    return tf.nest.map_structure(lambda array, part: array.write(step, part), arrays, parts)


def _concatenated(arrays):
    return tf.nest.map_structure(lambda array: array.concat(), arrays)


def _with_rows(part, count):
    """[n, U] -> [count, U], the new rows zero."""
    return tf.pad(part, [[0, count - tf.shape(part)[0]], [0, 0]])


def _recurrence(cell_class, projections, initial_state, weights, memory, plan, matmul_dtype):
    """-> outputs [R, U], final state."""
    dtype = tf.as_dtype(matmul_dtype)
    units = weights[0].shape[0]

    @tf.custom_gradient
    def run(projections, initial_state, weights, attended_weights):
        recurrent_kernel, *bias = weights
        attention = _NoAttention()
        if memory is not None:
            attention = _LuongAttention(*attended_weights, memory.mask, plan, dtype)
        cell = cell_class(units, *bias)
        recurrence = _Recurrence(cell, attention, recurrent_kernel, plan, dtype)
        states, kept, attended = recurrence.forward(projections, initial_state)

        def gradient(*d_states):
            d_states = [tf.convert_to_tensor(d_state) for d_state in d_states]
            return recurrence.gradients(d_states, initial_state, states, kept, attended)

        return [tf.ensure_shape(state, [None, units]) for state in states], gradient

    initial = [tf.gather(part, plan.order) for part in initial_state or []]
    attended_weights = []
    if memory is not None:
        attended_weights = [memory.keys, memory.values, memory.kernel, memory.bias]
    # Variables themselves would have to be named to the custom gradient.
    weights, attended_weights = tf.nest.map_structure(
        tf.convert_to_tensor, (weights, attended_weights)
    )
    states = run(projections, initial, weights, attended_weights)
    return states[0], [tf.gather(state, plan.last) for state in states]

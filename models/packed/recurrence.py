"""A cell and an attention over the steps of packed sequences, forward and backward.

Legend of shapes as in `models.packed`.
"""

import tensorflow as tf

from models.packed.attention import LuongAttention, NoAttention
from models.packed.cells import packed_cell
from models.packed.products import Weights, matmul, weight_gradient


class _Recurrence:
    """Equations of a cell and an attention over the steps of a batch, forward and backward."""

    def __init__(self, equations, attention, recurrent_kernel, plan, dtype):
        self._equations = equations
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
        return self._step(
            projections, tf.zeros_like(projections), [zero] * self._equations.num_states
        )

    def _step(self, projections, recurrent, previous):
        [h, *rest], kept = self._equations.forward(projections, recurrent, previous)
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
        derivatives = self._equations.derivatives(kept, previous, states)
        d_projections, d_initial, found = self._backward(
            (d_states, states[0], derivatives, attended)
        )
        d_recurrent = self._equations.recurrent_gradients(d_projections, derivatives)
        # The first step's rows of a zero state add nothing.
        rows = slice(0 if initial_state else tf.size(self._plan.order), None)
        d_kernel = weight_gradient(previous[0][rows], d_recurrent[rows], self._dtype)
        return (
            d_projections,
            d_initial if initial_state else [],
            [d_kernel, *self._equations.bias_gradients(d_recurrent)],
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
            d_projections, direct = self._equations.backward([d_h, *d_state[1:]], derivatives)
            d_recurrent = self._equations.recurrent_gradients(d_projections, derivatives)
            d_previous = [direct[0] + self._weights.times_transposed(d_recurrent), *direct[1:]]
            return step - 1, d_previous, _write(arrays, step, (d_projections, found))

        found = (None, [None] * self._attention.num_found)
        after_last = [tf.zeros([0, self._units])] * self._equations.num_states
        until_first = tf.while_loop(
            lambda step, *_: step > 0,
            step_backward,
            (self._steps - 1, after_last, self._arrays(found)),
            shape_invariants=(
                tf.TensorShape([]),
                [tf.TensorShape([None, self._units])] * self._equations.num_states,
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


def run_packed(cell, rows, initial_state, plan, matmul_dtype, memory=None):
    """Run a Keras cell over packed sequences.

    Args:
        cell: one of `PACKED_CELLS`.
        rows: float32 [R, F].
        initial_state: list of [N, U] in the batch's order, or None for zero.
        plan: `packing_plan` of the batch.
        matmul_dtype: "float32" or "bfloat16", of the matmuls, the gradients' included; all else
            is float32.
        memory: `Memory`; with it h is replaced at each step by the attentional state (Luong et al.
            2015), which the outputs and the final state then are.

    Returns:
        Outputs [R, U] and the final state, a list of [N, U] in the batch's order.
    """
    packed, dtype = packed_cell(cell), tf.as_dtype(matmul_dtype)
    projections = matmul(rows, packed.kernel, dtype) + packed.input_bias

    @tf.custom_gradient
    def run(projections, initial_state, weights, attended_weights):
        attention = NoAttention()
        if memory is not None:
            attention = LuongAttention(*attended_weights, memory.mask, plan, dtype)
        recurrence = _Recurrence(packed.equations(weights), attention, weights[0], plan, dtype)
        states, kept, attended = recurrence.forward(projections, initial_state)

        def gradient(*d_states):
            d_states = [tf.convert_to_tensor(d_state) for d_state in d_states]
            return recurrence.gradients(d_states, initial_state, states, kept, attended)

        return [tf.ensure_shape(state, [None, packed.units]) for state in states], gradient

    initial = [tf.gather(part, plan.order) for part in initial_state or []]
    # Variables themselves would have to be named to the custom gradient.
    weights, attended_weights = tf.nest.map_structure(
        tf.convert_to_tensor, (packed.recurrent_weights, memory.weights if memory else [])
    )
    states = run(projections, initial, weights, attended_weights)
    return states[0], [tf.gather(state, plan.last) for state in states]


def make_packed_step(cell, matmul_dtype):
    """A Keras cell, one of `PACKED_CELLS` -> a function of one step for many steps of few rows.

    It takes inputs [N, F] and a state and gives outputs [N, U] and the new state.
    """
    packed = packed_cell(cell)
    equations = packed.equations(packed.recurrent_weights)
    kernel = Weights(packed.kernel, matmul_dtype)
    recurrent_kernel = Weights(packed.recurrent_weights[0], matmul_dtype)

    def step(inputs, state):
        projections = kernel.times(inputs) + packed.input_bias
        state, _ = equations.forward(projections, recurrent_kernel.times(state[0]), state)
        return state[0], state

    return step

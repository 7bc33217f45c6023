"""A cell and an attention over the steps of packed sequences, forward and backward.

Legend of shapes as in `models.packed`.
"""

import tensorflow as tf

from models.packed.attention import LuongAttention, NoAttention
from models.packed.cells import packed_cell
from models.packed.loops import run_backward, run_forward, states_before, take_rows
from models.packed.products import Weights, matmul


class _Recurrence:
    """A cell and an attention over the steps of a batch, forward and backward."""

    def __init__(self, cell, attention, plan):
        self._cell = cell
        self._attention = attention
        self._plan = plan

    def forward(self, projections, initial_state):
        """[R, G], state of [N, U]s in the plan's order, or [] for zero -> three lists of rows.

        They are the states and what the gradients of the cell and of the attention need.
        """

        def step(rows, previous):
            [h, *rest], kept = self._cell.forward(projections[rows], previous)
            output, attended = self._attention.forward(h)
            return [output, *rest], kept, attended

        first = step(self._plan.rows(0), initial_state)
        return run_forward(self._plan, first, step)

    def gradients(self, d_states, initial_state, states, kept, attended):
        """Gradients by all states -> by projections, initial state, weights, attended weights.

        Args:
            d_states: list of [R, U].
            initial_state: what `forward` was given.
            states, kept, attended: what `forward` gave.
        """
        previous = states_before(self._plan, states, initial_state)
        derivatives = self._cell.derivatives(kept, previous, states)
        d_projections, d_initial, found = self._backward(
            (d_states, states[0], derivatives, attended)
        )
        first_row = 0 if initial_state else tf.size(self._plan.order)
        return (
            d_projections,
            d_initial if initial_state else [],
            self._cell.weight_gradients(d_projections, derivatives, previous[0], first_row),
            self._attention.gradients(attended, found),
        )

    def _backward(self, packed):
        """Gradients by the projections, by the initial state, and what the attention found.

        Args:
            packed: rows [R, ...] of the gradients by the states, of the outputs, and of what
                the gradients of the cell and of the attention need.
        """

        def step(rows, d_later):
            d_states, outputs, derivatives, attended = take_rows(packed, rows)
            d_output, *d_rest = [d + later for d, later in zip(d_states, d_later, strict=True)]
            d_h, found = self._attention.backward(d_output, outputs, attended)
            d_projections, d_previous = self._cell.backward([d_h, *d_rest], derivatives)
            return d_previous, (d_projections, found)

        structure = (None, [None] * self._attention.num_found)
        d_initial, (d_projections, found) = run_backward(
            self._plan, self._cell.no_state, step, structure
        )
        return d_projections, d_initial, found


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
        recurrence = _Recurrence(packed.make_steps(weights, dtype), attention, plan)
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
    kernel = Weights(packed.kernel, matmul_dtype)
    steps = packed.make_steps(packed.recurrent_weights, matmul_dtype)

    def step(inputs, state):
        state, _ = steps.forward(kernel.times(inputs) + packed.input_bias, state)
        return state[0], state

    return step

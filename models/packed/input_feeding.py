"""Recurrent layers with Luong's input feeding over the steps of packed sequences.

The attentional state h~ of a step joins the first layer's input at the next one, so all layers
advance together.  What the words add to the first layer's input is one matmul for all steps.

Legend of shapes as in `models.packed`; all layers have U units.
"""

import tensorflow as tf

from models.packed.attention import LuongAttention
from models.packed.cells import packed_cell
from models.packed.loops import run_backward, run_forward, states_before, take_rows
from models.packed.products import Weights, matmul, weight_gradient


class _Layer:
    """A cell and the kernel [U, G] of what it gets step by step: the layer below, or the last h~.

    Args:
        packed: `PackedCell`.
        weights: this kernel, the input's bias [G] and the cell's recurrent weights.
        dtype: of the matmuls.
    """

    def __init__(self, packed, weights, dtype):
        kernel, self._bias, *recurrent_weights = weights
        self.cell = packed.make_steps(recurrent_weights, dtype)
        self._kernel = Weights(kernel, dtype)
        self._dtype = dtype

    def forward(self, words, below, state):
        """What the words add [n, G] or 0, below [n, U], state -> as `CellSteps.forward`.

        `below` is None where it is zero.
        """
        projections = words + self._bias
        if below is not None:
            projections += self._kernel.times(below)
        return self.cell.forward(projections, state)

    def backward(self, d_state, derivatives):
        """Gradients by the new state -> by the projections, below and the previous state."""
        d_projections, d_previous = self.cell.backward(d_state, derivatives)
        return d_projections, self._kernel.times_transposed(d_projections), d_previous

    def weight_gradients(self, d_projections, below, *of_cell):
        """Of all rows -> gradients by the weights; `of_cell` as `CellSteps.weight_gradients`."""
        return [
            weight_gradient(below, d_projections, self._dtype),
            tf.reduce_sum(d_projections, axis=0),
            *self.cell.weight_gradients(d_projections, *of_cell),
        ]


class _InputFeeding:
    """Layers and an attention over the steps of a batch, forward and backward."""

    def __init__(self, layers, attention, plan):
        self._layers = layers
        self._attention = attention
        self._plan = plan

    def forward(self, projections, initial_state):
        """Of the words [R, G], of the first layer [N, U] each in the plan's order -> rows [R, ...].

        They are the states, (h~, those of each layer), and what the gradients of the layers and
        of the attention need.
        """

        def step(rows, previous):
            below, before = previous
            words = [projections[rows]] + [0.0] * (len(self._layers) - 1)
            states, kept = [], []
            for layer, *inputs in zip(self._layers, words, before, strict=True):
                state, needed = layer.forward(inputs[0], below, inputs[1])
                below = state[0]
                states.append(state)
                kept.append(needed)
            h_tilde, attended = self._attention.forward(below)
            return (h_tilde, states), kept, attended

        first = step(self._plan.rows(0), (None, self._initial_states(initial_state)))
        return run_forward(self._plan, first, step)

    def _initial_states(self, initial_state):
        """The first layer's state -> those of all layers, [] for zero."""
        return [initial_state] + [[]] * (len(self._layers) - 1)

    def gradients(self, d_outputs, initial_state, states, kept, attended):
        """Gradients by all h~ -> by projections, initial state, weights, attended weights.

        Args:
            d_outputs: [R, U].
            initial_state: what `forward` was given.
            states, kept, attended: what `forward` gave.
        """
        h_tilde, states = states
        before = [
            states_before(self._plan, *pair)
            for pair in zip(states, self._initial_states(initial_state), strict=True)
        ]
        derivatives = [
            layer.cell.derivatives(*of_layer)
            for layer, *of_layer in zip(self._layers, kept, before, states, strict=True)
        ]
        packed = d_outputs, h_tilde, derivatives, attended
        d_projections, d_initial, found = self._backward(packed)
        below = states_before(self._plan, [h_tilde], []) + [state[0] for state in states[:-1]]
        previous = [state[0] for state in before]
        first_rows = [0] + [tf.size(self._plan.order)] * (len(self._layers) - 1)
        by_layer = zip(d_projections, below, derivatives, previous, first_rows, strict=True)
        d_weights = [
            layer.weight_gradients(*of_layer)
            for layer, of_layer in zip(self._layers, by_layer, strict=True)
        ]
        return d_projections[0], d_initial, d_weights, self._attention.gradients(attended, found)

    def _backward(self, packed):
        """Gradients by each layer's projections, by the initial state, the attention's findings.

        Args:
            packed: rows [R, ...] of the gradients by h~, of h~, and of what the gradients of the
                layers and of the attention need.
        """

        def step(rows, d_later):
            d_h_tilde, d_states = d_later
            d_outputs, h_tilde, derivatives, attended = take_rows(packed, rows)
            d_below, found = self._attention.backward(d_outputs + d_h_tilde, h_tilde, attended)
            d_projections, d_previous = [], []
            for layer, d_state, needed in zip(
                reversed(self._layers), reversed(d_states), reversed(derivatives), strict=True
            ):
                d_state = [d_state[0] + d_below, *d_state[1:]]
                d_inputs, d_below, d_before = layer.backward(d_state, needed)
                d_projections.insert(0, d_inputs)
                d_previous.insert(0, d_before)
            return (d_below, d_previous), (d_projections, found)

        no_states = [layer.cell.no_state for layer in self._layers]
        structure = ([None] * len(self._layers), [None] * self._attention.num_found)
        (_, [d_initial, *_]), (d_projections, found) = run_backward(
            self._plan, (no_states[0][0], no_states), step, structure
        )
        return d_projections, d_initial, found


def run_input_feeding(cells, rows, initial_state, plan, matmul_dtype, memory):
    """Run Keras cells on top of each other, the last of which attends, over packed sequences.

    Luong, Pham, Manning 2015, section 3.3: the attentional states are the outputs, and each joins
    the next step's input; the cells keep their own states.

    Args:
        cells: some of `PACKED_CELLS`, the lowest first, whose kernel is [F + U, G].
        rows: float32 [R, F].
        initial_state: of the first cell, list of [N, U] in the batch's order; all else begins at
            zero.
        plan, matmul_dtype, memory: as those of `run_packed`.

    Returns:
        The attentional states [R, U].
    """
    packed, dtype = [packed_cell(cell) for cell in cells], tf.as_dtype(matmul_dtype)
    of_words, weights = _weights_of(packed, rows.shape[1])
    initial = [tf.gather(part, plan.order) for part in initial_state]
    # Variables themselves would have to be named to the custom gradient.
    weights, attended_weights = tf.nest.map_structure(
        tf.convert_to_tensor, (weights, memory.weights)
    )
    run = _run_packed(packed, plan, dtype, memory.mask)
    return run(matmul(rows, of_words, dtype), initial, weights, attended_weights)


def _run_packed(packed, plan, dtype, memory_mask):
    """-> a function with a gradient of projections, initial state and weights: [R, U]."""

    @tf.custom_gradient
    def run(projections, initial_state, weights, attended_weights):
        layers = [_Layer(*of_layer, dtype) for of_layer in zip(packed, weights, strict=True)]
        attention = LuongAttention(*attended_weights, memory_mask, plan, dtype)
        recurrence = _InputFeeding(layers, attention, plan)
        states, kept, attended = recurrence.forward(projections, initial_state)

        def gradient(d_outputs):
            return recurrence.gradients(d_outputs, initial_state, states, kept, attended)

        return tf.ensure_shape(states[0], [None, packed[0].units]), gradient

    return run


def _weights_of(packed, features):
    """Of `PackedCell`s -> the first one's kernel of the words [F, G], the weights of all layers."""
    of_words, of_h_tilde = tf.split(packed[0].kernel, [features, packed[0].units])
    kernels = [of_h_tilde, *(cell.kernel for cell in packed[1:])]
    return of_words, [
        [kernel, cell.input_bias, *cell.recurrent_weights]
        for kernel, cell in zip(kernels, packed, strict=True)
    ]

"""The equations of Keras's GRU and LSTM cells on packed rows, forward and backward.

Legend of shapes as in `models.packed`.
"""

from typing import NamedTuple

import tensorflow as tf
from keras import layers

from models.packed.products import Weights, weight_gradient


class PackedCell(NamedTuple):
    """A Keras cell's weights as the engine takes them.

    Attributes:
        make_equations: `GruEquations` or `LstmEquations`.
        kernel: [F, G].
        input_bias: [G].
        recurrent_weights: the recurrent kernel [U, G], and what else the equations take.
    """

    make_equations: type
    kernel: tf.Tensor
    input_bias: tf.Tensor
    recurrent_weights: list

    @property
    def units(self):
        return self.recurrent_weights[0].shape[0]

    def make_steps(self, recurrent_weights, dtype):
        """-> `CellSteps`, with these tensors in place of the cell's recurrent weights."""
        kernel, *others = recurrent_weights
        return CellSteps(self.make_equations(self.units, *others), kernel, dtype)


def packed_cell(cell):
    """A Keras cell, one of `PACKED_CELLS` -> `PackedCell`."""
    return PACKED_CELLS[type(cell)](cell)


def _packed_gru(cell):
    input_bias, recurrent_bias = tf.unstack(cell.bias)
    recurrent_weights = [cell.recurrent_kernel, recurrent_bias]
    return PackedCell(GruEquations, cell.kernel, input_bias, recurrent_weights)


def _packed_lstm(cell):
    return PackedCell(LstmEquations, cell.kernel, cell.bias, [cell.recurrent_kernel])


class CellSteps:
    """A cell's equations with its recurrent kernel, for many steps of few rows."""

    def __init__(self, equations, recurrent_kernel, dtype):
        self._equations = equations
        self._kernel = Weights(recurrent_kernel, dtype)
        self._units = recurrent_kernel.shape[0]
        self._dtype = dtype

    @property
    def no_state(self):
        """A state of no sequences."""
        return [tf.zeros([0, self._units])] * self._equations.num_states

    def forward(self, projections, state):
        """[n, G], [n, U] each or [] for zero -> the new state and what the gradients need."""
        if state:
            recurrent = self._kernel.times(state[0])
        else:
            recurrent = tf.zeros_like(projections)
            zero = tf.zeros([tf.shape(projections)[0], self._units])
            state = [zero] * self._equations.num_states
        return self._equations.forward(projections, recurrent, state)

    def derivatives(self, kept, previous, states):
        """For all rows at once: what `backward` needs."""
        return self._equations.derivatives(kept, previous, states)

    def backward(self, d_state, derivatives):
        """Gradients by the new state -> by the projections, by the previous state."""
        d_projections, direct = self._equations.backward(d_state, derivatives)
        d_recurrent = self._equations.recurrent_gradients(d_projections, derivatives)
        return d_projections, [direct[0] + self._kernel.times_transposed(d_recurrent), *direct[1:]]

    def weight_gradients(self, d_projections, derivatives, previous, first_row):
        """Of all rows -> gradients by the recurrent weights.

        Args:
            previous: h before each row [R, U].
            first_row: rows before it have a zero `previous`, which adds nothing.
        """
        d_recurrent = self._equations.recurrent_gradients(d_projections, derivatives)
        d_kernel = weight_gradient(previous[first_row:], d_recurrent[first_row:], self._dtype)
        return [d_kernel, *self._equations.bias_gradients(d_recurrent)]


class GruEquations:
    """A GRU that resets after the product; gates in Keras's order: update, reset, candidate.

    Cho et al. 2014.
    """

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


class LstmEquations:
    """Gates in Keras's order: input, forget, candidate, output.  Hochreiter, Schmidhuber 1997."""

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


# The engine's cells: exactly these classes, whose equations it knows; no subclasses of them.
PACKED_CELLS = {layers.GRUCell: _packed_gru, layers.LSTMCell: _packed_lstm}

"""The loops over the steps of packed sequences, forward and backward.

Legend of shapes as in `models.packed`.
"""

import tensorflow as tf


def run_forward(plan, first, step):
    """Run the steps after the first, each from the states that the one before it gave.

    Args:
        first: what the first step gave, a tuple whose first entry are the states: nested, [n, ...].
        step: a function of a step's rows (a slice) and the states before it, of the sequences that
            are still running, which gives the same as `first`.

    Returns:
        All of it, as rows [R, ...].
    """

    num_steps = tf.size(plan.running)

    def step_forward(number, arrays):
        running = plan.running[number]
        states = tf.nest.map_structure(lambda array: array.read(number - 1)[:running], arrays[0])
        return number + 1, _write(arrays, number, step(plan.rows(number), states))

    _, arrays = tf.while_loop(
        lambda number, _: number < num_steps,
        step_forward,
        (tf.constant(1), _write(_arrays(plan, first), 0, first)),
    )
    return _concatenated(arrays)


def run_backward(plan, no_states, step, structure):
    """Run the steps from the last to the first.

    Args:
        no_states: [0, U] in place of each state, nested.
        step: a function of a step's rows (a slice) and of the gradients by the states after it
            that come from later steps, nested [n, U], zero where there is no later step.  It gives
            the gradients by the states before it and what is to be kept, nested [n, ...].
        structure: anything nested like what is to be kept.

    Returns:
        The gradients by the initial states, and what was kept as rows [R, ...].
    """

    def step_backward(number, d_states, arrays):
        running = plan.running[number]
        d_states = tf.nest.map_structure(lambda part: _with_rows(part, running), d_states)
        d_previous, kept = step(plan.rows(number), d_states)
        return number - 1, d_previous, _write(arrays, number, kept)

    until_first = tf.while_loop(
        lambda number, *_: number > 0,
        step_backward,
        (tf.size(plan.running) - 1, no_states, _arrays(plan, structure)),
        shape_invariants=(
            tf.TensorShape([]),
            tf.nest.map_structure(lambda part: tf.TensorShape([None, part.shape[1]]), no_states),
            tf.nest.map_structure(lambda _: tf.TensorShape(None), structure),
        ),
    )
    # Outside the loop, since a graph leaves the gradient by a zero state out.
    _, d_initial, arrays = step_backward(*until_first)
    return d_initial, _concatenated(arrays)


def take_rows(parts, rows):
    """Rows [R, ...], nested -> those of a slice."""
    return tf.nest.map_structure(lambda part: part[rows], parts)


def states_before(plan, states, initial_state):
    """States [R, U] -> those one step before; before the first step the initial ones, or zero."""
    first = plan.rows(0)
    initial_state = initial_state or [tf.zeros_like(state[first]) for state in states]
    return [
        tf.concat([initial, tf.gather(state, plan.previous)], axis=0)
        for initial, state in zip(initial_state, states, strict=True)
    ]


def _arrays(plan, structure):
    """A TensorArray of rows over the steps for each part."""

    def array(_):
        return tf.TensorArray(
            tf.float32,
            size=tf.size(plan.running),
            element_shape=[None, None],
            infer_shape=False,
            clear_after_read=False,
        )

    return tf.nest.map_structure(array, structure)


def _write(arrays, number, parts):
    return tf.nest.map_structure(lambda array, part: array.write(number, part), arrays, parts)


def _concatenated(arrays):
    return tf.nest.map_structure(lambda array: array.concat(), arrays)


def _with_rows(part, count):
    """[n, U] -> [count, U], the new rows zero."""
    return tf.pad(part, [[0, count - tf.shape(part)[0]], [0, 0]])

import keras
import numpy as np
import pytest
import tensorflow as tf

from models.packed import (
    Memory,
    matmul,
    pack,
    packing_plan,
    run_input_feeding,
    run_packed,
    unpack,
)

FEATURES, UNITS = 3, 4


def mask_of(lengths, steps):
    return np.arange(steps) < np.array(lengths)[:, None]


def test_a_packing_plan_lays_the_running_sequences_out_step_by_step():
    plan = packing_plan(mask_of([1, 3, 2], steps=4))
    assert plan.order.numpy().tolist() == [1, 2, 0]
    assert plan.running.numpy().tolist() == [3, 2, 1]
    assert plan.offsets.numpy().tolist() == [0, 3, 5]
    assert plan.positions.numpy().tolist() == [[1, 0], [2, 0], [0, 0], [1, 1], [2, 1], [1, 2]]
    assert plan.previous.numpy().tolist() == [0, 1, 3]
    assert plan.last.numpy().tolist() == [2, 5, 4]


def test_packed_rows_are_the_real_positions_and_unpack_to_zero_padding():
    plan = packing_plan(mask_of([1, 3, 2], steps=4))
    sequences = tf.constant([[11, 99, 99, 99], [21, 22, 23, 99], [31, 32, 99, 99]])
    rows = pack(sequences, plan)
    assert rows.numpy().tolist() == [21, 31, 11, 22, 32, 23]
    assert unpack(rows, plan).numpy().tolist() == [[11, 0, 0, 0], [21, 22, 23, 0], [31, 32, 0, 0]]


def random(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def recurrent_layer(cell_type, features, seed):
    layer = {"gru": keras.layers.GRU, "lstm": keras.layers.LSTM}[cell_type](
        UNITS, return_sequences=True, return_state=True
    )
    layer.build((None, None, features))
    layer.set_weights(
        [random(*weight.shape, seed=seed + n) for n, weight in enumerate(layer.get_weights())]
    )
    return layer


def stock_stack(layers, sequences, initial_state, mask):
    finals = []
    for layer in layers:
        sequences, *final = layer(sequences, mask=mask, initial_state=initial_state)
        finals += final
        initial_state = None
    return sequences * tf.cast(mask, tf.float32)[..., None], finals


def packed_stack(layers, sequences, initial_state, mask, dtype="float32"):
    plan = packing_plan(mask)
    finals = []
    rows = pack(sequences, plan)
    for layer in layers:
        rows, final = run_packed(layer.cell, rows, initial_state, plan, dtype)
        finals += final
        initial_state = None
    return unpack(rows, plan), finals


def results_and_gradients(function, inputs, weights, compiled=True):
    """What `function` gives, flat, and the gradients of a weighted sum of it."""

    def compute(inputs):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            results = tf.nest.flatten(function(*inputs))
            loss = tf.add_n(
                [tf.reduce_sum(r * random(*r.shape, seed=n)) for n, r in enumerate(results)]
            )
        return results, tape.gradient(loss, [tf.nest.flatten(inputs), weights])

    if compiled:
        compute = tf.function(compute, autograph=False)
    results, gradients = compute(inputs)
    return results, [tf.convert_to_tensor(gradient) for gradient in tf.nest.flatten(gradients)]


def states_of(cell_type, count):
    return [tf.constant(random(count, UNITS, seed=9 + n)) for n in range(1 + (cell_type == "lstm"))]


@pytest.mark.parametrize("lengths", [[5, 1, 3, 2, 5], [1, 1], [2, 4]])
@pytest.mark.parametrize("starts", ["zero", "given"])
@pytest.mark.parametrize("cell_type", ["gru", "lstm"])
def test_two_packed_layers_equal_the_stock_ones(cell_type, starts, lengths):
    mask = tf.constant(mask_of(lengths, steps=5))
    layers = [
        recurrent_layer(cell_type, FEATURES, seed=1),
        recurrent_layer(cell_type, UNITS, seed=5),
    ]
    weights = [weight.value for layer in layers for weight in layer.trainable_weights]
    inputs = [tf.constant(random(len(lengths), 5, FEATURES))]
    if starts == "given":
        inputs.append(states_of(cell_type, len(lengths)))

    def through(stack):
        return lambda sequences, state=None: stack(layers, sequences, state, mask)

    expected, expected_gradients = results_and_gradients(through(stock_stack), inputs, weights)
    results, gradients = results_and_gradients(through(packed_stack), inputs, weights)
    assert_close(results + gradients, expected + expected_gradients)


def assert_close(got, expected, tolerance=1e-5):
    for one, other in zip(got, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("cell_type", ["gru", "lstm"])
def test_gradients_flow_from_the_final_state_alone(cell_type):
    mask = tf.constant(mask_of([3, 1, 2], steps=3))
    layer = recurrent_layer(cell_type, FEATURES, seed=1)
    weights = [weight.value for weight in layer.trainable_weights]
    inputs = [tf.constant(random(3, 3, FEATURES))]

    def final_of(stack):
        return lambda sequences: stack([layer], sequences, None, mask)[1]

    expected, expected_gradients = results_and_gradients(final_of(stock_stack), inputs, weights)
    results, gradients = results_and_gradients(final_of(packed_stack), inputs, weights)
    assert_close(results + gradients, expected + expected_gradients)


@pytest.mark.parametrize("cell_type", ["gru", "lstm"])
def test_bfloat16_matmuls_stay_near_float32(cell_type):
    mask = tf.constant(mask_of([5, 1, 3], steps=5))
    layers = [recurrent_layer(cell_type, FEATURES, seed=1)]
    weights = [weight.value for weight in layers[0].trainable_weights]
    inputs = [tf.constant(random(3, 5, FEATURES)), states_of(cell_type, 3)]

    def with_matmuls_in(dtype):
        return lambda sequences, state: packed_stack(layers, sequences, state, mask, dtype)

    expected, expected_gradients = results_and_gradients(
        with_matmuls_in("float32"), inputs, weights
    )
    results, gradients = results_and_gradients(with_matmuls_in("bfloat16"), inputs, weights)
    for got, wanted in zip(results + gradients, expected + expected_gradients, strict=True):
        assert got.dtype == tf.float32
        assert 0 < np.linalg.norm(got - wanted) < 0.05 * np.linalg.norm(wanted)


def test_a_bfloat16_matmul_rounds_its_operands():
    # bfloat16 has 8 bits: 257 becomes 256.
    inputs, kernel = tf.constant([[257.0, 1.0]]), tf.constant([[1.0], [2.0]])
    with tf.GradientTape() as tape:
        tape.watch([inputs, kernel])
        product = matmul(inputs, kernel, "bfloat16")
    assert product.numpy().tolist() == [[258.0]]
    d_inputs, d_kernel = tape.gradient(product, [inputs, kernel])
    assert d_inputs.numpy().tolist() == [[1.0, 2.0]]
    assert d_kernel.numpy().tolist() == [[256.0], [1.0]]
    assert matmul(inputs, kernel, "float32").numpy().tolist() == [[259.0]]


def luong_step_by_step(cell, sequences, initial_state, memory, mask):
    """Luong's attention with a Keras cell, one sequence and one step at a time."""
    outputs, finals = [], []
    for row in range(len(mask)):
        state = [part[row : row + 1] for part in initial_state]
        keys, values = (part[row][memory.mask[row]] for part in (memory.keys, memory.values))
        rows = []
        for step in range(mask[row].sum()):
            _, state = cell(sequences[row : row + 1, step], state)
            h, *rest = tf.nest.flatten(state)
            attention = tf.nn.softmax(h @ tf.transpose(keys))
            both = tf.concat([h, attention @ values], axis=1)
            state = [tf.tanh(both @ memory.kernel + memory.bias), *rest]
            rows.append(state[0][0])
        padding = [tf.zeros(UNITS)] * (mask.shape[1] - len(rows))
        outputs.append(tf.stack(rows + padding))
        finals.append(state)
    return tf.stack(outputs), [tf.concat(parts, axis=0) for parts in zip(*finals, strict=True)]


def input_feeding_step_by_step(cells, sequences, initial_state, memory, mask):
    """Luong's input feeding with Keras cells, one sequence and one step at a time."""
    outputs = []
    for row in range(len(mask)):
        first = [part[row : row + 1] for part in initial_state]
        states = [first] + [[tf.zeros([1, UNITS]) for _ in first] for _ in cells[1:]]
        keys, values = (part[row][memory.mask[row]] for part in (memory.keys, memory.values))
        rows = [tf.zeros([1, UNITS])]
        for step in range(mask[row].sum()):
            h = tf.concat([sequences[row : row + 1, step], rows[-1]], axis=1)
            for number, cell in enumerate(cells):
                h, state = cell(h, states[number])
                states[number] = tf.nest.flatten(state)
            attention = tf.nn.softmax(h @ tf.transpose(keys))
            both = tf.concat([h, attention @ values], axis=1)
            rows.append(tf.tanh(both @ memory.kernel + memory.bias))
        padding = [tf.zeros([1, UNITS])] * (mask.shape[1] - mask[row].sum())
        outputs.append(tf.concat(rows[1:] + padding, axis=0))
    return tf.stack(outputs)


def input_feeding_packed(cells, sequences, initial_state, memory, mask, dtype="float32"):
    plan = packing_plan(mask)
    rows = pack(sequences, plan)
    return unpack(run_input_feeding(cells, rows, initial_state, plan, dtype, memory), plan)


def luong_packed(layer, sequences, initial_state, memory, mask):
    plan = packing_plan(mask)
    rows = pack(sequences, plan)
    outputs, final = run_packed(layer.cell, rows, initial_state, plan, "float32", memory)
    return unpack(outputs, plan), final


def attending_inputs(cell_type):
    """Three sequences, their first states, and keys, values, kernel and bias of a memory."""
    memory = [random(3, 5, UNITS), random(3, 5, 2), random(UNITS + 2, UNITS), random(UNITS)]
    return [
        tf.constant(random(3, 4, FEATURES)),
        states_of(cell_type, 3),
        [tf.constant(part) for part in memory],
    ]


def with_memory(function, recurrence, **options):
    mask, memory_mask = mask_of([2, 4, 1], steps=4), mask_of([5, 1, 3], steps=5)

    def run(sequences, state, parts):
        keys, values, kernel, bias = parts
        memory = Memory(keys, values, memory_mask, kernel, bias)
        return function(recurrence, sequences, state, memory, mask, **options)

    return run


@pytest.mark.parametrize("cell_type", ["gru", "lstm"])
def test_packed_luong_attention_equals_the_cell_step_by_step(cell_type):
    layer = recurrent_layer(cell_type, FEATURES, seed=1)
    weights = [weight.value for weight in layer.trainable_weights]
    inputs = attending_inputs(cell_type)
    expected, expected_gradients = results_and_gradients(
        with_memory(luong_step_by_step, layer.cell), inputs, weights
    )
    results, gradients = results_and_gradients(with_memory(luong_packed, layer), inputs, weights)
    assert_close(results + gradients, expected + expected_gradients)


def layers_with_input_feeding(cell_type, count):
    """-> cells and their weights."""
    sizes = [FEATURES + UNITS, *[UNITS] * (count - 1)]
    layers = [recurrent_layer(cell_type, size, seed=4 * n) for n, size in enumerate(sizes)]
    weights = [weight.value for layer in layers for weight in layer.trainable_weights]
    return [layer.cell for layer in layers], weights


@pytest.mark.parametrize(("cell_type", "count"), [("gru", 3), ("lstm", 2)])
def test_packed_input_feeding_equals_the_cells_step_by_step(cell_type, count):
    cells, weights = layers_with_input_feeding(cell_type, count)
    inputs = attending_inputs(cell_type)
    expected, expected_gradients = results_and_gradients(
        with_memory(input_feeding_step_by_step, cells), inputs, weights, compiled=False
    )
    results, gradients = results_and_gradients(
        with_memory(input_feeding_packed, cells), inputs, weights
    )
    assert_close(results + gradients, expected + expected_gradients)


def test_input_feeding_with_bfloat16_matmuls_stays_near_float32():
    cells, weights = layers_with_input_feeding("gru", 2)
    inputs = attending_inputs("gru")
    expected, rounded = (
        results_and_gradients(
            with_memory(input_feeding_packed, cells, dtype=dtype), inputs, weights, compiled=False
        )
        for dtype in ("float32", "bfloat16")
    )
    for got, wanted in zip(tf.nest.flatten(rounded), tf.nest.flatten(expected), strict=True):
        assert got.dtype == tf.float32
        assert 0 < np.linalg.norm(got - wanted) < 0.1 * np.linalg.norm(wanted)

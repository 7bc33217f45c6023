import keras
import numpy as np
import pytest
import tensorflow as tf

from models.keras_internals import GRU, LSTM, CompiledAdam, reset_dropout_masks

WORDS = np.int32([[3, 1, 3, 3], [2, 2, 0, 5], [4, 1, 2, 3]])
TARGETS = np.float32([[40], [-20], [3]])


def small_model(optimizer):
    """Its embedding's gradients are sparse, with words that occur twice; the others are dense."""
    model = keras.Sequential(
        [
            keras.Input((4,), dtype="int32"),
            keras.layers.Embedding(6, 3),
            keras.layers.GRU(5),
            keras.layers.Dense(1),
        ]
    )
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(size=weight.shape) for weight in model.get_weights()])
    model.compile(optimizer, "mse", jit_compile=False)
    return model


def trained(optimizer, steps=20):
    model = small_model(optimizer)
    model.fit(WORDS, TARGETS, batch_size=3, epochs=steps, shuffle=False, verbose=0)
    return model


def assert_same_weights_and_state(model, expected):
    for got, wanted in zip(model.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-6, atol=1e-6)
    for got, wanted in zip(model.optimizer.variables, expected.optimizer.variables, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "settings",
    [
        {"learning_rate": 0.01},
        {"learning_rate": 0.01, "clipvalue": 0.5},
        {"learning_rate": 0.01, "clipnorm": 0.5},
        {"learning_rate": 0.01, "global_clipnorm": 0.5},
        {"learning_rate": keras.optimizers.schedules.CosineDecay(0.01, 20), "clipvalue": 0.5},
    ],
)
def test_weights_after_20_steps_are_the_stock_ones(settings):
    expected = trained(keras.optimizers.Adam(**settings))
    assert_same_weights_and_state(trained(CompiledAdam(**settings)), expected)


def test_the_update_is_compiled():
    model = small_model(CompiledAdam(clipvalue=0.5))
    variables = model.trainable_variables
    model.optimizer.build(variables)

    @tf.function(autograph=False)
    def step():
        model.optimizer.apply([tf.ones(variable.shape) for variable in variables])

    calls = [
        operation
        for operation in step.get_concrete_function().graph.get_operations()
        if operation.type in ("StatefulPartitionedCall", "PartitionedCall")
    ]
    assert [call.get_attr("_XlaMustCompile") for call in calls] == [True]


def test_a_saved_model_goes_on_where_it_stopped(tmp_path):
    expected = trained(CompiledAdam(0.01, clipvalue=0.5), steps=6)
    trained(CompiledAdam(0.01, clipvalue=0.5), steps=3).save(tmp_path / "model.keras")
    model = keras.saving.load_model(tmp_path / "model.keras")
    assert isinstance(model.optimizer, CompiledAdam)
    model.fit(WORDS, TARGETS, batch_size=3, epochs=3, shuffle=False, verbose=0)
    assert_same_weights_and_state(model, expected)


def test_under_a_distribution_strategy_it_is_the_stock_one():
    expected = trained(keras.optimizers.Adam(0.01, clipvalue=0.5), steps=3)
    with tf.distribute.MirroredStrategy(["CPU:0"]).scope():
        model = trained(CompiledAdam(0.01, clipvalue=0.5), steps=3)
    assert_same_weights_and_state(model, expected)


@pytest.mark.parametrize("layer_class", [GRU, LSTM])
def test_keras_runs_a_layer_s_steps_in_its_inner_loop(layer_class):
    layer = layer_class(2, return_sequences=True)
    outputs = layer(np.ones((1, 3, 2), np.float32), mask=np.array([[True, True, False]]))
    # The packed engine leaves the padding zero, where Keras's own loop repeats the last output.
    assert np.array(outputs[0]).any(axis=1).tolist() == [True, True, False]


@pytest.mark.parametrize("cell_class", [keras.layers.GRUCell, keras.layers.SimpleRNNCell])
def test_a_cell_s_dropout_masks_are_drawn_again(cell_class):
    cell = cell_class(50, recurrent_dropout=0.5)
    inputs, state = np.ones((1, 3), np.float32), [np.ones((1, 50), np.float32)]

    def output():
        return np.array(cell(inputs, state, training=True)[0])

    first = output()
    np.testing.assert_array_equal(output(), first)
    reset_dropout_masks(cell)
    assert np.abs(output() - first).max() > 0.01

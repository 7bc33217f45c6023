import os
import pickle

import keras
import numpy as np
import pytest

from data_reader.errors import InputError
from dataset.models.alexnet.network import (
    LocalResponseNormalization,
    SplitConvolution,
    build_network,
)
from dataset.models.alexnet.weights import load_weights, read_weights
from dataset.models.networks import default_policy

SHAPES = {
    "conv1": [(11, 11, 3, 96), (96,)],
    "conv2": [(5, 5, 48, 256), (256,)],
    "conv3": [(3, 3, 256, 384), (384,)],
    "conv4": [(3, 3, 192, 384), (384,)],
    "conv5": [(3, 3, 192, 256), (256,)],
    "fc6": [(9216, 4096), (4096,)],
    "fc7": [(4096, 4096), (4096,)],
}


@pytest.fixture(scope="module")
def network():
    return build_network(seed=1)


def test_the_layers_are_those_of_bvlc_alexnet(network):
    shapes = {
        layer.name: [tuple(w.shape) for w in layer.weights]
        for layer in network.layers
        if layer.weights
    }
    assert shapes == SHAPES
    assert network.output_shape == (None, 4096)


def test_response_normalisation_worked_out_by_hand():
    inputs = np.float32([[[[100, 200, 300, 400]]]])
    squares = np.array([100**2 + 200**2 + 300**2, 30e4, 30e4, 200**2 + 300**2 + 400**2])
    expected = inputs / (1 + 2e-5 * squares) ** 0.75
    np.testing.assert_allclose(LocalResponseNormalization()(inputs), expected, rtol=1e-5)


def test_a_split_convolution_keeps_its_groups_apart():
    """Two groups of one channel; a kernel of 1 x 1 has two filters for each."""
    layer = SplitConvolution(4, 1, groups=2)
    layer.build((None, 1, 2, 2))
    layer.set_weights([np.float32([[[[1, 2, 3, 4]]]]), np.float32([0, 0, 0, 1])])
    outputs = layer(np.float32([[[[5, 7], [1, 0]]]]))
    assert outputs.numpy().tolist() == [[[[5, 10, 21, 29], [1, 2, 0, 1]]]]


def test_seeded_weights_are_always_the_same(network):
    photos = np.random.default_rng(0).normal(size=(1, 227, 227, 3)).astype("float32") * 50
    features = keras.ops.convert_to_numpy(network(photos))
    assert (features > 0).mean() > 0.1
    np.testing.assert_array_equal(features, build_network(seed=1)(photos))


class TinyNetwork:
    """The two layers that a small weights file can fill."""

    def __init__(self, precision="float32"):
        photos = keras.Input((3,))
        with default_policy(precision):
            hidden = keras.layers.Dense(2, name="fc6")(photos)
            self.model = keras.Model(photos, keras.layers.Dense(1, name="fc7")(hidden))


def save_weights(path, weights, protocol=2):
    """Write an object array as NumPy does; Python 2 used protocol 2."""
    array = np.array(weights, dtype=object)
    with open(path, "wb") as file:
        np.lib.format.write_array_header_1_0(file, np.lib.format.header_data_from_array_1_0(array))
        pickle.dump(array, file, protocol=protocol)


WEIGHTS = {
    "fc6": [np.arange(6, dtype=np.float32).reshape(3, 2), np.float32([1, 2])],
    "fc7": [np.ones((2, 1), np.float32), np.zeros(1, np.float32)],
    "fc8": [np.ones((1, 1), np.float32), np.zeros(1, np.float32)],
}


@pytest.mark.parametrize(
    ("protocol", "precision"), [(2, "float32"), (3, "float32"), (4, "float32"), (2, "bfloat16")]
)
def test_a_weights_file_fills_the_layers_of_its_names(tmp_path, protocol, precision):
    save_weights(tmp_path / "w.npy", WEIGHTS, protocol)
    model = TinyNetwork(precision).model
    load_weights(model, tmp_path / "w.npy")
    kernel, bias = model.get_layer("fc6").get_weights()
    assert kernel.tolist() == [[0, 1], [2, 3], [4, 5]]
    assert bias.tolist() == [1, 2]


def test_a_wrong_shape_and_a_missing_layer_are_named(tmp_path):
    wrong = {**WEIGHTS, "fc6": [np.ones((2, 2)), np.ones(2)]}
    save_weights(tmp_path / "w.npy", wrong)
    with pytest.raises(InputError, match=r"fc6 has shapes .* expected \[\(3, 2\), \(2,\)\]"):
        load_weights(TinyNetwork().model, tmp_path / "w.npy")
    save_weights(tmp_path / "w.npy", {"fc6": WEIGHTS["fc6"]})
    with pytest.raises(InputError, match="no weights for the layer fc7"):
        load_weights(TinyNetwork().model, tmp_path / "w.npy")


@pytest.mark.parametrize(
    ("fc6", "message"),
    [
        (7, "fc6 has shapes"),
        (["a", "b"], "fc6 has shapes"),
        ([[[1.0], [1.0, 2.0]], [1.0, 2.0]], "fc6 has shapes"),
        ([np.full((3, 2), np.nan), np.ones(2)], "something other than finite numbers"),
    ],
)
def test_weights_that_are_not_numbers_are_refused(tmp_path, fc6, message):
    save_weights(tmp_path / "w.npy", {**WEIGHTS, "fc6": fc6})
    with pytest.raises(InputError, match=message):
        load_weights(TinyNetwork().model, tmp_path / "w.npy")


def test_a_forged_type_of_numbers_is_refused_and_makes_nothing(tmp_path):
    path = tmp_path / "w.npy"
    for forged in (b"O8", b"i4", b"V9"):
        save_weights(path, WEIGHTS)
        path.write_bytes(path.read_bytes().replace(b"f4", forged))
        with pytest.raises(InputError, match="it holds numbers of the type"):
            read_weights(path)


def test_a_shape_that_the_bytes_do_not_fill_is_refused(tmp_path):
    path = tmp_path / "w.npy"
    save_weights(path, WEIGHTS)
    shape, larger = pickle.dumps((3, 2), 2)[2:-3], pickle.dumps((250, 250), 2)[2:-3]
    contents = path.read_bytes()
    assert shape in contents
    path.write_bytes(contents.replace(shape, larger))
    with pytest.raises(InputError, match="cannot reshape"):
        read_weights(path)


class RunsCode:
    def __reduce__(self):
        return os.mkdir, ("run_by_the_pickle",)


def test_a_file_that_tries_to_run_code_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_weights("w.npy", {"fc6": RunsCode()})
    with pytest.raises(InputError, match=r"calls (posix|nt)\.mkdir"):
        read_weights("w.npy")
    assert not (tmp_path / "run_by_the_pickle").exists()


def test_a_file_that_is_not_a_weights_file_is_refused(tmp_path):
    path = tmp_path / "w.npy"
    save_weights(path, WEIGHTS)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(InputError, match=r"is not bvlc_alexnet\.npy"):
        read_weights(path)
    path.write_bytes(b"<html>")
    with pytest.raises(InputError, match=r"is not bvlc_alexnet\.npy"):
        read_weights(path)
    save_weights(path, [1, 2])
    with pytest.raises(InputError, match="it holds no dictionary of arrays"):
        read_weights(path)

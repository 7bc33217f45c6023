import keras
import numpy as np
import pytest

from data_reader.errors import InputError
from dataset.models.keras_applications import _SIZES, keras_extractor

PHOTO = np.full((300, 400, 3), (10, 20, 30), np.uint8)  # B,G,R


def test_features_are_pooled_and_of_the_model_s_size():
    extractor = keras_extractor("MobileNetV2", weights=None)
    assert extractor.name == "mobilenetv2"
    assert extractor.image_size == 224
    assert extractor.feature_size == 1280
    inputs = extractor.preprocess(PHOTO)
    assert inputs.shape == (224, 224, 3)
    # MobileNetV2 wants R,G,B from -1 to 1.
    np.testing.assert_allclose(inputs[0, 0], np.array([30, 20, 10]) / 127.5 - 1, rtol=1e-5)
    assert extractor.compute(inputs[None]).shape == (1, 1280)


def test_each_model_has_its_own_preprocessing():
    extractor = keras_extractor("vgg16", weights=None)
    assert extractor.feature_size == 512
    # VGG16 wants B,G,R less ImageNet's means.
    expected = np.array([10, 20, 30]) - [103.939, 116.779, 123.68]
    np.testing.assert_allclose(extractor.preprocess(PHOTO)[0, 0], expected, rtol=1e-5)


def test_weights_have_a_checksum_in_any_precision():
    keras.utils.set_random_seed(1)
    first = keras_extractor("mobilenetv2", weights=None)
    second = keras_extractor("mobilenetv2", weights=None)
    keras.utils.set_random_seed(1)
    assert first.weights_checksum != second.weights_checksum
    in_bfloat16 = keras_extractor("mobilenetv2", weights=None, precision="bfloat16")
    assert first.weights_checksum == in_bfloat16.weights_checksum
    inputs = np.random.default_rng(1).uniform(-1, 1, (1, 224, 224, 3)).astype(np.float32)
    [one], [other] = first.compute(inputs), in_bfloat16.compute(inputs)
    assert other.dtype == np.float32
    assert (one != other).any()
    assert one @ other > 0.999 * np.linalg.norm(one) * np.linalg.norm(other)
    assert keras.config.dtype_policy().name == "float32"


def test_every_size_belongs_to_a_model():
    assert all(hasattr(keras.applications, name) for name in _SIZES)


def test_an_unknown_extractor_is_named():
    with pytest.raises(InputError, match=r"no extractor 'vgg'; choose alexnet, .*vgg16"):
        keras_extractor("vgg", weights=None)


def test_a_failed_download_of_weights_is_an_input_error(monkeypatch):
    def no_network(*arguments, **options):
        raise OSError("URL fetch failure")

    monkeypatch.setattr("keras.src.applications.mobilenet_v2.file_utils.get_file", no_network)
    with pytest.raises(InputError, match=r"weights of MobileNetV2 can't be loaded \(URL fetch"):
        keras_extractor("mobilenetv2")

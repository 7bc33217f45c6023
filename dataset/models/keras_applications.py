"""Any image model of `keras.applications` as an extractor: its last feature map, pooled."""

import hashlib
import inspect
import sys

import keras
import numpy as np

from data_reader.errors import InputError
from data_reader.image_data_reader import centre_square
from dataset.extractor import Extractor
from dataset.models.networks import default_policy, make_compute

_POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16"}  # the weights stay float32
_USUAL_SIZE = 224
_SIZES = {
    "EfficientNetB1": 240,
    "EfficientNetB2": 260,
    "EfficientNetB3": 300,
    "EfficientNetB4": 380,
    "EfficientNetB5": 456,
    "EfficientNetB6": 528,
    "EfficientNetB7": 600,
    "EfficientNetV2B1": 240,
    "EfficientNetV2B2": 260,
    "EfficientNetV2B3": 300,
    "EfficientNetV2L": 480,
    "EfficientNetV2M": 480,
    "EfficientNetV2S": 384,
    "InceptionResNetV2": 299,
    "InceptionV3": 299,
    "NASNetLarge": 331,
    "Xception": 299,
}


def keras_extractor(name, weights="imagenet", precision="float32"):
    """Build the extractor of an image model without its classifier, globally average-pooled.

    Args:
        name: the model's name in any case.
        weights: "imagenet", which Keras downloads once; None for random ones.
        precision: of `PRECISIONS`.

    Raises:
        InputError: there is no such model, or its weights can't be downloaded.
    """
    build = _model_function(name)
    size = _SIZES.get(build.__name__, _USUAL_SIZE)
    try:
        with default_policy(_POLICIES[precision]):
            network = build(
                include_top=False, pooling="avg", weights=weights, input_shape=(size, size, 3)
            )
    except Exception as error:  # Keras raises plain exceptions where a download fails
        raise InputError(
            f"The ImageNet weights of {build.__name__} can't be loaded ({error}); Keras downloads "
            "them once, for which it needs a network connection."
        ) from error
    own_preprocessing = sys.modules[build.__module__].preprocess_input

    def preprocess(photo):
        red_green_blue = centre_square(photo, size)[:, :, ::-1].astype(np.float32)
        return own_preprocessing(red_green_blue)

    return Extractor(
        name=build.__name__.lower(),
        image_size=size,
        feature_size=network.output_shape[-1],
        preprocess=preprocess,
        compute=make_compute(network),
        weights_checksum=_checksum(network),
        channel_means=(0.0, 0.0, 0.0),
        precision=precision,
    )


def _model_function(name):
    functions = {
        function.__name__.lower(): function
        for _, function in inspect.getmembers(keras.applications, inspect.isfunction)
    }
    if name.lower() not in functions:
        raise InputError(
            f"There is no extractor {name!r}; choose alexnet, {', '.join(sorted(functions))}."
        )
    return functions[name.lower()]


def _checksum(network):
    digest = hashlib.sha256()
    for array in network.get_weights():
        digest.update(np.ascontiguousarray(array))
    return digest.hexdigest()[:16]

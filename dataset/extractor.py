"""What turns photos into features: AlexNet's fc7 or an image model of `keras.applications`."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from data_reader.cli import import_tensorflow
from data_reader.errors import InputError


@dataclass(frozen=True)
class Extractor:
    """An image network with its own way of reading photos.

    Attributes:
        name: of the features' folder and files.
        image_size: pixels of the square that the network sees.
        feature_size: F.
        preprocess: a photo, uint8 [height, width, 3] in B,G,R -> the network's input.
        compute: a batch of inputs -> features float32 [B, F].
        weights_checksum: tells features of different weights apart.
        channel_means: what `preprocess` subtracts, B,G,R; zeros where it does something else.
    """

    name: str
    image_size: int
    feature_size: int
    preprocess: Callable[[np.ndarray], np.ndarray]
    compute: Callable[[np.ndarray], np.ndarray]
    weights_checksum: str
    channel_means: tuple[float, float, float]


def load_extractor(name, layout):
    """The extractor of that name, with the weights and means that the data folder calls for.

    Args:
        name: "alexnet", or a model of `keras.applications` in any case, "resnet50" say.

    Raises:
        ValueError: there is no such extractor, or its weights can't be had.
    """
    import_tensorflow()
    if name == "alexnet":
        from data_reader.image_mean_calculation import read_means
        from dataset.models.alexnet.extractor import alexnet_extractor

        return alexnet_extractor(read_means(layout), seeded=layout.facts.exists())
    from dataset.models.keras_applications import keras_extractor

    return keras_extractor(name)


def load_extractor_of(features):
    """The extractor that some features were made with.

    Args:
        features: what a run or a stories file says of its features: extractor, weights_checksum,
            channel_means.

    Raises:
        ValueError: they do not say what made them, or its weights are not to be had here.
    """
    if not {"extractor", "weights_checksum", "channel_means"} <= set(features):
        raise InputError(
            "The stories that the run was trained on do not say what made their image features, "
            "so photos can't be given features of the same kind; write the stories files with "
            "python -m data_reader and train again."
        )
    import_tensorflow()
    if features["extractor"] == "alexnet":
        from dataset.models.alexnet.extractor import alexnet_extractor

        seeded = features["weights_checksum"].startswith("seeded")
        extractor = alexnet_extractor(features["channel_means"], seeded)
    else:
        from dataset.models.keras_applications import keras_extractor

        extractor = keras_extractor(features["extractor"])
    if extractor.weights_checksum != features["weights_checksum"]:
        raise InputError(
            f"The run was trained on features of {features['extractor']} with the weights "
            f"{features['weights_checksum']}; here are {extractor.weights_checksum}. Put those "
            "weights back, or extract the features again and train."
        )
    return extractor

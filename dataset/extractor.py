"""What turns photos into features: AlexNet's fc7 or an image model of `keras.applications`."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from data_reader.commands import import_tensorflow


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

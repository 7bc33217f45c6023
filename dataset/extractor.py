"""The interface of a feature extractor: an image network that turns photos into features."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

PRECISIONS = ("float32", "bfloat16")


@dataclass(frozen=True)
class Extractor:
    """An image network with its own way of reading photos.

    Attributes:
        name: the name of the features' folder and files.
        image_size: the side in pixels of the square that the network sees.
        feature_size: F.
        preprocess: turns a photo, uint8 [height, width, 3] in B,G,R, into the network's input.
        compute: turns a batch of inputs into features float32 [B, F].
        weights_checksum: distinguishes features of different weights.
        channel_means: B,G,R, subtracted by `preprocess`; zeros if it does something else.
        precision: of `PRECISIONS`, of the network's products; their sums are always float32.
    """

    name: str
    image_size: int
    feature_size: int
    preprocess: Callable[[np.ndarray], np.ndarray]
    compute: Callable[[np.ndarray], np.ndarray]
    weights_checksum: str
    channel_means: tuple[float, float, float]
    precision: str

"""AlexNet's fc7 as an image feature extractor."""

import sys

from data_reader.image_data_reader import network_input
from data_reader.layout import ALEXNET_WEIGHTS
from dataset.extractor import Extractor
from dataset.models.alexnet.network import FEATURE_SIZE, IMAGE_SIZE, build_network
from dataset.models.alexnet.weights import checksum, load_weights
from dataset.models.networks import default_policy, make_compute

_SEED = 1
_WARNING = f"""\
warning: AlexNet has seeded random weights, since {ALEXNET_WEIGHTS} is missing.
  Features of random weights distinguish drawn photos, but stories about real photos will be
  poor. Put the published bvlc_alexnet.npy there and extract the features again."""


def alexnet_extractor(channel_means, seeded=False, precision="float32"):
    """Build the extractor of AlexNet up to fc7 with its published weights.

    Without their file, or with `seeded` (for the sample set, whose photos are drawn), the weights
    are random, the same ones on every call.

    Args:
        channel_means: B,G,R, to be subtracted from the photos.
        precision: of `PRECISIONS`, of weights and products; local response normalisation and all
            sums are computed in float32.

    Raises:
        InputError: the weights file is broken or of another network.
    """
    with default_policy(precision):
        network = build_network(_SEED)
    if seeded or not ALEXNET_WEIGHTS.exists():
        if seeded:
            print("AlexNet with seeded random weights, as always for the sample set")
        else:
            print(_WARNING, file=sys.stderr)
        weights_checksum = f"seeded-{_SEED}"
    else:
        load_weights(network, ALEXNET_WEIGHTS)
        weights_checksum = checksum(ALEXNET_WEIGHTS)

    def preprocess(photo):
        return network_input(photo, IMAGE_SIZE, channel_means)

    return Extractor(
        name="alexnet",
        image_size=IMAGE_SIZE,
        feature_size=FEATURE_SIZE,
        preprocess=preprocess,
        compute=make_compute(network),
        weights_checksum=weights_checksum,
        channel_means=tuple(channel_means),
        precision=precision,
    )

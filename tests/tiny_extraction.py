"""An extraction of few tiny photos in parts of two; as a script, it can kill itself.

python tests/tiny_extraction.py PLACE --data FOLDER --shard 1/3
"""

import os
import signal
import sys

import cv2
import numpy as np

from data_reader.cli import run_command
from data_reader.image_data_reader import network_input
from dataset import image_features
from dataset.extractor import Extractor
from dataset.feature_parts import Part

PHOTOS_PER_PART = 2


def mean_colour(
    compute=lambda inputs: inputs.mean(axis=(1, 2)), weights_checksum="none", precision="float32"
):
    """An extractor whose features are a photo's mean blue, green and red."""
    return Extractor(
        name="alexnet",
        image_size=4,
        feature_size=3,
        preprocess=lambda photo: network_input(photo, 4, (0.0, 0.0, 0.0)),
        compute=compute,
        weights_checksum=weights_checksum,
        channel_means=(0.0, 0.0, 0.0),
        precision=precision,
    )


def write_photos(folder, photos):
    """Write 000.png, 001.png, ..., all of different colours."""
    folder.mkdir(parents=True)
    for number in range(photos):
        pixels = np.full((6, 8, 3), (number % 256, number // 256, 2), np.uint8)
        assert cv2.imwrite(str(folder / f"{number:03}.png"), pixels)


def kill(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)


def kill_at(place):
    write = Part.write

    def write_and_die(part, arrays):
        write(part, arrays)
        kill()

    def write_half(path, **arrays):
        path.write_bytes(b"PK" + bytes(5000))
        kill()

    if place == "after a part":
        Part.write = write_and_die
    elif place == "while a part is written":
        np.savez = write_half
    elif place == "before the parts are joined":
        image_features._assemble = kill


if __name__ == "__main__":
    kill_at(sys.argv.pop(1))
    image_features.PHOTOS_PER_PART = PHOTOS_PER_PART
    image_features.load_extractor = lambda *_: mean_colour()
    run_command(image_features.main)

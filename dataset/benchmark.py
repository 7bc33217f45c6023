"""python -m dataset.benchmark: how fast and with how much memory features are extracted.

AlexNet forward on one core, beside that core's own rate of multiplying matrices; then, on all
cores, decoding alone, AlexNet alone, and both together; then the peak memory of extracting few
and many photos.  Every measurement has a process of its own.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np

from data_reader.commands import command_line, import_tensorflow
from data_reader.image_data_reader import index_photos, network_input, read_photo

FLOP_PER_PHOTO = 1.45e9  # AlexNet up to fc7, a multiplication and an addition counted as two
ORIGINAL_PHOTOS_PER_SECOND = 29.6  # AlexNet forward on one core, TensorFlow 1.6
BATCH_SIZE = 32
REPEATS = 7
PHOTO_SHAPE = (375, 500)  # a usual photo of VIST
SMALL_PHOTO_SHAPE = (48, 64)


def write_photos(folder, photos, shape):
    """JPEGs of smooth random colours."""
    rng = np.random.default_rng(1)
    for number in range(photos):
        coarse = rng.integers(0, 256, (8, 10, 3), np.uint8)
        pixels = cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(folder / f"{number}.jpg"), pixels)


def _median_seconds(work):
    work()
    seconds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return float(np.median(seconds))


def measure_forward(threads):
    """AlexNet's photos per second on `threads` cores, and the share of the matmul rate."""
    import_tensorflow()
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    from dataset.models.alexnet.network import IMAGE_SIZE, build_network

    network = build_network()
    photos = np.random.default_rng(1).normal(0, 50, (BATCH_SIZE, IMAGE_SIZE, IMAGE_SIZE, 3))
    photos = photos.astype(np.float32)
    matrix = tf.random.normal((2048, 2048))
    matmul = 2 * 2048**3 / _median_seconds(lambda: tf.matmul(matrix, matrix).numpy())
    rate = BATCH_SIZE / _median_seconds(lambda: network.predict_on_batch(photos))
    return {
        "photos_per_second": rate,
        "ratio_to_original": rate / ORIGINAL_PHOTOS_PER_SECOND,
        "matmul_gflop_per_second": matmul / 1e9,
        "matmul_share": rate * FLOP_PER_PHOTO / matmul,
    }


def measure_decoding(folder):
    """Photos decoded and cropped per second, on all cores."""
    paths = list(index_photos(folder).values())

    def prepare(path):
        return network_input(read_photo(path, short_side=227))

    with ThreadPoolExecutor(os.cpu_count()) as decoders:
        seconds = _median_seconds(lambda: [None for _ in decoders.map(prepare, paths)])
    return {"photos_per_second": len(paths) / seconds}


def measure_extraction(folder):
    """Photos per second from files to features file, on all cores."""
    import_tensorflow()
    from dataset.image_features import extract
    from dataset.models.alexnet.extractor import alexnet_extractor

    extractor = alexnet_extractor((104.0, 117.0, 123.0), seeded=True)
    extractor.compute(np.zeros((BATCH_SIZE, 227, 227, 3), np.float32))
    photos = index_photos(folder)
    with tempfile.TemporaryDirectory() as out:
        start = time.perf_counter()
        extract(photos, extractor, Path(out) / "features.hdf5", Path(out) / "skipped.csv")
        seconds = time.perf_counter() - start
    return {"photos_per_second": len(photos) / seconds}


def measure_memory(folder):
    """Peak memory (GB) of an extraction whose network costs none, so that growth would show."""
    from dataset.extractor import Extractor
    from dataset.image_features import extract

    features = np.ones((BATCH_SIZE, 4096), np.float32)
    extractor = Extractor(
        name="ones",
        image_size=227,
        feature_size=4096,
        preprocess=network_input,
        compute=lambda inputs: features[: len(inputs)],
        weights_checksum="",
        channel_means=(0.0, 0.0, 0.0),
    )
    with tempfile.TemporaryDirectory() as out:
        extract(
            index_photos(folder), extractor, Path(out) / "features.hdf5", Path(out) / "skipped.csv"
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"peak_memory_gb": peak / 1e6}


MEASUREMENTS = {
    "forward": lambda argument: measure_forward(int(argument)),
    "decoding": measure_decoding,
    "extraction": measure_extraction,
    "memory": measure_memory,
}


def _in_its_own_process(measurement, argument):
    done = subprocess.run(
        [sys.executable, "-m", "dataset.benchmark", "--measure", measurement, str(argument)],
        check=True,
        capture_output=True,
        text=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def measure_all():
    """All figures, `{measurement: {...}}`."""
    with tempfile.TemporaryDirectory() as photos:
        write_photos(Path(photos), 512, PHOTO_SHAPE)
        figures = {
            "forward_one_core": _in_its_own_process("forward", 1),
            "decoding": _in_its_own_process("decoding", photos),
            "forward": _in_its_own_process("forward", os.cpu_count()),
            "extraction": _in_its_own_process("extraction", photos),
        }
        slower = min(figures[part]["photos_per_second"] for part in ("decoding", "forward"))
        ratio = figures["extraction"]["photos_per_second"] / slower
        figures["extraction"]["ratio_to_slower_part"] = ratio
    with tempfile.TemporaryDirectory() as few, tempfile.TemporaryDirectory() as many:
        write_photos(Path(few), 2_000, SMALL_PHOTO_SHAPE)
        write_photos(Path(many), 20_000, SMALL_PHOTO_SHAPE)
        figures["memory_2000_photos"] = _in_its_own_process("memory", few)
        figures["memory_20000_photos"] = _in_its_own_process("memory", many)
    return figures


def main():
    parser = command_line(__doc__)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        measurement, argument = arguments.measure
        print(json.dumps(MEASUREMENTS[measurement](argument)))
        return
    figures = measure_all()
    if arguments.json:
        print(json.dumps(figures))
        return
    for measurement, values in figures.items():
        shown = ", ".join(f"{name} {value:.2f}" for name, value in values.items())
        print(f"{measurement}: {shown}")


if __name__ == "__main__":
    main()

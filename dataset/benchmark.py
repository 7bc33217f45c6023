"""python -m dataset.benchmark: speed and memory of feature extraction.

It measures AlexNet's forward pass on one core in each precision, relative to that core's rate of
multiplying float32 matrices; then, on all cores, decoding alone, AlexNet alone, and both together,
and the share of it that checking the photos' headers and contents takes; the effect on the features
of decoding large photos at a reduced size, and of bfloat16; the peak memory of extracting few and
many photos, which takes some minutes; and the import of a zip of ready-made features.  Every
measurement runs in a process of its own.
"""

import argparse
import contextlib
import io
import json
import os
import resource
import tempfile
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np

from data_reader.cli import command_line, import_tensorflow, run_command
from data_reader.files import write_json
from data_reader.image_data_reader import (
    ALEXNET_IMAGE_SIZE,
    ALEXNET_MEANS,
    index_photos,
    network_input,
    read_photo,
)
from data_reader.layout import DataLayout
from data_reader.measuring import in_its_own_process, use_device
from data_reader.photo_header import read_header
from dataset.extractor import PRECISIONS
from dataset.image_features import BATCH_SIZE, extract
from dataset.photo_files import fingerprint_of
from dataset.ready_made_features import import_features

FLOP_PER_PHOTO = 1.45e9  # AlexNet up to fc7; a multiplication and an addition are two
ORIGINAL_PHOTOS_PER_SECOND = 29.6  # AlexNet forward on one core, TensorFlow 1.6
REPEATS = 7
PHOTO_SHAPE = (375, 500)  # typical of VIST
SMALL_PHOTO_SHAPE = (48, 64)
LARGE_PHOTO_SHAPES = ((910, 1200), (1200, 1600), (1850, 2400), (3000, 4000))
_INPUT_SHAPE = (ALEXNET_IMAGE_SIZE, ALEXNET_IMAGE_SIZE, 3)


def write_photos(folder, photos, shape):
    """Write JPEGs of smooth random colours."""
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


def measure_forward(cores, precision="float32"):
    """Measure AlexNet's photos per second on so many cores, and the share of the matmul rate."""
    use_device("cpu", cores)
    import tensorflow as tf

    from dataset.models.alexnet.extractor import alexnet_extractor

    extractor = alexnet_extractor(ALEXNET_MEANS, seeded=True, precision=precision)
    photos = np.random.default_rng(1).normal(0, 50, (BATCH_SIZE, *_INPUT_SHAPE))
    photos = photos.astype(np.float32)
    matrix = tf.random.normal((2048, 2048))
    matmul = 2 * 2048**3 / _median_seconds(lambda: tf.matmul(matrix, matrix).numpy())
    rate = BATCH_SIZE / _median_seconds(lambda: extractor.compute(photos))
    return {
        "photos_per_second": rate,
        "ratio_to_original": rate / ORIGINAL_PHOTOS_PER_SECOND,
        "matmul_gflop_per_second": matmul / 1e9,
        "matmul_share": rate * FLOP_PER_PHOTO / matmul,
    }


def measure_decoding(folder):
    """Measure the photos decoded and cropped per second, on all cores."""
    paths = list(index_photos(folder).values())

    def prepare(path):
        return network_input(read_photo(path, short_side=ALEXNET_IMAGE_SIZE))

    with ThreadPoolExecutor(os.cpu_count()) as decoders:
        seconds = _median_seconds(lambda: [None for _ in decoders.map(prepare, paths)])
    return {"photos_per_second": len(paths) / seconds}


def measure_extraction(folder):
    """Measure photos per second from files to features file, on all cores, and peak memory (GB)."""
    import_tensorflow()
    from dataset.models.alexnet.extractor import alexnet_extractor

    extractor = alexnet_extractor(ALEXNET_MEANS, seeded=True)
    extractor.compute(np.zeros((BATCH_SIZE, *_INPUT_SHAPE), np.float32))
    photos = index_photos(folder)
    with tempfile.TemporaryDirectory() as out:
        start = time.perf_counter()
        extract(photos, extractor, Path(out) / "features.hdf5", Path(out) / "skipped.csv")
        seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"photos_per_second": len(photos) / seconds, "peak_memory_gb": peak / 1e6}


def measure_checks(folder):
    """Measure the seconds per photo of reading its header and of its contents' fingerprint."""
    contents = [Path(path).read_bytes() for path in index_photos(folder).values()]

    def check():
        for of_photo in contents:
            read_header(io.BytesIO(of_photo))
            fingerprint_of(of_photo)

    return {"seconds_per_photo": _median_seconds(check) / len(contents)}


def measure_reduced_decoding(folder):
    """Measure the effect of decoding large photos at reduced size on AlexNet's fc7 and on speed.

    And the effect of bfloat16 on fc7 of the reduced photos.
    """
    import_tensorflow()
    from dataset.models.alexnet.extractor import alexnet_extractor

    float32, bfloat16 = (
        alexnet_extractor(ALEXNET_MEANS, seeded=True, precision=precision)
        for precision in PRECISIONS
    )
    rng = np.random.default_rng(1)
    reduced, in_bfloat16, seconds = [], [], {"full": 0.0, "reduced": 0.0}
    for height, width in LARGE_PHOTO_SHAPES:
        path = Path(folder) / f"{width}.jpg"
        cv2.imwrite(str(path), _photo_with_detail(height, width, rng))
        features = []
        for name, short_side in (("full", None), ("reduced", ALEXNET_IMAGE_SIZE)):
            start = time.perf_counter()
            photo = read_photo(path, short_side)
            seconds[name] += time.perf_counter() - start
            inputs = float32.preprocess(photo)[None]
            features.append(float32.compute(inputs)[0])
        reduced.append(_cosine(*features))
        in_bfloat16.append(_cosine(features[1], bfloat16.compute(inputs)[0]))
    return {
        "lowest_cosine_of_fc7": min(reduced),
        "lowest_cosine_of_fc7_in_bfloat16": min(in_bfloat16),
        "decoding_speedup": seconds["full"] / seconds["reduced"],
    }


def _cosine(one, other):
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


def _photo_with_detail(height, width, rng):
    """Make noise of all scales, the finer the fainter, as in photos."""
    photo = np.full((height, width, 3), 128.0, np.float32)
    for octave in range(2, 12):
        coarse = rng.normal(0, 1, (min(2**octave, height), min(2**octave, width), 3))
        detail = cv2.resize(
            coarse.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC
        )
        photo += detail * 160 / octave**1.5
    return np.clip(photo, 0, 255).astype(np.uint8)


def write_zip(layout, path, vectors, size):
    """Write a compressed zip of vectors, and training stories of their photos."""
    rng = np.random.default_rng(1)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(vectors):
            contents = io.BytesIO()
            np.save(contents, rng.gamma(0.5, size=size).astype(np.float32))
            archive.writestr(f"train/{number}.npy", contents.getvalue())
    annotations = [
        [
            {
                "story_id": f"{number // 5}",
                "album_id": "1",
                "photo_flickr_id": f"{number}",
                "worker_arranged_photo_order": number % 5,
                "text": "a photo .",
            }
        ]
        for number in range(vectors)
    ]
    write_json(layout.annotations("train"), {"annotations": annotations})


def measure_import(folder):
    """Measure the vectors imported per second, the seconds and the peak memory (GB)."""
    layout, path = DataLayout(folder), Path(folder) / "features.zip"
    start = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()):
        import_features(layout, "imported", "npy", path)
    seconds = time.perf_counter() - start
    with zipfile.ZipFile(path) as archive:
        vectors = len(archive.namelist())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "vectors_per_second": vectors / seconds,
        "seconds": seconds,
        "peak_memory_gb": peak / 1e6,
    }


MEASUREMENTS = {
    "forward": lambda cores: measure_forward(int(cores)),
    "forward_bfloat16": lambda cores: measure_forward(int(cores), "bfloat16"),
    "decoding": measure_decoding,
    "extraction": measure_extraction,
    "checks": measure_checks,
    "reduced_decoding": measure_reduced_decoding,
    "import": measure_import,
}


def _in_subprocess(measurement, argument):
    return in_its_own_process("dataset.benchmark", "--measure", measurement, argument)


def measure_all():
    """Run all measurements -> `{measurement: {...}}`."""
    with tempfile.TemporaryDirectory() as photos:
        write_photos(Path(photos), 512, PHOTO_SHAPE)
        results = {
            "forward_one_core": _in_subprocess("forward", 1),
            "forward_one_core_bfloat16": _in_subprocess("forward_bfloat16", 1),
            "decoding": _in_subprocess("decoding", photos),
            "forward": _in_subprocess("forward", os.cpu_count()),
            "extraction": _in_subprocess("extraction", photos),
            "checks": _in_subprocess("checks", photos),
        }
        slower = min(results[part]["photos_per_second"] for part in ("decoding", "forward"))
        ratio = results["extraction"]["photos_per_second"] / slower
        results["extraction"]["ratio_to_slower_part"] = ratio
        core_seconds = os.cpu_count() / results["extraction"]["photos_per_second"]
        share = results["checks"]["seconds_per_photo"] / core_seconds
        results["checks"]["share_of_extraction"] = share
        results["reduced_decoding"] = _in_subprocess("reduced_decoding", photos)
    with tempfile.TemporaryDirectory() as few, tempfile.TemporaryDirectory() as many:
        write_photos(Path(few), 2_000, SMALL_PHOTO_SHAPE)
        write_photos(Path(many), 20_000, SMALL_PHOTO_SHAPE)
        results["extraction_of_2000"] = _in_subprocess("extraction", few)
        results["extraction_of_20000"] = _in_subprocess("extraction", many)
    with tempfile.TemporaryDirectory() as folder:
        write_zip(DataLayout(folder), Path(folder) / "features.zip", 20_000, 2_048)
        results["import_of_20000"] = _in_subprocess("import", folder)
    return results


def main():
    parser = command_line(__doc__)
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        measurement, argument = arguments.measure
        print(json.dumps(MEASUREMENTS[measurement](argument)))
        return
    results = measure_all()
    if arguments.json:
        print(json.dumps(results))
        return
    for measurement, values in results.items():
        shown = ", ".join(f"{name} {value:.4g}" for name, value in values.items())
        print(f"{measurement}: {shown}")


if __name__ == "__main__":
    run_command(main)

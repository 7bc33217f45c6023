"""Run `python -m training.vist` on a small imitation of VIST's servers, killing it on the way.

    python tests/vist_from_nothing.py [--features arel] [--kills 5]

A server on the loopback, with faults, serves the sample set in VIST's own archives and addresses,
AlexNet's weights (random ones), GloVe and features as AREL published them.  A copy of the project
downloads them, trains the three models with the paper's sizes for an epoch, and writes the table.
About ten minutes, without --kills about six.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import threading
import zipfile
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
# The folders beside this script are named like the project's packages.
sys.path.append(str(REPOSITORY))

import h5py  # noqa: E402
import numpy as np  # noqa: E402
from faulty_server import FaultyServer, faults_of  # noqa: E402

from data_reader.files import read_strings  # noqa: E402
from data_reader.image_data_reader import photo_id  # noqa: E402
from data_reader.layout import SPLITS, DataLayout  # noqa: E402

ALBUMS = (8, 2, 2)
SEED = 1
LONGEST_LIFE = 30  # seconds from the plan until a kill
# Of each layer: weights, biases; `bvlc_alexnet.npy` holds them by the layers' names.
ALEXNET = {
    "conv1": (11, 11, 3, 96),
    "conv2": (5, 5, 48, 256),
    "conv3": (3, 3, 256, 384),
    "conv4": (3, 3, 192, 384),
    "conv5": (3, 3, 192, 256),
    "fc6": (9216, 4096),
    "fc7": (4096, 4096),
    "fc8": (4096, 1000),
}


def copy_project(folder):
    """What the download brings into `dataset/` must not stay in this one."""
    tracked = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    for name in filter(lambda name: (REPOSITORY / name).is_file(), tracked):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPOSITORY / name, folder / name)


def run(project, *command, **options):
    return subprocess.Popen(
        [sys.executable, "-m", *map(str, command)],
        cwd=project,
        env=os.environ | {"PYTHONPATH": str(project)},
        **options,
    )


def make_site(project, site, address):
    """The sample set as VIST's servers have it."""
    sample = DataLayout(site / "sample")
    for command in (
        ["dataset.sample", "--albums", *ALBUMS],
        ["dataset.models.alexnet"],
    ):
        assert run(project, *command, "--data", sample, stdout=subprocess.DEVNULL).wait() == 0
    for split in SPLITS:
        for path in sample.photos(split).rglob("*.*"):
            if path.suffix != ".json":
                shutil.copy(path, site / path.name)
    for archive, tier in (("sis", "story-in-sequence"), ("dii", "description-in-isolation")):
        with tarfile.open(site / f"{archive}.tar.gz", "w:gz") as tar:
            for split in SPLITS:
                path = sample.annotations(split, tier)
                vist = json.loads(path.read_text())
                for image in vist["images"]:
                    image["url_o"] = f"{address}/{image['url_o'].rpartition('/')[2]}"
                path.write_text(json.dumps(vist))
                tar.add(path, f"{archive}/{path.name}")
    write_weights(site / "alexnet.npy")
    write_word_vectors(site / "glove.zip")
    write_features(sample, site / "arel.zip")


def write_weights(path):
    draw = np.random.default_rng(SEED)
    weights = {
        name: [
            draw.normal(0, np.sqrt(2 / np.prod(shape[:-1])), shape).astype(np.float32),
            np.zeros(shape[-1], np.float32),
        ]
        for name, shape in ALEXNET.items()
    }
    np.save(path, np.array(weights, object), allow_pickle=True)


def write_word_vectors(path):
    draw = np.random.default_rng(SEED)
    words = ("the", "we", "a", "was", "and", ".", "[male]", "[female]")
    rows = [f"{word} {' '.join(f'{x:.4f}' for x in draw.normal(0, 0.4, 300))}\n" for word in words]
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("glove.6B.50d.txt", "the 0.1\n")
        archive.writestr("glove.6B.300d.txt", "".join(rows))


def write_features(sample, path):
    """The sample set's features, cut to ResNet's size, with feature maps beside them."""
    with zipfile.ZipFile(path, "w") as archive:
        for split, folder in zip(SPLITS, ("train", "val", "test"), strict=True):
            with h5py.File(sample.features(split)) as file:
                ids, rows = read_strings(file["image_ids"]), file["embeddings"][:, :2048]
            for id_, row in zip(ids, rows, strict=True):
                for kind, array in (("fc", row), ("conv", np.zeros((7, 7, 8), np.float32))):
                    name = f"resnet_features/{kind}/{folder}/{photo_id(id_)}.npy"
                    with archive.open(name, "w") as file:
                        np.save(file, array)


def kill(project, command, seconds):
    """Kill all processes some time after the plan, when the steps run."""
    process = run(project, *command, start_new_session=True, stdout=subprocess.PIPE, text=True)
    for line in process.stdout:
        print(line, end="", flush=True)
        if line.startswith("all "):
            threading.Timer(seconds, os.killpg, (process.pid, signal.SIGKILL)).start()
    assert process.wait() == -signal.SIGKILL, "it ended before it was killed"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--features", choices=("photos", "arel"), default="photos")
    parser.add_argument("--kills", type=int, default=0)
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp())
    project, site = folder / "project", folder / "site"
    copy_project(project)
    site.mkdir()
    with FaultyServer(site, faults=faults_of) as server:
        make_site(project, site, server.address)
        command = ["training.vist", "--features", arguments.features, "--set", "epochs=1"]
        for name, file in (
            ("sis", "sis.tar.gz"),
            ("dii", "dii.tar.gz"),
            ("alexnet", "alexnet.npy"),
            ("glove", "glove.zip"),
            ("arel", "arel.zip"),
        ):
            command += ["--address", f"{name}={server.address}/{file}"]
        chance = random.Random(SEED)
        for number in range(arguments.kills):
            kill(project, command, chance.uniform(0, LONGEST_LIFE))
            print(f"\n--- kill {number + 1}\n", flush=True)
        assert run(project, *command).wait() == 0
    [table] = (project / "results").glob("vist_scores.md")
    assert table.read_text().count("| `vist_") == 3
    print(f"all steps done: {folder}")


if __name__ == "__main__":
    main()

"""Kill a download of 5,000 photos ten times at random moments and compare its end.

    python tests/download_drill.py

About two minutes, on the loopback, with the faults of `faulty_server.py`.  The folder must be that
of a download that nobody disturbs, and nothing may be fetched twice but what was on its way.
"""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
from faulty_server import PASSING, FaultyServer, faults_of

REPOSITORY = Path(__file__).parents[1]
sys.path.append(str(REPOSITORY))

from data_reader.layout import DataLayout  # noqa: E402

PHOTOS, SAME, KILLS, CONNECTIONS, SEED = 5000, 12, 10, 8, 1
LARGEST_MEMORY = 300_000  # kB

# As `python -m dataset.download`, with shorter pauses.
COMMAND = """
import runpy, dataset.download.fetch
dataset.download.fetch.FIRST_PAUSE = 0.05
runpy.run_module("dataset.download", run_name="__main__", alter_sys=True)
"""


def write_photos(folder):
    """Write 5,000 photos, every tenth of which is large, and some of which are the same."""
    chance = np.random.default_rng(SEED)
    folder.mkdir(parents=True)
    for number in range(PHOTOS):
        height, width = (960, 1280) if number % 10 == 0 else (150, 200)
        small = chance.integers(0, 256, (height // 20, width // 20, 3), np.uint8)
        if number < SAME:
            small[:] = 0
        photo = cv2.resize(small, (200, 150) if number < SAME else (width, height))
        assert cv2.imwrite(str(folder / f"{number}.jpg"), photo)


def write_annotations(layout, address):
    path = layout.annotations("train")
    path.parent.mkdir(parents=True)
    ids = [str(number) for number in range(PHOTOS)]
    images = [{"id": id_, "url_o": f"{address}/{id_}.jpg"} for id_ in ids]
    annotations = [[{"photo_flickr_id": id_}] for id_ in ids]
    path.write_text(json.dumps({"images": images, "annotations": annotations}))


def start(layout):
    options = ["--split", "train", "--connections", str(CONNECTIONS), "--data", str(layout)]
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND, "photos", "--yes", *options],
        stdout=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY), "no_proxy": "127.0.0.1"},
    )


def wait(process):
    """Wait for a process -> its peak memory in kB."""
    _, status, usage = os.wait4(process.pid, 0)
    assert os.waitstatus_to_exitcode(status) in (0, -signal.SIGKILL)
    return usage.ru_maxrss


def photos_in(layout):
    folder = layout.downloaded_photos("train")
    return sum(name[0] != "." for name in os.listdir(folder)) if folder.is_dir() else 0


def kill(number, layout, chance):
    """Start the download and kill it a little later -> its peak memory in kB."""
    wanted = photos_in(layout) + chance.randint(0, PHOTOS // KILLS)
    process = start(layout)
    while photos_in(layout) < min(wanted, PHOTOS * 0.85) and process.poll() is None:
        time.sleep(0.02)
    time.sleep(chance.uniform(0, 0.5))
    assert process.poll() is None, "the download ended before it was killed"
    process.send_signal(signal.SIGKILL)
    memory = wait(process)
    print(f"kill {number + 1}: {photos_in(layout):,} photos", flush=True)
    return memory


def contents(layout):
    """The photos and the list of failures, all other files included."""
    files = [path for path in layout.root.rglob("*") if path.is_file()]
    return {str(path.relative_to(layout.root)): path.read_bytes() for path in files}


def fetched_again(server):
    """The paths of which more than one whole body was sent, with the number of the others."""
    photos = {path: times for path, times in server.sent.items() if path.endswith(".jpg")}
    return {path: times - 1 for path, times in photos.items() if times > 1}


def main():
    with tempfile.TemporaryDirectory() as folder:
        drill(Path(folder))


def drill(folder):
    write_photos(folder / "served")
    print(f"{PHOTOS:,} photos, of 1,000 requests {sum(PASSING.values())} go wrong in passing")
    with FaultyServer(folder / "served", faults=faults_of) as server:
        whole, killed = DataLayout(folder / "whole"), DataLayout(folder / "killed")
        for layout in (whole, killed):
            write_annotations(layout, server.address)
        began = time.monotonic()
        memory = [wait(start(whole))]
        print(f"undisturbed: {time.monotonic() - began:.0f} s, {memory[0] / 1000:.0f} MB")
        print(f"  sent twice: {fetched_again(server)}, {len(server.ranges)} parts")
        server.asked.clear(), server.sent.clear(), server.ranges.clear()
        chance = random.Random(SEED)
        memory += [kill(number, killed, chance) for number in range(KILLS)]
        memory.append(wait(start(killed)))
    check(contents(whole), contents(killed), fetched_again(server), max(memory))
    print(f"  {len(server.ranges)} parts")


def check(whole, killed, again, memory):
    assert whole.keys() == killed.keys(), whole.keys() ^ killed.keys()
    assert whole == killed
    failures = killed["failed_downloads_train.csv"].decode().splitlines()[1:]
    photos = len(killed) - 2
    print(f"{photos:,} photos and a list of {len(failures)} failures are equal")
    assert photos + len(failures) == PHOTOS
    print(f"sent twice: {sum(again.values())}, at most {KILLS * CONNECTIONS} were on their way")
    assert sum(again.values()) <= KILLS * CONNECTIONS
    print(f"peak memory: {memory / 1000:.0f} MB")
    assert memory < LARGEST_MEMORY


if __name__ == "__main__":
    main()

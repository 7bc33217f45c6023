"""Kill a training twenty times at random moments, resume it each time, and compare its end.

    python tests/twenty_kills.py

About three minutes.  The tests themselves kill at chosen places (tests/training/test_resume.py).
"""

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
# The folders beside this script are named like the project's packages.
sys.path.append(str(REPOSITORY))

import keras  # noqa: E402
import numpy as np  # noqa: E402
from tiny_training import write_data  # noqa: E402

import models.image_grouping  # noqa: E402, F401 (what the model's file refers to)
from data_reader.run_folder import RunFolder  # noqa: E402

KILLS, EPOCHS, SEED = 20, 60, 1


def start(data, results, *arguments):
    script = Path(__file__).with_name("tiny_training.py")
    command = [sys.executable, script, data, str(EPOCHS), "--results", results, *arguments]
    return subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
    )


def main():
    folder = Path(tempfile.mkdtemp())
    data = write_data(folder / "data")
    assert start(data, folder / "whole").wait() == 0
    chance = random.Random(SEED)
    for number in range(KILLS):
        process = start(data, folder / "killed", *(["--resume"] if number else []))
        # Up to two whole epochs further, and then anywhere in what comes next.
        wanted = epochs(folder / "killed") + chance.randint(0, 2)
        while epochs(folder / "killed") < wanted or (not number and not begun(folder / "killed")):
            time.sleep(0.05)
        time.sleep(chance.uniform(0, 0.5))
        assert process.poll() is None, "the run ended before it was killed"
        process.send_signal(signal.SIGKILL)
        process.wait()
        print(f"kill {number + 1}: {epochs(folder / 'killed')} epochs in the log", flush=True)
    assert start(data, folder / "killed", "--resume").wait() == 0
    compare(only_run(folder / "whole"), only_run(folder / "killed"))


def begun(results):
    return any(results.glob("tiny_*/experiment.json"))


def epochs(results):
    """The rows of the log so far."""
    logs = list(results.glob("tiny_*/loss.csv"))
    return len(logs[0].read_text().splitlines()) - 1 if logs else 0


def only_run(results):
    [path] = results.glob("tiny_*")
    return RunFolder(path)


def compare(whole, killed):
    one, other = (
        [line.split(",")[:4] for line in run.loss_log.read_text().splitlines()]
        for run in (whole, killed)
    )
    assert one == other, "the logs differ"
    first, second = (
        keras.saving.load_model(run.last_model_file, compile=False).get_weights()
        for run in (whole, killed)
    )
    assert all(map(np.array_equal, first, second)), "the weights differ"
    print(f"{len(one) - 1} rows of the log and {len(first)} weights are equal")


if __name__ == "__main__":
    main()

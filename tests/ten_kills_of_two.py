"""Kill one of two workers ten times at random moments, and compare the end of their training.

    python tests/ten_kills_of_two.py

About four minutes.  The chief and the other worker are killed in turn.  Each time the survivor must
end within a minute with status 75, and both are started again.  The log and the weights must be, to
the last bit, those of two workers that were left alone.
"""

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from twenty_kills import REPOSITORY, compare, epochs, only_run
from worker_threads import clusters_of, free_addresses

from training.stopping import STOPPED

KILLS, EPOCHS, SEED, LONGEST_END = 10, 60, 1, 60


def start(data, results, *arguments):
    """Two workers on free ports."""
    script = Path(__file__).with_name("tiny_training.py")
    command = [sys.executable, script, data, str(EPOCHS), "--results", results, *arguments]
    return [
        subprocess.Popen(
            command,
            stdout=subprocess.PIPE,  # a few lines, which need not be read
            stderr=subprocess.DEVNULL,
            text=True,
            env=os.environ | {"PYTHONPATH": str(REPOSITORY), "TF_CONFIG": cluster.tf_config()},
        )
        for cluster in clusters_of(free_addresses(2))
    ]


def train_undisturbed(*arguments):
    assert [worker.wait() for worker in start(*arguments)] == [0, 0]


def kill(number, data, results, chance):
    """Kill one worker up to two epochs further, or anywhere in what comes next."""
    workers = start(data, results, *(["--resume"] if number else []))
    wanted = epochs(results) + chance.randint(0, 2)
    assert workers[0].stdout.readline().startswith("run folder: ")
    while epochs(results) < wanted:
        time.sleep(0.05)
    time.sleep(chance.uniform(0, 2))
    killed, survivor = workers[number % 2], workers[1 - number % 2]
    assert killed.poll() is None, "the run ended before it was killed"
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    began = time.monotonic()
    assert survivor.wait(timeout=LONGEST_END) == STOPPED
    whose = "worker" if number % 2 else "chief"
    print(
        f"kill {number + 1}, of the {whose}: the other ended after "
        f"{time.monotonic() - began:.1f} s, {epochs(results)} epochs in the log",
        flush=True,
    )


def main():
    from tiny_training import write_data

    folder = Path(tempfile.mkdtemp())
    data = write_data(folder / "data")
    train_undisturbed(data, folder / "whole")
    chance = random.Random(SEED)
    for number in range(KILLS):
        kill(number, data, folder / "killed", chance)
    train_undisturbed(data, folder / "killed", "--resume")
    compare(only_run(folder / "whole"), only_run(folder / "killed"))


if __name__ == "__main__":
    main()

"""The runs of a sweep, several at a time, each in a process of its own."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from queue import SimpleQueue

from tqdm import tqdm

from training.launch import share_cores
from training.stopping import STOPPED


def run_jobs(names, count, folder, command):
    """Run this command once for each run, `count` at a time -> the log files of those that failed.

    Fewer runs than that share the machine among themselves.

    Each gets the option `--only` with the number of its run, and its share of the cores, or one of
    the GPUs.  SIGTERM and Ctrl-C reach all of them; then this process ends with status 75.

    Args:
        names: `{number: name}` of the runs.
        folder: for their log files.
        command: which resumes all; it is printed when a signal has stopped them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    count = max(1, min(count, len(names)))
    jobs = _Jobs(count, folder)
    with _signals_to(jobs.stop), ThreadPoolExecutor(count) as pool:
        done = pool.map(jobs.run, names, names.values())
        failed = [log for log in tqdm(done, "runs", len(names), unit="run") if log]
    if jobs.are_stopped:
        print(f"Stopped; to resume: {command}")
        sys.exit(STOPPED)
    return failed


class _Jobs:
    """Processes, each with one of `count` shares of the machine."""

    def __init__(self, count, folder):
        self._count = count
        self._folder = folder
        self._shares = SimpleQueue()
        for share in range(count):
            self._shares.put(share)
        self._running = set()
        self.are_stopped = False

    def run(self, number, name):
        """Run a process to its end -> its log file if it has failed, else None."""
        if self.are_stopped:
            return None
        path, share = self._folder / f"{name}.txt", self._shares.get()
        with path.open("w", encoding="utf-8") as log:
            process = subprocess.Popen(
                [sys.executable, *sys.orig_argv[1:], "--only", str(number)],
                env=os.environ | _gpu(share),
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a terminal's Ctrl-C comes from this process alone
            )
            share_cores(process.pid, share, self._count)
            self._running.add(process)
            status = process.wait()
        self._running.discard(process)
        self._shares.put(share)
        return path if status and not self.are_stopped else None

    def stop(self, *_):
        """Ask all to save and end, and start no more."""
        self.are_stopped = True
        for process in list(self._running):
            process.terminate()


def _gpu(share):
    """The variables that give a process one of the GPUs, if there are any."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    gpus = visible.split(",") if visible else _gpus_of_this_machine()
    if not gpus:
        return {}
    # Two processes on one GPU must not take all of its memory.
    return {
        "CUDA_VISIBLE_DEVICES": gpus[share % len(gpus)],
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",
    }


def _gpus_of_this_machine():
    return [str(number) for number, _ in enumerate(Path("/dev").glob("nvidia[0-9]*"))]


def _signals_to(handler):
    """Call the handler at SIGTERM and Ctrl-C while the context lasts."""
    before = ExitStack()
    for number in (signal.SIGTERM, signal.SIGINT):
        before.callback(signal.signal, number, signal.signal(number, handler))
    return before

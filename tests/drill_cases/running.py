"""Running one case, limited in memory and time -> what was wrong, seconds and memory."""

import os
import re
import resource
import shutil
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from drill_cases.base import copy_base, environment
from drill_cases.case import SECRET, Case

GIGABYTES = 4
LEFT_OVER = ("*.partial*", ".sample_being_written")
OUTSIDE = ["here", "secret.hdf5", "secret.txt"]


class Outcome(NamedTuple):
    """How a case ended; `flaw` is "" if as it must."""

    case: Case
    flaw: str
    printed: str
    seconds: float
    usage: resource.struct_rusage

    def __str__(self):
        case = self.case
        return f"\n{case.group}: {case.name}: {self.flaw}\n  {case.command}\n{self.printed}"


def run_case(case, outer, base, limit):
    """Run a case, for at most `limit` seconds, in a folder `outer`, which is removed afterwards."""
    outer.mkdir()
    try:
        here = copy_base(base, outer)
        case.damage(here)
        before = snapshot(here)
        secrets = [path.stat().st_mtime_ns for path in outer.glob("secret.*")]
        ended = execute(case, here, base, limit)
        flaw = flaw_of(case, *ended) or flaw_of_files(here, before)
        if sorted(os.listdir(outer)) != OUTSIDE or secrets != [
            path.stat().st_mtime_ns for path in outer.glob("secret.*")
        ]:
            flaw = f"something outside of its folder was written: {os.listdir(outer)}"
        _, out, error, seconds, usage = ended
        printed = f"{out[-500:]}{error[-2000:]}"
        return Outcome(case, flaw, printed, seconds, usage)
    finally:
        shutil.rmtree(outer, ignore_errors=True)


def execute(case, here, base, limit):
    """-> (status, None if it hung; stdout; stderr; seconds; resources used)"""
    line = f"ulimit -d {GIGABYTES * 2**20}; {case.command}"
    begun = time.monotonic()
    process = subprocess.Popen(
        ["bash", "-c", line],
        cwd=here,
        env=environment(here, base) | dict(case.environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="backslashreplace",
        process_group=0,
    )
    with process.stdout, process.stderr, ThreadPoolExecutor(2) as readers:
        texts = [readers.submit(stream.read) for stream in (process.stdout, process.stderr)]
        status, usage = wait(process, begun + limit)
        seconds = time.monotonic() - begun
        return status, *(text.result() for text in texts), seconds, usage


def wait(process, deadline):
    """Wait for a process, of which no child outlives it, and end it if it takes too long."""
    ended = 0
    while not ended and time.monotonic() < deadline:
        ended, state, usage = os.wait4(process.pid, os.WNOHANG)
        time.sleep(0.01)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    if not ended:
        _, state, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(state)
    return process.returncode if ended else None, usage


def flaw_of(case, status, out, error, seconds, usage):
    """Return what is wrong with how a command ended, or ""."""
    if status is None:
        return f"hung for {seconds:.0f} s"
    if usage.ru_maxrss > GIGABYTES * 2**20:  # kB
        return f"took {usage.ru_maxrss / 2**20:.1f} GB"
    if "Traceback (most recent call last)" in out + error:
        return "traceback"
    if SECRET in out + error:
        return "shows the secret"
    expected = (case.status,) if isinstance(case.status, int) else case.status
    if status not in expected:
        return f"status {status}, expected {' or '.join(map(str, expected))}"
    if status == 2 and not re.fullmatch(r"error: [^\n]+\n", error):
        return "more or less than one line"
    if not re.search(case.says, error if status == 2 else out + error):
        return f"does not say {case.says!r}"
    return ""


def flaw_of_files(here, before):
    """Return what is wrong with the files that a command has written, or ""."""
    left = [str(path) for pattern in LEFT_OVER for path in here.rglob(pattern)]
    # TensorFlow leaves an empty folder for the code that it traces.
    temporary = (here / "tmp").iterdir()
    left += [str(path) for path in temporary if path.name != "__pycache__"]
    if left:
        return f"left {', '.join(left)}"
    if (here / "ran").exists():
        return "something in a file was run"
    after = snapshot(here)
    for name in (name for name, state in after.items() if before.get(name) != state):
        if SECRET.encode() in Path(name).read_bytes():
            return f"the secret is in {name}"
    return ""


def snapshot(folder, hidden=()):
    """`{path: (size, time of change)}` of the regular files below a folder."""
    found = {}
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in hidden]
        for name in files:
            path = os.path.join(place, name)
            state = os.lstat(path)
            if os.path.isfile(path) and not os.path.islink(path):
                found[path] = (state.st_size, state.st_mtime_ns)
    return found

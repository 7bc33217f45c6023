"""Run the project's commands on damaged files, odd texts and options, full disks and kills.

    python tests/drill.py [--jobs 2] [--only TEXT ...] [--list]

Each case is a real command in a copy of a small data folder with trained runs, limited to 4 GB and
60 seconds.  It fails if it hangs, ends by a signal, shows a traceback, ends otherwise than
expected, writes outside of its folder, or shows what is in a file beside it.  The exit status is 1
if any case failed.
"""

import argparse
import os
import signal
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))

from drill_cases import (
    data_files,
    endings,
    hdf5_files,
    model_files,
    options,
    own_stories,
    photo_files,
    run_files,
    score_files,
    settings,
)
from drill_cases.base import REPOSITORY, make_base
from drill_cases.running import run_case, snapshot
from tqdm import tqdm

MODULES = (
    *(hdf5_files, data_files, photo_files, own_stories, run_files),
    *(model_files, score_files, options, settings, endings),
)
GROUPS = {group: cases for module in MODULES for group, cases in module.GROUPS.items()}
NOT_WATCHED = {".git", ".venv", "__pycache__", ".pytest_cache", ".ruff_cache"}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=2, help="cases at a time (default: 2)")
    parser.add_argument("--only", nargs="+", metavar="TEXT", default=[""])
    parser.add_argument("--list", action="store_true", help="list the cases, run none")
    parser.add_argument("--base", type=Path, help="keep the prepared files in this folder")
    parser.add_argument(
        "--seconds", type=int, default=60, help="of a case; more on a busy machine (default: 60)"
    )
    arguments = parser.parse_args()
    chosen = [
        (group, case)
        for group, cases in GROUPS.items()
        for case in cases
        if any(text in f"{group}: {case.name}: {case.command}" for text in arguments.only)
    ]
    if arguments.list:
        print(*(f"{group}: {case.name}: {case.command}" for group, case in chosen), sep="\n")
        return
    # A shell's background job ignores Ctrl-C, and so would the commands.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o711)  # some cases run as another user
        sys.exit(drill(chosen, Path(folder), arguments))


def drill(chosen, folder, arguments):
    """Run the cases and print the table -> whether any failed."""
    begun = time.monotonic()
    base = (arguments.base or folder / "base").absolute()
    if not base.exists():
        make_base(base)
    watched = {**snapshot(base), **snapshot(REPOSITORY, NOT_WATCHED)}
    numbers = count()
    with ThreadPoolExecutor(arguments.jobs) as pool, tqdm(total=len(chosen), disable=None) as bar:
        started = [
            pool.submit(
                run_case, group, case, base, folder / f"{next(numbers):03}", arguments.seconds
            )
            for group, case in chosen
        ]
        for each in started:
            each.add_done_callback(lambda _: bar.update())
    outcomes = [each.result() for each in started]
    changed = watched.items() ^ (snapshot(base) | snapshot(REPOSITORY, NOT_WATCHED)).items()
    for outcome in outcomes:
        if outcome.flaw:
            print(f"\n{outcome.group}: {outcome.case.name}: {outcome.flaw}")
            print(f"  {outcome.case.command}\n{outcome.printed}")
    print_table(outcomes)
    for path in sorted({path for path, _ in changed}):
        print(f"changed by a case: {path}")
    print(f"{(time.monotonic() - begun) / 60:.1f} minutes")
    return bool(changed) or any(outcome.flaw for outcome in outcomes)


def print_table(outcomes):
    print(f"\n{'group':<34}{'cases':>7}{'held':>7}{'failed':>8}{'longest':>10}{'largest':>10}")
    for group in [*GROUPS, "all"]:
        of_group = [each for each in outcomes if group in ("all", each.group)]
        if of_group:
            failed = sum(bool(each.flaw) for each in of_group)
            seconds = max(each.seconds for each in of_group)
            gigabytes = max(each.kilobytes for each in of_group) / 2**20
            print(
                f"{group:<34}{len(of_group):>7}{len(of_group) - failed:>7}{failed:>8}"
                f"{seconds:>8.1f} s{gigabytes:>7.1f} GB"
            )


if __name__ == "__main__":
    main()

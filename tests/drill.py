"""Run the project's commands on damaged files, odd texts and options, full disks and kills.

    python tests/drill.py [--jobs 2] [--only TEXT ...] [--list]

Each case is a real command in a copy of a small data folder with trained runs, limited to 4 GB and
60 seconds.  It fails if it hangs, ends by a signal, shows a traceback, ends otherwise than
expected, writes outside of its folder, or shows what is in a file beside it.  The exit status is 1
if any case failed.
"""

import argparse
import signal
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
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
ALL = [
    replace(case, group=group)
    for module in MODULES
    for group, cases in module.GROUPS.items()
    for case in cases
]
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
    chosen = [case for case in ALL if any(text in str(case) for text in arguments.only)]
    if arguments.list:
        print(*chosen, sep="\n")
        return
    # A shell's background job ignores Ctrl-C, and so would the commands.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with tempfile.TemporaryDirectory() as folder:
        sys.exit(drill(chosen, Path(folder), arguments))


def drill(chosen, folder, arguments):
    """Run the cases and print the table -> whether any failed."""
    begun = time.monotonic()
    base = (arguments.base or folder / "base").absolute()
    if not base.exists():
        make_base(base)
    watched = {**snapshot(base), **snapshot(REPOSITORY, NOT_WATCHED)}
    outcomes = []
    with ThreadPoolExecutor(arguments.jobs) as pool, tqdm(total=len(chosen), disable=None) as bar:
        places = (folder / f"{number:03}" for number in count())
        run = partial(run_case, base=base, limit=arguments.seconds)
        for outcome in pool.map(run, chosen, places):
            outcomes.append(outcome)
            bar.update()
            if outcome.flaw:
                print(outcome, flush=True)
    changed = watched.items() ^ (snapshot(base) | snapshot(REPOSITORY, NOT_WATCHED)).items()
    print_table(outcomes)
    for path in sorted({path for path, _ in changed}):
        print(f"changed by a case: {path}")
    print(f"{(time.monotonic() - begun) / 60:.1f} minutes")
    return bool(changed) or any(outcome.flaw for outcome in outcomes)


def print_table(outcomes):
    """Print how many cases of each group held, and what they took.

    The seconds of the processor are those of all cores together.
    """
    titles = ("cases", "held", "failed", "longest", "processor", "largest")
    print(f"\n{'group':<36}{titles[0]:>6}{titles[1]:>6}" + "".join(f"{t:>10}" for t in titles[2:]))
    for group in dict.fromkeys([*(each.case.group for each in outcomes), "all"]):
        of_group = [each for each in outcomes if group in ("all", each.case.group)]
        failed = sum(bool(each.flaw) for each in of_group)
        longest = max(each.seconds for each in of_group)
        processor = sum(each.usage.ru_utime + each.usage.ru_stime for each in of_group)
        gigabytes = max(each.usage.ru_maxrss for each in of_group) / 2**20
        print(
            f"{group:<36}{len(of_group):>6}{len(of_group) - failed:>6}{failed:>10}"
            f"{longest:>8.1f} s{processor:>8.0f} s{gigabytes:>7.1f} GB"
        )


if __name__ == "__main__":
    main()

"""python -m training.study: what each part of the system is worth, on the sample set.

It runs the sweeps of docs/study.md one after the other, with the options given; finished runs are
not trained again, so that the same command resumes an interrupted study.  A smoke test has a
results folder of its own.
"""

import subprocess
import sys
import time
from pathlib import Path

from data_reader.cli import command_line, run_command
from data_reader.run_folder import SMOKE_PREFIX
from training.stopping import STOPPED
from training.sweeps.sweep import add_sweep_options

SWEEPS = ("three_models", "group_size", "previous_sentence", "fed_sentence", "parts")


def main():
    parser = command_line(__doc__)
    add_sweep_options(parser)
    arguments, options = parser.parse_args(), sys.argv[1:]
    if arguments.smoke_test:
        folder = f"{SMOKE_PREFIX}study_{time.strftime('%Y%m%d-%H%M%S')}"
        options += ["--results", str(Path(arguments.results) / folder)]
    failed = []
    for name in SWEEPS:
        print(f"{name}:", flush=True)
        command = [sys.executable, "-m", f"training.experiments.{name}", *options]
        status = subprocess.run(command).returncode
        if status in (STOPPED, -2, 130):
            sys.exit(STOPPED)
        if status:
            failed.append(name)
    if failed:
        print(f"not complete: {', '.join(failed)}", file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    run_command(main)

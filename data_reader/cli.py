"""The parts that all commands share: options, errors in one line, importing TensorFlow quietly."""

import argparse
import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

from data_reader.errors import InputError


def run_command(main: Callable[[], None]) -> None:
    """Call `main`; show an `InputError` or operating-system error in one line and exit with 2.

    Any other exception is a bug: its traceback is shown, and Python exits with 1.
    """
    if hasattr(sys.stdout, "reconfigure"):  # not in a notebook
        sys.stdout.reconfigure(errors="backslashreplace")  # a path may not be UTF-8
    try:
        main()
    except (InputError, OSError) as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)


class _CommandLine(argparse.ArgumentParser):
    """A parser that reports errors as `run_command` does, in one line."""

    def error(self, message):
        self.exit(2, f"error: {message}; see --help\n")


def command_line(description):
    """Make an argument parser that names the program as the user did: `python -m training`."""
    spec = sys.modules["__main__"].__spec__
    program = f"-m {spec.name.removesuffix('.__main__')}" if spec else shlex.quote(sys.argv[0])
    return _CommandLine(prog=f"python {program}", description=description)


def add_data_option(parser, default="dataset"):
    """Add `--data FOLDER`.

    A folder that the user gives is relative to the working directory, a default to the
    repository's root.  Without a default the command uses the data folder of the run.
    """
    parser.add_argument(
        "--data",
        type=lambda folder: Path(folder).absolute(),
        default=default and Path(default),
        metavar="FOLDER",
        help=f"data folder (default: {default or 'that of the run'})",
    )


def whole_number(smallest):
    """Make a type for options: a whole number that is at least `smallest`."""

    def parse(text):
        value = int(text)
        if value < smallest:
            raise argparse.ArgumentTypeError(f"{value} is less than {smallest}")
        return value

    parse.__name__ = "whole number"
    return parse


def import_tensorflow() -> None:
    """Import TensorFlow without the notices that its native libraries print when loaded.

    They are printed before TensorFlow applies its log level, so stderr itself is redirected.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    stderr = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        import tensorflow  # noqa: F401
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        os.close(nowhere)

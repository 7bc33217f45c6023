"""What every command of the project shares."""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

from data_reader.errors import InputError


def run_command(main: Callable[[], None]) -> None:
    """Call `main`; show an `InputError` or operating-system error as one line, with status 2.

    Any other exception is a bug: its traceback is shown, and Python ends with status 1.
    """
    try:
        main()
    except (InputError, OSError) as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)


class _CommandLine(argparse.ArgumentParser):
    """A parser that calls an error what `run_command` calls one: a line."""

    def error(self, message):
        self.exit(2, f"error: {message}; see --help\n")


def command_line(description):
    """An argument parser that calls the program what the user called: `python -m training`."""
    spec = sys.modules["__main__"].__spec__
    module = spec.name.removesuffix(".__main__") if spec else None
    return _CommandLine(prog=f"python -m {module}" if module else None, description=description)


def add_data_option(parser, default="dataset"):
    """Add `--data FOLDER`.

    A given folder is taken from where the user stands, a default from the repository's root;
    without a default it is up to the command, which takes that of the run.
    """
    parser.add_argument(
        "--data",
        type=lambda folder: Path(folder).absolute(),
        default=default and Path(default),
        metavar="FOLDER",
        help=f"data folder (default: {default or 'that of the run'})",
    )


def whole_number(smallest):
    """A type for options: a whole number from `smallest` on."""

    def parse(text):
        value = int(text)
        if value < smallest:
            raise argparse.ArgumentTypeError(f"{value} is less than {smallest}")
        return value

    parse.__name__ = "whole number"
    return parse


def import_tensorflow() -> None:
    """Import TensorFlow without the notices that its native libraries print when loaded.

    They come before TensorFlow listens to its own log level, so stderr itself is turned away.
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

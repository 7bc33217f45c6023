"""The parts that all commands share: options, errors in one line, importing TensorFlow quietly."""

import argparse
import os
import select
import shlex
import signal
import sys
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path

from data_reader.errors import InputError
from data_reader.photo_header import MAX_MEGAPIXELS
from data_reader.signals import raised_signals

_NOBODY_READS = 128 + signal.SIGPIPE  # exit status


def run_command(main: Callable[[], None]) -> None:
    """Call `main`; show an `InputError` or operating-system error in one line and exit with 2.

    Ctrl-C, SIGTERM and SIGHUP are one line, too, with 128 and the signal's number.  Any other
    exception is a bug: its traceback is shown, and Python exits with 1.
    """
    _prepare_streams()
    try:
        with raised_signals(), _written_output():
            main()
    except (InputError, OSError) as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt as interruption:
        number = signal.Signals(*interruption.args or (signal.SIGINT,))
        ctrl_c = number == signal.SIGINT
        print("interrupted" if ctrl_c else f"ended by {number.name}", file=sys.stderr)
        sys.exit(128 + number)


def _prepare_streams():
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # a data file must not get the number of a closed stream
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115 (for the process's life)
    if hasattr(sys.stdout, "reconfigure"):  # not in a notebook
        # A terminal may not have all letters, and a file name may not be UTF-8.
        sys.stdout.reconfigure(errors="backslashreplace")


@contextmanager
def _written_output():
    """Write out at the end what was printed.

    Raises:
        SystemExit: the reader of the output, such as `head`, has enough of it.
        OSError: the output's disk is full.
    """
    try:
        yield
    except BrokenPipeError:
        if _has_reader(sys.stdout):  # it is another pipe
            raise
        sys.exit(_NOBODY_READS)
    finally:
        _flush(sys.stdout)


def _has_reader(stream):
    poll = select.poll()
    poll.register(stream, 0)
    return not any(event & select.POLLERR for _, event in poll.poll(0))


def _flush(stream):
    try:
        stream.flush()
    except OSError as error:
        # Python would try it again at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        if isinstance(error, BrokenPipeError):
            sys.exit(_NOBODY_READS)
        error.filename = stream.name
        raise


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


def add_photo_limit_option(parser):
    """Add `--max-megapixels N`, the limit of `read_photo`."""
    parser.add_argument(
        "--max-megapixels",
        type=whole_number(1),
        default=MAX_MEGAPIXELS,
        metavar="N",
        help="decode at most so many pixels at once, of photos at full size (default: %(default)s)",
    )


def import_tensorflow() -> None:
    """Import TensorFlow without the notices that its native libraries print when loaded.

    They are printed before TensorFlow applies its log level, so stderr itself is redirected.  Keras
    will run on TensorFlow, whatever its settings and KERAS_BACKEND say.

    Raises:
        InputError: Keras has been imported with another backend.
    """
    keras = sys.modules.get("keras")
    if keras is not None and keras.config.backend() != "tensorflow":
        raise InputError(
            f"Keras runs on {keras.config.backend()} here, but this project's models need "
            'TensorFlow: set os.environ["KERAS_BACKEND"] = "tensorflow" before Keras is imported.'
        )
    os.environ["KERAS_BACKEND"] = "tensorflow"
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

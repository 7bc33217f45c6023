"""A wrong setting in a user's experiment file: one line, with its place, instead of a traceback."""

import dataclasses
import sys
import traceback

import models
from data_reader import errors
from data_reader.errors import InputError


def end_in_one_line():
    """Have Python show the `InputError` that is being raised in one line, if nothing catches it.

    It is raised while the user's file is loaded, before any command can catch it.  The exit status
    is 2, as that of commands.  A hook that somebody else has set stays.
    """
    if sys.excepthook is sys.__excepthook__:
        sys.excepthook = _show


def _show(kind, error, trace):
    if not isinstance(error, InputError):
        sys.__excepthook__(kind, error, trace)
        return
    message = " ".join(str(error).split())
    print(f"error: {message} ({_place(trace)})", file=sys.stderr)
    sys.exit(2)


def _place(trace):
    """The line of the user's file: the last one that is not of the code that checks settings."""
    checking = (dataclasses, models, errors, sys.modules["training.experiment"])
    # What dataclasses generate stands in no file.
    others = {*(module.__file__ for module in checking), "<string>"}
    frames = [frame for frame in traceback.extract_tb(trace) if frame.filename not in others]
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "no file"

"""The start of a command, before its modules are loaded."""

import os
import signal
import sys


def start_command():
    """Prepare this process if it is a command, and do nothing if the package is imported otherwise.

    File names are UTF-8 whatever the locale, since annotations and settings name files in UTF-8.
    Ctrl-C ends the process at once: modules load for tenths of a second, with nothing to clean up,
    and an exception in the middle of that is a traceback.
    """
    if sys.argv[:1] != ["-m"]:  # what they are until `python -m` has found the module that it runs
        return
    if sys.getfilesystemencoding() != "utf-8":
        os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end_at_once)


def _end_at_once(number, _frame):
    os.write(2, b"interrupted\n")
    os._exit(128 + number)

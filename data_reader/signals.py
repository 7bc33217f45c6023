"""How a signal ends a command: at once while its modules load, later by an exception."""

import os
import signal
import sys
from contextlib import contextmanager

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def end_at_once_while_loading():
    """Let Ctrl-C end this process at once if it is a command whose modules are being loaded.

    They take tenths of a second, with nothing to clean up, and an exception in the middle of an
    import is a traceback.  Whoever else imports the package keeps their own handler.
    """
    is_command = sys.argv[:1] == ["-m"]  # until `python -m` has found the module that it runs
    if is_command and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end_at_once)


def _end_at_once(number, _frame):
    os.write(sys.__stderr__.fileno(), b"interrupted\n")
    os._exit(128 + number)


@contextmanager
def raised_signals():
    """Raise a KeyboardInterrupt with the signal's number at Ctrl-C, SIGTERM and SIGHUP.

    A signal that is ignored, as SIGHUP is under nohup, stays so.
    """
    before = {number: signal.getsignal(number) for number in _ENDING}
    taken = [number for number, handler in before.items() if handler != signal.SIG_IGN]
    for number in taken:
        signal.signal(number, _raise)
    try:
        yield
    finally:
        for number in taken:
            signal.signal(number, before[number])


def _raise(number, _frame):
    raise KeyboardInterrupt(number)


@contextmanager
def ignored_by_children():
    """Let the processes that are started meanwhile ignore Ctrl-C: a terminal sends it to them, too.

    One that arrives meanwhile waits.
    """
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)

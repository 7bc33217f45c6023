"""Signals that end a command."""

import signal
from contextlib import contextmanager

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


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

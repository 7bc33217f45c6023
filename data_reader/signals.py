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
    """Let the processes that are started meanwhile ignore what a terminal sends to them, too.

    That is Ctrl-C and SIGHUP.  One that arrives meanwhile waits.
    """
    of_terminals = {signal.SIGINT, signal.SIGHUP}
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, of_terminals)
    before = {number: signal.signal(number, signal.SIG_IGN) for number in of_terminals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)

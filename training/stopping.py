"""Asking a training to stop."""

import signal
from contextlib import contextmanager

STOPPED = 75  # exit status: a temporary failure in sysexits.h, try again


class TrainingStoppedError(Exception):
    """Training was asked to stop, by a signal to this worker or another, and has been saved."""


class StopRequest:
    """Holds the signal by which the process was asked to stop; a second Ctrl-C stops at once."""

    def __init__(self):
        self.signal = None

    @property
    def is_made(self):
        return self.signal is not None

    def __call__(self, number, _frame):
        if self.is_made and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.signal = signal.Signals(number)
        print(f"\n{self.signal.name}: saving after this step ...", flush=True)


@contextmanager
def stop_requests():
    """Take SIGTERM, which clusters send, and Ctrl-C as requests -> `StopRequest`."""
    request = StopRequest()
    before = {number: signal.signal(number, request) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

"""The processes that train together, and what they tell each other before and after training.

Every worker keeps a connection to the chief, worker 0, which waits for all of them before
TensorFlow starts.  Training itself communicates through `tf.distribute`.
"""

import errno
import json
import os
import select
import socket
import sys
import threading
import time
from contextlib import contextmanager, suppress

from data_reader.errors import InputError
from training.stopping import STOPPED, TrainingStoppedError

START_SECONDS = 300
_HELLO_SECONDS = 10  # for whoever connects to say which worker it is
_LAST_WORDS_SECONDS = 10  # to learn why another worker is gone
_GOODBYE_SECONDS = 5
_SECONDS_TO_END = 30  # for a worker that has lost another
# TensorFlow's errors when a worker, or the network to it, is gone.
_WHEN_A_WORKER_IS_LOST = {
    "AbortedError",
    "CancelledError",
    "DeadlineExceededError",
    "UnavailableError",
}


class WorkerLostError(Exception):
    """Another worker is gone; the message says which."""


class Workers:
    """The workers of a training, see `meet`; a process that trains alone is a chief.

    Attributes:
        index: of this worker.
        count: of all workers.
    """

    def __init__(self, cluster=None):
        self.cluster = cluster
        self.index = cluster.index if cluster else 0
        self.count = len(cluster.addresses) if cluster else 1
        self._peers = {}
        self._processes = {}  # where the workers run, as the chief has learnt
        self._listener = None
        self._has_left = False

    @property
    def is_chief(self):
        return self.index == 0

    def exchange(self, value):
        """Wait for all workers -> the value that each of them gave, in their order.

        Args:
            value: anything that JSON can hold.

        Raises:
            InputError: another worker has refused its input; the message names both.
            WorkerLostError: another worker is gone.
        """
        if not self.is_chief:
            self._peers[0].send({"value": value})
            return self._receive(0)["values"]
        values = [value] + [self._receive(index)["value"] for index in sorted(self._peers)]
        if self._listener is not None:
            self._admit_all_who_wait()
        self._tell({"values": values})
        return values

    def raise_if_lost(self, error):
        """Raise the reason why a step failed, if it failed because of another worker.

        Args:
            error: TensorFlow's; it often says less than the other worker does.

        Raises:
            InputError, WorkerLostError: see `exchange`.
        """
        if self.count == 1:
            return
        deadline = time.monotonic() + _LAST_WORDS_SECONDS
        while (left := deadline - time.monotonic()) > 0:
            ready, _, _ = select.select(list(self._peers.values()), [], [], left)
            for index in [index for index, peer in self._peers.items() if peer in ready]:
                self._receive(index)
        if type(error).__name__ in _WHEN_A_WORKER_IS_LOST:
            raise WorkerLostError(f"A worker no longer answers ({error.message:.200}).") from error

    def _receive(self, index):
        message = self._peers[index].receive()
        if message is None:
            raise WorkerLostError(f"Worker {index} ({self.cluster.addresses[index]}) is gone.")
        if "error" in message:
            self._tell(message, but=index)
            raise InputError(message["error"])
        return message

    def refuse(self, error):
        """Tell the other workers the error that ends this one."""
        address = f" ({self.cluster.addresses[self.index]})" if self.cluster else ""
        self._tell({"error": f"worker {self.index}{address}: {error}"})

    def _tell(self, message, but=None):
        for index, peer in self._peers.items():
            if index != but:
                peer.send(message)

    def stop_listening(self):
        """Leave this worker's port to TensorFlow; whoever still comes is too late."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def watch(self):
        """End this process if another worker is gone and TensorFlow waits for it for ever."""
        peers = list(self._peers.values())
        while not any(peer.is_gone() for peer in peers):
            time.sleep(1)
        time.sleep(_SECONDS_TO_END)
        if not self._has_left:
            print(
                "A worker is gone; to resume from the last checkpoint, start all again with "
                "--resume.",
                file=sys.stderr,
                flush=True,
            )
            os._exit(STOPPED)

    def close(self):
        self._has_left = True
        self.stop_listening()
        for peer in self._peers.values():
            peer.close()

    def connect(self):
        """Wait for the other workers.

        Raises:
            InputError: see `meet`.
        """
        if not self.is_chief:
            self._report_to_chief()
            return
        self._listener = _listen(self.cluster)
        self._processes[0] = _this_process()
        deadline = time.monotonic() + START_SECONDS
        while len(self._peers) < self.count - 1:
            self._listener.settimeout(max(deadline - time.monotonic(), 0.001))
            try:
                self._admit(_Peer(self._listener.accept()[0]))
            except TimeoutError:
                raise self._missing() from None

    def _admit_all_who_wait(self):
        """Find a second worker of an index, which comes when all are there."""
        self._listener.setblocking(False)
        with suppress(BlockingIOError):
            while True:
                self._admit(_Peer(self._listener.accept()[0]))

    def _admit(self, peer):
        hello = peer.receive()
        if not hello or "worker" not in hello:  # a stranger
            peer.close()
            return
        peer.wait_for_long_work()
        index, addresses = hello["worker"], list(self.cluster.addresses)
        if "error" in hello:
            peer.close()
            raise InputError(hello["error"])
        if index == 0 or index in self._peers:
            both = f"{self._processes[index]} and {hello['process']}"
            error = f"Two workers have the index {index}: {both}; give each an index of its own."
            peer.send({"error": error})
            peer.close()
            raise InputError(error)
        peer.send({"welcome": index})
        self._peers[index] = peer
        self._processes[index] = hello["process"]
        if hello["addresses"] != addresses:
            raise InputError(
                f"Worker {index} has the workers {', '.join(hello['addresses'])}, the chief "
                f"{', '.join(addresses)}; all need the same list in TF_CONFIG."
            )

    def _missing(self):
        addresses = self.cluster.addresses
        numbers = [number for number in range(1, self.count) if number not in self._peers]
        named = ", ".join(f"{number} ({addresses[number]})" for number in numbers)
        return InputError(
            f"Within {START_SECONDS} s these workers have not come to the chief ({addresses[0]}): "
            f"{named}; start the same command there, and see that a firewall lets the ports "
            "through."
        )

    def _report_to_chief(self):
        hello = {
            "worker": self.index,
            "process": _this_process(),
            "addresses": self.cluster.addresses,
        }
        in_use = None
        try:
            _listen(self.cluster).close()  # TensorFlow will need the port
        except InputError as error:
            in_use, hello["error"] = error, f"worker {self.index}: {error}"
        try:
            peer = _Peer(_reach_chief(self.cluster))
        except InputError as unreachable:
            raise in_use or unreachable from None
        self._peers[0] = peer
        peer.send(hello)
        if in_use:
            raise in_use
        if (answer := peer.receive()) is None:
            raise InputError(
                f"{self.cluster.addresses[0]} does not answer as a chief that waits for worker "
                f"{self.index}; another worker {self.index} or another program may run already."
            )
        if "error" in answer:
            raise InputError(answer["error"])
        peer.wait_for_long_work()


class _Peer:
    """A connection to another worker: one JSON text per line."""

    def __init__(self, connection):
        connection.settimeout(_HELLO_SECONDS)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._connection = connection
        self._lines = connection.makefile("r", encoding="utf-8", newline="\n")

    def fileno(self):
        return self._connection.fileno()

    def is_gone(self):
        """Whether the connection is closed; messages that have come stay to be received."""
        try:
            flags = socket.MSG_PEEK | socket.MSG_DONTWAIT
            return not self._connection.recv(1, flags)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def wait_for_long_work(self):
        """From now on wait as long as it takes; only a closed connection ends it."""
        self._connection.settimeout(None)

    def send(self, message):
        """Send a message; one to a worker that is gone is dropped."""
        with suppress(OSError):
            self._connection.sendall(json.dumps(message).encode() + b"\n")

    def receive(self):
        """Wait for a message; None if the connection is closed or what arrives is none."""
        try:
            message = json.loads(self._lines.readline())
        except (OSError, ValueError):
            return None
        return message if isinstance(message, dict) else None

    def close(self):
        # Closed with messages unread, a connection would drop what it has still to deliver.
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_WR)
            self._connection.settimeout(_GOODBYE_SECONDS)
            while self._connection.recv(4096):
                pass
        for part in (self._lines, self._connection):
            with suppress(OSError):
                part.close()


@contextmanager
def meet(cluster):
    """Connect the workers of a `Cluster`, or none -> `Workers`; they leave together.

    Whatever refuses the input of one worker inside of the block ends all of them.

    Raises:
        InputError: a worker does not come in time, is there twice, or finds its port in use.
    """
    if cluster is None:
        yield Workers()
        return
    workers = Workers(cluster)
    try:
        workers.connect()
        threading.Thread(target=workers.watch, daemon=True).start()
        try:
            yield workers
        except TrainingStoppedError:
            workers.exchange("stopped")
            raise
        # A worker that leaves early makes TensorFlow report errors in the others.
        workers.exchange("done")
    except (InputError, OSError) as error:
        workers.refuse(error)
        raise
    finally:
        workers.close()


def _reach_chief(cluster):
    host, _, port = cluster.addresses[0].rpartition(":")
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            return socket.create_connection((host, int(port)), timeout=START_SECONDS)
        except OSError as error:
            if time.monotonic() > deadline:
                raise InputError(
                    f"Worker {cluster.index} ({cluster.addresses[cluster.index]}) can't reach the "
                    f"chief at {cluster.addresses[0]} within {START_SECONDS} s ({error}); start "
                    "the same command there, and see that a firewall lets the port through."
                ) from None
            time.sleep(0.2)


def _listen(cluster):
    """A socket that listens on this worker's port."""
    address = cluster.addresses[cluster.index]
    host, _, port = address.rpartition(":")
    for chosen in (host, ""):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((chosen, int(port)))
            listener.listen()
            return listener
        except OSError as error:
            listener.close()
            if error.errno == errno.EADDRINUSE:
                raise InputError(
                    f"The port of {address} is in use; end the program that uses it, or give "
                    "another port."
                ) from None
            # The name may be one by which others reach this machine; then listen on all of its.
            reason = error
    raise InputError(f"Can't listen on {address} ({reason}).")


def _this_process():
    return f"process {os.getpid()} on {socket.gethostname()}"

"""Starting several workers on one machine."""

import os
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from data_reader.cli import import_tensorflow
from data_reader.measuring import available_cores
from training.cluster import Cluster
from training.stopping import STOPPED


def number_of_gpus():
    """Of those that TensorFlow may use; 1 if there is none."""
    if len(list(Path("/dev").glob("nvidia[0-9]*"))) < 2:
        return 1  # TensorFlow takes seconds to say so
    import_tensorflow()
    import tensorflow as tf

    return max(1, len(tf.config.list_physical_devices("GPU")))


def start_workers(count):
    """Run this command in so many processes that train together -> its exit status.

    Workers without a GPU share the cores.  SIGTERM and Ctrl-C reach all of them.
    """
    addresses = tuple(f"127.0.0.1:{port}" for port in free_ports(count))
    command = [sys.executable, *sys.orig_argv[1:]]
    processes = []
    for index in range(count):
        environment = os.environ | {"TF_CONFIG": Cluster(addresses, index).tf_config()}
        processes.append(subprocess.Popen(command, env=environment))
        share_cores(processes[-1].pid, index, count)
    # A terminal sends Ctrl-C to all processes itself.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: [process.terminate() for process in processes])
    return _status([process.wait() for process in processes])


def free_ports(count):
    """List so many ports of this machine that nobody uses."""
    with ExitStack() as opened:
        sockets = [opened.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def share_cores(process, index, count):
    """Restrict the process to its share of the cores, the `index`-th of `count`."""
    if hasattr(os, "sched_setaffinity") and len(cores := available_cores()) >= count:
        os.sched_setaffinity(process, cores[index::count])


def _status(statuses):
    """That of a worker's refusal or bug, if there is one; else that of an interrupted training."""
    return next(
        (status for status in (2, 1) if status in statuses), STOPPED if any(statuses) else 0
    )

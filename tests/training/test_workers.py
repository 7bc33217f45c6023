"""What workers tell each other, each in a thread of its own."""

import os
import socket
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import tensorflow as tf
from worker_threads import clusters_of, free_addresses, run_all

from data_reader.errors import InputError
from training import workers as module
from training.cluster import Cluster
from training.stopping import STOPPED, TrainingStoppedError
from training.workers import WorkerLostError, Workers, meet


def test_workers_exchange_values_in_their_order():
    clusters = clusters_of(free_addresses(3))

    def work(workers):
        first = workers.exchange({"from": workers.index})
        return first, workers.exchange(workers.is_chief)

    expected = [{"from": 0}, {"from": 1}, {"from": 2}], [True, False, False]
    assert run_all(clusters, work) == [expected] * 3


def test_a_process_alone_is_a_chief_that_waits_for_nobody():
    with meet(None) as workers:
        assert (workers.index, workers.count, workers.is_chief) == (0, 1, True)
        assert workers.exchange("x") == ["x"]


@pytest.mark.parametrize("refusing", [0, 2])
def test_what_refuses_the_input_of_one_worker_ends_all(refusing):
    clusters = clusters_of(free_addresses(3))

    def work(workers):
        if workers.index == refusing:
            raise InputError("There is no vocabulary.")
        return workers.exchange(None)

    errors = run_all(clusters, work)
    assert all(isinstance(error, InputError) for error in errors)
    named = f"worker {refusing} ({clusters[0].addresses[refusing]}): There is no vocabulary."
    assert [str(error) for error in errors] == [
        "There is no vocabulary." if index == refusing else named for index in range(3)
    ]


def test_a_worker_that_is_gone_is_named():
    clusters = clusters_of(free_addresses(2))

    def work(workers):
        if workers.index == 1:
            raise RuntimeError("a bug")
        return workers.exchange(None)

    lost, bug = run_all(clusters, work)
    assert isinstance(bug, RuntimeError)
    assert isinstance(lost, WorkerLostError)
    assert str(lost) == f"Worker 1 ({clusters[0].addresses[1]}) is gone."


def test_workers_that_are_stopped_leave_together():
    def work(workers):
        raise TrainingStoppedError

    errors = run_all(clusters_of(free_addresses(2)), work)
    assert [type(error) for error in errors] == [TrainingStoppedError] * 2


def test_two_workers_of_one_index_are_named():
    addresses = free_addresses(2)
    clusters = [Cluster(addresses, 0), Cluster(addresses, 1), Cluster(addresses, 1)]

    def work(workers):
        if workers.is_chief:
            # The second worker 1 comes when all are there.
            time.sleep(0.5)
        return workers.exchange(None)

    errors = run_all(clusters, work)
    assert all("Two workers have the index 1: process " in str(error) for error in errors)


def test_a_port_in_use_is_named_to_all():
    addresses = free_addresses(2)
    host, _, port = addresses[1].partition(":")
    with socket.create_server((host, int(port))):
        errors = run_all(clusters_of(addresses), lambda workers: None)
    assert all(f"The port of {addresses[1]} is in use" in str(error) for error in errors)


def test_a_worker_that_does_not_come_is_named(monkeypatch):
    monkeypatch.setattr(module, "START_SECONDS", 0.2)
    addresses = free_addresses(2)
    [error] = run_all([Cluster(addresses, 0)], lambda workers: None)
    assert f"not come to the chief ({addresses[0]}): 1 ({addresses[1]})" in str(error)
    [error] = run_all([Cluster(addresses, 1)], lambda workers: None)
    assert f"Worker 1 ({addresses[1]}) can't reach the chief at {addresses[0]}" in str(error)


def test_lists_of_workers_that_differ_are_named():
    chief, first, other = free_addresses(3)
    clusters = [Cluster((chief, first), 0), Cluster((chief, other), 1)]
    errors = run_all(clusters, lambda workers: workers.exchange(None))
    sides = f"Worker 1 has the workers {chief}, {other}, the chief {chief}, {first}"
    assert [sides in str(error) for error in errors] == [True, True], errors


def test_a_stranger_on_the_chief_s_port_is_sent_away():
    addresses = free_addresses(2)

    def knock(cluster):
        if cluster.index == 0:
            with meet(cluster) as workers:
                return workers.exchange("chief")
        with socket.create_connection(("127.0.0.1", int(addresses[0].split(":")[1]))) as stranger:
            stranger.sendall(b"GET / HTTP/1.1\r\n\r\n")
            assert stranger.recv(1) == b""
        with meet(cluster) as workers:
            return workers.exchange("worker")

    with ThreadPoolExecutor(2) as threads:
        chief = threads.submit(knock, Cluster(addresses, 0))
        time.sleep(0.2)
        worker = threads.submit(knock, Cluster(addresses, 1))
        assert chief.result() == worker.result() == ["chief", "worker"]


UNAVAILABLE = tf.errors.UnavailableError(None, None, "Connection reset by peer")
OUT_OF_MEMORY = tf.errors.ResourceExhaustedError(None, None, "out of memory")


def test_an_error_of_tensorflow_is_explained_by_the_worker_that_caused_it():
    def work(workers):
        if workers.index == 1:
            raise InputError("No space left.")
        workers.raise_if_lost(UNAVAILABLE)

    explained, _ = run_all(clusters_of(free_addresses(2)), work)
    assert isinstance(explained, InputError)
    assert str(explained).endswith(": No space left.")


def test_a_worker_that_hangs_is_lost_but_an_error_of_one_s_own_is_not(monkeypatch):
    monkeypatch.setattr(module, "_LAST_WORDS_SECONDS", 0.2)
    chief_has_seen = threading.Event()

    def work(workers):
        if workers.is_chief:
            workers.raise_if_lost(OUT_OF_MEMORY)
            with pytest.raises(WorkerLostError, match=r"no longer answers \(Connection reset"):
                workers.raise_if_lost(UNAVAILABLE)
            chief_has_seen.set()
        assert chief_has_seen.wait(timeout=10)
        return workers.exchange("is still there")

    assert run_all(clusters_of(free_addresses(2)), work) == [["is still there"] * 2] * 2


# It never leaves what it does, as if TensorFlow waited for the other worker.
HANGING = """
    import sys
    import time

    from training import workers
    from training.cluster import Cluster

    workers._SECONDS_TO_END = 0.2
    with workers.meet(Cluster(tuple(sys.argv[1:]), 1)):
        time.sleep(60)
"""


def test_a_process_that_would_wait_for_a_lost_worker_for_ever_ends():
    addresses = free_addresses(2)
    hanging = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(HANGING), *addresses],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    with pytest.raises(RuntimeError), meet(Cluster(addresses, 0)):
        raise RuntimeError("a bug")
    _, printed = hanging.communicate(timeout=20)
    assert hanging.returncode == STOPPED
    assert printed.startswith("A worker is gone; to resume from the last checkpoint, start all")


def test_alone_no_error_is_another_worker_s():
    Workers().raise_if_lost(ValueError())

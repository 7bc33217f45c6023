"""Real processes that train together on this machine."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tiny_training import write_data
from worker_threads import clusters_of, free_addresses

from data_reader.run_folder import RunFolder
from models.loading import load_model
from training.loss_plot import read_losses

TINY = Path(__file__).parents[1] / "tiny_training.py"
# Each worker would draw a dropout of its own.
NO_DROPOUT = ["--set", "name=tiny", "model_settings.input_dropout=0.0"]
EPOCHS = 4


def start(data, results, *arguments, tf_config=""):
    """One process; seven stories in batches of two, one in the last."""
    command = [sys.executable, TINY, data, str(EPOCHS), "--results", results, *arguments]
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "TF_CONFIG": tf_config},
    )


def start_workers(count, data, results, *arguments):
    clusters = clusters_of(free_addresses(count))
    return [start(data, results, *arguments, tf_config=each.tf_config()) for each in clusters]


def finish(processes):
    """-> the exit statuses, and all that was printed by each."""
    outputs = [process.communicate(timeout=120) for process in processes]
    return [process.returncode for process in processes], [out + err for out, err in outputs]


def wait_for_epoch(process, number):
    for line in process.stdout:
        if line.startswith(f"epoch {number}/"):
            return


def only_run(results):
    [path] = results.glob("tiny_*")
    return RunFolder(path)


def assert_same_training(run, expected):
    """Up to rounding, as the gradients are added in another order."""
    for column in ("loss", "val_loss"):
        np.testing.assert_allclose(
            read_losses(run)[column], read_losses(expected)[column], rtol=1e-5
        )
    weights, wanted = load_model(run).get_weights(), load_model(expected).get_weights()
    for one, other in zip(weights, wanted, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_data(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def alone(data, tmp_path_factory):
    """The run of one process."""
    results = tmp_path_factory.mktemp("alone")
    statuses, printed = finish([start(data, results, *NO_DROPOUT)])
    assert statuses == [0], printed
    return only_run(results)


def test_two_workers_train_as_one_does(data, alone, tmp_path):
    statuses, [printed] = finish([start(data, tmp_path, "--workers", "2", *NO_DROPOUT)])
    assert statuses == [0], printed
    # The chief alone reports and writes.
    assert printed.count("run folder: ") == printed.count(f"epoch {EPOCHS}/{EPOCHS}: ") == 1
    assert_same_training(only_run(tmp_path), alone)


def test_a_training_passes_from_three_workers_to_two_and_to_one(data, alone, tmp_path):
    workers = start_workers(3, data, tmp_path, *NO_DROPOUT)
    wait_for_epoch(workers[0], 1)
    workers[2].send_signal(signal.SIGTERM)
    statuses, printed = finish(workers)
    assert statuses == [75, 75, 75], printed
    assert all("Stopped; to resume: " in each for each in printed)
    workers = start_workers(2, data, tmp_path, *NO_DROPOUT, "--resume")
    wait_for_epoch(workers[0], 2)
    workers[1].kill()
    statuses, printed = finish(workers)
    assert statuses == [75, -signal.SIGKILL], printed
    assert re.search(r"Worker 1 \(127.0.0.1:\d+\) is gone. To resume from the last", printed[0])
    statuses, printed = finish([start(data, tmp_path, *NO_DROPOUT, "--resume")])
    assert statuses == [0], printed
    assert_same_training(only_run(tmp_path), alone)


def test_workers_with_other_settings_are_refused_before_anything_is_written(data, tmp_path):
    addresses = free_addresses(2)
    workers = [
        start(data, tmp_path, "--set", "name=tiny", f"learning_rate={rate}", tf_config=config)
        for rate, config in zip(
            (0.5, 0.25), [each.tf_config() for each in clusters_of(addresses)], strict=True
        )
    ]
    statuses, printed = finish(workers)
    assert statuses == [2, 2]
    for each in printed:
        [line] = each.splitlines()
        assert line.startswith(f"error: Worker 1 ({addresses[1]}) differs from the chief (")
        assert "learning_rate 0.25, not 0.5" in line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("tf_config", "message"),
    [
        ("{", "TF_CONFIG is no JSON"),
        (json.dumps({"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}), "1"),
    ],
)
def test_a_wrong_tf_config_is_one_line(data, tmp_path, tf_config, message):
    statuses, [printed] = finish([start(data, tmp_path, tf_config=tf_config)])
    assert statuses == [2]
    assert len(printed.splitlines()) == 1
    assert message in printed

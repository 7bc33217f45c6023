"""Real processes that train together on this machine."""

import os
import re
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from tiny_training import experiment, write_data

from data_reader.run_folder import RunFolder
from models.loading import load_model
from training.command import find_interrupted, run_experiment
from training.loss_plot import read_losses
from training.train import train

EPOCHS = 3
# Each worker would draw a dropout of its own.
NO_DROPOUT = ["name=tiny", "model_settings.input_dropout=0.0"]

# The arguments are the data folder, a worker, the signal that it gets, and the epoch at whose
# beginning it does; the rest are those of an experiment's command.
SCRIPT = """
    import os
    import signal
    import sys

    from tiny_training import experiment

    from training.cluster import find_cluster
    from training.command import run_experiment

    data, worker, name, epochs_before = sys.argv[1:5]
    del sys.argv[1:5]
    callbacks = []
    if (cluster := find_cluster()) and cluster.index == int(worker):
        from keras.callbacks import LambdaCallback

        def begin(epoch, logs):
            if epoch == int(epochs_before):
                os.kill(os.getpid(), signal.Signals[name])

        callbacks.append(LambdaCallback(on_epoch_begin=begin))
    run_experiment(experiment(data, epochs={epochs}), callbacks)
"""


def train_together(count, data, results, worker, name, epochs_before, *arguments):
    """-> the exit status of the command that starts so many workers, and all that they print."""
    script = textwrap.dedent(SCRIPT).format(epochs=EPOCHS)
    done = subprocess.run(
        [
            *(sys.executable, "-c", script, str(data), str(worker), name, str(epochs_before)),
            *("--results", str(results), "--workers", str(count), "--set", *NO_DROPOUT),
            *arguments,
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=300,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    return done.returncode, done.stdout


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


def test_a_training_passes_from_three_workers_to_two_and_to_one(data, tmp_path):
    """Seven stories in batches of two, one in the last; each leg trains a whole epoch."""
    together = tmp_path / "together"
    status, printed = train_together(3, data, together, 2, "SIGTERM", 1)
    assert status == 75, printed
    assert printed.count("Stopped; to resume: ") == 3
    # The chief alone reports and writes.
    assert printed.count("run folder: ") == printed.count(f"epoch 1/{EPOCHS}: ") == 1
    [path] = together.glob("tiny_*")

    status, printed = train_together(2, data, together, 1, "SIGKILL", 2, "--resume")
    assert status == 75, printed
    assert re.search(r"Worker 1 \(127.0.0.1:\d+\) is gone. To resume from the last", printed)

    tiny = experiment(data, epochs=EPOCHS).overridden(NO_DROPOUT)
    assert find_interrupted(tiny, together, "").path == path
    run = train(tiny, together, resumed=RunFolder(path))
    assert_same_training(run, train(tiny, tmp_path / "alone"))


def test_a_wrong_tf_config_is_one_line(data, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TF_CONFIG", "{")
    monkeypatch.setattr(sys, "argv", ["tiny.py", "--results", str(tmp_path / "results")])
    with pytest.raises(SystemExit) as refused:
        run_experiment(experiment(data))
    assert refused.value.code == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("error: TF_CONFIG is no JSON")
    assert not (tmp_path / "results").exists()

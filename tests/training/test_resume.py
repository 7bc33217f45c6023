"""Trainings that are killed or asked to stop, and resumed."""

import os
import re
import signal
import subprocess
import sys
import textwrap

import keras
import numpy as np
import pytest
from tiny_training import experiment, write_data

from data_reader.run_folder import RunFolder
from models.image_grouping import ImageGroupingModel  # noqa: F401 (what the file refers to)
from training import pieces
from training.command import run_experiment
from training.train import train

# The first argument says where the process kills itself, the second is the data folder; the rest
# are those of an experiment's command.
SCRIPT = """
    import json
    import os
    import signal
    import sys

    import numpy as np
    from tiny_training import experiment

    from training.checkpoint import Checkpoints
    from training.command import run_experiment

    place, data = sys.argv[1:3]
    del sys.argv[1:3]
    savez, save = np.savez, Checkpoints.save

    def half_written(file, **arrays):
        if json.loads(arrays["progress"])["batch"]:  # in the middle of an epoch
            return savez(file, **arrays)
        file.write(b"PK" + bytes(5000))
        file.flush()
        os.kill(os.getpid(), signal.SIGKILL)

    def last_words(self, model, progress):
        save(self, model, progress)
        if not progress.batch:
            os.kill(os.getpid(), signal.SIGKILL)

    if place == "while an epoch's checkpoint is written":
        np.savez = half_written
    elif place == "after an epoch's checkpoint":
        Checkpoints.save = last_words
    run_experiment(experiment(data))
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_data(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def uninterrupted(data, tmp_path_factory):
    return train(experiment(data), tmp_path_factory.mktemp("uninterrupted"))


def be_killed(place, data, results, *arguments):
    done = subprocess.run(
        [
            *(sys.executable, "-c", textwrap.dedent(SCRIPT), place, str(data)),
            *("--results", str(results), *arguments),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == -signal.SIGKILL, done.stderr


def ask_to_stop(*_):
    os.kill(os.getpid(), signal.SIGTERM)


def only_run(results):
    [path] = results.glob("tiny_*")
    return RunFolder(path)


def losses(run):
    lines = run.loss_log.read_text().splitlines()
    return [line.split(",")[:4] for line in lines]


def assert_same_training(run, expected):
    assert losses(run) == losses(expected)
    assert run.samples.read_text() == expected.samples.read_text()
    for weight, wanted in zip(weights(run), weights(expected), strict=True):
        np.testing.assert_array_equal(weight, wanted)


def weights(run):
    return keras.saving.load_model(run.last_model_file, compile=False).get_weights()


def test_a_run_that_is_stopped_again_and_again_ends_as_one_that_never_was(
    data, uninterrupted, tmp_path, monkeypatch, capsys
):
    # It resumes inside the epoch, whose row stands in the log already.
    be_killed("while an epoch's checkpoint is written", data, tmp_path)
    be_killed("after an epoch's checkpoint", data, tmp_path, "--resume")
    path = only_run(tmp_path).path

    def resume():
        command = ["tiny.py", "--results", str(tmp_path), f"--resume={path}"]
        monkeypatch.setattr(sys, "argv", command)
        run_experiment(experiment(data))

    with monkeypatch.context() as patched:
        patched.setattr(pieces.ProgressBar, "on_step_begin", ask_to_stop)
        with pytest.raises(SystemExit) as stopped:
            resume()
    assert stopped.value.code == 75
    printed = capsys.readouterr().out
    assert "SIGTERM: saving after this step" in printed
    told = re.search("Stopped; to resume: (.*)", printed)[1]
    assert told.endswith(f"--results {tmp_path} --resume={path}")
    resume()
    assert_same_training(only_run(tmp_path), uninterrupted)
    with pytest.raises(SystemExit) as refused:
        resume()
    assert refused.value.code == 2
    assert "is finished; there is nothing to resume" in capsys.readouterr().err

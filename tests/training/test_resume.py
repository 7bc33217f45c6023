"""Real processes, killed and resumed."""

import os
import re
import signal
import subprocess
import sys
import textwrap

import keras
import numpy as np
import pytest
from tiny_training import write_data

from data_reader.run_folder import RunFolder
from models.image_grouping import ImageGroupingModel  # noqa: F401 (what the file refers to)

# The first argument says where the process kills itself, the second is the data folder; the rest
# are those of an experiment's command.
SCRIPT = """
    import os
    import signal
    import sys

    import numpy as np
    from tiny_training import experiment

    from training import checkpoint, pieces
    from training.command import run_experiment

    place, data = sys.argv[1:3]
    del sys.argv[1:3]

    def kill_after(function, number, signum):
        calls = []

        def killing(*arguments, **options):
            calls.append(None)
            result = function(*arguments, **options)
            if len(calls) == number:
                os.kill(os.getpid(), signum)
            return result

        return killing

    def half_written(file, **arrays):
        file.write(b"PK" + bytes(5000))
        file.flush()
        os.kill(os.getpid(), signal.SIGKILL)

    step_end = pieces.ProgressBar.on_step_end
    if place == "after a batch":
        pieces.ProgressBar.on_step_end = kill_after(step_end, 3, signal.SIGKILL)
    elif place == "while a checkpoint is written":
        np.savez = half_written
    elif place == "before an epoch's checkpoint":
        pieces.plot_losses = kill_after(pieces.plot_losses, 1, signal.SIGKILL)
    elif place == "after an epoch's checkpoint":
        # The first one stands in the middle of the epoch.
        save = checkpoint.Checkpoints.save
        checkpoint.Checkpoints.save = kill_after(save, 2, signal.SIGKILL)
    elif place == "SIGTERM":
        pieces.ProgressBar.on_step_begin = kill_after(
            pieces.ProgressBar.on_step_begin, 1, signal.SIGTERM
        )
    run_experiment(experiment(data))
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_data(tmp_path_factory.mktemp("data"))


def command(place, data, results, *arguments):
    return subprocess.run(
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


@pytest.fixture(scope="module")
def uninterrupted(data, tmp_path_factory):
    results = tmp_path_factory.mktemp("uninterrupted")
    done = command("nowhere", data, results)
    assert done.returncode == 0, done.stderr
    return only_run(results)


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
    data, uninterrupted, tmp_path
):
    for place in (
        "after an epoch's checkpoint",
        "after a batch",
        "while a checkpoint is written",
        "before an epoch's checkpoint",
    ):
        done = command(place, data, tmp_path, *(["--resume"] if any(tmp_path.iterdir()) else []))
        assert done.returncode == -signal.SIGKILL, done.stderr
    done = command("SIGTERM", data, tmp_path, f"--resume={only_run(tmp_path).path}")
    assert done.returncode == 75, done.stderr
    assert "SIGTERM: saving after this step" in done.stdout
    told = re.search("Stopped; to resume: (.*)", done.stdout)[1]
    assert told.endswith(f"--results {tmp_path} --resume={only_run(tmp_path).path}")
    done = command("nowhere", data, tmp_path, "--resume", str(only_run(tmp_path).path))
    assert done.returncode == 0, done.stderr
    assert_same_training(only_run(tmp_path), uninterrupted)
    done = command("nowhere", data, tmp_path, "--resume", str(only_run(tmp_path).path))
    assert done.returncode == 2
    assert "is finished; there is nothing to resume" in done.stderr

"""Input errors are one line, bugs a traceback: seen by a user who writes a model of their own."""

import os
import runpy
import subprocess
import sys
import textwrap
import traceback

import pytest
from tiny_training import write_data

SCRIPT = """
from keras import ops

from models.encoder_decoder import EncoderDecoder
from training.command import run_experiment
from training.experiment import Experiment


class WrongShape(EncoderDecoder):
    def decoder_start(self, image_state, previous_vectors, previous_mask):
        [state] = image_state
        return {{"initial_state": [ops.matmul(state, ops.ones((5, 3)))]}}  # U is 3, not 5


class WrongStep(EncoderDecoder):
    def make_decode_step(self):
        step = super().make_decode_step()
        return lambda words, state: step(words, state["decoder"])


run_experiment(
    Experiment(name="wrong", model={model}, data={data!r}, score_every_epochs=0)
    .with_model_settings(image_encoder_latent_dim=3, num_layers=1)
)
"""


def write_script(folder, model):
    script = folder / "wrong.py"
    data = str(write_data(folder / "data"))
    script.write_text(textwrap.dedent(SCRIPT).format(model=model, data=data))
    return [str(script), "--results", str(folder / "results")]


def run_python(*arguments):
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )


def test_a_mistake_in_one_s_own_model_is_shown_with_its_line(tmp_path):
    done = run_python(*write_script(tmp_path, "WrongShape"))
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert f'{tmp_path / "wrong.py"}", line ' in done.stderr
    assert "ops.matmul(state, ops.ones((5, 3)))" in done.stderr
    # Before anything was trained.
    assert not (tmp_path / "results").exists()


def run_here(command, monkeypatch, raised):
    """Run a script in this process -> the error that ended it."""
    monkeypatch.setattr(sys, "argv", command)
    with pytest.raises(raised) as ended:
        runpy.run_path(command[0], run_name="__main__")
    return ended.value


def test_so_is_one_in_its_step(tmp_path, monkeypatch):
    error = run_here(write_script(tmp_path, "WrongStep"), monkeypatch, Exception)
    printed = "".join(traceback.format_exception(error))
    assert f'{tmp_path / "wrong.py"}", line ' in printed
    assert 'lambda words, state: step(words, state["decoder"])' in printed
    assert not (tmp_path / "results").exists()


def test_a_wrong_setting_of_the_same_script_is_one_line(tmp_path, monkeypatch, capsys):
    command = [*write_script(tmp_path, "WrongShape"), "--set", "model_settings.num_layers=0"]
    assert run_here(command, monkeypatch, SystemExit).code == 2
    assert capsys.readouterr().err == "error: num_layers is 0; it must be a whole number from 1.\n"


def test_a_wrong_setting_in_an_experiment_file_is_one_line_with_its_place(tmp_path):
    script = tmp_path / "mine.py"
    script.write_text(
        "from dataclasses import replace\n"
        "from training.experiments.image_grouping import EXPERIMENT\n"
        "MINE = replace(EXPERIMENT, epochs=True)\n"
    )
    done = run_python(str(script))
    message = "epochs is True; it must be a whole number from 1."
    assert (done.returncode, done.stdout, done.stderr) == (
        2,
        "",
        f"error: {message} ({script}:3)\n",
    )


def test_another_error_in_an_experiment_file_keeps_its_traceback(tmp_path):
    script = tmp_path / "mine.py"
    script.write_text(
        "from contextlib import suppress\n"
        "from training.experiment import Experiment\n"
        "with suppress(ValueError):\n"
        "    Experiment(name='x', model='x')\n"
        "1 / 0\n"
    )
    done = run_python(str(script))
    assert done.returncode == 1
    assert done.stderr.startswith("Traceback")
    assert done.stderr.endswith("ZeroDivisionError: division by zero\n")

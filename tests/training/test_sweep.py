"""Several experiments in turn, with a training that only writes a run folder."""

import csv
import math
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import pytest
from written_runs import write_run

from training import sweep
from training.experiment import Experiment
from training.sweep import run_experiments

BASELINE = Experiment(name="k", model="ImageGroupingModel")
EXPERIMENTS = [
    replace(BASELINE, name=f"k_{k}").with_model_settings(image_group_size=k) for k in (1, 2)
]
LOSSES = {"k_1": [3.0, 2.5], "k_2": [3.0, 2.0]}


@pytest.fixture
def trained(monkeypatch):
    """The names of the experiments that were trained."""
    names = []

    def train(experiment, results, resumed):
        names.append(experiment.name if resumed is None else f"{resumed.name} on")
        run = write_run(
            Path(results) / f"{experiment.name}_20260101-00000{len(names)}",
            LOSSES[experiment.name.removeprefix("smoke_")],
            bleu=["", 10.0 * len(names)],
            **experiment.to_dict(),
        )
        run.finished_file.write_text('{"seconds": 3.0, "reason": "all epochs"}')
        return run

    monkeypatch.setattr("training.train.train", train)
    monkeypatch.setattr(sweep, "make_smoke_data", lambda layout: None)
    return names


@pytest.fixture
def command(monkeypatch, tmp_path):
    def run(*arguments, experiments=EXPERIMENTS, setting="image_group_size"):
        monkeypatch.setattr(sys, "argv", ["x", "--results", str(tmp_path), *arguments])
        run_experiments("k", experiments, setting)

    return run


def read_table(path):
    with path.open(newline="") as file:
        return [[row[name] for name in row] for row in csv.DictReader(file)]


def test_all_are_trained_and_drawn_against_the_setting(command, trained, tmp_path):
    command()
    assert trained == ["k_1", "k_2"]
    assert (tmp_path / "k" / "k.csv").read_text().splitlines()[0] == (
        "image_group_size,best_epoch,best_val_loss,perplexity,highest_bleu,run"
    )
    assert read_table(tmp_path / "k" / "k.csv") == [
        ["1", "2", "2.5", str(math.exp(2.5)), "10.0", "k_1_20260101-000001"],
        ["2", "2", "2.0", str(math.exp(2)), "20.0", "k_2_20260101-000002"],
    ]
    assert cv2.imread(str(tmp_path / "k" / "k.png")).shape[0] > 600


def test_what_is_finished_with_the_same_settings_is_skipped(command, trained, tmp_path, capsys):
    command()
    shutil.rmtree(tmp_path / "k_2_20260101-000002")
    capsys.readouterr()
    command()
    assert trained == ["k_1", "k_2", "k_2"]
    assert "k_1 is finished, skipped: " in capsys.readouterr().out
    assert [row[-1] for row in read_table(tmp_path / "k" / "k.csv")] == [
        "k_1_20260101-000001",
        "k_2_20260101-000003",
    ]
    command(experiments=[replace(EXPERIMENTS[0], learning_rate=0.5), EXPERIMENTS[1]])
    assert trained == ["k_1", "k_2", "k_2", "k_1"]


def test_a_smoke_test_trains_all_again_and_draws_apart(command, trained, tmp_path):
    command("--smoke-test")
    command("--smoke-test")
    assert trained == ["smoke_k_1", "smoke_k_2"] * 2
    assert (tmp_path / "smoke_k" / "smoke_k.png").exists()
    assert not (tmp_path / "k").exists()


def test_losses_that_are_no_numbers_are_left_out_of_the_drawing(
    command, trained, tmp_path, monkeypatch
):
    monkeypatch.setitem(LOSSES, "k_2", [math.nan, math.nan])
    command()
    assert read_table(tmp_path / "k" / "k.csv")[1][:4] == ["2", "nan", "nan", "nan"]
    assert (tmp_path / "k" / "k.png").exists()


def test_a_setting_that_the_experiments_do_not_set_is_named(command, trained, capsys):
    with pytest.raises(SystemExit) as stopped:
        command(setting="group_size")
    assert stopped.value.code == 2
    assert capsys.readouterr().err == "error: The experiment 'k_1' does not set 'group_size'.\n"
    assert trained == []


def test_what_was_interrupted_goes_on(trained, command, tmp_path):
    begun = write_run(tmp_path / "k_2_20250101-000000", [3.0], **EXPERIMENTS[1].to_dict())
    other = replace(EXPERIMENTS[0], seed=7)
    write_run(tmp_path / "k_1_20250101-000000", [3.0], **other.to_dict())
    command()
    assert trained == ["k_1", f"{begun.name} on"]

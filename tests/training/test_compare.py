import csv
import json
import math
import subprocess
import sys

import cv2
import pytest
from matplotlib.figure import Figure
from written_runs import write_run

from training.compare import compare, differing_settings, results_of
from training.comparison_pictures import draw_experiment, mean_losses

MISSING = pytest.approx(math.nan, nan_ok=True)


@pytest.fixture
def runs(tmp_path):
    one = write_run(tmp_path / "one", [3.0, math.log(4)], seed=1)
    two = write_run(
        tmp_path / "two",
        [3.0, 2.0, math.nan],
        bleu=["", 12.5, ""],
        model_settings={"num_layers": 1},
        config={"num_layers": 1},
        notes="more,\nmuch more",
    )
    one.scores("greedy", "test").write_text('{"bleu": 50.0}')
    return [one, two]


def test_only_the_settings_that_differ_are_listed(runs):
    assert differing_settings(runs) | results_of(runs) == {
        "notes": ["", "more,\nmuch more"],
        "num_layers": [2, 1],
        "best epoch": [2, 2],
        "training loss": [math.log(4) / 2, 1.0],
        "validation loss": [math.log(4), 2.0],
        "perplexity": [pytest.approx(4), pytest.approx(math.exp(2))],
        "bleu greedy test": [50.0, ""],
        "highest BLEU in training": ["", 12.5],
    }


def test_the_table_is_printed_and_written_and_the_curves_are_drawn(runs, tmp_path):
    lines = compare(runs, tmp_path / "out").splitlines()
    assert lines == [
        "run                       one     two",
        "notes                             more, much more",
        "num_layers                2       1",
        "best epoch                2       2",
        "training loss             0.6931  1",
        "validation loss           1.386   2",
        "perplexity                4       7.389",
        "bleu greedy test          50",
        "highest BLEU in training          12.5",
    ]
    with (tmp_path / "out" / "table.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["run"] for row in rows] == ["one", "two"]
    assert [row["notes"] for row in rows] == ["", "more,\nmuch more"]
    assert [row["num_layers"] for row in rows] == ["2", "1"]
    pictures = {path.name for path in (tmp_path / "out").glob("*.png")}
    assert pictures == {"curves.png", "table.png"}
    assert all(cv2.imread(str(tmp_path / "out" / name)).shape[1] > 400 for name in pictures)


@pytest.fixture
def seeds(tmp_path):
    """Two seeds of "a", of different lengths, the second unfinished, around a run of "b"."""
    one = write_run(tmp_path / "a_seed-1", [3.0, 1.0], bleu=["", 9.0], name="a_seed-1", seed=1)
    other = write_run(tmp_path / "b", [2.0], name="b", epochs=9)
    two = write_run(tmp_path / "a_seed-2", [5.0, math.inf, 2.0], name="a_seed-2", seed=2)
    for run, bleu in ((one, 40.0), (two, 44.0), (other, 30.0)):
        run.scores("greedy", "test").write_text(json.dumps({"bleu": bleu}))
    one.finished_file.write_text('{"seconds": 1, "reason": "all epochs"}')
    return [one, other, two]


def test_seeds_of_one_experiment_share_a_column_and_have_a_row_each_in_the_file(seeds, tmp_path):
    assert compare(seeds, tmp_path / "out").splitlines() == [
        "mean ± sd over seeds      a (2 seeds, 1 unfinished)  b",
        "epochs                    4                          9",
        "seed                      1, 2                       1",
        "best epoch                2.500 ± 0.707              1",
        "training loss             0.7500 ± 0.3536            1",
        "validation loss           1.500 ± 0.707              2",
        "perplexity                5.054 ± 3.303              7.389",
        "highest BLEU in training  9 (1 of 2)",
        "bleu greedy test          42.00 ± 2.83               30",
    ]
    with (tmp_path / "out" / "table.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    columns = ("run", "experiment", "seed", "validation loss", "bleu greedy test")
    assert [[row[column] for column in columns] for row in rows] == [
        ["a_seed-1", "a", "1", "1.0", "40.0"],
        ["a_seed-2", "a", "2", "2.0", "44.0"],
        ["b", "b", "1", "2.0", "30.0"],
    ]


def test_the_mean_at_an_epoch_is_over_the_seeds_that_have_a_loss_there(seeds):
    means = mean_losses([run.losses() for run in (seeds[0], seeds[2])])
    assert means == {"epoch": [1, 2, 3], "loss": [2.0, 0.5, 1.0], "val_loss": [4.0, 1.0, 2.0]}


def test_seeds_are_thin_light_lines_of_the_colour_of_their_mean(seeds):
    axes = Figure().subplots()
    draw_experiment(axes, "a", [run.losses() for run in (seeds[0], seeds[2])], "green", "o")
    *thin, mean, training = axes.lines
    assert [list(line.get_ydata()) for line in thin] == [[3, 1], [5, MISSING, 2]]
    assert {(line.get_color(), line.get_marker()) for line in thin} == {("green", "None")}
    assert all(line.get_alpha() < 1 and line.get_linewidth() < 1 for line in thin)
    assert list(mean.get_ydata()) == [4, 1, 2]
    assert (mean.get_color(), mean.get_marker(), mean.get_linestyle()) == ("green", "o", "-")
    assert (training.get_color(), training.get_linestyle()) == ("green", "--")
    single = Figure().subplots()
    draw_experiment(single, "b", [seeds[1].losses()], "green", "o")
    assert len(single.lines) == 2


def test_runs_without_a_finite_loss_are_compared_too(tmp_path):
    runs = [write_run(tmp_path / name, [math.nan, math.inf]) for name in ("a", "b")]
    assert "best epoch" in compare(runs, tmp_path / "out")


def test_dollars_are_no_formulas(tmp_path):
    runs = [write_run(tmp_path / name, [1.0], notes=f"{name} costs $_$") for name in ("$_$", "b")]
    assert "$_$ costs $_$" in compare(runs, tmp_path / "out")


def command(*arguments):
    # In this process other tests may have imported TensorFlow.
    code = (
        "import runpy, sys\n"
        "try: runpy.run_module('training.compare', run_name='__main__', alter_sys=True)\n"
        "finally: assert 'tensorflow' not in sys.modules"
    )
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_needs_no_tensorflow(runs, tmp_path):
    done = command(*(run.path for run in runs), "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert "num_layers" in done.stdout
    assert (tmp_path / "out" / "table.csv").exists()


def test_runs_that_can_t_be_compared_are_one_line_and_status_2(runs, tmp_path):
    write_run(tmp_path / "started", [])
    for name, message in (
        ("nowhere", "nowhere is missing"),
        (".", "has no experiment.json"),
        ("started", "has no row: the first epoch did not end"),
    ):
        done = command(runs[0].path, tmp_path / name, "--out", tmp_path / "out")
        assert done.returncode == 2
        assert done.stderr.startswith("error: ")
        assert done.stderr.count("\n") == 1
        assert message in done.stderr
    assert not (tmp_path / "out").exists()

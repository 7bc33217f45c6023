"""Sweeps, with a training and a scoring that only write run folders."""

import csv
import json
import math
import shutil
import signal
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from written_runs import write_run

from data_reader.errors import InputError
from training.experiment import Experiment
from training.sweeps import Sweep, jobs, run_sweep, sweep
from training.sweeps.comparison import compare_with_reference
from training.sweeps.report import comparison_tables, means
from training.sweeps.rows import Row, make_row

BASELINE = Experiment(name="k", model="ImageGroupingModel")
SWEEP = Sweep.grid("k", BASELINE, {"image_group_size": (1, 2)})
ONE, TWO = SWEEP.experiments.values()
LOSSES = {1: [3.0, 2.5], 2: [3.0, 2.0]}


def test_a_grid_has_all_combinations_of_the_experiments_and_the_models_settings():
    grid = Sweep.grid("g", BASELINE, {"image_group_size": (1, 2), "learning_rate": (0.1,)})
    assert list(grid.experiments) == [
        "image_group_size=1, learning_rate=0.1",
        "image_group_size=2, learning_rate=0.1",
    ]
    last = grid.experiments["image_group_size=2, learning_rate=0.1"]
    assert (last.name, last.learning_rate, last.model_settings) == (
        "k_image_group_size-2_learning_rate-0.1",
        0.1,
        {"image_group_size": 2},
    )
    assert grid.setting == "image_group_size, learning_rate"
    assert list(SWEEP.experiments) == ["1", "2"]


def test_each_experiment_is_planned_with_each_seed():
    planned = replace(SWEEP, seeds=(1, 7)).planned()
    assert [(each.label, each.experiment.name, each.experiment.seed) for each in planned] == [
        ("1", "k_image_group_size-1_seed-1", 1),
        ("1", "k_image_group_size-1_seed-7", 7),
        ("2", "k_image_group_size-2_seed-1", 1),
        ("2", "k_image_group_size-2_seed-7", 7),
    ]
    assert [each.experiment.name for each in SWEEP.planned()] == [ONE.name, TWO.name]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"seeds": ()}, "The sweep 'k' has no seeds."),
        ({"reference": "3"}, "compares with '3'; it has the experiments 1, 2."),
        ({"split": "tset"}, "split is 'tset'; it must be one of train, valid, test."),
        ({"experiments": {"1": BASELINE, "2": BASELINE}}, "Two runs of the sweep 'k' have"),
    ],
)
def test_a_sweep_that_makes_no_sense_is_refused(changed, message):
    with pytest.raises(InputError, match=message):
        replace(SWEEP, **changed)


@pytest.fixture
def trained(monkeypatch):
    """The names of the experiments that were trained."""
    names = []

    def train(experiment, results, resumed):
        names.append(experiment.name if resumed is None else f"{resumed.name} on")
        run = write_run(
            Path(results) / f"{experiment.name}_20260101-00000{len(names)}",
            LOSSES[experiment.model_settings["image_group_size"]],
            bleu=["", 10.0 * len(names)],
            **experiment.to_dict(),
        )
        run.finished_file.write_text('{"seconds": 3.0, "reason": "all epochs"}')
        return run

    monkeypatch.setattr("training.train.train", train)
    monkeypatch.setattr(sweep, "make_smoke_data", lambda layout: None)
    monkeypatch.setattr(sweep, "_score", lambda run, sweep: None)
    return names


@pytest.fixture
def command(monkeypatch, tmp_path):
    def run(*arguments, sweep=SWEEP):
        monkeypatch.setattr(sys, "argv", ["x", "--results", str(tmp_path), *arguments])
        run_sweep(sweep)

    return run


def read_table(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_all_are_trained_and_drawn_against_the_setting(command, trained, tmp_path, capsys):
    command()
    assert trained == [ONE.name, TWO.name]
    first, second = read_table(tmp_path / "k" / "k.csv")
    assert first == {
        "image_group_size": "1",
        "seed": "1",
        "best_epoch": "2",
        "best_val_loss": "2.5",
        "perplexity": str(math.exp(2.5)),
        "highest_bleu": "10.0",
        "seconds_per_epoch": "1.5",
        "decoding": "greedy",
        "run": f"{ONE.name}_20260101-000001",
    }
    assert (second["image_group_size"], second["best_val_loss"]) == ("2", "2.0")
    picture = cv2.imread(str(tmp_path / "k" / "k.png"))
    assert min(picture.shape[:2]) > 300
    printed = capsys.readouterr().out
    assert "validation loss               2.500  2.000\n" in printed
    assert "| validation loss | 2.500 | 2.000 |\n" in (tmp_path / "k" / "k.md").read_text()


def test_runs_with_the_same_settings_are_found_whatever_their_name(command, trained, tmp_path):
    command()
    shutil.rmtree(tmp_path / f"{TWO.name}_20260101-000002")
    renamed = replace(ONE, name="another", notes="by hand")
    command(sweep=replace(SWEEP, experiments={"1": renamed, "2": TWO}))
    assert trained == [ONE.name, TWO.name, TWO.name]
    command("--set", "learning_rate=0.5", "--only", "2")
    assert trained[3:] == [f"{TWO.name}_learning_rate-0.5"]


def test_a_smoke_test_trains_all_again_and_draws_apart(command, trained, tmp_path):
    command("--smoke-test")
    command("--smoke-test")
    assert trained == [f"smoke_{ONE.name}", f"smoke_{TWO.name}"] * 2
    assert (tmp_path / "smoke_k" / "smoke_k.png").exists()
    assert not (tmp_path / "k").exists()


def test_the_smoke_tests_of_one_study_share_their_runs(command, trained, tmp_path):
    results = tmp_path / "smoke_study_20260101-000000"
    for each in (SWEEP, replace(SWEEP, name="l")):
        command("--smoke-test", "--results", str(results), sweep=each)
    assert trained == [f"smoke_{ONE.name}", f"smoke_{TWO.name}"]
    assert (results / "smoke_l" / "smoke_l.png").exists()


def test_only_runs_that_are_left_are_started_as_jobs(command, trained, tmp_path, monkeypatch):
    started = []
    monkeypatch.setattr(sweep, "run_jobs", lambda names, *_: started.append(names) or [])
    command("--only", "1")
    command("--jobs", "2")
    [run] = tmp_path.glob(f"{ONE.name}_2*")
    (run / "album_sums_greedy_test.json").write_text("{}")
    command("--jobs", "2")
    assert started == [{1: ONE.name, 2: TWO.name}, {2: TWO.name}]


def test_losses_that_are_no_numbers_are_left_out_of_the_drawing(
    command, trained, tmp_path, monkeypatch
):
    monkeypatch.setitem(LOSSES, 2, [math.nan, math.nan])
    command()
    assert read_table(tmp_path / "k" / "k.csv")[1]["best_val_loss"] == "nan"
    assert (tmp_path / "k" / "k.png").exists()


def test_what_was_interrupted_is_resumed(trained, command, tmp_path):
    begun = write_run(tmp_path / "k_2_20250101-000000", [3.0], **TWO.to_dict())
    write_run(tmp_path / "k_1_20250101-000000", [3.0], **replace(ONE, seed=7).to_dict())
    command()
    assert trained == [ONE.name, f"{begun.name} on"]


def test_a_run_that_fails_does_not_stop_the_others(command, trained, monkeypatch, tmp_path, capsys):
    def score(run, sweep):
        if run.settings()["model_settings"]["image_group_size"] == 1:
            raise InputError("no stories")

    monkeypatch.setattr(sweep, "_score", score)
    with pytest.raises(SystemExit) as stopped:
        command()
    assert stopped.value.code == 2
    assert trained == [ONE.name, TWO.name]
    assert capsys.readouterr().err == (
        f"error: {ONE.name}: no stories\nerror: 1 of 2 runs failed: {ONE.name}\n"
    )
    assert len(read_table(tmp_path / "k" / "k.csv")) == 2


def test_another_reference_can_be_chosen(command, trained, tmp_path):
    command("--reference", "2")
    assert "less 2" in (tmp_path / "k" / "k.md").read_text()


def test_more_runs_than_there_are_can_t_be_chosen(command, trained, capsys):
    with pytest.raises(SystemExit) as stopped:
        command("--only", "3")
    assert stopped.value.code == 2
    assert capsys.readouterr().err == "error: --only is 3; the sweep has 2 runs.\n"


def rows_with(label, losses, seeds=(1, 2), **others):
    return [
        Row(label, None, "greedy", {"seed": seed, "best_val_loss": loss, **others})
        for seed, loss in zip(seeds, losses, strict=True)
    ]


def test_means_stand_with_the_standard_deviation_over_the_seeds():
    rows = rows_with("a", [1.0, 3.0], **{"vist-album METEOR": 0.25}) + rows_with("b", [2], [1])
    table = means("model", rows)
    assert table.head == ["model", "a", "b"]
    assert table.lines == [
        ["seeds", "2", "1"],
        ["validation loss", "2.000 ± 1.414", "2.000"],
        ["METEOR by album (%)", "25.00 ± 0.00", ""],
    ]


def scored_run(path, seed, meteor, albums=("x", "y")):
    """A run with these METEOR scores, one text per album."""
    run = write_run(path, [2.0 + seed], seed=seed)
    sums = {"albums": list(albums), "sums": [[score, 1] for score in meteor]}
    run.album_sums("greedy", "test").write_text(json.dumps({"vist-album METEOR": sums}))
    return run


def test_the_same_seeds_and_albums_are_compared(tmp_path):
    runs = {
        "new": [scored_run(tmp_path / f"new{seed}", seed, [0.3, 0.5]) for seed in (1, 2, 3)],
        "old": [scored_run(tmp_path / f"old{seed}", seed, [0.1, 0.3]) for seed in (1, 2)],
    }
    rows = [
        make_row(label, run, "greedy", "test") for label, of_it in runs.items() for run in of_it
    ]
    loss, meteor = compare_with_reference(rows, "old", "test")
    assert (loss.column, loss.mean, loss.p_value) == ("best_val_loss", 0, None)
    assert (meteor.label, meteor.reference, meteor.column) == ("new", "old", "vist-album METEOR")
    np.testing.assert_allclose(meteor.by_seed, [0.2, 0.2])
    np.testing.assert_allclose([meteor.mean, *meteor.interval], [0.2, 0.2, 0.2])
    assert meteor.p_value == 1 / 2000
    [table] = comparison_tables("old", [loss, meteor])
    assert table.lines[1] == [
        "new", "METEOR by album (%)", "+20.00 ± 0.00", "+20.00, +20.00", "+20.00 to +20.00",
        "0.0005",
    ]  # fmt: skip
    assert table.note.startswith("1 comparison by bootstrap")


def test_other_albums_are_not_compared(tmp_path):
    runs = [
        scored_run(tmp_path / "new", 1, [0.3, 0.5]),
        scored_run(tmp_path / "old", 1, [0.1, 0.3], albums=("x", "z")),
    ]
    rows = [make_row(run.name, run, "greedy", "test") for run in runs]
    with pytest.raises(InputError, match="METEOR of two runs was computed of other albums"):
        compare_with_reference(rows, "old", "test")


def test_a_score_that_no_run_has_is_not_shown(tmp_path):
    runs = [write_run(tmp_path / str(seed), [2.0], seed=seed) for seed in (1, 2)]
    table = means("model", [make_row("a", run, "greedy", "test") for run in runs])
    assert [line[0] for line in table.lines] == [
        "seeds",
        "validation loss",
        "seconds per epoch",
    ]


def test_a_loss_that_is_no_number_is_compared_as_such(tmp_path):
    runs = [
        write_run(tmp_path / f"{n}", [math.nan if n < 2 else 2.0], seed=n % 2) for n in range(4)
    ]
    rows = [make_row("ab"[n // 2], run, "greedy", "test") for n, run in enumerate(runs)]
    [table] = comparison_tables("b", compare_with_reference(rows, "b", "test"))
    assert table.lines[0][2:4] == ["+nan", "+nan, +nan"]


def test_repetitions_and_facts_are_read(tmp_path):
    run = write_run(tmp_path / "run", [2.0])
    diversity = {"vocabulary": 7, "duplicate_stories": 0.5, "repeated_trigrams_within": 0.25}
    scores = {"vist-album METEOR": 0.5, "diversity": {"generated": diversity}}
    run.scores("greedy", "test").write_text(json.dumps(scores))
    recall = {fact: {"own": 60.0, "other": 20.0, "difference": 40.0} for fact in ("event", "all")}
    run.fact_recall("greedy", "test").write_text(json.dumps(recall))
    numbers = make_row("a", run, "greedy", "test").numbers
    assert numbers["vist-album METEOR"] == 0.5
    assert numbers["vocabulary"] == 7
    assert (numbers["facts_event"], numbers["facts_difference"]) == (60.0, 40.0)


SCRIPT = """
    import os, sys, time
    from pathlib import Path
    from training.sweeps.jobs import run_jobs

    number = sys.argv[sys.argv.index("--only") + 1] if "--only" in sys.argv else None
    if number is None:
        print("failed:", run_jobs(dict(enumerate("abc", 1)), 2, Path(sys.argv[1]), "x --jobs 2"))
    else:
        time.sleep(0.2)  # until it has its share of the cores
        print("run", number, "on", *os.sched_getaffinity(0), flush=True)
        time.sleep(float(sys.argv[2]))
        sys.exit(2 if number == "3" else 0)
"""


def start_jobs(tmp_path, seconds):
    script = tmp_path / "jobs.py"
    script.write_text(textwrap.dedent(SCRIPT))
    return subprocess.Popen(
        [sys.executable, script, tmp_path / "logs", str(seconds)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )


def test_each_run_has_a_process_of_its_own_and_failures_are_named(tmp_path):
    process = start_jobs(tmp_path, seconds=0)
    printed, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "c.txt" in printed
    assert "a.txt" not in printed
    logs = [(tmp_path / "logs" / f"{name}.txt").read_text().split() for name in "abc"]
    assert [log[1] for log in logs] == ["1", "2", "3"]


def test_a_single_run_has_the_whole_machine(tmp_path, monkeypatch):
    monkeypatch.setattr(jobs, "share_cores", lambda process, *share: shares.append(share))
    monkeypatch.setattr(sys, "orig_argv", [sys.executable, "-c", "print('done')"])
    shares = []
    assert jobs.run_jobs({3: "c"}, 2, tmp_path, "x") == []
    assert jobs.run_jobs({}, 2, tmp_path, "x") == []
    assert (shares, (tmp_path / "c.txt").read_text()) == ([(0, 1)], "done\n")


def test_a_signal_stops_all_runs(tmp_path):
    process = start_jobs(tmp_path, seconds=60)
    logs = [tmp_path / "logs" / f"{name}.txt" for name in "ab"]
    while not all(log.exists() and log.read_text() for log in logs):
        assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    printed, _ = process.communicate(timeout=30)
    assert process.returncode == 75
    assert "Stopped; to resume: x --jobs 2" in printed
    assert not (tmp_path / "logs" / "c.txt").exists()

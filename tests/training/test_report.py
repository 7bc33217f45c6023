import csv
import fcntl
import math
import os
import shutil
import threading

import pytest
from written_runs import write_run

from data_reader.errors import InputError
from training.report import COLUMNS, ORIGINAL_COLUMNS, add_result, refresh_scores


def table(folder):
    with (folder / "model_results.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_row_has_the_settings_the_results_and_the_scores(tmp_path):
    run = write_run(
        tmp_path / "tiny_1",
        [3.0, 2.0, 2.5],
        model_settings={"image_group_size": 5},
        config={"image_group_size": 5, "image_encoder_latent_dim": 8, "reverse": True},
    )
    run.environment_file.write_text('{"trainable_weights": 1234}')
    run.scores("greedy", "test").write_text('{"vist-album METEOR": 0.375, "another": 0.5}')
    path = add_result(run, tmp_path, num_samples=15)
    header = path.read_text().splitlines()[0].split(",")
    scores = ["vist-album METEOR greedy test", "another greedy test"]
    assert header == [*COLUMNS, *scores]
    assert header[:16] == list(ORIGINAL_COLUMNS)
    [row] = table(tmp_path)
    assert {name: value for name, value in row.items() if value} == {
        "num_samples": "15",
        "duration": "4.5",
        "num_epochs": "3",
        "loss": "1.0",
        "val_loss": "2.0",
        "num_layers": "2",
        "cell_type": "gru",
        "activation": "tanh",
        "hidden_dimension": "8",
        "learning_rate": "0.01",
        "gradient_clipping_value": "5.0",
        "optimizer": "adam",
        "loss_history_filename": "tiny_1/loss.csv",
        "model_filename": "tiny_1/model.keras",
        "reverse_sequence": "True",
        "model": "ImageGroupingModel",
        "image_group_size": "5",
        "image_encoder_latent_dim": "8",
        "seed": "1",
        "best_epoch": "2",
        "data": "dataset/sample_data",
        "trainable_weights": "1234",
        "run": "tiny_1",
        "vist-album METEOR greedy test": "0.375",
        "another greedy test": "0.5",
    }


def test_notes_are_read_back_unchanged(tmp_path):
    notes = 'commas, "quotes"\nand a second line; žluťoučký'
    add_result(write_run(tmp_path / "a", [1.0], notes=notes), tmp_path, 5)
    add_result(write_run(tmp_path / "b", [2.0], notes="plain"), tmp_path, 5)
    assert [row["notes"] for row in table(tmp_path)] == [notes, "plain"]


@pytest.fixture
def two_runs(tmp_path):
    """Both in the table of this folder."""
    runs = [write_run(tmp_path / name, [1.0]) for name in "ab"]
    for run in runs:
        add_result(run, tmp_path, 5)
    return runs


def test_a_second_call_replaces_the_run_s_row_alone(two_runs, tmp_path):
    a, _ = two_runs
    before = table(tmp_path)
    a.scores("greedy", "valid").write_text('{"vist-sequence METEOR": 0.25}')
    add_result(a, tmp_path, 5)
    of_a, of_b = table(tmp_path)
    assert of_a == before[0] | {"vist-sequence METEOR greedy valid": "0.25"}
    assert of_b == before[1] | {"vist-sequence METEOR greedy valid": ""}


def test_scores_computed_after_the_training_are_added(two_runs, tmp_path):
    _, b = two_runs
    before = table(tmp_path)
    b.scores("greedy", "test").write_text('{"original-2018-story BLEU-4": 0.5}')
    path = tmp_path / "model_results.csv"
    assert refresh_scores(tmp_path) == (path, 1)
    of_a, of_b = table(tmp_path)
    assert of_a == before[0] | {"original-2018-story BLEU-4 greedy test": ""}
    assert of_b == before[1] | {"original-2018-story BLEU-4 greedy test": "0.5"}
    assert refresh_scores(tmp_path) == (path, 0)
    shutil.rmtree(b.path)  # its scores stay
    assert refresh_scores(tmp_path) == (path, 0)
    with pytest.raises(FileNotFoundError, match=r"model_results\.csv is missing"):
        refresh_scores(tmp_path / "a")


def test_columns_and_rows_of_others_stay(tmp_path):
    path = tmp_path / "model_results.csv"
    path.write_text('\ufeffnum_samples,notes,mine\n65,"a, b",kept\n', encoding="utf-8")
    add_result(write_run(tmp_path / "a", [1.0]), tmp_path, 5)
    theirs, ours = table(tmp_path)
    assert (theirs["num_samples"], theirs["notes"], theirs["mine"]) == ("65", "a, b", "kept")
    assert (theirs["run"], ours["run"], ours["mine"]) == ("", "a", "")


def test_columns_of_scores_that_are_there_keep_their_places(tmp_path):
    path = tmp_path / "model_results.csv"
    path.write_text("run,CIDEr greedy test,mine\na,1.5,kept\n", encoding="utf-8")
    run = write_run(tmp_path / "a", [1.0])
    run.scores("beam3", "test").write_text('{"BLEU": 0.75}')  # greedy decoding alone is listed
    run.scores("greedy", "test").write_text('{"CIDEr": 2.5, "BLEU": 0.5}')
    assert refresh_scores(tmp_path) == (path, 1)
    header, row = path.read_text().splitlines()
    assert header.split(",")[:3] == ["run", "CIDEr greedy test", "mine"]
    assert header.split(",")[-1] == "BLEU greedy test"
    assert row.startswith("a,2.5,kept,")
    assert row.endswith(",0.5")
    assert header.count("BLEU") == 1


def test_a_table_that_can_t_be_read_stays_as_it_is(tmp_path):
    path, run = tmp_path / "model_results.csv", write_run(tmp_path / "a", [1.0])
    for contents, message in (
        (b"run,notes\nx,a\ny,a, b\n", "Row 2 of .* has more fields than columns"),
        (b"run,notes\nx,caf\xe9\n", "can't be read"),
    ):
        path.write_bytes(contents)
        with pytest.raises(InputError, match=message):
            add_result(run, tmp_path, 5)
        assert path.read_bytes() == contents


def test_losses_that_are_not_numbers(tmp_path):
    run = write_run(tmp_path / "a", [math.nan])
    run.model_file.unlink()  # none is saved then
    add_result(run, tmp_path, 5)
    [row] = table(tmp_path)
    assert (row["val_loss"], row["best_epoch"], row["num_layers"]) == ("nan", "", "")
    with pytest.raises(InputError, match="no row"):
        add_result(write_run(tmp_path / "b", []), tmp_path, 5)


def test_a_writer_waits_for_another(tmp_path):
    run = write_run(tmp_path / "a", [1.0])
    other = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(other, fcntl.LOCK_EX)
    writer = threading.Thread(target=add_result, args=(run, tmp_path, 5))
    writer.start()
    writer.join(0.3)
    assert not (tmp_path / "model_results.csv").exists()
    os.close(other)
    writer.join(10)
    assert len(table(tmp_path)) == 1

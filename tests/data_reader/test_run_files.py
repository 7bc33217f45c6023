"""Files of a run that were changed by hand are refused: the file, the field, what and what not."""

import json

import pytest
from written_runs import write_run

from data_reader.errors import InputError
from data_reader.run_files import EXPERIMENT, LOSS_COLUMNS, read_album_sums, read_scores
from training.experiment import Experiment

ALL = {"own": 50.0, "other": 10.0}
METEOR = {"value": 0.25, "is_share": True}


@pytest.fixture
def run(tmp_path):
    return write_run(tmp_path / "run", [1.0])


def refusal(path, contents, read):
    path.write_text(json.dumps(contents))
    with pytest.raises(InputError) as refused:
        read()
    message = str(refused.value)
    assert message.startswith(str(path))
    return message.removeprefix(str(path))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"name": 3}, ": name is 3, expected a text."),
        ({"name": "\0"}, r": name is '\x00', expected a text."),
        ({"model_settings": [1]}, ": model_settings is [1], expected a dictionary."),
        ({"epochs": True}, ": epochs is True, expected a whole number from 1."),
        ({"epochs": 10**30}, f": epochs is {10**30}, expected a whole number from 1."),
        ({"learning_rate": float("nan")}, ": learning_rate is nan, expected a number from 0."),
        ({"x": {"\ud800": 1}}, " is broken: it holds half of a surrogate pair, not a letter."),
        ({"notes": ["x"] * 99}, f": notes is {str(['x'] * 99)[:60]}..., expected a text."),
        ({"early_stopping_patience": 0}, ": early_stopping_patience is 0, expected a whole"),
    ],
)
def test_settings_of_other_types(run, changed, message):
    contents = json.loads(run.experiment_file.read_text()) | changed
    assert refusal(run.experiment_file, contents, run.settings).startswith(message)


def test_all_settings_of_an_experiment_are_known(run):
    settings = Experiment(name="x", model="EncoderDecoder").to_dict()
    assert EXPERIMENT.keys() == settings.keys()
    run.experiment_file.write_text(json.dumps(settings))
    assert run.settings() == settings


@pytest.mark.parametrize(
    ("name", "contents", "message"),
    [
        ("features", {"channel_means": [1, 2]}, "channel_means is [1, 2], expected a list of 3"),
        ("features", {"channel_means": [1, 2, 256]}, "channel_means is [1, 2, 256], expected a"),
        ("features", {"weights_checksum": None}, "weights_checksum is None, expected a text"),
        ("features", {"photos_per_story": "5"}, "photos_per_story is '5', expected a whole numbe"),
        ("finished", {"seconds": "9", "reason": "x"}, "seconds is '9', expected a number from 0"),
        ("environment", {"packages": ["keras"]}, "packages is ['keras'], expected a dictionary."),
        ("environment", {"packages": {"keras": 3}}, "packages.keras is 3, expected a text."),
    ],
)
def test_other_files_of_other_types(run, name, contents, message):
    path = getattr(run, f"{name}_file")
    assert refusal(path, contents, getattr(run, name)).startswith(f": {message}")


def test_a_run_that_finished_says_how(run):
    assert run.finished() == {}
    assert refusal(run.finished_file, {}, run.finished) == " lacks seconds, reason."


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        ({"protocols": []}, ": protocols is [], expected a dictionary."),
        (
            {"a METEOR": "1", "protocols": {"a": {"scores": {"METEOR": METEOR}}}},
            ": a METEOR is '1'",
        ),
        ({"protocols": {"a": {"scores": {"METEOR": {}}}}}, ": a METEOR lacks value, is_share."),
        (
            {"protocols": {"a": {"scores": {"METEOR": METEOR | {"is_share": 1}}}}},
            ": protocols.a.scores.METEOR.is_share is 1, expected true or false.",
        ),
        ({"missing": {"METEOR": 10**400}}, f": missing.METEOR is {10**59}..., expected a text."),
    ],
)
def test_scores_of_other_types(run, contents, message):
    path = run.scores("greedy", "test")
    assert refusal(path, contents, run.all_scores).startswith(message)
    assert refusal(path, contents, lambda: read_scores(path)).startswith(message)


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        ({"all": 50.0}, ": all is 50.0, expected a dictionary."),
        ({"all": {"own": 50.0}}, ": all lacks other."),
        ({"all": ALL | {"own": 101}}, ": all.own is 101, expected a number from 0 to 100."),
        ({"event": ALL}, " lacks all."),
    ],
)
def test_fact_recall_of_other_types(run, contents, message):
    assert refusal(run.fact_recall("greedy", "test"), contents, run.all_scores) == message


@pytest.mark.parametrize(
    ("sums", "message"),
    [
        (
            [[1, 2], [3, "4"]],
            ": METEOR.sums is [[1, 2], [3, '4']], expected a list, each a list of",
        ),
        ([[1, 2]], ": METEOR has 2 albums and 1 rows of sums, expected one row per album"),
        (
            [[1, 2], [3]],
            ": METEOR has 2 albums and 2 rows of sums, expected one row per album, all",
        ),
    ],
)
def test_album_sums_of_other_types(run, sums, message):
    path, contents = run.album_sums("greedy", "test"), {"albums": ["x", "y"], "sums": sums}
    found = refusal(path, {"METEOR": contents}, lambda: read_album_sums(path))
    assert found.startswith(message)
    assert refusal(path, {"METEOR": {}}, lambda: read_album_sums(path)) == (
        ": METEOR lacks albums, sums."
    )


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("2,-1,1,1,1,1,", "line 3: loss is '-1', expected a number from 0 or nothing"),
        ("2,1e301,1,1,1,1,", "line 3: loss is '1e301', expected"),
        ("7,1,1,1,1,1,", "line 3: epoch is '7', expected 2"),
        (",1,1,1,1,1,", "line 3: epoch is '', expected 2"),
        ("2,1,1,1,1,1,,9", "epoch, loss, val_loss, learning_rate, seconds, words_per_second, bleu"),
    ],
)
def test_losses_that_nobody_wrote(run, line, message):
    run.loss_log.write_text(",".join(LOSS_COLUMNS) + f"\n1,1,1,1,1,1,\n{line}\n")
    with pytest.raises(InputError, match=message):
        run.losses()


def test_a_loss_may_become_infinite_or_nan(run):
    run.loss_log.write_text(",".join(LOSS_COLUMNS) + "\n1,inf,nan,1,1,1,\n")
    assert run.losses()["loss"] == [float("inf")]

import json
import math
import subprocess
import sys
import zipfile

import pytest
from tiny_model import VOCABULARY
from written_runs import write_run

from data_reader.errors import InputError
from data_reader.run_files import LOSS_COLUMNS, Share
from data_reader.run_folder import RunFolder
from data_reader.vocabulary import Vocabulary
from models.loading import load_model

SETTINGS = {"model": "ImageGroupingModel", "data": "dataset"}
FILES = ("experiment.json", "vocabulary.json", "features.json", "model.keras")


def make_run(results, name, files=FILES):
    (results / name).mkdir()
    for file in files:
        (results / name / file).write_text(json.dumps(SETTINGS | {"name": name}))
    return results / name


def test_the_newest_run_is_the_one_that_started_last(tmp_path):
    make_run(tmp_path, "zebra_20260101-120000")
    newest = make_run(tmp_path, "attention_20260102-090000")
    make_run(tmp_path, "smoke_attention_20260103-090000")
    make_run(tmp_path, "baseline_kept")
    make_run(tmp_path, "unfinished_20260104-090000", files=("experiment.json",))
    run = RunFolder.newest(tmp_path)
    assert run.path == newest
    assert run.settings()["name"] == "attention_20260102-090000"


def test_without_a_run_the_command_that_makes_one_is_named(tmp_path):
    make_run(tmp_path, "smoke_attention_20260103-090000")
    with pytest.raises(FileNotFoundError, match=r"smoke tests do not count.* python -m training"):
        RunFolder.newest(tmp_path)


def test_a_missing_file_of_a_run_folder_is_named(tmp_path):
    path = make_run(tmp_path, "a_20260101-120000", files=FILES[:3])
    with pytest.raises(FileNotFoundError, match=r"has no model\.keras"):
        RunFolder.open(path)
    with pytest.raises(FileNotFoundError, match=r"run folder .*nowhere is missing"):
        RunFolder.open(tmp_path / "nowhere")


def test_a_cut_model_file_is_named(tmp_path):
    from models.image_grouping import ImageGroupingModel

    path = make_run(tmp_path, "a_20260101-120000")
    model = ImageGroupingModel(
        6, 2, image_encoder_latent_dim=2, sentence_encoder_latent_dim=2, word_embedding_size=2
    )
    model.save(path / "model.keras")
    whole = (path / "model.keras").read_bytes()
    (path / "model.keras").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"model\.keras is broken"):
        load_model(RunFolder.open(path))


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        ('{"name":', "is cut short or not JSON"),
        ("[1]", "is broken: expected a dict"),
        ("{}", "lacks data, model, name"),
    ],
)
def test_broken_settings_are_named(tmp_path, contents, message):
    path = make_run(tmp_path, "a_20260101-120000")
    (path / "experiment.json").write_text(contents)
    with pytest.raises(InputError, match=rf"experiment\.json {message}"):
        RunFolder.open(path).settings()


def test_another_zip_file_is_not_a_model(tmp_path):
    path = make_run(tmp_path, "a_20260101-120000")
    with zipfile.ZipFile(path / "model.keras", "w") as archive:
        archive.writestr("photo.jpg", b"")
    with pytest.raises(InputError, match=r"model\.keras is broken"):
        load_model(RunFolder.open(path))


def test_the_best_epoch_has_the_lowest_loss_that_is_a_number(tmp_path):
    losses = [math.nan, 3.0, math.log(4), 2.0, math.inf]
    best = write_run(tmp_path / "run", losses).best_epoch()
    assert (best["epoch"], best["val_loss"], best["loss"]) == (3, math.log(4), math.log(4) / 2)
    assert best["perplexity"] == pytest.approx(4)
    assert write_run(tmp_path / "huge", [1e4]).best_epoch()["perplexity"] == math.inf
    assert write_run(tmp_path / "nan", [math.nan, math.inf]).best_epoch() == {}
    assert RunFolder(tmp_path / "nowhere").best_epoch() == {}


def test_an_incomplete_last_line_of_the_log_is_ignored(tmp_path):
    run = write_run(tmp_path / "run", [3.0, 2.0])
    with run.loss_log.open("a") as file:
        file.write("3,0.5,1.")
    assert run.losses()["val_loss"] == [3.0, 2.0]


def test_a_vocabulary_that_is_not_the_model_s_is_refused(tmp_path):
    run = write_run(tmp_path / "run", [1.0])
    VOCABULARY.write(run.vocabulary_file)
    assert run.vocabulary() == VOCABULARY
    run.environment_file.write_text(f'{{"vocabulary_checksum": "{VOCABULARY.checksum}"}}')
    assert run.vocabulary() == VOCABULARY
    others = Vocabulary((*VOCABULARY.words[:-1], "sat"))
    others.write(run.vocabulary_file)
    with pytest.raises(
        InputError, match=rf"{others.checksum}.*knows others.*{VOCABULARY.checksum}"
    ):
        run.vocabulary()
    run.environment_file.unlink()  # an older run
    assert run.vocabulary() == others
    for words in (VOCABULARY.words[:-1], (*VOCABULARY.words, "sat")):
        Vocabulary(words).write(run.vocabulary_file)
        with pytest.raises(InputError, match=rf"holds {len(words)} words .* model knows 7"):
            run.vocabulary()


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        ("epoch,loss,val_loss\n0,1,2\n", r"columns epoch, loss, val_loss, expected epoch, loss"),
        (",".join(LOSS_COLUMNS) + "\n1,a,2,3,4,5,\n", "line 2: loss is 'a', expected a number"),
        (",".join(LOSS_COLUMNS) + "\n\xff,1,2,3,4,5,\n", "can't decode byte 0xff"),
    ],
)
def test_a_broken_log_is_named(tmp_path, contents, message):
    (tmp_path / "loss.csv").write_text(contents, encoding="latin-1")
    with pytest.raises(InputError, match=rf"loss\.csv(, | can't be read: .*){message}"):
        RunFolder(tmp_path).losses()


def test_settings_that_the_experiment_does_not_name_come_from_the_model(tmp_path):
    run = write_run(
        tmp_path / "run", [1.0], config={"name": "x"}, model_settings={"image_group_size": 3}
    )
    settings = run.all_settings()
    assert settings["name"] == "run"
    assert settings["image_group_size"] == 3
    assert settings["num_layers"] == 2
    run.model_file.unlink()
    assert "num_layers" not in run.all_settings()


def test_the_scores_of_all_generated_stories_are_read(tmp_path):
    run = write_run(tmp_path / "run", [1.0])
    assert run.all_scores() == {}
    run.scores("greedy", "test").write_text('{"bleu": 52.1, "words": 7, "protocol": "x"}')
    run.scores("sample_t0.8_s1", "valid").write_text('{"bleu": 40.0}')
    run.fact_recall("greedy", "test").write_text('{"all": {"own": 85.3, "other": 15.1}}')
    assert run.all_scores() == {
        "greedy test": {"bleu": 52.1, "facts_own": 85.3, "facts_other": 15.1},
        "sample_t0.8_s1 valid": {"bleu": 40.0},
    }


def test_a_scores_file_says_which_of_its_numbers_are_shares(tmp_path):
    run = write_run(tmp_path / "run", [1.0])
    details = {
        "mean length": {"value": 9.5, "is_share": False},
        "BLEU-4 uncut": {"value": 0.25, "is_share": True},
    }
    numbers = {"album mean length": 9.5, "album BLEU-4 uncut": 0.25, "other BLEU-4 uncut": 0.5}
    contents = numbers | {"protocols": {"album": {"scores": details}}}
    run.scores("greedy", "test").write_text(json.dumps(contents))
    scores = run.all_scores()["greedy test"]
    assert scores == numbers
    assert [name for name, score in scores.items() if isinstance(score, Share)] == [
        "album BLEU-4 uncut"
    ]


def described(path):
    return subprocess.run(
        [sys.executable, "-m", "training.describe", path],
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_finished_run_is_described(tmp_path):
    run = write_run(
        tmp_path / "tiny_1", [3.0, 2.0, 2.5], extractor="resnet50", notes="what\nwas tried"
    )
    VOCABULARY.write(run.vocabulary_file)
    run.features_file.write_text('{"extractor": "resnet50", "feature_size": 2048}')
    run.finished_file.write_text('{"seconds": 90.4, "reason": "early stopping"}')
    run.environment_file.write_text(
        '{"git_commit": "abc123", "packages": {"keras": "3.15.1", "tqdm": "4"}, '
        '"trainable_weights": 1234567}'
    )
    run.scores("greedy", "test").write_text('{"bleu": 52.125}')
    done = described(run.path)
    assert done.returncode == 0, done.stderr
    lines = {" ".join(line.split()) for line in done.stdout.splitlines()}
    assert lines >= {
        "name tiny_1",
        "model ImageGroupingModel",
        "notes what was tried",
        "trained 3 of 4 epochs in 90 s; finished: early stopping",
        "best epoch 2",
        "validation loss 2.0000 per word (nats)",
        "perplexity 7.389",
        "extractor resnet50",
        "vocabulary 7 words",
        "trainable weights 1,234,567",
        "seed 1",
        "git commit abc123",
        "packages keras 3.15.1",
        "learning_rate 0.01",
        "num_layers 2",
        "greedy test bleu 52.12",
        "vocabulary.json 0.2 kB",
    }


def test_a_run_before_its_first_epoch_is_described(tmp_path):
    run = write_run(tmp_path / "tiny_1", [])
    run.model_file.unlink()
    run.loss_log.unlink()
    out = described(run.path).stdout
    assert "0 of 4 epochs; not finished" in out
    assert "best epoch" not in out


def test_a_folder_that_can_t_be_described_is_one_line_and_status_2(tmp_path):
    run = write_run(tmp_path / "tiny_1", [1.0])
    run.loss_log.write_text("x\n")
    for path, message in (
        (tmp_path / "nowhere", "nowhere is missing"),
        (tmp_path, "has no experiment.json"),
        (run.path, "loss.csv can't be read"),
    ):
        done = described(path)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("error: ")
        assert done.stderr.count("\n") == 1
        assert message in done.stderr

"""Training on three invented stories a split, of seven photos, with ids of any text."""

import csv
import importlib
import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
from tiny_stories import IDS, write_annotated

from data_reader.files import exclusive_lock, write_json
from data_reader.layout import SPLITS, DataLayout
from data_reader.run_folder import RunFolder
from data_reader.sis_datareader import index_stories
from data_reader.vocabulary import Vocabulary
from generation.__main__ import main as generate
from generation.story_strip import main as draw_strips
from models import model_class
from models.loading import load_model
from models.next_word import NextWordLoss
from training import experiments
from training.command import find_interrupted
from training.experiment import Experiment, smoke_test
from training.loss_plot import read_losses
from training.model_building import check_settings
from training.model_picture import can_draw
from training.train import train

VOCABULARY = Vocabulary(("<NULL>", "<START>", "<END>", "<UNK>", "the", "dog", "ran"))
SETTINGS = {
    "image_encoder_latent_dim": 4,
    "sentence_encoder_latent_dim": 4,
    "word_embedding_size": 4,
    "num_layers": 1,
}


PHOTOS = 7


def make_experiment(folder, photos_per_story=(PHOTOS, PHOTOS, PHOTOS)):
    layout = DataLayout(folder / "data")
    layout.root.mkdir()
    VOCABULARY.write(layout.vocabulary)
    for split, photos in zip(SPLITS, photos_per_story, strict=True):
        write_annotated(layout, split, photos)
        index_stories(layout, split, VOCABULARY, descriptions_needed=False)
    return Experiment(
        name="tiny",
        model="ImageGroupingModel",
        model_settings=SETTINGS,
        data=str(layout.root),
        epochs=3,
        stories_per_batch=2,
        learning_rate=0.01,
        score_every_epochs=0,
    )


@pytest.fixture
def experiment(tmp_path):
    return make_experiment(tmp_path)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """An experiment and its finished run."""
    folder = tmp_path_factory.mktemp("finished")
    experiment = replace(make_experiment(folder), score_every_epochs=2)
    return experiment, train(experiment, folder / "results")


def test_the_run_folder_holds_all_that_belongs_to_the_run(finished):
    _, run = finished
    assert run.path.name.startswith("tiny_2")
    assert {path.name for path in run.path.iterdir()} == {
        "experiment.json",
        "vocabulary.json",
        "features.json",
        "loss.csv",
        "loss.png",
        "model.keras",
        "model_last.keras",
        "environment.json",
        "finished.json",
        "samples.txt",
        *(["model.png"] if can_draw() else []),
    }
    settings = json.loads(run.experiment_file.read_text())
    assert settings["model_settings"] == SETTINGS
    assert settings["learning_rate"] == 0.01
    assert Vocabulary.read(run.vocabulary_file) == VOCABULARY
    assert run.features() == {
        "extractor": "alexnet",
        "precision": "float32",
        "feature_size": 6,
        "photos_per_story": PHOTOS,
    }
    losses = read_losses(run)
    assert len(losses["loss"]) == len(losses["val_loss"]) == 3
    assert losses["loss"][2] < losses["loss"][0]


def test_the_saved_model_is_the_best_one_and_knows_its_settings(finished):
    experiment, run = finished
    model = load_model(RunFolder.open(run.path))
    assert model.get_config()["image_encoder_latent_dim"] == 4
    with h5py.File(DataLayout(experiment.data).stories("valid")) as file:
        rows, features = file["story_sentences"][:], file["image_embeddings"][:]
    loss = NextWordLoss()(rows, model({"image_features": features, "sentences": rows}))
    assert float(loss) == pytest.approx(min(read_losses(run)["val_loss"]), rel=1e-4)
    assert not keras.saving.load_model(run.model_file).compiled  # no optimiser in the file
    with h5py.File(DataLayout(experiment.data).stories("train")) as file:
        features = file["image_embeddings"][:].reshape(-1, 6)
    np.testing.assert_allclose(model.feature_standardisation.mean, features.mean(axis=0), rtol=1e-5)


def test_the_same_seed_gives_the_same_losses(finished, tmp_path):
    experiment, run = finished
    first, second = read_losses(run), read_losses(train(experiment, tmp_path))
    np.testing.assert_allclose(first["loss"], second["loss"], rtol=1e-5)


def test_in_bfloat16_the_losses_are_nearly_the_same_and_the_weights_float32(finished, tmp_path):
    experiment, exact = finished
    run = train(replace(experiment, precision="bfloat16", epochs=1), tmp_path / "results")
    [rounded], first = read_losses(run)["val_loss"], read_losses(exact)["val_loss"][0]
    assert rounded != first
    assert rounded == pytest.approx(first, rel=0.01)
    assert {weight.dtype for weight in load_model(run).get_weights()} == {np.dtype("float32")}
    assert keras.config.dtype_policy().name == "float32"


def test_a_misspelt_setting_is_named(experiment, tmp_path):
    misspelt = experiment.with_model_settings(image_grop_size=1)
    with pytest.raises(ValueError, match="no setting 'image_grop_size'; it has: image_group_size"):
        train(misspelt, tmp_path / "results")
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("epochs", 0),
        ("stories_per_batch", "8"),
        ("learning_rate", float("nan")),
        ("gradient_clip_value", -1),
        ("bias_from_word_frequencies", 1),
        ("name", "a/b"),
        ("precision", "float7"),
        ("all_reduce_precision", "float16"),
    ],
)
def test_a_setting_without_meaning_is_named(experiment, setting, value):
    with pytest.raises(ValueError, match=rf"^{setting} is "):
        replace(experiment, **{setting: value})


def test_what_stops_the_first_epoch_is_not_hidden(experiment, tmp_path):
    layout = DataLayout(experiment.data)
    with h5py.File(layout.stories("train"), "r+") as file:
        rows = file["story_sentences"][:, :, :15]
        del file["story_sentences"]
        file["story_sentences"] = rows
    with pytest.raises(ValueError, match="shape"):
        train(experiment, tmp_path / "results")


def test_a_loss_that_is_no_number_is_said(experiment, tmp_path):
    class Overflow(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            weight = self.model.trainable_weights[0]
            weight.assign(np.full(weight.shape, np.nan))

    with pytest.raises(ValueError, match="The loss became nan in epoch 1"):
        train(experiment, tmp_path / "results", callbacks=[Overflow()])


def test_features_that_are_no_numbers_are_named_before_a_run_folder_is_made(experiment, tmp_path):
    with h5py.File(DataLayout(experiment.data).stories("train"), "r+") as file:
        file["image_embeddings"][2, 1, 1] = np.nan
    with pytest.raises(ValueError, match=r"features of photo 2 of story .*, ü 1_1 are nan"):
        train(experiment, tmp_path / "results")
    assert not (tmp_path / "results").exists()


def test_missing_data_is_named_before_a_run_folder_is_made(experiment, tmp_path):
    DataLayout(experiment.data).stories("valid").unlink()
    with pytest.raises(FileNotFoundError, match="python -m data_reader"):
        train(experiment, tmp_path / "results")
    assert not (tmp_path / "results").exists()


def test_a_vocabulary_that_does_not_fit_is_refused(experiment, tmp_path):
    layout = DataLayout(experiment.data)
    Vocabulary((*VOCABULARY.words, "away")).write(layout.vocabulary)
    with pytest.raises(ValueError, match=r"vocabulary of 7 words.* 8 words"):
        train(experiment, tmp_path / "results")
    assert not (tmp_path / "results").exists()


def test_another_extractor_s_features_are_refused(experiment, tmp_path):
    with pytest.raises(ValueError, match="extractor alexnet, not resnet50"):
        train(replace(experiment, extractor="resnet50"), tmp_path / "results")
    with h5py.File(DataLayout(experiment.data).stories("valid"), "r+") as file:
        file.attrs["extractor"] = "resnet50"
    with pytest.raises(ValueError, match="extractor resnet50, not alexnet"):
        train(experiment, tmp_path / "results")
    assert not (tmp_path / "results").exists()


def test_splits_with_stories_of_other_lengths_are_refused(tmp_path):
    experiment = make_experiment(tmp_path, (4, 5, 5))
    message = r"_train\.hdf5 has stories of 4 photos, .*_valid\.hdf5 of 5; state the same photos_"
    with pytest.raises(ValueError, match=message):
        train(experiment, tmp_path / "results")
    assert not (tmp_path / "results").exists()


def test_an_unknown_model_is_named(experiment, tmp_path):
    with pytest.raises(ValueError, match="no model 'Transformer'; there is: EncoderDecoder"):
        train(replace(experiment, model="Transformer"), tmp_path / "results")
    assert not (tmp_path / "results").exists()


def test_a_smoke_test_is_small_and_says_so():
    vist = Experiment(
        name="vist",
        model="ImageGroupingModel",
        model_settings={"num_layers": 2},
        extractor="resnet50",
    )
    small = smoke_test(replace(vist, word_embeddings="dataset/glove.txt"))
    assert small.name == "smoke_vist"
    assert small.data == "dataset/smoke_data"
    assert small.extractor == "alexnet"
    assert small.model_settings["num_layers"] == 2
    assert small.model_settings["image_encoder_latent_dim"] == 32
    assert small.word_embeddings is None
    assert small.epochs == 2
    plain = smoke_test(Experiment(name="plain", model="EncoderDecoder"))
    assert "sentence_encoder_latent_dim" not in plain.model_settings


def test_the_words_start_from_a_glove_file_and_stay_there(experiment, tmp_path):
    glove = tmp_path / "glove.txt"
    glove.write_text("the 1 2 3 4\ndog 5 6 7 8\n", encoding="utf-8")
    run = train(replace(experiment, word_embeddings=str(glove)), tmp_path / "results")
    words = np.array(load_model(run).word_embedding.embeddings)
    assert words[4:6].tolist() == [[1, 2, 3, 4], [5, 6, 7, 8]]
    assert words[6].any()  # "ran" is not in the file: drawn


def test_a_glove_file_of_another_size_is_refused(experiment, tmp_path):
    glove = tmp_path / "glove.txt"
    glove.write_text("the 1 2 3\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"vectors of 3 numbers .* expected 4"):
        train(replace(experiment, word_embeddings=str(glove)), tmp_path / "results")
    with pytest.raises(FileNotFoundError, match=r"nowhere.txt is missing; fetch a GloVe archive"):
        train(replace(experiment, word_embeddings="nowhere.txt"), tmp_path / "results")
    assert not (tmp_path / "results").exists()


EXPERIMENT_FILES = [
    path.stem for path in Path(experiments.__file__).parent.glob("*.py") if path.stem != "__init__"
]


@pytest.mark.parametrize("name", EXPERIMENT_FILES)
def test_every_experiment_of_the_repository_is_one_that_can_be_trained(name):
    module = importlib.import_module(f"training.experiments.{name}")
    if hasattr(module, "SWEEP"):
        found = module.SWEEP.experiments.values()
        assert module.SWEEP.name == name
    else:
        found = [module.EXPERIMENT]
        assert module.EXPERIMENT.name == name
    for experiment in found:
        for tried in (experiment, smoke_test(experiment)):
            check_settings(model_class(tried.model), tried.model_settings)


def test_training_ends_early_when_the_validation_loss_no_longer_falls(experiment, tmp_path):
    # At this rate the first epochs are the best.
    wild = replace(experiment, epochs=30, learning_rate=1.0, early_stopping_patience=2)
    run = train(wild, tmp_path / "results")
    finished = json.loads(run.finished_file.read_text())
    assert finished["reason"] == "early stopping"
    assert finished["epochs"] == finished["best_epoch"] + 2 < 30


def test_bleu_is_computed_every_so_many_epochs_and_samples_are_told_after_each(finished):
    _, run = finished
    assert np.isnan(read_losses(run)["bleu"]).tolist() == [True, False, True]
    samples = run.samples.read_text()
    assert samples.count("story ") == 9
    assert samples.startswith(f"epoch 1\n\nstory {IDS[0]}\n  ")


def test_a_run_is_listed_with_the_others(finished):
    _, run = finished
    with (run.path.parent / "model_results.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["run"], row["num_samples"]) for row in rows] == [(run.name, "21")]


def test_tensorboard_s_logs_are_written_on_request(experiment, tmp_path):
    run = train(replace(experiment, epochs=1), tmp_path / "results", tensorboard=True)
    assert list(run.tensorboard.rglob("events.out.*"))


def test_a_run_goes_on_with_its_own_settings_and_vocabulary_only(finished, tmp_path):
    experiment, run = finished
    with pytest.raises(ValueError, match="is finished; there is nothing to resume"):
        find_interrupted(experiment, tmp_path, run.path)
    interrupted = RunFolder(tmp_path / run.name)
    shutil.copytree(run.path, interrupted.path)
    interrupted.finished_file.unlink()
    assert find_interrupted(experiment, tmp_path, "") == interrupted
    faster = replace(experiment, learning_rate=0.5)
    with pytest.raises(ValueError, match=r"began with learning_rate = 0\.01, .* has 0\.5"):
        find_interrupted(faster, tmp_path, "")
    with pytest.raises(FileNotFoundError, match="no interrupted run of 'another'"):
        find_interrupted(replace(experiment, name="another"), tmp_path, "")
    with (
        exclusive_lock(interrupted.path),
        pytest.raises(ValueError, match="Another process is training"),
    ):
        train(experiment, tmp_path, resumed=interrupted)
    write_json(interrupted.features_file, {"feature_size": 6, "photos_per_story": 4})
    with pytest.raises(ValueError, match=r"began with stories of 4 photos, .* of 7; start a new"):
        train(experiment, tmp_path, resumed=interrupted)
    write_json(interrupted.features_file, {"feature_size": 6})  # an earlier version's
    Vocabulary((*VOCABULARY.words[:-1], "away")).write(interrupted.vocabulary_file)
    with pytest.raises(ValueError, match=r"put the run's vocabulary\.json back"):
        train(experiment, tmp_path, resumed=interrupted)


def test_stories_of_such_a_run_are_generated_scored_and_shown(
    finished, tmp_path, no_java, monkeypatch
):
    """A data set has its own number of photos per story, and ids that no file could be named by."""
    _, run = finished
    run = RunFolder(shutil.copytree(run.path, tmp_path / run.name))

    def command(main, *arguments):
        monkeypatch.setattr(sys, "argv", ["command", *map(str, arguments)])
        main()

    command(generate, "--run", run.path, "--strips", 3)
    command(generate, "--run", run.path, "--strips", 0, "--beam", 2)
    for decoding in ("greedy", "beam2"):
        assert len(run.hypotheses(decoding, "test").read_text().splitlines()) == 3 * PHOTOS
        scores = json.loads(run.scores(decoding, "test").read_text())
        assert scores["counts"] == {"stories": 3, "albums": 2, "photo_sequences": 2}
    strips = sorted(path.name[:12] for path in run.strips.iterdir())
    assert strips == ["test_-script", "test_...png", "test_my-trip"]
    command(draw_strips, run.path, "--story", "..", "--frame", PHOTOS)
    assert (run.strips / f"test_.._frame{PHOTOS}.png").is_file()
    assert "</script>&" not in run.page.read_text(encoding="utf-8")

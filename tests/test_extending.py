"""The code of docs/extending.md, run as a user would run it, from a folder outside the project."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from data_reader.layout import DataLayout
from data_reader.run_folder import RunFolder

PAGE = Path(__file__).parents[1] / "docs" / "extending.md"
MODEL = "photo_at_each_word:PhotoAtEachWord"
BLOCKS = {
    name: code
    for name, code in re.findall(r"```python\n# (\w+\.py)\n(.*?)```", PAGE.read_text(), re.DOTALL)
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The user's files, importable; the tiny sample set; the fourth model's run."""
    from dataset.sample import sample_set
    from training.command import make_smoke_data

    folder = tmp_path_factory.mktemp("own")
    for name, code in BLOCKS.items():
        (folder / name).write_text(code)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sample_set, "SMOKE_ALBUMS", (3, 1, 1))
        make_smoke_data(DataLayout(folder / "data"))
    sys.path.insert(0, str(folder))
    succeed(
        folder,
        "photo_at_each_word.py",
        "--smoke-test",
        *("--set", f"data={folder / 'data'}", "epochs=1", "score_every_epochs=1"),
        *("--results", folder / "results"),
    )
    yield folder
    sys.path.remove(str(folder))


@pytest.fixture(scope="module")
def run(folder):
    [path] = (folder / "results").glob("smoke_photo_at_each_word_*/")
    return RunFolder.open(path)


def succeed(folder, *command):
    done = subprocess.run(
        [sys.executable, *map(str, command)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        cwd=folder,
        # With so little memory no Java starts: METEOR takes long, and is tested elsewhere.
        env=os.environ | {"PYTHONPATH": str(PAGE.parents[1]), "JAVA_TOOL_OPTIONS": "-Xmx1k"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_a_model_takes_at_most_50_lines_and_a_cell_40():
    lines = {name: len(code.splitlines()) for name, code in BLOCKS.items()}
    assert lines.keys() == {"photo_at_each_word.py", "minimal_gated_unit.py"}
    assert lines["photo_at_each_word.py"] <= 50
    assert lines["minimal_gated_unit.py"] <= 40


def test_the_run_names_the_model_by_its_import_path(run):
    assert run.settings()["model"] == MODEL
    assert "epochs-1" in run.name


def test_the_model_is_loaded_and_its_step_equals_its_training_graph(run, tmp_path):
    from models.loading import load_model

    model = load_model(run)
    features = np.random.default_rng(0).random((1, 2, model.feature_size), np.float32)
    sentences = np.zeros((1, 2, 22), np.int32)
    sentences[..., :4] = [1, 5, 6, 2]
    logits = model({"image_features": features, "sentences": sentences})
    step = model.make_decode_step()
    states = model.encode_images(features)
    state = model.start_sentence([part[:, 1] for part in states], sentences[:, 0])
    for place in range(3):
        given, state = step(sentences[:, 1, place], state)
        np.testing.assert_allclose(given[0], logits[3 + place], atol=1e-5)
    model.save(tmp_path / "model.keras")
    again = type(model).from_config(model.get_config())
    again.load_weights(tmp_path / "model.keras")
    np.testing.assert_array_equal(
        again({"image_features": features, "sentences": sentences}), logits
    )


def test_the_model_generates(folder, run):
    out = succeed(folder, "-m", "generation", "--run", run.path, "--strips", 1)
    sentences = run.hypotheses("greedy", "test").read_text().splitlines()
    assert f"{len(sentences) // 5} test stories, greedy" in out
    assert sentences


def test_its_words_are_attributed_to_the_photos_and_to_no_sentence(run):
    from generation.attribution import attribution
    from models.loading import load_model

    model = load_model(run)
    features = np.random.default_rng(0).random((5, model.feature_size), np.float32)
    story = np.zeros((5, 22), np.int32)
    story[:, :3] = [1, 5, 2]
    found = attribution(model, features, story)
    assert (found.photos[0, :2, 0] > 0).all()
    assert found.previous_words_by is None


def test_the_benchmarks_take_the_model(folder):
    from generation.benchmark import OfRealLength
    from models import model_class
    from training.benchmark import Sizes, measure_steps

    sizes = Sizes(1, 10, 4, 3, 2, 2)
    measured, _ = measure_steps(MODEL, ["float32"], sizes, matmul_size=8)
    assert measured["float32"]["seconds_per_step"] > 0
    assert np.isnan(measured["float32"]["matmul_share"])
    model = model_class(MODEL)(10_004, 4, image_encoder_latent_dim=2, word_embedding_size=3)
    assert OfRealLength(model).make_decode_step()


def test_the_cell_is_trained_and_kept(folder):
    import minimal_gated_unit

    from models.loading import load_model
    from training.experiment import smoke_test
    from training.train import train

    tiny = replace(smoke_test(minimal_gated_unit.EXPERIMENT), epochs=1, score_every_epochs=1)
    run = train(replace(tiny, data=str(folder / "data")), folder / "cells")
    kept = json.loads(run.experiment_file.read_text())["model_settings"]["cell_type"]
    assert kept == "minimal_gated_unit:MinimalGatedUnit"
    cell = load_model(run).image_sequence_encoder.recurrent_layers[0].cell
    assert type(cell) is minimal_gated_unit.MinimalGatedUnit


def test_the_cell_computes_its_equations(folder):
    import minimal_gated_unit

    cell = minimal_gated_unit.MinimalGatedUnit(1, recurrent_initializer="ones")
    cell.build((1, 1))
    cell.inputs_to_both.set_weights([np.float32([[1, 2]]), np.float32([0, 0.5])])
    output, [state] = cell(np.float32([[0.5]]), [np.float32([[0.2]])])
    gate = 1 / (1 + np.exp(-0.7))
    expected = (1 - gate) * 0.2 + gate * np.tanh(1.5 + gate * 0.2)
    assert float(output[0, 0]) == float(state[0, 0]) == pytest.approx(expected)

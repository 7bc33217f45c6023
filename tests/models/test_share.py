import json
import shutil
import subprocess
import sys
import zipfile

import pytest
from tiny_model import write_untrained
from written_runs import write_run

from data_reader.errors import InputError
from data_reader.files import exclusive_lock, write_json
from data_reader.shared_model import open_model
from models import share as command
from models.share import Origin, share

ORIGIN = Origin("VIST", "cc-by-4.0", "en")
FILES = ["README.md", "SHA256SUMS", "experiment.json", "features.json", "model.keras"]
METADATA = """---
license: "cc-by-4.0"
language:
- "en"
library_name: keras
pipeline_tag: image-to-text
tags:
- visual-storytelling
- image-to-text
- keras
datasets:
- "vist"
metrics:
- "cider"
- "fact-recall"
- "meteor"
model-index:
- name: "run"
  results:
  - task:
      type: image-to-text
      name: visual storytelling
    dataset:
      name: "VIST"
      type: "vist"
      split: "test"
    metrics:
    - name: "vist-album METEOR, beam3 (%)"
      type: "meteor"
      value: 31.25
    - name: "vist-album CIDEr, beam3"
      type: "cider"
      value: 0.5
    - name: "fact recall, own photos, beam3 (%)"
      type: "fact-recall"
      value: 62.5
    - name: "fact recall, other albums' photos, beam3 (%)"
      type: "fact-recall"
      value: 10.0
---
"""


@pytest.fixture
def run(tmp_path):
    """A run with secrets in its settings, without scores."""
    secrets = {"data": "/secret/photos", "word_embeddings": "/secret/glove.txt", "notes": "/secret"}
    return write_untrained(write_run(tmp_path / "run", [3.0, 2.5, 2.75], **secrets))


def write_scores(run):
    details = {
        "METEOR": {"value": 0.3125, "is_share": True},
        "CIDEr": {"value": 0.5, "is_share": False},
    }
    scores = {
        "vist-album METEOR": 0.3125,
        "vist-album CIDEr": 0.5,
        "vist-album ROUGE-L": float("nan"),
        "protocols": {"vist-album": {"scores": details}},
        "missing": {"BLEU": "/secret has no Java"},
    }
    write_json(run.scores("beam3", "test"), scores)
    write_json(run.fact_recall("beam3", "test"), {"all": {"own": 62.5, "other": 10.0}})


def card(folder):
    return (folder / "README.md").read_text()


def test_the_folder_has_what_generating_needs_and_nothing_private(run, tmp_path):
    write_scores(run)
    write_json(run.environment_file, {"packages": {"keras": "3.15.1"}, "machine": "/secret"})
    out = tmp_path / "out" / "model"
    share(run, out, ORIGIN)
    scored = ["fact_recall_beam3_test.json", "scores_beam3_test.json"]
    assert sorted(path.name for path in out.iterdir()) == sorted(
        [*FILES, *scored, "vocabulary.json"]
    )
    assert [path.name for path in out.parent.iterdir()] == ["model"]
    assert not any(b"/secret" in path.read_bytes() for path in out.iterdir())
    settings = json.loads((out / "experiment.json").read_text())
    assert (settings["data"], settings["notes"], settings["epochs"]) == (None, "", 4)
    assert settings["word_embeddings"] == "glove.txt"
    done = subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=out, check=False)
    assert done.returncode == 0


def test_a_model_is_written_by_one_process_at_a_time(run, tmp_path):
    with (
        exclusive_lock(tmp_path / ".model.zip.partial"),
        pytest.raises(InputError, match=r"Another process is writing .*model\.zip; wait"),
    ):
        share(run, tmp_path / "model.zip", ORIGIN)
    share(run, tmp_path / "model.zip", ORIGIN)
    assert not (tmp_path / ".model.zip.partial").exists()


def test_the_card_begins_with_metadata_for_hubs(run, tmp_path):
    write_scores(run)
    share(run, tmp_path / "model", ORIGIN)
    text = card(tmp_path / "model")
    assert text[: len(METADATA)] == METADATA
    assert "| vist-album METEOR | beam3 | 31.25 % |\n| vist-album CIDEr | beam3 | 0.50 |\n" in text
    assert "3 epochs; the model is that of epoch 2, with a validation loss of 2.500 nats" in text
    assert "| `image_group_size` | 3 |" in text
    assert 'load("model")' in text
    assert "a vocabulary of 7;" in text
    assert "Initial word vectors: `glove.txt`." in text


def test_a_card_without_scores_says_so(run, tmp_path):
    share(run, tmp_path / "model", ORIGIN._replace(licence="unknown"))
    text = card(tmp_path / "model")
    assert "This model has not been scored." in text
    assert "model-index" not in text
    assert "No licence was given" in text


@pytest.mark.parametrize(
    ("features", "limit"),
    [
        ({"extractor": "alexnet", "weights_checksum": "seeded-1"}, "useless for real photos"),
        ({"extractor": "arel", "weights_checksum": "imported-0"}, "not of photos alone"),
        ({"extractor": "alexnet", "weights_checksum": "0"}, "python -m dataset.download alexnet"),
        ({"extractor": "resnet50", "weights_checksum": "0"}, "which Keras downloads once"),
    ],
)
def test_the_card_says_what_photos_need(run, tmp_path, features, limit):
    write_json(run.features_file, features)
    share(run, tmp_path / "model", ORIGIN)
    assert limit in card(tmp_path / "model")


def test_the_card_names_classes_that_are_not_the_project_s(tmp_path):
    written = write_run(tmp_path / "run", [1.0], model="mine:Model", config={"cell_type": "its:C"})
    share(write_untrained(written), tmp_path / "model", ORIGIN)
    assert "is not in here**: `mine:Model`, `its:C`" in card(tmp_path / "model")


def test_a_zip_holds_the_same_files_in_a_folder(run, tmp_path):
    share(run, tmp_path / "my model.zip", ORIGIN)
    with zipfile.ZipFile(tmp_path / "my model.zip") as archive:
        names = archive.namelist()
    assert names == [f"my model/{name}" for name in [*FILES, "vocabulary.json"]]
    with open_model(tmp_path / "my model.zip") as opened:
        assert "--run 'my model.zip'" in card(opened.model_folder)


@pytest.mark.parametrize("name", ["model", "model.zip"])
def test_nothing_is_replaced_and_nothing_is_left_of_a_failure(run, tmp_path, name):
    out = tmp_path / "out" / name
    shutil.copytree(run.path, out)
    with pytest.raises(InputError, match="is there already; delete it or give another name"):
        share(run, out, ORIGIN)
    shutil.rmtree(out)
    run.features_file.write_text("{")
    with pytest.raises(InputError, match=r"features\.json is cut short or not JSON"):
        share(run, out, ORIGIN)
    assert list(out.parent.iterdir()) == []


def test_the_command_knows_the_sample_set_and_asks_about_others(run, tmp_path, monkeypatch, capsys):
    out = str(tmp_path / "model")
    monkeypatch.setattr(sys, "argv", ["share", str(run.path), out])
    with pytest.raises(InputError, match="--data-set VIST"):
        command.main()
    write_json(run.features_file, {"extractor": "alexnet", "weights_checksum": "seeded-1"})
    command.main()
    assert capsys.readouterr().out == f"run: the model to share, licence mit\n  {out}\n"
    assert 'license: "mit"' in card(tmp_path / "model")

import json
import zipfile

import pytest

from models.run_folder import RunFolder

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
    with pytest.raises(FileNotFoundError, match="python -m training"):
        RunFolder.newest(tmp_path)


def test_what_a_run_folder_lacks_is_named(tmp_path):
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
    with pytest.raises(ValueError, match=r"model\.keras is broken"):
        RunFolder.open(path).load_model()


@pytest.mark.parametrize(
    ("contents", "message"),
    [('{"name":', "is broken"), ("[1]", "is broken: expected a dict"), ("{}", "lacks data, model")],
)
def test_broken_settings_are_named(tmp_path, contents, message):
    path = make_run(tmp_path, "a_20260101-120000")
    (path / "experiment.json").write_text(contents)
    with pytest.raises(ValueError, match=rf"experiment\.json {message}"):
        RunFolder.open(path).settings()


def test_another_zip_file_is_no_model(tmp_path):
    path = make_run(tmp_path, "a_20260101-120000")
    with zipfile.ZipFile(path / "model.keras", "w") as archive:
        archive.writestr("photo.jpg", b"")
    with pytest.raises(ValueError, match=r"model\.keras is broken"):
        RunFolder.open(path).load_model()

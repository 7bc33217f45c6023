import h5py
import numpy as np
import pytest

from data_reader.stories_file import StoryFeatures
from data_reader.story_batches import StoryBatches
from training import device_features
from training.device_features import on_device

FEATURES = np.arange(5 * 2 * 3).reshape(5, 2, 3) / 7


@pytest.fixture(params=["float32", "float64"])
def stories(request, tmp_path):
    with h5py.File(tmp_path / "stories.h5", "w") as file:
        file["image_embeddings"] = FEATURES.astype(request.param)
        file["story_sentences"] = np.full((5, 2, 4), 1)
        yield file


def test_features_on_a_device_are_those_of_the_file(stories, monkeypatch, capsys):
    monkeypatch.setattr(device_features, "STORIES_AT_A_TIME", 2)
    copied = on_device(StoryFeatures(stories), "CPU:0")
    assert capsys.readouterr().out == "features: 1.2e-07 GB on the CPU\n"
    picked = copied[np.array([1, 4])]
    assert (picked.dtype, picked.device[-5:]) == ("float32", "CPU:0")
    np.testing.assert_array_equal(picked, FEATURES[[1, 4]].astype("float32"))


def test_batches_are_the_same_with_them(stories):
    on_disk, in_memory = (StoryBatches(stories, 2, seed=1) for _ in range(2))
    in_memory.features = on_device(in_memory.features, "CPU:0")
    for number in range(3):
        expected, _, _ = on_disk.part(number)
        found, _, _ = in_memory.part(number)
        np.testing.assert_array_equal(found["image_features"], expected["image_features"])


@pytest.mark.parametrize("stories", ["float32"], indirect=True)  # TensorFlow waits for ten seconds
def test_features_that_do_not_fit_are_left_in_the_file(stories, monkeypatch, capsys):
    monkeypatch.setattr(device_features, "STEP_BYTES", 2**50)
    assert on_device(stories["image_embeddings"], "CPU:0") is None
    assert capsys.readouterr().out == (
        "features: 1.2e-07 GB do not fit on the CPU; they are read from the file\n"
    )


def test_without_a_gpu_nothing_is_copied(stories, capsys):
    assert on_device(stories["image_embeddings"]) is None
    assert capsys.readouterr().out == ""

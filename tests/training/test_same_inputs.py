"""Workers whose data differ, each in a thread of its own."""

from contextlib import ExitStack
from types import SimpleNamespace

import h5py
import pytest
from tiny_training import VOCABULARY, experiment, write_data
from worker_threads import clusters_of, free_addresses, run_all

from data_reader.errors import InputError
from data_reader.layout import DataLayout
from data_reader.stories_file import features_of, open_stories
from data_reader.vocabulary import Vocabulary
from training import same_inputs
from training.same_inputs import check_same_inputs
from training.train import train


def test_workers_with_the_same_inputs_train(tmp_path):
    assert compare(tmp_path, lambda layout: None) == [None, None]


def compare(folder, change):
    """What two workers return or raise, the second with changed data."""
    layouts = [DataLayout(write_data(folder / name)) for name in ("one", "two")]
    change(layouts[1])

    def work(workers):
        with ExitStack() as opened:
            layout = layouts[workers.index]
            stories = {s: opened.enter_context(open_stories(layout, s)) for s in ("train", "valid")}
            data = SimpleNamespace(
                vocabulary=Vocabulary.read(layout.vocabulary),
                features=features_of(stories["train"]),
                training_stories=stories["train"],
                validation_stories=stories["valid"],
            )
            check_same_inputs(experiment("the same folder on each machine"), data, workers)

    return run_all(clusters_of(free_addresses(2)), work)


def change_a_feature(layout):
    with h5py.File(layout.stories("valid"), "r+") as file:
        file["image_embeddings"][0, 0, 0] = 7


def change_a_word(layout):
    with h5py.File(layout.stories("train"), "r+") as file:
        file["story_sentences"][3, 2, 1] = 5 if file["story_sentences"][3, 2, 1] == 4 else 4


def change_the_weights_of_the_extractor(layout):
    with h5py.File(layout.stories("train"), "r+") as file:
        file.attrs["weights_checksum"] = "ab12"


def change_the_vocabulary(layout):
    Vocabulary((*VOCABULARY.words[:-1], "away")).write(layout.vocabulary)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (change_a_feature, r"\): validation stories '7 \(\w{8}\)', not '7 \(\w{8}\)'\. All"),
        (change_a_word, r"\): training stories '7 \(\w{8}\)', not '7 \(\w{8}\)'\. All"),
        (change_the_weights_of_the_extractor, "features {.*'ab12'.*}, not {.*}"),
        (change_the_vocabulary, "vocabulary '7 words .*', not '7 words "),
    ],
)
def test_data_that_differ_are_named_with_both_sides(tmp_path, change, named):
    errors = compare(tmp_path, change)
    for error in errors:
        with pytest.raises(ValueError, match=rf"Worker 1 .* differs from the chief .*{named}"):
            raise error


def test_code_that_differs_is_named(tmp_path, monkeypatch):
    checksums = iter(["0123", "4567"])
    monkeypatch.setattr(same_inputs, "_code_checksum", lambda _: next(checksums))
    errors = compare(tmp_path, lambda layout: None)
    assert all("differs from the chief" in str(error) for error in errors)
    assert all("code '" in str(error) for error in errors)


def test_settings_that_differ_are_named_before_anything_is_written(tmp_path):
    data, addresses = write_data(tmp_path / "data"), free_addresses(2)

    def work(workers):
        rate = (0.5, 0.25)[workers.index]
        train(experiment(data, learning_rate=rate), tmp_path / "results", workers=workers)

    for error in run_all(clusters_of(addresses), work):
        assert isinstance(error, InputError)
        assert str(error).startswith(f"Worker 1 ({addresses[1]}) differs from the chief (")
        assert "learning_rate 0.25, not 0.5" in str(error)
    assert not (tmp_path / "results").exists()

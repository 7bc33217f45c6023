import h5py
import numpy as np
import pytest

from data_reader.files import exclusive_lock
from data_reader.run_folder import RunFolder
from generation import story_generator
from generation.decoding import Greedy, Sampling
from generation.generate_split import decoding_name, forget_parts, generate_split
from models.image_grouping import ImageGroupingModel

STORIES = 7


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A run with a model that was never trained; it tells three stories at a time."""
    monkeypatch.setattr(story_generator, "STORIES_PER_BATCH", 3)
    run = RunFolder(tmp_path / "run")
    run.path.mkdir()
    run.experiment_file.write_text('{"name": "a", "model": "ImageGroupingModel", "data": "b"}')
    ImageGroupingModel(9, 4, image_encoder_latent_dim=3, sentence_encoder_latent_dim=3).save(
        run.model_file
    )
    return run


@pytest.fixture
def stories(tmp_path):
    with h5py.File(tmp_path / "stories.hdf5", "w") as file:
        file["image_embeddings"] = np.random.default_rng(0).random((STORIES, 2, 4), np.float32)
    with h5py.File(tmp_path / "stories.hdf5") as file:
        yield file


def stop_after_two_batches(patch):
    tell = story_generator.StoryGenerator.generate_batches

    def tell_two(*arguments):
        batches = tell(*arguments)
        yield next(batches)
        yield next(batches)
        raise KeyboardInterrupt

    patch.setattr(story_generator.StoryGenerator, "generate_batches", tell_two)


def test_an_interrupted_telling_goes_on(run, stories, monkeypatch):
    decoding = Sampling(seed=5)
    expected = generate_split(run, "test", stories, decoding)
    assert expected.shape == (STORIES, 2, 22)
    forget_parts(run, "test", decoding.name)
    assert not run.unfinished_generation(decoding.name, "test").exists()

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        stop_after_two_batches(patch)
        generate_split(run, "test", stories, decoding)
    parts = sorted(run.unfinished_generation(decoding.name, "test").glob("*.npy"))
    assert [len(np.load(part)) for part in parts] == [3, 3]
    before = [part.stat().st_mtime_ns for part in parts]
    np.testing.assert_array_equal(generate_split(run, "test", stories, decoding), expected)
    assert [part.stat().st_mtime_ns for part in parts] == before


def test_a_broken_part_and_what_follows_is_told_again(run, stories):
    expected = generate_split(run, "test", stories, Greedy())
    first, second, _ = sorted(run.unfinished_generation("greedy", "test").glob("*.npy"))
    second.write_bytes(b"")
    before = first.stat().st_mtime_ns
    np.testing.assert_array_equal(generate_split(run, "test", stories, Greedy()), expected)
    assert first.stat().st_mtime_ns == before
    assert len(np.load(second)) == 3


def test_another_model_s_parts_are_not_gone_on_with(run, stories):
    generate_split(run, "test", stories, Greedy())
    first = run.unfinished_generation("greedy", "test") / "000000.npy"
    np.save(first, np.full((3, 2, 22), 8))
    assert (generate_split(run, "test", stories, Greedy())[:3] == 8).all()
    run.model_file.touch()
    assert not (generate_split(run, "test", stories, Greedy())[:3] == 8).all()


def test_the_same_is_told_by_one_process_at_a_time(run, stories):
    with (
        exclusive_lock(run.unfinished_generation("greedy", "test")),
        pytest.raises(ValueError, match="Another process is telling the same stories"),
    ):
        generate_split(run, "test", stories, Greedy())


def test_a_precision_is_named_where_it_is_not_the_usual_one():
    assert decoding_name(Greedy(), "float32") == "greedy"
    assert decoding_name(Greedy(), "bfloat16") == "greedy_bfloat16"

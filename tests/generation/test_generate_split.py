import h5py
import numpy as np
import pytest

from data_reader.errors import InputError
from data_reader.files import exclusive_lock
from data_reader.run_folder import RunFolder
from generation import story_generator
from generation.decoding import Greedy, Sampling
from generation.generate_split import _read_parts, decoding_name, forget_parts, generate_split
from models.encoder_decoder import EncoderDecoder

STORIES = 7


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A run with an untrained model, which generates three stories per batch."""
    monkeypatch.setattr(story_generator, "ROWS_PER_BATCH", 3)
    run = RunFolder(tmp_path / "run")
    run.path.mkdir()
    run.experiment_file.write_text('{"name": "a", "model": "EncoderDecoder", "data": "b"}')
    EncoderDecoder(9, 4, image_encoder_latent_dim=3, num_layers=1).save(run.model_file)
    return run


@pytest.fixture
def stories(tmp_path):
    with h5py.File(tmp_path / "stories.hdf5", "w") as file:
        file["image_embeddings"] = np.random.default_rng(0).random((STORIES, 2, 4), np.float32)
    with h5py.File(tmp_path / "stories.hdf5") as file:
        yield file


def stop_after_two_batches(patch):
    generate = story_generator.StoryGenerator.generate_batches

    def generate_two(*arguments, **options):
        batches = generate(*arguments, **options)
        yield next(batches)
        yield next(batches)
        raise KeyboardInterrupt

    patch.setattr(story_generator.StoryGenerator, "generate_batches", generate_two)


def test_an_interrupted_generation_resumes(run, stories, monkeypatch):
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


def test_a_broken_batch_and_those_after_it_are_generated_again(run, stories):
    expected = generate_split(run, "test", stories, Greedy())
    first, second, _ = sorted(run.unfinished_generation("greedy", "test").glob("*.npy"))
    before = first.stat().st_mtime_ns
    second.write_bytes(b"")
    np.testing.assert_array_equal(generate_split(run, "test", stories, Greedy()), expected)
    assert first.stat().st_mtime_ns == before
    assert len(np.load(second)) == 3


@pytest.mark.parametrize(
    "second",
    [np.full((3, 2, 22), 9), np.full((3, 2, 22), 8.0), np.full((3, 1, 22), 8), np.full(3, 8)],
)
def test_batches_of_another_split_or_model_do_not_count(tmp_path, second):
    first = np.full((3, 2, 22), 8)
    for number, part in enumerate((first, second, first)):
        np.save(tmp_path / f"{number:06}.npy", part)
    [read] = _read_parts(tmp_path, (STORIES, 2), per_batch=3, words=9)
    np.testing.assert_array_equal(read, first)


def mark_first_batch(run, decoding):
    """Overwrite the first batch -> a function that says whether rows contain it."""
    rows = np.full((3, 2, 22), 8, np.int32)
    np.save(run.unfinished_generation(decoding, "test") / "000000.npy", rows)
    return lambda rows: (rows[:3] == 8).all()


def test_batches_of_another_model_are_not_used(run, stories):
    generate_split(run, "test", stories, Greedy())
    is_marked = mark_first_batch(run, "greedy")
    assert is_marked(generate_split(run, "test", stories, Greedy()))
    run.model_file.touch()
    assert not is_marked(generate_split(run, "test", stories, Greedy()))


def test_batches_of_another_decoding_of_the_same_name_are_not_used(run, stories):
    one, other = Sampling(temperature=0.8), Sampling(temperature=0.8000001)
    assert one.name == other.name
    generate_split(run, "test", stories, one)
    is_marked = mark_first_batch(run, one.name)
    assert is_marked(generate_split(run, "test", stories, one))
    assert not is_marked(generate_split(run, "test", stories, other))


def test_only_one_process_generates_the_same_stories(run, stories):
    with (
        exclusive_lock(run.unfinished_generation("greedy", "test")),
        pytest.raises(InputError, match="Another process is generating the same stories"),
    ):
        generate_split(run, "test", stories, Greedy())


def test_a_precision_other_than_float32_is_part_of_the_name():
    assert decoding_name(Greedy(), "float32") == "greedy"
    assert decoding_name(Greedy(), "bfloat16") == "greedy_bfloat16"

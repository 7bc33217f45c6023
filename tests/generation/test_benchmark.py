from types import SimpleNamespace

import keras
import numpy as np
import pytest

from data_reader.benchmark import SENTENCE_LENGTHS
from data_reader.vocabulary import END
from generation import benchmark
from generation.benchmark import OfRealLength, as_table, make_model, measure_speed
from generation.decoding import BeamSearch, Greedy
from generation.naive_loop import NaiveLoop
from generation.story_generator import StoryGenerator
from models.image_grouping import ImageGroupingModel

PHOTOS = np.random.default_rng(0).normal(size=(40, 5, 6)).astype("float32")


def small_model():
    keras.utils.set_random_seed(1)
    return ImageGroupingModel(
        12,
        6,
        image_encoder_latent_dim=8,
        sentence_encoder_latent_dim=8,
        word_embedding_size=8,
        standardise_features=False,
    )


def test_the_naive_loop_generates_the_same():
    model = small_model()
    naive = NaiveLoop(model, images=2).generate(PHOTOS[0, :2])
    np.testing.assert_array_equal(naive, StoryGenerator(model).generate(PHOTOS[:1, :2])[0])


def test_the_naive_loop_generates_sentences_of_a_length():
    rows = NaiveLoop(small_model(), images=3).generate(PHOTOS[0, :3], lengths=[3, 1, 20])
    assert (rows == END).argmax(axis=1).tolist() == [4, 2, 21]


def test_sentences_are_as_long_as_vist_s():
    model = OfRealLength(small_model())
    for decoding in (Greedy(), BeamSearch(3)):
        rows = StoryGenerator(model, decoding).generate(PHOTOS)
        lengths = (rows == END).argmax(axis=2) - 1
        mean = np.dot(SENTENCE_LENGTHS, np.arange(1, 21)) / 1000
        assert abs(lengths.mean() - mean) < 1.5
        assert lengths.min() >= 3 and lengths.max() <= 20 and lengths.std() > 2


@pytest.mark.parametrize("name", ["EncoderDecoder", "AttentionEncoderDecoder"])
def test_other_models_have_sentences_of_that_length_too(name, monkeypatch):
    monkeypatch.setattr(benchmark, "VOCABULARY_SIZE", 12)
    monkeypatch.setattr(benchmark, "FEATURE_SIZE", 6)
    rows = StoryGenerator(OfRealLength(make_model(name, "bfloat16"))).generate(PHOTOS[:4])
    lengths = (rows == END).argmax(axis=2) - 1
    assert lengths.min() >= 3 and lengths.std() > 2


STORY = np.array([[[1, 4, 2, 0], [1, 5, 6, 2]]])  # 2 and 3 words with <END>


def test_the_naive_loop_is_measured_beside_the_proposed_model_alone(monkeypatch):
    monkeypatch.setattr(benchmark, "make_batch_work", lambda model, *kind: lambda: STORY)
    first, *others = measure_speed("ImageGroupingModel", 1)
    assert (first["decoding"], first["precision"]) == ("naive", "float32")
    kinds = {(row["decoding"], row["precision"]) for row in others}
    assert kinds == {(d, p) for d in ("greedy", "beam3") for p in ("float32", "bfloat16")}
    of_another = measure_speed("EncoderDecoder", 1)
    assert {(row["decoding"], row["precision"]) for row in of_another} == kinds


def test_words_per_second_count_the_ends_and_no_padding(monkeypatch):
    monkeypatch.setattr(benchmark, "make_batch_work", lambda model, *kind: lambda: STORY)
    row = measure_speed("EncoderDecoder", 1)[0]
    assert row["words_per_second"] == pytest.approx(5 * row["stories_per_second"])


def test_no_sentence_depends_on_its_batch(tmp_path, monkeypatch):
    import h5py

    from data_reader.run_folder import RunFolder

    monkeypatch.setattr(benchmark, "open_stories", lambda *_: h5py.File(tmp_path / "stories.hdf5"))
    with h5py.File(tmp_path / "stories.hdf5", "w") as file:
        file["image_embeddings"] = PHOTOS[:4]
    run = RunFolder(tmp_path)
    run.experiment_file.write_text('{"name": "a", "model": "ImageGroupingModel", "data": "b"}')
    small_model().save(run.model_file)
    assert benchmark.measure_agreement(run) == {
        "sentences": 20,
        "differing": 0,
        "largest_gap": 0.0,
    }


def test_a_gap_is_that_of_the_two_best_words():
    model = small_model()
    rows = StoryGenerator(model).generate(PHOTOS[:1])[0]
    inputs = {"image_features": PHOTOS[:1], "sentences": rows[None]}
    logits = np.array(model(inputs))
    words_of_the_first = int((rows[0, 1:] != 0).sum())
    # The second word of the second sentence.
    best = sorted(logits[words_of_the_first + 1, 2:])
    assert benchmark._gap(model, PHOTOS[0], rows, 1, 2) == np.float32(best[-1] - best[-2])


def test_the_table_has_one_row_per_decoding():
    row = {
        "decoding": "greedy",
        "precision": "float32",
        "stories_per_batch": 256,
        "stories_per_second": 9.876,
        "words_per_second": 5678.9,
        "ratio_to_naive": 60.01,
        "peak_memory_gb": 1.234,
    }
    measured = {"ImageGroupingModel": [row], "EncoderDecoder": [row | {"ratio_to_naive": None}]}
    arguments = SimpleNamespace(cores=1, stories=64)
    lines = as_table(measured, "A CPU", arguments).splitlines()
    assert lines[0].startswith("A CPU")
    assert "stories per batch: greedy 256;" in lines[1]
    assert lines[-2].split()[1:] == ["greedy", "float32", "9.88", "5,679", "60.0", "1.23"]
    assert lines[-1].split()[1:] == ["greedy", "float32", "9.88", "5,679", "-", "1.23"]

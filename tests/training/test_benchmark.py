from types import SimpleNamespace

import numpy as np
import pytest

from data_reader.benchmark import SENTENCE_LENGTHS
from training.benchmark import (
    Sizes,
    as_json,
    as_table,
    draw_batch,
    make_steps_of,
    make_trained_model,
    measure_steps,
)
from training.experiment import Experiment
from training.step_flop import step_flop

TINY = Sizes(
    stories_per_batch=1,
    vocabulary_size=10,
    feature_size=4,
    word_embedding_size=3,
    units=2,
    image_group_size=2,
)
PER_GRU_ROW = 2 * 3 * 2 * 6  # [1, U] x [U, 3U], forward and two gradients

# 2, 3, 2, 2 and 2 words to write with <END>, 11; before them 1, 3, 4, 3 and 3 to read, 14.
STORY = np.zeros((1, 5, 22), np.int32)
STORY[0, :, :3] = 1, 4, 2
STORY[0, 1, :4] = 1, 4, 5, 2

# 5 photos, 9 in windows, 4 of them not the first there.
IMAGE_ENCODER = 2 * 2 * 5 * 4 * 6 + (4 + 9 + 4) * PER_GRU_ROW
PREVIOUS_ENCODER = 2 * 2 * 14 * 3 * 6 + (14 - 5) * PER_GRU_ROW
DECODER = 2 * 2 * 11 * 3 * 6 + (11 + 11 + 6) * PER_GRU_ROW + 6 * 11 * 2 * 10
WIDE_DECODER = 2 * 2 * 11 * 3 * 12 + (11 + 11 + 6) * 4 * PER_GRU_ROW + 6 * 11 * 4 * 10
# Keys, scores and contexts of 2 * 1 + 3 * 3 + 2 * 4 + 2 * 3 + 2 * 3 = 31 pairs, W_c.
ATTENTION = 6 * 14 * 2 * 2 + 2 * 6 * 31 * 2 + 6 * 11 * 4 * 2


@pytest.mark.parametrize(
    ("model", "flop"),
    [
        ("EncoderDecoder", IMAGE_ENCODER + DECODER),
        ("AttentionEncoderDecoder", IMAGE_ENCODER + PREVIOUS_ENCODER + DECODER + ATTENTION),
        ("ImageGroupingModel", IMAGE_ENCODER + PREVIOUS_ENCODER + WIDE_DECODER),
    ],
)
def test_flop_of_a_tiny_story(model, flop):
    assert step_flop(model, STORY, TINY) == flop


def test_flop_worked_out():
    assert step_flop("EncoderDecoder", STORY, TINY) == 5832
    assert step_flop("AttentionEncoderDecoder", STORY, TINY) == 9096
    assert step_flop("ImageGroupingModel", STORY, TINY) == 15648


def test_lengths_are_per_mille():
    assert len(SENTENCE_LENGTHS) == 20
    assert sum(SENTENCE_LENGTHS) == 1000


def test_drawn_rows_are_start_words_end():
    sizes = Sizes(stories_per_batch=40, vocabulary_size=9, feature_size=3)
    features, sentences = draw_batch(sizes, np.random.default_rng(1))
    assert features.shape == (40, 5, 3) and features.dtype == np.float32
    assert sentences.shape == (40, 5, 22) and sentences.dtype == np.int32
    for row in sentences.reshape(-1, 22).tolist():
        end = row.index(2)
        assert row[0] == 1 and not any(row[end + 1 :])
        assert 3 <= end - 1 <= 20 and all(4 <= word < 9 for word in row[1:end])


def test_drawn_sentences_are_as_long_as_the_table_says():
    sizes = Sizes(stories_per_batch=1000, feature_size=1)
    _, sentences = draw_batch(sizes, np.random.default_rng(1))
    words = (sentences > 2).sum(axis=2)
    expected = np.dot(SENTENCE_LENGTHS, range(1, 21)) / 1000
    np.testing.assert_allclose(words.mean(), expected, atol=0.2)


def test_tiny_steps_are_measured(monkeypatch):
    monkeypatch.setattr("training.benchmark.ROUNDS", 1)
    precisions = ("naive", "bfloat16")
    measured, words = measure_steps("EncoderDecoder", precisions, TINY, 8, steps_per_round=2)
    assert tuple(measured) == precisions
    assert all(value > 0 for of_one in measured.values() for value in of_one.values())
    assert 4 <= words <= 21
    for row in measured.values():  # of one round
        per_step = row["words_per_second"] * row["seconds_per_step"]
        np.testing.assert_allclose(per_step, words * 5, rtol=1e-6)


def test_the_steps_train_all_weights():
    model = make_trained_model(Experiment(name="a", model="EncoderDecoder"), "float32", TINY)
    batch = draw_batch(TINY, np.random.default_rng(1))
    before = [weight.numpy() for weight in model.trainable_variables]
    assert make_steps_of(model)([batch, batch]) > 0
    assert model.optimizer.iterations.numpy() == 2
    for old, weight in zip(before, model.trainable_variables, strict=True):
        assert (weight.numpy() != old).any(), weight.path


MEASURED = {
    "EncoderDecoder": {
        "device_name": "a quick one",
        "words_per_sentence": 12.2,
        "precisions": {
            "naive": {
                "seconds_per_step": 2.0,
                "words_per_second": 1500.0,
                "ratio_to_naive": 1.0,
                "peak_memory_gb": 3.0,
                "matmul_share": 0.25,
                "matmul_gflop_per_second": 12_345.6,
            },
        },
    }
}


def test_json():
    [(model, rows)] = as_json(MEASURED).items()
    assert model == "EncoderDecoder"
    assert rows["naive"]["words_per_second"] == 1500.0


def test_table():
    table = as_table(MEASURED, SimpleNamespace(stories=13, cores=1))
    assert "a quick one" in table and "12.2 words" in table
    row = ["2.0000", "6.50", "1,500", "1.00", "3.00", "12,345.6", "0.250"]
    assert table.splitlines()[-1].split() == ["EncoderDecoder", "naive", *row]


def test_what_the_kernels_are_stands_after_the_table():
    row = MEASURED["EncoderDecoder"]["precisions"]["naive"] | {"kernels": "many"}
    measured = {"M": {**MEASURED["EncoderDecoder"], "precisions": {"bfloat16": row}}}
    table = as_table(measured, SimpleNamespace(stories=13, cores=1))
    assert table.splitlines()[-1] == "M bfloat16: many"

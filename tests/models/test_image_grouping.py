import keras
import numpy as np
import pytest

from models.image_grouping import ImageGroupingModel
from models.next_word import NextWordLoss

VOCABULARY, FEATURES = 12, 6
SENTENCES = np.zeros((2, 5, 22), np.int32)
SENTENCES[:, :, :4] = [1, 4, 5, 2]
SENTENCES[0, 1, :5] = [1, 6, 7, 8, 2]
SENTENCES[1, 3, :22] = [1, *range(4, 12), *range(4, 12), *range(4, 8), 2]


def small_model(**settings):
    keras.utils.set_random_seed(0)
    return ImageGroupingModel(
        VOCABULARY,
        FEATURES,
        **{
            "image_encoder_latent_dim": 4,
            "sentence_encoder_latent_dim": 3,
            "word_embedding_size": 5,
            "input_dropout": 0.0,
            **settings,
        },
    )


@pytest.fixture
def stories():
    features = np.random.default_rng(0).normal(size=(2, 5, FEATURES)).astype("float32")
    return {"image_features": features, "sentences": SENTENCES}


EVERY_KIND = pytest.mark.parametrize(
    "settings",
    [
        {},
        {"num_layers": 1, "standardise_features": False},
        {"cell_type": "lstm", "reverse": True, "image_group_size": 5},
        {"cell_type": "lstm", "num_layers": 1},
    ],
)


def test_logits_of_every_word_after_every_word(stories):
    assert small_model()(stories).shape == (2, 5, 21, VOCABULARY)


def test_a_sentence_sees_its_window_and_no_other_photo(stories):
    model = small_model(image_group_size=2)
    before = np.array(model(stories))
    stories["image_features"][:, 1] += 1.0
    changed = np.abs(np.array(model(stories)) - before).max(axis=(0, 2, 3)) > 1e-6
    # Photo 1 stands in the windows of sentences 1 and 2.
    assert changed.tolist() == [False, True, True, False, False]


def test_a_sentence_sees_the_one_before_and_its_own_past(stories):
    model = small_model()
    before = np.array(model(stories))
    stories["sentences"] = SENTENCES.copy()
    stories["sentences"][0, 1, 3] = 9  # the word at place 3 was 8
    changed = np.abs(np.array(model(stories)) - before).max(axis=-1)[0] > 1e-7
    assert changed.any(axis=-1).tolist() == [False, True, True, False, False]
    assert changed[1].argmax() == 3


@EVERY_KIND
def test_word_by_word_equals_the_training_graph(stories, settings):
    model = small_model(**settings)
    logits = np.array(model(stories))
    previous = np.zeros_like(SENTENCES)
    previous[:, 0, 0] = 1
    previous[:, 1:] = SENTENCES[:, :-1]
    image_states = model.encode_images(stories["image_features"])
    for image in range(5):
        state = model.start_sentence([s[:, image] for s in image_states], previous[:, image])
        for position in range(4):
            step_logits, state = model.next_word(SENTENCES[:, image, position], state)
            real = SENTENCES[:, image, position] > 2
            real |= position == 0
            np.testing.assert_allclose(
                np.array(step_logits)[real], logits[real, image, position], atol=1e-5
            )


@EVERY_KIND
def test_a_saved_model_gives_equal_outputs(stories, settings, tmp_path):
    model = small_model(**settings)
    if model.feature_standardisation:
        model.feature_standardisation.set_statistics(np.ones(FEATURES), np.full(FEATURES, 2.0))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_array_equal(model(stories), loaded(stories))
    assert loaded.get_config() == model.get_config()


def test_stories_of_other_lengths_can_be_told(stories):
    features = np.zeros((1, 7, FEATURES), np.float32)
    assert small_model().encode_images(features)[0].shape == (1, 7, 4)


def test_the_paper_s_model_has_its_number_of_weights():
    model = ImageGroupingModel(10_004)
    embedding = 10_004 * 300
    trainable = sum(int(np.prod(w.shape)) for w in model.trainable_weights)
    assert round((trainable - embedding) / 1e6, 1) == 86.2


def test_it_learns(stories):
    model = small_model(image_encoder_latent_dim=16, sentence_encoder_latent_dim=16)
    model.compile(keras.optimizers.Adam(0.02), NextWordLoss())
    first = model.evaluate(stories, SENTENCES, verbose=0)
    model.fit(stories, SENTENCES, epochs=60, verbose=0)
    assert model.evaluate(stories, SENTENCES, verbose=0) < 0.1 < first

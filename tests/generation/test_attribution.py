import keras
import numpy as np
import pytest

from generation.attribution import ATTENTION, GRADIENT, attribution
from models.attention import AttentionEncoderDecoder
from models.encoder_decoder import EncoderDecoder
from models.image_grouping import ImageGroupingModel

FEATURES = np.random.default_rng(0).normal(size=(3, 6)).astype("float32")
STORY = np.zeros((3, 22), np.int32)
STORY[:, :4] = [1, 4, 5, 2]
STORY[1, :5] = [1, 6, 7, 8, 2]


def small_model(model_class, **settings):
    keras.utils.set_random_seed(0)
    sizes = {"image_encoder_latent_dim": 4, "word_embedding_size": 5}
    if model_class is not EncoderDecoder:
        sizes["sentence_encoder_latent_dim"] = 4
    return model_class(12, 6, **sizes, **settings)


EVERY_KIND = pytest.mark.parametrize(
    ("model_class", "settings", "photos_by", "previous_words_by"),
    [
        (EncoderDecoder, {}, GRADIENT, None),
        (AttentionEncoderDecoder, {}, GRADIENT, ATTENTION),
        (AttentionEncoderDecoder, {"attend_to": "images"}, ATTENTION, None),
        (ImageGroupingModel, {}, GRADIENT, GRADIENT),
        (ImageGroupingModel, {"sentence_encoder": "cnn"}, GRADIENT, GRADIENT),
    ],
)


@EVERY_KIND
@pytest.mark.parametrize("reverse", [False, True])
def test_only_photos_and_words_that_the_model_sees_have_any(
    model_class, settings, photos_by, previous_words_by, reverse
):
    model = small_model(model_class, image_group_size=2, reverse=reverse, **settings)
    found = attribution(model, FEATURES, STORY)
    assert (found.photos_by, found.previous_words_by) == (photos_by, previous_words_by)
    assert found.photos.shape == (3, 21, 3)
    assert found.previous_words.shape == (3, 21, 22)
    # Windows of two: photo 0; photos 0 and 1; photos 1 and 2.
    seen = [[True, False, False], [True, True, False], [False, True, True]]
    lengths = [3, 4, 3]
    for sentence, length in enumerate(lengths):
        assert (found.photos[sentence, :length] > 0).tolist() == [seen[sentence]] * length
        assert not found.photos[sentence, length:].any()
    if previous_words_by:
        real = [1, 4, 5]
        for sentence, words in enumerate(real):
            generated = found.previous_words[sentence, : lengths[sentence]]
            assert (generated[:, :words] > 0).all()
            assert not generated[:, words:].any()
    else:
        assert not found.previous_words.any()


@pytest.mark.parametrize("attend_to", ["previous_sentence", "images"])
def test_attention_weights_sum_to_one(attend_to):
    found = attribution(small_model(AttentionEncoderDecoder, attend_to=attend_to), FEATURES, STORY)
    weights = found.photos if attend_to == "images" else found.previous_words
    np.testing.assert_allclose(weights.sum(axis=-1)[STORY[:, 1:] != 0], 1.0, rtol=1e-5)


def test_gradient_times_input_predicts_the_effect_of_a_weaker_photo():
    model = small_model(ImageGroupingModel)
    found = attribution(model, FEATURES, STORY)

    def score(features):
        logits = model({"image_features": features[None], "sentences": STORY[None]})
        return float(logits[0, 4])  # the first word of the first sentence, whose index is 4

    weaker = FEATURES.copy()
    weaker[0] *= 0.99
    change = abs(score(FEATURES) - score(weaker))
    assert change / 0.01 == pytest.approx(found.photos[0, 0, 0], rel=0.05)

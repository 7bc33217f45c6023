import keras
import numpy as np
import pytest

from data_reader.vocabulary import END, MAX_WORDS, NULL, START
from generation.story_generator import StoryGenerator
from models.attention import AttentionEncoderDecoder
from models.encoder_decoder import EncoderDecoder
from models.image_grouping import ImageGroupingModel

PHOTOS = np.random.default_rng(0).normal(size=(5, 5, 6)).astype("float32")


MODELS = [
    (EncoderDecoder, {}),
    (AttentionEncoderDecoder, {"sentence_encoder_latent_dim": 8}),
    (AttentionEncoderDecoder, {"attend_to": "images", "attention": "bahdanau"}),
    (ImageGroupingModel, {"sentence_encoder_latent_dim": 8, "cell_type": "lstm"}),
]


def small_model(model_class=ImageGroupingModel, **settings):
    keras.utils.set_random_seed(1)
    return model_class(12, 6, image_encoder_latent_dim=8, word_embedding_size=8, **settings)


@pytest.fixture(params=MODELS, ids=lambda kind: kind[0].__name__)
def model(request):
    model_class, settings = request.param
    return small_model(model_class, **settings)


def test_every_row_has_the_form_that_training_feeds_on(model):
    rows = StoryGenerator(model).tell(PHOTOS)
    assert rows.shape == (5, 5, MAX_WORDS + 2)
    for row in rows.reshape(-1, MAX_WORDS + 2).tolist():
        end = row.index(END)
        assert row[0] == START
        assert not {NULL, START, END} & set(row[1:end])
        assert set(row[end + 1 :]) <= {NULL}


def test_the_size_of_a_batch_changes_nothing():
    generator = StoryGenerator(small_model())
    np.testing.assert_array_equal(generator.tell(PHOTOS, 2), generator.tell(PHOTOS, 64))


def test_generation_is_what_the_training_graph_would_say(model):
    """Told sentences, fed to the training graph, are its own likeliest words."""
    rows = StoryGenerator(model).tell(PHOTOS)
    logits = np.array(model({"image_features": PHOTOS, "sentences": rows}, training=False))
    logits[:, [NULL, START]] = -np.inf
    said = rows[:, :, 1:][rows[:, :, 1:] != NULL]
    chosen = said != END  # a sentence's end may have been forced
    assert chosen.any()
    assert logits.argmax(axis=-1)[chosen].tolist() == said[chosen].tolist()


def test_other_numbers_of_photos_can_be_told():
    assert StoryGenerator(small_model()).tell(PHOTOS[:, :3]).shape == (5, 3, MAX_WORDS + 2)

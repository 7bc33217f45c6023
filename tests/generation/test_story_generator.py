import keras
import numpy as np

from data_reader.vocabulary import END, MAX_WORDS, NULL, START
from generation.story_generator import StoryGenerator
from models.image_grouping import ImageGroupingModel

PHOTOS = np.random.default_rng(0).normal(size=(5, 5, 6)).astype("float32")


def small_model():
    keras.utils.set_random_seed(1)
    return ImageGroupingModel(
        12, 6, image_encoder_latent_dim=8, sentence_encoder_latent_dim=8, word_embedding_size=8
    )


def test_every_row_has_the_form_that_training_feeds_on():
    rows = StoryGenerator(small_model()).tell(PHOTOS)
    assert rows.shape == (5, 5, MAX_WORDS + 2)
    for row in rows.reshape(-1, MAX_WORDS + 2).tolist():
        end = row.index(END)
        assert row[0] == START
        assert not {NULL, START, END} & set(row[1:end])
        assert set(row[end + 1 :]) <= {NULL}


def test_the_size_of_a_batch_changes_nothing():
    generator = StoryGenerator(small_model())
    np.testing.assert_array_equal(generator.tell(PHOTOS, 2), generator.tell(PHOTOS, 64))


def test_generation_is_what_the_training_graph_would_say():
    """Told sentences, fed to the training graph, are its own likeliest words."""
    model = small_model()
    rows = StoryGenerator(model).tell(PHOTOS)
    logits = np.array(model({"image_features": PHOTOS, "sentences": rows}, training=False))
    logits[..., [NULL, START]] = -np.inf
    likeliest = logits.argmax(axis=-1)
    for said, best in zip(rows.reshape(25, -1), likeliest.reshape(25, -1), strict=True):
        words = said.tolist().index(END) - 1
        assert best[:words].tolist() == said[1 : words + 1].tolist()


def test_other_numbers_of_photos_can_be_told():
    assert StoryGenerator(small_model()).tell(PHOTOS[:, :3]).shape == (5, 3, MAX_WORDS + 2)

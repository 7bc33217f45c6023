import keras
import numpy as np
import pytest

from data_reader.errors import InputError
from data_reader.vocabulary import END, MAX_WORDS, NULL, START
from generation.constraints import DecodingConstraints
from generation.decoding import BeamSearch, Greedy, Sampling
from generation.story_generator import StoryGenerator, stories_per_batch
from models.attention import AttentionEncoderDecoder
from models.encoder_decoder import EncoderDecoder
from models.image_grouping import ImageGroupingModel
from models.precision import DTYPE_POLICIES

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


@pytest.fixture(scope="module", params=MODELS, ids=lambda kind: kind[0].__name__)
def model(request):
    model_class, settings = request.param
    return small_model(model_class, **settings)


@pytest.fixture(scope="module")
def rows(model):
    return StoryGenerator(model).generate(PHOTOS)


def test_every_row_has_the_form_of_the_training_data(rows):
    assert rows.shape == (5, 5, MAX_WORDS + 2)
    for row in rows.reshape(-1, MAX_WORDS + 2).tolist():
        end = row.index(END)
        assert row[0] == START
        assert not {NULL, START, END} & set(row[1:end])
        assert set(row[end + 1 :]) <= {NULL}


def test_the_size_of_a_batch_changes_nothing():
    generator = StoryGenerator(small_model())
    np.testing.assert_array_equal(generator.generate(PHOTOS, 2), generator.generate(PHOTOS, 64))


def test_a_beam_has_as_many_rows_as_other_decodings():
    decodings = Greedy(), Sampling(), BeamSearch(3), BeamSearch(100)
    assert [stories_per_batch(decoding) for decoding in decodings] == [256, 256, 85, 2]


def test_generation_agrees_with_the_training_graph(model, rows):
    """Generated sentences, fed to the training graph, are its own likeliest words."""
    logits = np.array(model({"image_features": PHOTOS, "sentences": rows}, training=False))
    logits[:, [NULL, START]] = -np.inf
    *_, place = np.nonzero(rows[:, :, 1:])
    logits[place == 0, END] = -np.inf  # no sentence is empty
    generated = rows[:, :, 1:][rows[:, :, 1:] != NULL]
    chosen = generated != END  # the end of a sentence may have been forced
    assert chosen.any()
    assert logits.argmax(axis=-1)[chosen].tolist() == generated[chosen].tolist()


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_every_decoding_works_with_every_model(model, precision):
    if precision == "bfloat16":
        settings = model.get_config() | {"dtype": DTYPE_POLICIES[precision]}
        model = type(model).from_config(settings)
    for decoding in (BeamSearch(2), Sampling(0.8)):
        rows = StoryGenerator(model, decoding).generate(PHOTOS[:2, :2])
        assert ((rows == END).sum(axis=2) == 1).all()


def test_constraints_know_the_previous_sentences():
    constraints = DecodingConstraints(no_unknown=True, no_repeated_sentence=True, max_words=2)
    model = small_model(EncoderDecoder, image_group_size=1)
    same_photos = np.repeat(PHOTOS[:1, :1], 4, axis=1)
    [story] = StoryGenerator(model, Greedy(DecodingConstraints(max_words=2))).generate(same_photos)
    assert len({tuple(row) for row in story}) == 1
    [story] = StoryGenerator(model, Greedy(constraints)).generate(same_photos)
    assert len({tuple(row) for row in story}) == 4


def test_the_sentences_of_a_story_are_sampled_independently():
    model = small_model(EncoderDecoder, image_group_size=1)
    same_photos = np.repeat(PHOTOS[:1, :1], 3, axis=1)
    [story] = StoryGenerator(model, Sampling()).generate(same_photos)
    assert len({tuple(row) for row in story}) == 3


def test_stories_of_other_numbers_of_photos():
    assert StoryGenerator(small_model()).generate(PHOTOS[:, :3]).shape == (5, 3, MAX_WORDS + 2)


def test_sentences_may_follow_the_human_ones():
    model = small_model()
    own = StoryGenerator(model).generate(PHOTOS)
    generator = StoryGenerator(model, Greedy(human_previous=True))

    def following(sentences):
        [first, *others] = generator.generate_batches(PHOTOS, 2, human_sentences=sentences)
        return np.concatenate([first, *others])

    np.testing.assert_array_equal(following(own), own)
    others = following(own[:, ::-1])
    np.testing.assert_array_equal(others[:, 0], own[:, 0])
    assert (others[:, 1:] != own[:, 1:]).any()
    with pytest.raises(InputError, match="photos of your own have none"):
        generator.generate(PHOTOS)

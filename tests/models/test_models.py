"""What holds for all three models."""

import keras
import numpy as np
import pytest

from models.attention import AttentionEncoderDecoder
from models.encoder_decoder import EncoderDecoder
from models.image_grouping import ImageGroupingModel
from models.next_word import NextWordLoss
from models.story_model import StoryModel

VOCABULARY, FEATURES = 12, 6
SENTENCES = np.zeros((2, 5, 22), np.int32)
SENTENCES[:, :, :4] = [1, 4, 5, 2]
SENTENCES[0, 1, :5] = [1, 6, 7, 8, 2]
SENTENCES[1, 3, :22] = [1, *range(4, 12), *range(4, 12), *range(4, 8), 2]
PREVIOUS = np.zeros_like(SENTENCES)
PREVIOUS[:, 0, 0] = 1
PREVIOUS[:, 1:] = SENTENCES[:, :-1]


class Halves(keras.layers.Layer):
    """A cell with two states: its output, and half the sum of both before."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.state_size = [units, units]
        self.dense = keras.layers.Dense(units, activation="tanh")

    def build(self, input_shape):
        self.dense.build(input_shape)

    def call(self, inputs, states):
        half = (states[0] + states[1]) / 2
        output = self.dense(inputs) + half
        return output, [output, half]


MODELS = [EncoderDecoder, AttentionEncoderDecoder, ImageGroupingModel]
EVERY_MODEL = pytest.mark.parametrize("model_class", MODELS)
KINDS = [
    *[
        (model, {"cell_type": cell_type, "num_layers": num_layers})
        for model in MODELS
        for cell_type in ("gru", "lstm")
        for num_layers in (1, 2)
    ],
    (EncoderDecoder, {"image_group_size": 5, "reverse": True, "standardise_features": False}),
    *[
        (AttentionEncoderDecoder, {"attention": attention, "attend_to": attend_to})
        for attention in ("dot", "general", "concat", "bahdanau")
        for attend_to in ("previous_sentence", "images")
    ],
    (ImageGroupingModel, {"sentence_encoder": "cnn"}),
    (ImageGroupingModel, {"sentence_encoder": "cnn", "cell_type": "lstm"}),
    *[(model, {"cell_type": "simple_rnn"}) for model in MODELS],
    (ImageGroupingModel, {"cell_type": f"{__name__}:Halves"}),
    (AttentionEncoderDecoder, {"cell_type": f"{__name__}:Halves", "attention": "bahdanau"}),
    (AttentionEncoderDecoder, {"attention_feeds": "input"}),
]
EVERY_KIND = pytest.mark.parametrize(
    ("model_class", "settings"),
    KINDS,
    ids=[f"{model.__name__}-{'-'.join(map(str, kind.values()))}" for model, kind in KINDS],
)


def small_model(model_class, **settings):
    keras.utils.set_random_seed(0)
    sizes = {"image_encoder_latent_dim": 4, "word_embedding_size": 5, "input_dropout": 0.0}
    if model_class is not EncoderDecoder:
        sizes["sentence_encoder_latent_dim"] = 4
    return model_class(VOCABULARY, FEATURES, **{**sizes, **settings})


@pytest.fixture
def stories():
    features = np.random.default_rng(0).normal(size=(2, 5, FEATURES)).astype("float32")
    return {"image_features": features, "sentences": SENTENCES}


def loss_of(model, stories, sentences):
    return model.evaluate(stories, sentences, verbose=0, return_dict=True)["loss"]


def by_sentence(logits):
    """[W, V] -> one array [words, V] a sentence, [B][I]."""
    lengths = (SENTENCES != 0).sum(axis=-1) - 1
    pieces = iter(np.split(np.array(logits), np.cumsum(lengths)[:-1]))
    return [[next(pieces) for _ in story] for story in lengths]


def changed_words(before, after):
    """Which words' logits changed, [I][words] of the first story."""
    return [
        (np.abs(a - b).max(axis=-1) > 1e-7).tolist()
        for a, b in zip(by_sentence(before)[0], by_sentence(after)[0], strict=True)
    ]


@EVERY_MODEL
def test_a_row_of_logits_for_each_real_word(model_class, stories):
    # Nine times two words and <END>, once three, once twenty.
    assert small_model(model_class)(stories).shape == (8 * 3 + 4 + 21, VOCABULARY)


@EVERY_MODEL
def test_a_sentence_sees_its_window_and_no_other_photo(model_class, stories):
    model = small_model(model_class, image_group_size=2)
    before = model(stories)
    stories["image_features"][:, 1] += 1.0
    changed = [all(words) for words in changed_words(before, model(stories))]
    # Photo 1 stands in the windows of sentences 1 and 2.
    assert changed == [False, True, True, False, False]


@pytest.mark.parametrize(
    ("model_class", "settings", "next_sentence_sees_it"),
    [
        (EncoderDecoder, {}, False),
        (AttentionEncoderDecoder, {}, True),
        (AttentionEncoderDecoder, {"attend_to": "images"}, False),
        (ImageGroupingModel, {}, True),
    ],
)
def test_a_sentence_sees_its_own_past_and_perhaps_the_one_before(
    model_class, settings, next_sentence_sees_it, stories
):
    model = small_model(model_class, **settings)
    before = model(stories)
    stories["sentences"] = SENTENCES.copy()
    stories["sentences"][0, 1, 3] = 9  # the third word, 8 before
    assert changed_words(before, model(stories)) == [
        [False] * 3,
        [False, False, False, True],
        [next_sentence_sees_it] * 3,
        [False] * 3,
        [False] * 3,
    ]


@EVERY_KIND
def test_word_by_word_equals_the_training_graph(model_class, settings, stories):
    model = small_model(model_class, **settings)
    expected = by_sentence(model(stories))
    image_states = model.encode_images(stories["image_features"])
    step = model.make_decode_step()
    for image in range(5):
        state = model.start_sentence([s[:, image] for s in image_states], PREVIOUS[:, image])
        wanted = [story[image] for story in expected]
        for position in range(max(map(len, wanted))):
            logits, state = step(SENTENCES[:, image, position], state)
            for given, of_story in zip(logits, wanted, strict=True):
                if position < len(of_story):
                    np.testing.assert_allclose(given, of_story[position], atol=1e-5)


@EVERY_KIND
def test_a_saved_model_gives_equal_outputs(model_class, settings, stories, tmp_path):
    model = small_model(model_class, **settings)
    if model.feature_standardisation:
        model.feature_standardisation.set_statistics(np.ones(FEATURES), np.full(FEATURES, 2.0))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_array_equal(model(stories), loaded(stories))
    assert loaded.get_config() == model.get_config()
    assert {name: loaded.get_config()[name] for name in settings} == settings


@EVERY_MODEL
def test_stories_of_other_lengths_can_be_generated(model_class):
    model = small_model(model_class)
    assert model.encode_images(np.zeros((1, 7, FEATURES), np.float32))[0].shape == (1, 7, 4)


@EVERY_MODEL
def test_given_word_embeddings_stay_as_they_are(model_class, stories):
    matrix = np.random.default_rng(0).normal(size=(VOCABULARY, 5)).astype("float32")
    model = small_model(model_class, word_embeddings=matrix)
    trained = small_model(model_class, word_embeddings=matrix, train_word_embeddings=True)
    for each in (model, trained):
        np.testing.assert_array_equal(each.word_embedding.embeddings, matrix)
        each.compile("sgd", NextWordLoss(), run_eagerly=True)
        each.train_on_batch(stories, SENTENCES)
    np.testing.assert_array_equal(model.word_embedding.embeddings, matrix)
    assert np.abs(np.array(trained.word_embedding.embeddings) - matrix).max() > 0
    assert not model_class.from_config(model.get_config()).word_embedding.trainable


@EVERY_MODEL
def test_word_embeddings_of_another_size_are_refused(model_class):
    with pytest.raises(ValueError, match=r"11 x 5; vocabulary_size and .* make it 12 x 5"):
        small_model(model_class, word_embeddings=np.zeros((11, 5)))


def test_to_attend_to_the_previous_sentence_the_encoders_sizes_must_agree():
    different = {"image_encoder_latent_dim": 4, "sentence_encoder_latent_dim": 3}
    with pytest.raises(ValueError, match=r"image_encoder_latent_dim is 4, sentence_.* 3; .* equal"):
        small_model(AttentionEncoderDecoder, **different)
    model = small_model(AttentionEncoderDecoder, **different, attend_to="images")
    assert model.previous_sentence_encoder is None


@pytest.mark.parametrize(
    ("model_class", "settings", "message"),
    [
        (AttentionEncoderDecoder, {"attend_to": "photos"}, "attend_to is 'photos'"),
        (AttentionEncoderDecoder, {"attention": "luong"}, "attention is 'luong'; there is: dot"),
        (ImageGroupingModel, {"sentence_encoder": "gru"}, "sentence_encoder is 'gru'"),
        (EncoderDecoder, {"cell_type": "rnn"}, "cell_type is 'rnn'"),
        (EncoderDecoder, {"num_layers": 0}, "num_layers is 0"),
        (EncoderDecoder, {"image_group_size": 0}, "image_group_size is 0"),
        (EncoderDecoder, {"reverse": 1}, "reverse is 1; it must be True or False"),
        (EncoderDecoder, {"input_dropout": 1}, "input_dropout is 1; it must be a number from 0"),
        (EncoderDecoder, {"recurrent_initializer": "x"}, "recurrent_initializer is 'x'"),
    ],
)
def test_a_setting_without_meaning_is_named(model_class, settings, message):
    with pytest.raises(ValueError, match=message):
        small_model(model_class, **settings)


def test_a_model_of_one_s_own_that_lacks_something_is_named():
    class NoDecoder(StoryModel):
        pass

    class LateArgument(EncoderDecoder):
        def __init__(self, *shared, extra=1, **settings):
            super().__init__(*shared, **settings)
            self.extra = extra

    with pytest.raises(NotImplementedError, match="NoDecoder must define make_decoder"):
        NoDecoder(VOCABULARY, FEATURES)
    with pytest.raises(AttributeError, match=r"LateArgument must set self\.extra before"):
        LateArgument(VOCABULARY, FEATURES)


def recurrent(inputs, units):
    """Weights of a GRU layer."""
    return 3 * units * (inputs + units + 2)


def softmax(units):
    return (units + 1) * 10_004


@pytest.mark.parametrize(
    ("model_class", "trainable"),
    [
        (
            EncoderDecoder,
            recurrent(4096, 1024)
            + 2 * recurrent(1024, 1024)
            + recurrent(300, 1024)
            + softmax(1024),
        ),
        (
            AttentionEncoderDecoder,
            recurrent(4096, 1024)
            + 2 * recurrent(1024, 1024)
            + 2 * recurrent(300, 1024)
            + (1024 * 1024 + 2048 * 1024 + 1024)
            + softmax(1024),
        ),
        (
            ImageGroupingModel,
            recurrent(4096, 1024)
            + recurrent(1024, 1024)
            + recurrent(300, 1024)
            + recurrent(300, 2048)
            + recurrent(2048, 2048)
            + softmax(2048),
        ),
    ],
)
def test_the_paper_s_models_have_their_numbers_of_weights(model_class, trainable):
    model = model_class(
        10_004,
        word_embeddings=np.zeros((10_004, 300), np.float32),
        recurrent_initializer="zeros",
    )
    assert sum(weight.shape.num_elements() for weight in model.trainable_weights) == trainable


@EVERY_MODEL
def test_recurrent_dropout_and_input_dropout_work_in_training_alone(model_class, stories):
    for setting in ("recurrent_dropout", "input_dropout"):
        model = small_model(model_class, **{setting: 0.5})
        calm = np.array(model(stories))
        np.testing.assert_array_equal(model(stories), calm)
        assert np.abs(np.array(model(stories, training=True)) - calm).max() > 1e-4


@EVERY_MODEL
def test_one_step_of_training_lowers_the_loss(model_class, stories):
    model = small_model(model_class)
    model.compile(keras.optimizers.Adam(1e-3), NextWordLoss(), run_eagerly=True)
    before = loss_of(model, stories, SENTENCES)
    model.train_on_batch(stories, SENTENCES)
    assert loss_of(model, stories, SENTENCES) < before


@EVERY_MODEL
def test_in_bfloat16_a_step_is_nearly_the_same_and_the_weights_float32(model_class, stories):
    losses = []
    for policy in ("float32", "mixed_bfloat16"):
        model = small_model(model_class, dtype=policy)
        model.compile(keras.optimizers.Adam(0.01), NextWordLoss(), run_eagerly=True)
        before = loss_of(model, stories, SENTENCES)
        model.train_on_batch(stories, SENTENCES)
        losses.append((before, loss_of(model, stories, SENTENCES)))
        assert {weight.dtype for weight in model.get_weights()} == {np.dtype("float32")}
    exact, rounded = losses
    assert rounded != exact
    assert rounded == pytest.approx(exact, rel=0.001)
    assert rounded[1] < 0.999 * rounded[0]


@EVERY_MODEL
def test_in_bfloat16_a_step_rounds_word_vectors_as_training_does(model_class, stories):
    model = small_model(model_class, num_layers=1, dtype="mixed_bfloat16")
    states = [part[:, 1] for part in model.encode_images(stories["image_features"])]
    state = model.start_sentence(states, PREVIOUS[:, 1])
    exact, _ = model.make_decode_step()(SENTENCES[:, 1, 1], state)
    embeddings = model.word_embedding.embeddings
    embeddings.assign(keras.ops.cast(keras.ops.cast(embeddings, "bfloat16"), "float32"))
    rounded, _ = model.make_decode_step()(SENTENCES[:, 1, 1], state)
    np.testing.assert_array_equal(exact, rounded)


@EVERY_MODEL
def test_twenty_stories_are_learned_by_heart(model_class):
    random = np.random.default_rng(0)
    features = random.normal(size=(20, 5, FEATURES)).astype("float32")
    sentences = np.zeros((20, 5, 22), np.int32)
    sentences[..., 0] = 1
    sentences[..., 1:4] = random.integers(4, VOCABULARY, size=(20, 5, 3))
    sentences[..., 4] = 2
    sizes = {"image_encoder_latent_dim": 64, "word_embedding_size": 16, "num_layers": 1}
    if model_class is not EncoderDecoder:
        sizes["sentence_encoder_latent_dim"] = 64
    model = small_model(model_class, standardise_features=False, **sizes)
    model.compile(keras.optimizers.Adam(0.02), NextWordLoss(), jit_compile=False)
    data = {"image_features": features, "sentences": sentences}
    model.fit(data, sentences, batch_size=20, epochs=60, verbose=0)
    assert loss_of(model, data, sentences) < 0.05

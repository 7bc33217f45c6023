"""Every setting with values that it can't have, or can."""

import math
import random
from dataclasses import fields

import keras
import pytest

from data_reader.errors import InputError
from models.attention import AttentionEncoderDecoder
from models.encoder_decoder import EncoderDecoder
from models.image_grouping import ImageGroupingModel
from models.keras_internals import without_variables
from models.story_model import _is_initializer, arguments_of, settings_of
from training.experiment import Experiment

ODD = (0, -1, math.nan, math.inf, 10**400, "a b", "\0", True, None, [1])
# Of these, what a setting may be; all others are refused.
ALLOWED = {
    "word_embeddings": ("a b", None),
    "data": ("a b",),
    "extractor": ("a b",),
    "notes": ("a b",),
    "early_stopping_patience": (None,),
    "seed": (0,),
    "score_every_epochs": (0,),
    "learning_rate_decays": (True,),
    "bias_from_word_frequencies": (True,),
    "reverse": (True,),
    "standardise_features": (True,),
    "train_word_embeddings": (True, None),
    "input_dropout": (0,),
    "recurrent_dropout": (0,),
}
SIZES = {
    "vocabulary_size": 6,
    "feature_size": 3,
    "image_encoder_latent_dim": 2,
    "sentence_encoder_latent_dim": 2,
    "word_embedding_size": 2,
}
MODELS = (EncoderDecoder, AttentionEncoderDecoder, ImageGroupingModel)


def assert_refused(setting, value, make):
    with pytest.raises(InputError) as refused:
        make(setting, value)
    message = str(refused.value)
    assert message.startswith((setting, f"There is no {setting}")), (setting, value, message)


def odd_values(settings):
    for setting in settings:
        for value in ODD:
            allowed = ALLOWED.get(setting, ())
            yield setting, value, (type(value), value) in [(type(each), each) for each in allowed]


def test_settings_of_an_experiment():
    def make(setting, value):
        return Experiment(**{"name": "x", "model": "EncoderDecoder", setting: value})

    names = [field.name for field in fields(Experiment)]
    for setting, value, is_allowed in odd_values(names):
        if is_allowed:
            assert getattr(make(setting, value), setting) == value
        else:
            assert_refused(setting, value, make)


def test_checking_an_initializer_draws_no_random_number():
    keras.utils.set_random_seed(1)
    expected = random.random()
    keras.utils.set_random_seed(1)
    for name in ("orthogonal", "zeros", "stft", "deserialize", "nothing"):
        assert _is_initializer(name) == (name in ("orthogonal", "zeros"))
    assert random.random() == expected


@pytest.mark.parametrize("model_class", MODELS)
def test_settings_of_a_model(model_class):
    sizes = {name: size for name, size in SIZES.items() if name in arguments_of(model_class)}

    def make(setting, value):
        with without_variables():
            return model_class(**sizes | {setting: value})

    for setting, value, is_allowed in odd_values(
        [*settings_of(model_class), "vocabulary_size", "feature_size"]
    ):
        if is_allowed:
            assert isinstance(make(setting, value), keras.Model)
        else:
            assert_refused(setting, value, make)

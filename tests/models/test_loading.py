"""Loading a model file that may be anybody's."""

import json
import zipfile

import keras
import numpy as np
import pytest
from tiny_model import write_model

from data_reader.errors import InputError
from models.loading import load_model


@pytest.fixture
def run(tmp_path):
    return write_model(tmp_path / "run")


def forge(run, weights=None, **settings):
    """Write other settings into the model file; one that is None is taken out."""
    with zipfile.ZipFile(run.model_file) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(parts["config.json"])
    config["config"] |= settings
    config["config"] = {name: v for name, v in config["config"].items() if v is not None}
    parts["config.json"] = json.dumps(config)
    with zipfile.ZipFile(run.model_file, "w") as archive:
        for name, contents in parts.items():
            archive.writestr(name, contents)


def test_a_model_is_loaded_as_keras_loads_it(run):
    loaded, expected = load_model(run), keras.saving.load_model(run.model_file)
    for weight, wanted in zip(loaded.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, wanted)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"image_encoder_latent_dim": 10**9}, "they need a weight of 2 x 3,000,000,000; it"),
        ({"vocabulary_size": 10**9}, "they need a weight of .*1,000,000,000.* it holds one of"),
        ({"image_encoder_latent_dim": 10**18}, "image_encoder_latent_dim is 10+; it must be at mo"),
        ({"num_layers": 10**9}, "num_layers is 10+; it must be at most 100"),
        ({"image_group_size": 10**9}, "image_group_size is 10+; it must be at most 100"),
        ({"num_layers": 2}, "does not hold the weights that its settings ask for: they need"),
        ({"sentence_encoder_latent_dim": [4]}, r"sentence_encoder_latent_dim is \[4\]; it must"),
        ({"cell_type": "lstm"}, "does not hold the weights"),
        ({"trainable": "no"}, "trainable is 'no'; it must be True or False"),
        ({"layers": []}, r"model\.keras has 'layers', which is no setting of ImageGroupingModel"),
        ({"image_group_size": None}, r"model\.keras, config\.json lacks image_group_size"),
    ],
)
def test_settings_that_the_weights_do_not_fit_are_refused_before_memory_is_taken(
    run, settings, message
):
    forge(run, **settings)
    with pytest.raises(InputError, match=message):
        load_model(run)
    keras.layers.Dense(1).build((1, 1))  # nothing of the refused model waits to be made
    with keras.StatelessScope():
        pass

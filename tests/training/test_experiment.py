"""Experiments as values: checked, overridden on the command line, kept in files."""

import keras
import numpy as np
import pytest

from data_reader.errors import InputError
from models import model_class
from models.encoder_decoder import EncoderDecoder
from training.command import variant
from training.experiment import Experiment

PLAIN = Experiment(name="plain", model="EncoderDecoder", model_settings={"num_layers": 1})


class OwnModel(EncoderDecoder):
    """A model that the project does not know."""


class OwnCell(keras.layers.SimpleRNNCell):
    """A cell that the project does not know."""


def test_settings_are_overridden_and_named_in_the_run_folder():
    changed = PLAIN.overridden(
        ["epochs=2", "model_settings.image_group_size=5", "notes=two words", "learning_rate=1e-3"]
    )
    assert changed.epochs == 2
    assert changed.model_settings == {"num_layers": 1, "image_group_size": 5}
    assert changed.notes == "two words"
    assert changed.learning_rate == 0.001
    assert changed.name == "plain_epochs-2_image_group_size-5_notes-two-words_learning_rate-1e-3"
    assert PLAIN.overridden([]) == PLAIN
    assert PLAIN.overridden(["name=other", "seed=3"]).name == "other_seed-3"


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("epochs=two", "^epochs is 'two'; it must be a whole number from 1"),
        ("epochs=2.0", r"^epochs is 2\.0"),
        ("epochs=True", "^epochs is True"),
        ("seed=-1", "^seed is -1; it must be a whole number from 0"),
        ("learning_rate=inf", "^learning_rate is 'inf'"),
        ("learning_rate_decays=1", "^learning_rate_decays is 1; it must be True or False"),
        ("data=3", "^data is 3; it must be text"),
        ("word_embeddings=3", "^word_embeddings is 3; it must be text"),
        ("seed=4294967296", "^seed is 4294967296; it must be at most 4,294,967,295"),
        ("epochs={[]}", r"^epochs is '\{\[\]\}'"),
        ("epoch=3", "'epoch=3' sets nothing; write setting=value, with one of name, model, data"),
        ("epochs", "'epochs' sets nothing"),
        ("model_settings.num_layers", "sets nothing"),
        ("model_settings=3", "sets nothing"),
        ("model.num_layers=3", "sets nothing"),
    ],
)
def test_an_override_without_meaning_is_named(assignment, message):
    with pytest.raises(InputError, match=message):
        PLAIN.overridden([assignment])


def test_a_smoke_test_is_one_whatever_it_is_called():
    assert variant(PLAIN, ["name=other", "seed=2"], is_smoke_test=True).name == "smoke_other_seed-2"
    assert variant(PLAIN, ["data=mine"], is_smoke_test=True).data == "mine"
    assert variant(PLAIN, ["seed=2"], is_smoke_test=False).name == "plain_seed-2"


def test_classes_are_kept_by_their_import_paths():
    own = Experiment(name="own", model=OwnModel, model_settings={"cell_type": OwnCell})
    kept = own.to_dict()
    assert kept["model"] == f"{__name__}:OwnModel"
    assert kept["model_settings"] == {"cell_type": f"{__name__}:OwnCell"}
    assert model_class(kept["model"]) is model_class(OwnModel) is OwnModel
    assert Experiment(**kept).to_dict() == kept


def test_a_class_that_can_not_be_imported_is_refused_when_it_is_kept():
    class Inner(EncoderDecoder):
        pass

    with pytest.raises(InputError, match="Inner is defined inside a function"):
        Experiment(name="inner", model=Inner).to_dict()


def test_a_setting_that_no_file_can_keep_is_named():
    with pytest.raises(InputError, match=r"A setting is array\(3\), a ndarray"):
        PLAIN.with_model_settings(num_layers=np.array(3)).to_dict()


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("Transformer", "no model 'Transformer'; there is: EncoderDecoder"),
        ([1], r"no model \[1\]"),
        (OwnCell, "no model .*OwnCell.*subclass of StoryModel"),
        ("nowhere.to_be:Found", "there is no module nowhere.to_be; run the command from the fol"),
        ("models.layers:Missing", r"the module models\.layers has no Missing"),
        ("models.layers:ImageGrouping", "a subclass of StoryModel"),
    ],
)
def test_what_is_no_model_is_named(model, message):
    with pytest.raises(InputError, match=message):
        model_class(model)

"""Keras functional models that generate stories."""

import importlib
import os

from data_reader.errors import InputError
from data_reader.import_paths import import_object
from data_reader.start import start_command

start_command()

# Read by Keras when it is imported, which the modules here do: they compute with TensorFlow.
os.environ["KERAS_BACKEND"] = "tensorflow"

MODELS = {
    "EncoderDecoder": "models.encoder_decoder",
    "AttentionEncoderDecoder": "models.attention",
    "ImageGroupingModel": "models.image_grouping",
}


def model_class(model):
    """The class of a model, imported only now: TensorFlow takes seconds.

    Args:
        model: a name of `MODELS`; or a `StoryModel` class of one's own, itself or as
            "module:Class".

    Raises:
        InputError: there is no such model.
    """
    check_model_name(model)
    if model in list(MODELS):
        return getattr(importlib.import_module(MODELS[model]), model)
    from models.story_model import StoryModel

    found = import_object(model) if isinstance(model, str) else model
    if not (isinstance(found, type) and issubclass(found, StoryModel)):
        raise _no_model(model)
    return found


def check_model_name(model):
    """Refuse what is neither a model's name nor an import path or class, without TensorFlow.

    Raises:
        InputError: see `model_class`.
    """
    is_path = isinstance(model, str) and ":" in model
    if not is_path and not isinstance(model, type) and model not in list(MODELS):
        raise _no_model(model)


def _no_model(model):
    return InputError(
        f"There is no model {model!r}; there is: {', '.join(MODELS)}; a model of your own is a "
        "subclass of StoryModel, given itself or as 'module:Class'."
    )

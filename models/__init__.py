"""Keras functional models that generate stories."""

import importlib

from data_reader.errors import InputError
from data_reader.import_paths import import_object

MODELS = {
    "EncoderDecoder": "models.encoder_decoder",
    "AttentionEncoderDecoder": "models.attention",
    "ImageGroupingModel": "models.image_grouping",
}


def model_class(name):
    """The model class of that name, imported only now: TensorFlow takes seconds.

    Args:
        name: one of `MODELS`, or "module:Class" for a model of one's own.

    Raises:
        InputError: there is no such model.
    """
    if ":" in name:
        return import_object(name)
    if name not in MODELS:
        raise InputError(
            f"There is no model {name!r}; there is: {', '.join(MODELS)}; "
            "a model of your own is given as its class, or as 'module:Class'."
        )
    return getattr(importlib.import_module(MODELS[name]), name)

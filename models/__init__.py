"""Keras functional models that tell stories, and the run folders where trained ones live."""

import importlib

MODELS = {
    "EncoderDecoder": "models.encoder_decoder",
    "AttentionEncoderDecoder": "models.attention",
    "ImageGroupingModel": "models.image_grouping",
}


def model_class(name):
    """The model class of that name, imported only now: TensorFlow takes seconds.

    Raises:
        ValueError: there is no such model.
    """
    if name not in MODELS:
        raise ValueError(f"There is no model {name!r}; there is: {', '.join(MODELS)}.")
    return getattr(importlib.import_module(MODELS[name]), name)

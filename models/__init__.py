"""Keras functional models that tell stories, and the run folders where trained ones live."""

import importlib

_MODULES = {"ImageGroupingModel": "models.image_grouping"}


def model_class(name):
    """The model class of that name, imported only now: TensorFlow takes seconds.

    Raises:
        ValueError: there is no such model.
    """
    if name not in _MODULES:
        raise ValueError(f"There is no model {name!r}; there is: {', '.join(_MODULES)}.")
    return getattr(importlib.import_module(_MODULES[name]), name)

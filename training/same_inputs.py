"""Whether all workers train the same model on the same data with the same code."""

import hashlib
import platform
import sys
import zlib
from importlib.metadata import version
from pathlib import Path

import numpy as np

from data_reader.errors import InputError
from data_reader.layout import REPOSITORY
from data_reader.stories_file import StoryFeatures
from models import model_class
from models.recurrent_cells import cell_class

_PACKAGES = ("tensorflow", "keras", "numpy")
_FOLDERS = ("data_reader", "dataset", "generation", "models", "training")
_SAMPLED_STORIES = 20  # whose features are compared


def check_same_inputs(experiment, data, workers):
    """Compare all workers' settings, data, versions and code with the chief's.

    Args:
        data: an open vocabulary and stories files, see `training.train`.

    Raises:
        InputError: some differ; the message names both sides.  All workers raise it.
    """
    if workers.count == 1:
        return
    chief, *others = workers.exchange(_describe(experiment, data))
    for index, found in enumerate(others, start=1):
        names = [name for name in chief | found if chief.get(name) != found.get(name)]
        if names:
            sides = "; ".join(f"{n} {found.get(n)!r}, not {chief.get(n)!r}" for n in names)
            raise InputError(
                f"Worker {index} ({workers.cluster.addresses[index]}) differs from the chief "
                f"({workers.cluster.addresses[0]}): {sides}. All workers need the same."
            )


def _describe(experiment, data):
    return {
        **experiment.to_dict(),
        "vocabulary": f"{len(data.vocabulary)} words ({data.vocabulary.checksum})",
        "features": data.features,
        "training stories": _describe_stories(data.training_stories),
        "validation stories": _describe_stories(data.validation_stories),
        "Python": platform.python_version(),
        **{package: version(package) for package in _PACKAGES},
        "code": _code_checksum(experiment),
    }


def _describe_stories(stories):
    """The number of stories, and a checksum of their sentences and of a few features."""
    count = len(stories["story_ids"])
    sampled = np.unique(np.linspace(0, count - 1, _SAMPLED_STORIES).astype(int))
    checksum = zlib.crc32(stories["story_sentences"][:].astype(np.int32))
    checksum = zlib.crc32(StoryFeatures(stories)[sampled], checksum)
    return f"{count} ({checksum:08x})"


def _code_checksum(experiment):
    """Of the project's sources, and of the files of a model, a cell and a script of one's own."""
    files = [file for folder in _FOLDERS for file in sorted((REPOSITORY / folder).rglob("*.py"))]
    modules = [sys.modules["__main__"], sys.modules[model_class(experiment.model).__module__]]
    cell = cell_class(experiment.model_settings.get("cell_type", "gru"))
    modules.append(sys.modules[cell.__module__])
    files += [Path(module.__file__) for module in modules if getattr(module, "__file__", None)]
    checksum = hashlib.sha256()
    for file in files:
        checksum.update(file.read_bytes())
    return checksum.hexdigest()[:16]

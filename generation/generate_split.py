"""Telling all stories of a split, so that an interruption costs no more than a batch."""

import shutil
from contextlib import suppress
from pathlib import Path

import numpy as np

from data_reader.cli import import_tensorflow
from data_reader.files import atomic_write, exclusive_lock, read_json, write_json


def generate_split(run, split, stories, decoding, precision="float32"):
    """Tell a split's stories with a run's model, going on where an interrupted telling stopped.

    Args:
        stories: the split's open stories file.
        decoding: see `generation.decoding`.
        precision: of the model's matrix products, "float32" or "bfloat16".

    Returns:
        int32 [N, I, 22], rows <START> words <END>.

    Raises:
        ValueError: another process is telling the same.
    """
    import_tensorflow()
    from generation.story_generator import STORIES_PER_BATCH, StoryGenerator
    from models.loading import load_model

    folder = run.unfinished_generation(decoding_name(decoding, precision), split)
    refusal = f"Another process is telling the same stories into {run.path}; let it finish."
    with exclusive_lock(folder, refusal):
        _keep_parts_of(_origin(run, stories), folder)
        parts = _read_parts(folder)
        first = len(parts) * STORIES_PER_BATCH
        image_features = stories["image_embeddings"]
        if first < len(image_features):
            generator = StoryGenerator(load_model(run, precision), decoding)
            for told in generator.generate_batches(image_features, STORIES_PER_BATCH, first):
                with atomic_write(_part(folder, len(parts))) as partial:
                    np.save(partial, told)
                parts.append(told)
    return np.concatenate(parts)


def forget_parts(run, split, name):
    """Remove what a telling kept to go on from."""
    folder = run.unfinished_generation(name, split)
    shutil.rmtree(folder, ignore_errors=True)
    with suppress(OSError):  # other tellings are not finished
        folder.parent.rmdir()


def decoding_name(decoding, precision):
    """What the files of this decoding are called."""
    return decoding.name if precision == "float32" else f"{decoding.name}_{precision}"


def _origin(run, stories):
    """What a telling must have in common with this one to be gone on with."""
    files = {"model": run.model_file, "stories": Path(stories.filename)}
    states = {what: file.stat() for what, file in files.items()}
    return {what: [state.st_size, state.st_mtime_ns] for what, state in states.items()}


def _keep_parts_of(origin, folder):
    """Forget what was told unless it has the same origin."""
    path = folder / "origin.json"
    try:
        same = read_json(path) == origin
    except (FileNotFoundError, ValueError):
        same = False
    if not same:
        for leftover in folder.iterdir():
            leftover.unlink()
        write_json(path, origin)


def _read_parts(folder):
    """The batches told so far, up to the first that is missing or broken."""
    parts = []
    while True:
        try:
            parts.append(np.load(_part(folder, len(parts))))
        except (OSError, ValueError, EOFError):
            return parts


def _part(folder, number):
    return folder / f"{number:06}.npy"

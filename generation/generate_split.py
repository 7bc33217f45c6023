"""Generating all stories of a split, so that an interruption costs no more than a batch."""

import shutil
from contextlib import suppress
from pathlib import Path

import numpy as np

from data_reader.cli import import_tensorflow
from data_reader.errors import InputError
from data_reader.files import atomic_write, exclusive_lock, read_json, write_json
from data_reader.stories_file import StoryFeatures
from data_reader.vocabulary import ROW_LENGTH
from generation.decoding_options import decoding_as_dict


def generate_split(run, split, stories, decoding, precision="float32"):
    """Generate a split's stories with a run's model, resuming an interrupted generation.

    Args:
        stories: the split's open stories file.
        decoding: see `generation.decoding`.
        precision: of the model's matrix products, "float32" or "bfloat16".

    Returns:
        int32 [N, I, 22], rows <START> words <END>.

    Raises:
        InputError: another process is generating the same stories.
    """
    import_tensorflow()
    from generation.story_generator import StoryGenerator, stories_per_batch
    from models.loading import load_model

    folder = run.unfinished_generation(decoding_name(decoding, precision), split)
    refusal = f"Another process is generating the same stories in {run.path}; let it finish."
    with exclusive_lock(folder, refusal):
        _discard_parts_unless(_origin(run, stories, decoding, precision), folder)
        image_features = StoryFeatures(stories)
        human = stories["story_sentences"] if decoding.human_previous else None
        words = run.model_config()["vocabulary_size"]
        per_batch = stories_per_batch(decoding)
        parts = _read_parts(folder, image_features.shape[:2], per_batch, words)
        first = len(parts) * per_batch
        if first < len(image_features):
            generator = StoryGenerator(load_model(run, precision), decoding)
            for batch in generator.generate_batches(
                image_features, per_batch, first, human_sentences=human
            ):
                with atomic_write(_part(folder, len(parts))) as partial:
                    np.save(partial, batch)
                parts.append(batch)
    return np.concatenate(parts)


def forget_parts(run, split, name):
    """Remove the batches that were kept in case of an interruption."""
    folder = run.unfinished_generation(name, split)
    shutil.rmtree(folder, ignore_errors=True)
    with suppress(OSError):  # other generations are unfinished
        folder.parent.rmdir()


def decoding_name(decoding, precision):
    """Return the name of a decoding in file names."""
    return decoding.name if precision == "float32" else f"{decoding.name}_{precision}"


def _origin(run, stories, decoding, precision):
    """Return what must be the same for an interrupted generation to be resumed."""
    files = {"model": run.model_file, "stories": Path(stories.filename)}
    states = {name: file.stat() for name, file in files.items()}
    sizes_and_times = {name: [state.st_size, state.st_mtime_ns] for name, state in states.items()}
    return {**sizes_and_times, "decoding": decoding_as_dict(decoding, precision)}


def _discard_parts_unless(origin, folder):
    """Discard the batches of an interrupted generation unless it has the same origin."""
    path = folder / "origin.json"
    try:
        is_same = read_json(path) == origin
    except (FileNotFoundError, InputError):
        is_same = False
    if not is_same:
        for leftover in folder.iterdir():
            leftover.unlink()
        write_json(path, origin)


def _read_parts(folder, shape, per_batch, words):
    """Read the generated batches, up to the first that is missing, broken or another model's.

    Args:
        shape: the numbers of stories and of photos per story.
        words: that the model knows.
    """
    parts, (stories, images) = [], shape
    for start in range(0, stories, per_batch):
        try:
            part = np.load(_part(folder, len(parts)))
        except (OSError, ValueError, EOFError, MemoryError):
            break
        expected = (min(per_batch, stories - start), images, ROW_LENGTH)
        if part.shape != expected or part.dtype.kind not in "iu" or not _within(part, words):
            break
        parts.append(part)
    return parts


def _within(indices, words):
    return indices.min() >= 0 and indices.max() < words


def _part(folder, number):
    return folder / f"{number:06}.npy"

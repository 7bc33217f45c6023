"""GROOViST, how far a story is about what its photos show, from CLIP's vectors that the user has.

Surikuchi, Pezzelle and Fernández 2023, GROOViST: A Metric for Grounding Objects in Visual
Storytelling.  Legend of shapes: P phrases, R regions of photos, D the size of CLIP's vectors.
"""

import math
from pathlib import Path

import numpy as np

from data_reader.errors import InputError, abbreviated
from data_reader.files import read_json

_THRESHOLD = 0.6159241924121119  # the authors' for VIST
_SCALE = 2.5  # of the cosine, as in CLIPScore


def groovist(phrases, concreteness, regions, threshold=_THRESHOLD):
    """The GROOViST of a story.

    The score of a phrase is 2.5 times its cosine with the region that is most like it; below the
    threshold, it is what the score lacks of that (negative).  Their mean, each times its
    concreteness, is the story's.

    Args:
        phrases: [P, D], vectors of the story's different noun phrases.
        concreteness: [P].
        regions: [R, D], vectors of the regions of all its photos.
    """
    scores = _SCALE * (_unit(phrases) @ _unit(regions).T).max(axis=1)
    weighted = np.where(scores >= threshold, scores, scores - threshold) * concreteness
    return float(weighted.mean())


def _unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def grounding(folder):
    """The GROOViST of the stories that a folder describes.

    Args:
        folder: with `stories.json`, `{story id: {"photos": [ids], "phrases": {phrase:
            concreteness}}}`; `phrases.json`, a list of P phrases, and `phrases.npy` [P, D], their
            vectors; `photos/{id}.npy` [R, D], those of a photo's regions.  Photos without a file
            are left out.

    Returns:
        `{story id: score}`, nan for a story without phrases or without any photo's vectors.

    Raises:
        FileNotFoundError, InputError: a file is missing or broken, or a phrase has no vector.
    """
    folder = Path(folder)
    names, vectors = read_json(folder / "phrases.json"), _read_vectors(folder / "phrases.npy")
    is_list = isinstance(names, list) and all(isinstance(name, str) for name in names)
    if not is_list or len(names) != len(vectors):
        raise InputError(f"{folder / 'phrases.json'} is no list of {len(vectors)} phrases.")
    places = {name: place for place, name in enumerate(names)}
    return {
        story: _of_story(folder, story, described, places, vectors)
        for story, described in _read_stories(folder / "stories.json").items()
    }


def _of_story(folder, story, described, places, vectors):
    weights = described["phrases"]
    if without := [phrase for phrase in weights if phrase not in places]:
        raise InputError(f"{folder / 'phrases.json'} lacks {without[0]!r} of the story {story}.")
    files = [folder / "photos" / f"{photo}.npy" for photo in described["photos"]]
    regions = [_read_vectors(file, vectors.shape[1]) for file in files if file.is_file()]
    if not weights or not regions:
        return math.nan
    rows = [places[phrase] for phrase in weights]
    return groovist(vectors[rows], list(weights.values()), np.concatenate(regions))


def _read_stories(path):
    stories = read_json(path)
    if not isinstance(stories, dict):
        raise InputError(f"{path} holds a {type(stories).__name__}, expected {{story id: ...}}.")
    for story, described in stories.items():
        try:
            photos, weights = described["photos"], described["phrases"].values()
            fits = all(map(_is_id, photos)) and all(np.isfinite(weight) for weight in weights)
        except (TypeError, KeyError, AttributeError):
            fits = False
        if not fits:
            raise InputError(
                f"{path}: {story:.60} has {abbreviated(described)}, expected "
                '{"photos": [ids], "phrases": {phrase: concreteness}}.'
            )
    return stories


def _is_id(photo):
    """Whether it names a file in the folder of photos."""
    return type(photo) is int or (isinstance(photo, str) and Path(photo).name == photo)


def _read_vectors(path, size="D"):
    """float [N, D] of a .npy file."""
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing.")
    try:
        # Mapped first: a file that says that it holds more than it does takes no memory.
        vectors = np.array(np.lib.format.open_memmap(path, mode="r"))
    except Exception as error:  # a damaged header may raise any exception
        raise InputError(f"{path} is no readable .npy file ({error}).") from error
    fits = vectors.ndim == 2 and vectors.dtype.kind == "f" and size in ("D", vectors.shape[1])
    if not fits or not np.linalg.norm(vectors, axis=1).all() or not np.isfinite(vectors).all():
        raise InputError(
            f"{path} has {vectors.dtype} of shape {vectors.shape}; expected finite vectors "
            f"[N, {size}], none of them 0."
        )
    return vectors.astype(float)

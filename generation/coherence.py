"""Coherence of stories, by a model of the order of sentences that the user has.

RoViST-C (Wang, Han and Poon 2022) in the form of d_HM (Surikuchi, Fernández and Pezzelle 2024).
"""

import math
from statistics import fmean

import numpy as np

from data_reader.errors import InputError


def coherence(stories, model):
    """The mean probability that a story's next sentence follows those before it.

    A sentence that only repeats what is before it counts 0, whatever the model says.

    Args:
        stories: `{story id: sentences}`.
        model: called once, with a list of N pairs: the sentences of the story so far, and the next
            one.  It returns N probabilities.

    Returns:
        `{story id: a number from 0 to 1}`, nan for a story with fewer than two sentences.

    Raises:
        InputError: the model returns something else.
    """
    pairs = [
        (sentences[:place], sentences[place])
        for sentences in stories.values()
        for place in range(1, len(sentences))
    ]
    probabilities = iter(_probabilities(model, pairs))
    return {
        story: fmean(next(probabilities) for _ in sentences[1:]) if sentences[1:] else math.nan
        for story, sentences in stories.items()
    }


def _probabilities(model, pairs):
    found = np.asarray(model(pairs), dtype=float)
    if found.shape != (len(pairs),) or not ((found >= 0) & (found <= 1)).all():
        raise InputError(
            f"The model returned numbers of the shape {found.shape}, such as {found.ravel()[:3]}, "
            f"for {len(pairs)} pairs; expected one probability from 0 to 1 for each."
        )
    repeated = [" ".join(before).strip() == sentence.strip() for before, sentence in pairs]
    return np.where(repeated, 0, found).tolist()

"""Stories that a model generates for some validation photos while it is trained."""

import sys
from functools import cached_property

import numpy as np

from data_reader.stories_file import StoryFeatures, read_story_ids
from generation.protocols import corpus_bleu
from generation.scored_files import shortened
from generation.story_generator import StoryGenerator
from training.checkpoint import kept_random_states

SAMPLES = 3
SCORED_STORIES = 100


class ValidationStories:
    """Generates stories for the same validation photos after each epoch.

    Args:
        model: being trained.
        stories: the validation split's open stories file.
        vocabulary: of the run.
    """

    def __init__(self, model, stories, vocabulary):
        self._model = model
        self._generator = StoryGenerator(model)
        self._stories, self._features = stories, StoryFeatures(stories)
        self._vocabulary = vocabulary

    def samples(self):
        """Three stories of different albums, as text."""
        ids = read_story_ids(self._stories)
        total = len(ids)
        chosen = sorted({number * total // SAMPLES for number in range(SAMPLES)})
        generated = self._generate(np.stack([self._features[n] for n in chosen]))
        return "\n".join(
            f"story {ids[number]}\n" + "".join(f"  {sentence}\n" for sentence in sentences)
            for number, sentences in zip(chosen, generated, strict=True)
        )

    def bleu(self):
        """`corpus_bleu` of the first hundred stories' sentences; None if nobody wrote any.

        Sentences that are empty in the human story are left out.
        """
        human = self._human
        generated = self._generate(self._features[: len(human)])
        pairs = [
            pair
            for stories in zip(generated, human, strict=True)
            for pair in zip(*stories, strict=True)
            if pair[1]
        ]
        return corpus_bleu(*zip(*pairs, strict=True)) if pairs else None

    @cached_property
    def _human(self):
        """The human stories that are scored; it says once in which of them a sentence is empty."""
        rows = self._stories["story_sentences"][:SCORED_STORIES]
        human = [self._decode(story) for story in rows]
        ids = read_story_ids(self._stories)[: len(human)]
        empty = [id_ for id_, story in zip(ids, human, strict=True) if not all(story)]
        if empty:
            print(
                f"warning: BLEU leaves out the empty sentences of {len(empty)} validation stories: "
                f"{shortened(empty)}",
                file=sys.stderr,
            )
        return human

    def _generate(self, image_features):
        with kept_random_states(self._model):
            rows = self._generator.generate(image_features, show_progress=False)
        return [self._decode(story) for story in rows]

    def _decode(self, rows):
        return [self._vocabulary.decode(row) for row in rows]

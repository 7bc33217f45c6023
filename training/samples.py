"""Stories that a model generates for some validation photos while it is trained."""

import numpy as np

from data_reader.stories_file import read_story_ids
from generation.protocols import corpus_bleu
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
        self._stories = stories
        self._vocabulary = vocabulary

    def samples(self):
        """Three stories of different albums, as text."""
        ids = read_story_ids(self._stories)
        total = len(ids)
        chosen = sorted({number * total // SAMPLES for number in range(SAMPLES)})
        generated = self._generate(np.stack([self._stories["image_embeddings"][n] for n in chosen]))
        return "\n".join(
            f"story {ids[number]}\n" + "".join(f"  {sentence}\n" for sentence in sentences)
            for number, sentences in zip(chosen, generated, strict=True)
        )

    def bleu(self):
        """`corpus_bleu` of the first hundred stories' sentences."""
        generated = self._generate(self._stories["image_embeddings"][:SCORED_STORIES])
        human = [self._decode(rows) for rows in self._stories["story_sentences"][: len(generated)]]
        return corpus_bleu(
            [sentence for story in generated for sentence in story],
            [sentence for story in human for sentence in story],
        )

    def _generate(self, image_features):
        with kept_random_states(self._model):
            rows = self._generator.generate(image_features, show_progress=False)
        return [self._decode(story) for story in rows]

    def _decode(self, rows):
        return [self._vocabulary.decode(row) for row in rows]

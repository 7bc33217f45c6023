"""Generating stories of photos in a notebook or script; see `generation.load`."""

import warnings
from functools import cached_property

from data_reader.errors import InputError
from dataset.extractors import load_extractor_of
from generation.attribution_picture import attribute_story
from generation.decoding import Greedy
from generation.own_photos import features_of, photos_of_story, unseen_in_training
from generation.story_generator import StoryGenerator
from models.loading import load_model
from models.precision import PRECISIONS


class PhotoStoryGenerator:
    """A trained model with its vocabulary and its extractor of image features.

    All methods take the photos of one story, 1 to 20: a folder, or a list of paths, of PIL images
    or of arrays uint8 [height, width, 3] in R,G,B.  They come in the given order; those of a folder
    by EXIF time, or by name if one of them has none.

    Args:
        run: a `RunFolder`, which is not needed afterwards.
        precision: see `generation.load`.

    Attributes:
        model: a `StoryModel`.
        vocabulary: its `Vocabulary`.

    Raises:
        InputError: there is no such precision, or the model can't be loaded.
    """

    def __init__(self, run, precision="float32"):
        if precision not in PRECISIONS:
            raise InputError(f"precision is {precision!r}; it must be {' or '.join(PRECISIONS)}.")
        self.model = load_model(run, precision)
        self.vocabulary = run.vocabulary()
        self._features = run.features()
        self._generators = {}

    def generate(self, photos, decoding=None):
        """Generate the story of some photos, the same that `python -m generation` generates.

        It warns if the model's image features are useless for real photos, or training had stories
        of another number of photos.

        Args:
            decoding: a `Greedy`, `BeamSearch` or `Sampling` of `generation.decoding`, with its
                constraints; greedy by default.

        Returns:
            the sentences, one per photo.

        Raises:
            FileNotFoundError: a photo is missing.
            InputError: the number of photos is wrong, one of them can't be read, or the extractor
                of the model's image features is not available here.
        """
        photos = photos_of_story(photos)
        for line in unseen_in_training(self._features, len(photos)):
            warnings.warn(line, stacklevel=2)
        image_features = features_of(photos, self._extractor)
        [rows] = self._generator(decoding or Greedy()).generate(image_features, show_progress=False)
        return [self.vocabulary.decode(row) for row in rows]

    def attribution(self, photos, sentences):
        """Attribute each word of a story to the photos and to the words of the sentence before.

        ```python
        maps, titles = generator.attribution(photos, sentences)
        draw_attribution(maps, titles, "attribution.png")  # of generation.attribution_picture
        ```

        Args:
            sentences: one per photo, generated or others; of each the first 20 words count.

        Returns:
            for each sentence two `AttributionMap`s of `generation.attribution_picture`, that of the
            photos and that of the previous sentence (None if the model does not read it); and how
            both were computed, attention weights or gradient times input, as the two titles.

        Raises:
            FileNotFoundError, InputError: see `generate`, or there is not one sentence per photo.
        """
        photos = photos_of_story(photos)
        if len(sentences) != len(photos):
            raise InputError(f"There are {len(photos)} photos, but {len(sentences)} sentences.")
        [image_features] = features_of(photos, self._extractor)
        return attribute_story(self.model, self.vocabulary, image_features, sentences, photos)

    @cached_property
    def _extractor(self):
        return load_extractor_of(self._features)

    def _generator(self, decoding):
        """Return the compiled generator of a decoding."""
        if not callable(decoding):
            raise InputError(
                f"decoding is {decoding!r}; it must be a Greedy, BeamSearch or Sampling of "
                "generation.decoding."
            )
        if decoding not in self._generators:
            self._generators[decoding] = StoryGenerator(self.model, decoding)
        return self._generators[decoding]

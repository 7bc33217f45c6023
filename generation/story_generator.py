"""Generating the sentences of a story one after the other, each from the one before."""

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from data_reader.errors import InputError
from data_reader.vocabulary import ROW_LENGTH
from generation.decoding import Greedy, start_rows

# With so many stories the last words of a sentence still make a good product; more are no faster.
ROWS_PER_BATCH = 256


def stories_per_batch(decoding):
    """Return the number of stories that a decoding generates at a time."""
    return ROWS_PER_BATCH // decoding.width


class StoryGenerator:
    """Generates stories with a trained model, compiled as one graph and batched over stories.

    Args:
        model: a `StoryModel`.
        decoding: see `generation.decoding`; greedy by default.
    """

    def __init__(self, model, decoding=None):
        self._model = model
        self._decoding = decoding or Greedy()
        features = tf.TensorSpec([None, None, model.feature_size], tf.float32)
        story_numbers = tf.TensorSpec([None], tf.int32)
        human = tf.TensorSpec([None, None, ROW_LENGTH], tf.int32)
        of_human = [human] if self._decoding.human_previous else []
        self._compiled = tf.function(
            self._generate, input_signature=[features, story_numbers, *of_human], autograph=False
        )

    def generate(self, image_features, per_batch=None, show_progress=True):
        """Generate one story for each row of photos.

        Args:
            image_features: anything that slices to float [N, I, F]; read a batch at a time.
            per_batch: stories of a batch; by default `stories_per_batch`.

        Returns:
            int32 [N, I, 22]: rows <START> words <END>, in the form that the previous-sentence
            encoder was trained with.
        """
        return np.concatenate(
            list(
                self.generate_batches(
                    image_features, per_batch or stories_per_batch(self._decoding), 0, show_progress
                )
            )
        )

    def generate_batches(
        self, image_features, per_batch, first=0, show_progress=True, human_sentences=None
    ):
        """Generate from the story `first` on -> an iterator of batches, int32 [B, I, 22].

        Args:
            human_sentences: int32 [N, I, 22], for a decoding with `human_previous`.

        Raises:
            InputError: such a decoding has none.
        """
        if self._decoding.human_previous and human_sentences is None:
            raise InputError(
                "--human-previous needs human sentences; photos of your own have none."
            )
        stories = len(image_features)
        with tqdm(
            total=stories,
            initial=first,
            desc="generating",
            unit="story",
            disable=None if show_progress else True,
        ) as bar:
            for start in range(first, stories, per_batch):
                batch = np.asarray(image_features[start : start + per_batch], np.float32)
                numbers = np.arange(start, start + len(batch), dtype=np.int32)
                human = []
                if self._decoding.human_previous:
                    human = [np.asarray(human_sentences[start : start + per_batch])]
                yield self._compiled(batch, numbers, *human).numpy()
                bar.update(len(batch))

    def _generate(self, image_features, story_numbers, human_sentences=None):
        """[B, I, F], the stories' numbers in their split [B], [B, I, T] -> [B, I, T]."""
        stories, images = tf.unstack(tf.shape(image_features)[:2])
        image_states = self._model.encode_images(image_features)
        step = self._model.make_decode_step()

        def write_sentence(image, sentence, previous_sentences):
            image_state = [states[:, image] for states in image_states]
            state = self._model.start_sentence(image_state, sentence)
            ids = story_numbers * images + image
            sentence = self._decoding(step, state, previous_sentences, ids)
            is_this = tf.range(images)[:, None] == image
            followed = sentence if human_sentences is None else human_sentences[:, image]
            return image + 1, followed, tf.where(is_this, sentence[:, None], previous_sentences)

        no_sentences = tf.zeros([stories, images, ROW_LENGTH], tf.int32)
        start = tf.constant(0), start_rows(stories), no_sentences
        shapes = [], [None, ROW_LENGTH], [None, None, ROW_LENGTH]
        return tf.while_loop(
            lambda image, *_: image < images,
            write_sentence,
            start,
            shape_invariants=tuple(map(tf.TensorShape, shapes)),
        )[2]

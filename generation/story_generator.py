"""A story's sentences, each feeding the next."""

import numpy as np
import tensorflow as tf
from keras import ops
from tqdm import tqdm

from data_reader.vocabulary import ROW_LENGTH, START
from generation.decoding import greedy


class StoryGenerator:
    """Tells stories with a trained model, compiled as one graph and batched over stories."""

    def __init__(self, model):
        self._model = model
        self._compiled = tf.function(self._tell, reduce_retracing=True)

    def tell(self, image_features, stories_per_batch=64, show_progress=True):
        """Tell one story for each row of photos.

        Args:
            image_features: anything that slices to float [B, I, F]; read a batch at a time.

        Returns:
            int32 [N, I, 22]: rows <START> words <END>, each in the form that training fed to
            the previous-sentence encoder.
        """
        told = []
        for start in tqdm(
            range(0, len(image_features), stories_per_batch),
            desc="telling",
            unit="batch",
            disable=None if show_progress else True,
        ):
            batch = np.asarray(image_features[start : start + stories_per_batch], np.float32)
            told.append(self._compiled(batch).numpy())
        return np.concatenate(told)

    def _tell(self, image_features):
        stories, images = image_features.shape[0], image_features.shape[1]
        image_states = self._model.encode_images(image_features)
        sentence = _sentence_before_the_first(tf.shape(image_features)[0])
        written = []
        for image in range(images):
            state = self._model.start_sentence([s[:, image] for s in image_states], sentence)
            sentence = greedy(self._model.next_word, state, tf.shape(image_features)[0])
            sentence = tf.ensure_shape(sentence, (stories, ROW_LENGTH))
            written.append(sentence)
        return tf.stack(written, axis=1)


def _sentence_before_the_first(stories):
    columns = ops.arange(ROW_LENGTH)[None, :]
    return ops.where(columns == 0, ops.full((stories, 1), START, dtype="int32"), 0)

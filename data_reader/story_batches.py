"""Batches of whole stories for training, read from a stories file."""

import keras
import numpy as np

from data_reader.stories_file import StoryFeatures
from data_reader.vocabulary import NULL


class StoryBatches(keras.utils.PyDataset):
    """Batches of whole stories.

    A batch is `({"image_features": [B, I, F], "sentences": int32 [B, I, 22]}, sentences)`; the
    models derive their targets, the next words, from the sentences.

    Args:
        stories: an open stories file.
        stories_per_batch: B; the last batch of an epoch may be smaller, never empty.
        seed: for shuffling, in another order each epoch; None keeps the file's order.

    Attributes:
        features: the stories' features [N, I, F], which are indexed with increasing numbers of
            stories; the file's, which stay on disk, `StoryFeatures`, until others are put in their
            place.
    """

    def __init__(self, stories, stories_per_batch, seed=None):
        super().__init__()
        self.features = StoryFeatures(stories)
        # Sentences are small (440 bytes per story).
        self._sentences = stories["story_sentences"][:].astype(np.int32)
        self._stories_per_batch = stories_per_batch
        self._seed = seed
        self.begin_epoch(0)

    def begin_epoch(self, epoch):
        """Put the stories into the order of an epoch, which depends on its number alone."""
        self._epoch = epoch
        self._order = np.arange(len(self._sentences))
        if self._seed is not None:
            np.random.default_rng([self._seed, epoch]).shuffle(self._order)

    def on_epoch_end(self):
        self.begin_epoch(self._epoch + 1)

    def __len__(self):
        return -(-len(self._order) // self._stories_per_batch)

    def __getitem__(self, number):
        inputs = self._inputs(self._rows(number))
        return inputs, inputs["sentences"]

    def part(self, number, worker=0, workers=1):
        """The part of a batch that one of several workers trains on; no other story is read.

        Returns:
            inputs: of its stories; a worker for whom none is left gets one that counts nothing.
            share: of the batch's words that are in them, float32.
            words: of the whole batch, <END>s included.
        """
        rows = self._rows(number)
        own = rows[worker * len(rows) // workers : (worker + 1) * len(rows) // workers]
        words = self._count_words(rows)
        share = np.float32(self._count_words(own) / words)
        return self._inputs(own if len(own) else rows[:1]), share, words

    def _rows(self, number):
        start = number * self._stories_per_batch
        # h5py needs increasing indices; the order within a batch does not matter.
        return np.sort(self._order[start : start + self._stories_per_batch])

    def _count_words(self, rows):
        return int(np.count_nonzero(self._sentences[rows, :, 1:] != NULL))

    def _inputs(self, rows):
        return {"image_features": self.features[rows], "sentences": self._sentences[rows]}


def log_word_frequencies(stories, vocabulary_size):
    """Logarithms of how often the stories' next words are each word, one occurrence added: [V]."""
    next_words = stories["story_sentences"][..., 1:]
    counts = np.bincount(next_words[next_words != NULL], minlength=vocabulary_size) + 1.0
    return np.log(counts / counts.sum()).astype(np.float32)


def feature_statistics(stories, stories_at_a_time=500):
    """Compute mean [F] and standard deviation [F] of the stories' image features, in pieces."""
    embeddings = StoryFeatures(stories)
    count, total, total_squares = 0, 0.0, 0.0
    for start in range(0, len(embeddings), stories_at_a_time):
        piece = embeddings[start : start + stories_at_a_time].astype(np.float64)
        piece = piece.reshape(-1, piece.shape[-1])
        count += len(piece)
        total += piece.sum(axis=0)
        total_squares += np.square(piece).sum(axis=0)
    mean = total / count
    variance = np.maximum(total_squares / count - np.square(mean), 0.0)
    return mean.astype(np.float32), np.sqrt(variance).astype(np.float32)

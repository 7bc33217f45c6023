"""Batches of whole stories for training, read from a stories file."""

import keras
import numpy as np


class StoryBatches(keras.utils.PyDataset):
    """Batches of whole stories.

    A batch is `({"image_features": [B, I, F], "sentences": int32 [B, I, 22]}, sentences, weights)`;
    the models derive their targets, the next words, from the sentences.  The weights [B] are 1, or
    0 for stories that are repeated to fill the batch up.

    Args:
        stories: an open stories file.
        stories_per_batch: B; the last batch of an epoch may be smaller, never empty.
        seed: for shuffling, in another order each epoch; None keeps the file's order.
        epoch: the number of the epoch, which determines the order.
        first_batch: the batch to begin with, in an epoch that is resumed.
        multiple_of: the number of devices that share a batch; all get equally many stories.
    """

    def __init__(
        self, stories, stories_per_batch, seed=None, epoch=0, first_batch=0, multiple_of=1
    ):
        super().__init__()
        self._embeddings = stories["image_embeddings"]
        # Sentences are small (440 bytes per story); the features stay on disk.
        self._sentences = stories["story_sentences"][:].astype(np.int32)
        self._stories_per_batch = stories_per_batch
        self._multiple_of = multiple_of
        self._order = np.arange(len(self._sentences))
        if seed is not None:
            np.random.default_rng([seed, epoch]).shuffle(self._order)
        self._first_batch = first_batch

    def __len__(self):
        return -(-len(self._order) // self._stories_per_batch) - self._first_batch

    def __getitem__(self, number):
        start = (self._first_batch + number) * self._stories_per_batch
        # h5py needs increasing indices; the order within a batch does not matter.
        rows = np.sort(self._order[start : start + self._stories_per_batch])
        features = self._embeddings[rows].astype(np.float32)
        sentences = self._sentences[rows]
        missing = -len(rows) % self._multiple_of
        filled = np.arange(len(rows) + missing) % len(rows)
        weights = (np.arange(len(filled)) < len(rows)).astype(np.float32)
        features, sentences = features[filled], sentences[filled]
        return {"image_features": features, "sentences": sentences}, sentences, weights


def feature_statistics(stories, stories_at_a_time=500):
    """Compute mean [F] and standard deviation [F] of the stories' image features, in pieces."""
    embeddings = stories["image_embeddings"]
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

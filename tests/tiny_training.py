"""A training that takes seconds, for tests that start real processes.

python tests/tiny_training.py DATA [--results FOLDER] [--resume]
"""

import sys
from pathlib import Path

import h5py
import numpy as np

from data_reader.layout import DataLayout
from data_reader.vocabulary import Vocabulary
from training.command import run_experiment
from training.experiment import Experiment

VOCABULARY = Vocabulary(("<NULL>", "<START>", "<END>", "<UNK>", "the", "dog", "ran"))
STORIES = 7


def write_data(root):
    """Seven stories of random length for training and for validation."""
    layout = DataLayout(root)
    layout.root.mkdir(exist_ok=True)
    VOCABULARY.write(layout.vocabulary)
    random = np.random.default_rng(0)
    for split in ("train", "valid"):
        path = layout.stories(split)
        path.parent.mkdir(exist_ok=True)
        texts = [["the dog ran " * random.integers(1, 6) for _ in range(5)] for _ in range(STORIES)]
        with h5py.File(path, "w") as file:
            file["story_ids"] = np.arange(STORIES)
            file["image_embeddings"] = random.random((STORIES, 5, 6), np.float32)
            file["story_sentences"] = np.array([[VOCABULARY.encode(t) for t in s] for s in texts])
            file.attrs["extractor"] = "alexnet"
            file.attrs["vocabulary_size"] = len(VOCABULARY)
            file.attrs["vocabulary_checksum"] = VOCABULARY.checksum
    return layout.root


def experiment(data, **settings):
    """Four batches an epoch, the last of one story."""
    return Experiment(
        **{
            "name": "tiny",
            "model": "ImageGroupingModel",
            "model_settings": {
                "image_encoder_latent_dim": 4,
                "sentence_encoder_latent_dim": 4,
                "word_embedding_size": 4,
                "num_layers": 1,
                "input_dropout": 0.5,
            },
            "data": str(data),
            "epochs": 3,
            "stories_per_batch": 2,
            "learning_rate": 0.01,
            "learning_rate_decays": True,
            "save_every_steps": 2,
            "score_every_epochs": 2,
            **settings,
        }
    )


if __name__ == "__main__":
    epochs = int(sys.argv.pop(2))
    run_experiment(experiment(Path(sys.argv.pop(1)), epochs=epochs))

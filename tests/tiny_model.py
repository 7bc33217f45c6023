"""A run with an untrained model of mean colours, and photos for it."""

import numpy as np
from PIL import Image

from data_reader.files import write_json
from data_reader.run_folder import RunFolder
from data_reader.vocabulary import Vocabulary

VOCABULARY = Vocabulary(("<NULL>", "<START>", "<END>", "<UNK>", "the", "dog", "ran"))
FEATURES = {
    "extractor": "alexnet",
    "weights_checksum": "none",
    "channel_means": [0.0, 0.0, 0.0],
    "feature_size": 3,
    "photos_per_story": 5,
}


def write_untrained(run):
    """Add to a run that `written_runs.write_run` has written what else a model needs -> the run."""
    VOCABULARY.write(run.vocabulary_file)
    write_json(run.features_file, FEATURES)
    return run


def write_model(path, **settings):
    """Write a run that can generate; `tiny_extraction.mean_colour` computes its features."""
    import keras

    from models.image_grouping import ImageGroupingModel

    run = RunFolder(path)
    run.path.mkdir(parents=True)
    experiment = {"name": "tiny", "model": "ImageGroupingModel", "data": "/secret/photos"}
    write_json(run.experiment_file, experiment | settings)
    write_untrained(run)
    keras.utils.set_random_seed(2)
    sizes = {"image_encoder_latent_dim": 4, "sentence_encoder_latent_dim": 4}
    model = ImageGroupingModel(len(VOCABULARY), 3, num_layers=1, word_embedding_size=4, **sizes)
    # The words depend on the photos far more than a new model's.
    model.next_word_logits.kernel.assign(20 * model.next_word_logits.kernel)
    model.save(run.model_file)
    return run


def write_photos(folder):
    """Write three photos of different colours -> their paths."""
    folder.mkdir()
    colours = {"1.png": (250, 10, 30), "2.png": (5, 200, 90), "3.png": (40, 60, 255)}
    for name, colour in colours.items():
        Image.fromarray(np.full((6, 8, 3), colour, np.uint8)).save(folder / name)
    return [folder / name for name in colours]

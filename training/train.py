"""train(experiment) -> a run folder."""

import os
import time
from pathlib import Path

import keras

from data_reader.files import write_json
from data_reader.layout import RESULTS, DataLayout
from data_reader.stories_file import check_features, features_of, open_stories
from data_reader.story_batches import StoryBatches, feature_statistics
from data_reader.vocabulary import Vocabulary
from models import model_class
from models.next_word import NextWordLoss
from models.run_folder import RunFolder
from training.loss_plot import plot_losses


def train(experiment, results=RESULTS):
    """Train the experiment's model; the run folder holds all that belongs to it.

    Raises:
        FileNotFoundError: the data folder lacks the vocabulary or a stories file.
        ValueError: they do not fit each other, or a setting of the model is wrong.
    """
    layout = DataLayout(experiment.data)
    vocabulary = Vocabulary.read(layout.vocabulary)
    with (
        open_stories(layout, "train", vocabulary) as training_stories,
        open_stories(layout, "valid", vocabulary) as validation_stories,
    ):
        features = features_of(training_stories)
        check_features(training_stories, {"extractor": experiment.extractor})
        check_features(validation_stories, features)
        keras.utils.set_random_seed(experiment.seed)
        batches = StoryBatches(training_stories, experiment.stories_per_batch, experiment.seed)
        validation = StoryBatches(validation_stories, experiment.stories_per_batch)
        model = _build_model(experiment, vocabulary, training_stories, len(batches))
        run = _create_run_folder(experiment, vocabulary, features, results)
        print(f"run folder: {run.path}")
        try:
            model.fit(
                batches,
                validation_data=validation,
                epochs=experiment.epochs,
                callbacks=[
                    keras.callbacks.CSVLogger(run.loss_log),
                    SaveBest(run.model_file),
                    keras.callbacks.TerminateOnNaN(),
                ],
                # A bar that is redrawn has no place in a log file.
                verbose=1 if os.isatty(1) else 2,
            )
        finally:
            if run.loss_log.exists():
                plot_losses(run)
    return run


def _build_model(experiment, vocabulary, training_stories, steps_per_epoch):
    feature_size = training_stories["image_embeddings"].shape[-1]
    model = model_class(experiment.model)(
        vocabulary_size=len(vocabulary), feature_size=feature_size, **experiment.model_settings
    )
    if model.feature_standardisation is not None:
        model.feature_standardisation.set_statistics(*feature_statistics(training_stories))
    rate = experiment.learning_rate
    if experiment.learning_rate_decays:
        steps = steps_per_epoch * experiment.epochs
        rate = keras.optimizers.schedules.CosineDecay(rate, steps, alpha=0.1)
    optimizer = keras.optimizers.Adam(rate, clipvalue=experiment.gradient_clip_value)
    # XLA makes these recurrent models slower on a CPU and shuts out cuDNN on a GPU.
    model.compile(optimizer, NextWordLoss(), jit_compile=False)
    return model


def _create_run_folder(experiment, vocabulary, features, results):
    """A folder of its own, also for two runs that start in the same second."""
    while True:
        path = Path(results) / f"{experiment.name}_{time.strftime('%Y%m%d-%H%M%S')}"
        try:
            path.mkdir(parents=True)
            break
        except FileExistsError:
            time.sleep(0.2)
    run = RunFolder(path)
    write_json(run.experiment_file, experiment.to_dict(), indent=2)
    write_json(run.features_file, features, indent=2)
    vocabulary.write(run.vocabulary_file)
    return run


class SaveBest(keras.callbacks.Callback):
    """Save the model, without its optimiser, whenever the validation loss is the lowest so far.

    The file is written beside and renamed, so that there is always a whole one.
    """

    def __init__(self, path):
        super().__init__()
        self._path = Path(path)
        self._lowest = float("inf")

    def on_epoch_end(self, epoch, logs=None):
        if logs["val_loss"] < self._lowest:
            self._lowest = logs["val_loss"]
            self._save()

    def _save(self):
        uncompiled = type(self.model).from_config(self.model.get_config())
        uncompiled.set_weights(self.model.get_weights())
        beside = self._path.with_name(f".{self._path.name}.partial.keras")
        uncompiled.save(beside)
        os.replace(beside, self._path)

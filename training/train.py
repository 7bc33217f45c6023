"""train(experiment) -> a run folder."""

import inspect
import math
import os
import shlex
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import keras
import tensorflow as tf

from data_reader.files import write_json, written_beside
from data_reader.layout import REPOSITORY, RESULTS, DataLayout
from data_reader.stories_file import check_features, features_of, open_stories
from data_reader.story_batches import StoryBatches, feature_statistics
from data_reader.vocabulary import Vocabulary
from models import model_class
from models.next_word import NextWordLoss
from models.run_folder import RunFolder
from models.word_embeddings import load_word_embeddings
from training.compiled_adam import CompiledAdam
from training.loss_plot import plot_losses
from training.model_picture import can_draw, draw_model

# What a precision means to Keras; variables, loss and optimiser stay float32.
POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16"}


def train(experiment, results=RESULTS):
    """Train the experiment's model; the run folder holds all that belongs to it.

    Raises:
        FileNotFoundError: the data folder lacks the vocabulary or a stories file.
        ValueError: they do not fit each other, or a setting of the model is wrong.
    """
    layout = DataLayout(experiment.data)
    if not layout.vocabulary.exists():
        raise FileNotFoundError(
            f"{layout.vocabulary} is missing; make it and the stories files with: "
            + shlex.join(["python", "-m", "data_reader", "--data", str(layout)])
        )
    vocabulary = Vocabulary.read(layout.vocabulary)
    with (
        open_stories(layout, "train", vocabulary) as training_stories,
        open_stories(layout, "valid", vocabulary) as validation_stories,
    ):
        features = features_of(training_stories)
        check_features(training_stories, {"extractor": experiment.extractor.lower()})
        check_features(validation_stories, features)
        keras.utils.set_random_seed(experiment.seed)
        strategy = choose_strategy()
        per_batch, devices = experiment.stories_per_batch, strategy.num_replicas_in_sync
        batches = StoryBatches(training_stories, per_batch, experiment.seed, devices)
        validation = StoryBatches(validation_stories, per_batch, multiple_of=devices)
        with strategy.scope(), _dtype_policy(POLICIES[experiment.precision]):
            model = _build_model(experiment, vocabulary, training_stories)
            _compile(model, experiment, len(batches))
        run = _create_run_folder(experiment, vocabulary, features, results)
        print(f"run folder: {run.path}")
        if can_draw():
            draw_model(model, run.model_picture)
        history = model.fit(
            batches,
            validation_data=validation,
            epochs=experiment.epochs,
            callbacks=[
                keras.callbacks.TerminateOnNaN(),
                keras.callbacks.CSVLogger(run.loss_log),
                SaveBest(run.model_file),
                keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: plot_losses(run)),
            ],
            # A bar that is redrawn has no place in a log file.
            verbose=1 if os.isatty(1) else 2,
        )
    _check_losses(history.history["loss"], run)
    return run


def choose_strategy():
    """All GPUs share each batch where there are several; otherwise Keras's own one device."""
    if len(tf.config.list_logical_devices("GPU")) > 1:
        return tf.distribute.MirroredStrategy()
    return tf.distribute.get_strategy()


@contextmanager
def _dtype_policy(name):
    """Keras's dtype policy for the layers that are made meanwhile."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def _check_losses(losses, run):
    if math.isfinite(losses[-1]):
        return
    what = f"The loss became {losses[-1]} in epoch {len(losses)}; try a lower learning_rate."
    if not run.model_file.exists():
        raise ValueError(f"{what} No model was saved in {run.path}.")
    print(f"warning: {what} The best model before that is kept.", file=sys.stderr)


def _build_model(experiment, vocabulary, training_stories):
    chosen = model_class(experiment.model)
    settings = dict(experiment.model_settings)
    check_settings(chosen, settings)
    if experiment.word_embeddings is not None:
        settings["word_embeddings"] = _load_word_embeddings(experiment, chosen, vocabulary)
    model = chosen(
        vocabulary_size=len(vocabulary),
        feature_size=training_stories["image_embeddings"].shape[-1],
        **settings,
    )
    if model.feature_standardisation is not None:
        model.feature_standardisation.set_statistics(*feature_statistics(training_stories))
    return model


def _load_word_embeddings(experiment, chosen, vocabulary):
    size = experiment.model_settings.get(
        "word_embedding_size", _settings_of(chosen)["word_embedding_size"].default
    )
    path = REPOSITORY / experiment.word_embeddings
    embeddings = load_word_embeddings(path, vocabulary.words, size, experiment.seed)
    print(embeddings.report())
    return embeddings.matrix


def _compile(model, experiment, steps_per_epoch):
    rate = experiment.learning_rate
    if experiment.learning_rate_decays:
        steps = steps_per_epoch * experiment.epochs
        rate = keras.optimizers.schedules.CosineDecay(rate, steps, alpha=0.1)
    optimizer = CompiledAdam(rate, clipvalue=experiment.gradient_clip_value)
    # XLA makes these recurrent models slower on a CPU and shuts out cuDNN on a GPU.
    model.compile(optimizer, NextWordLoss(), jit_compile=False)


def check_settings(chosen, settings):
    """Refuse settings that the model class does not have.

    Raises:
        ValueError: the message names the first of them and all that there are.
    """
    known = _settings_of(chosen)
    for name in settings:
        if name not in known:
            raise ValueError(
                f"{chosen.__name__} has no setting {name!r}; it has: {', '.join(known)}."
            )


def _settings_of(chosen):
    """A model's arguments but for those that come from the data."""
    from_the_data = {"self", "vocabulary_size", "feature_size", "word_embeddings"}
    arguments = inspect.signature(chosen.__init__).parameters
    return {name: argument for name, argument in arguments.items() if name not in from_the_data}


def _create_run_folder(experiment, vocabulary, features, results):
    """A folder of its own, also for two runs that start in the same second."""
    Path(results).mkdir(parents=True, exist_ok=True)
    while True:
        path = Path(results) / f"{experiment.name}_{time.strftime('%Y%m%d-%H%M%S')}"
        try:
            path.mkdir()
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
        with written_beside(self._path) as partial:
            uncompiled.save(partial)

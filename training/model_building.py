"""From an experiment's settings to a model ready to be trained."""

import inspect

import keras
import tensorflow as tf

from data_reader.errors import InputError
from data_reader.layout import REPOSITORY
from data_reader.story_batches import feature_statistics
from models import model_class
from models.next_word import NextWordLoss
from models.precision import made_in
from models.word_embeddings import load_word_embeddings
from training.compiled_adam import CompiledAdam


def make_model(experiment, vocabulary, training_stories, steps_per_epoch, strategy):
    """The experiment's model, compiled, on the strategy's devices.

    Raises:
        FileNotFoundError: the file of word embeddings is missing.
        ValueError: a setting of the model has no meaning.
    """
    with strategy.scope(), made_in(experiment.precision):
        model = _build_model(experiment, vocabulary, training_stories)
        compile_model(model, experiment, steps_per_epoch)
    return model


def choose_strategy():
    """All GPUs share each batch where there are several; otherwise Keras's own one device."""
    if len(tf.config.list_logical_devices("GPU")) > 1:
        return tf.distribute.MirroredStrategy()
    return tf.distribute.get_strategy()


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


def compile_model(model, experiment, steps_per_epoch):
    """Give the model the experiment's optimiser, and the loss."""
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
            raise InputError(
                f"{chosen.__name__} has no setting {name!r}; it has: {', '.join(known)}."
            )


def _settings_of(chosen):
    """A model's arguments but for those that come from the data."""
    from_the_data = {"self", "vocabulary_size", "feature_size", "word_embeddings"}
    arguments = inspect.signature(chosen.__init__).parameters
    return {name: argument for name, argument in arguments.items() if name not in from_the_data}

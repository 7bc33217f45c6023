"""From an experiment's settings to a model ready to be trained."""

import keras
import numpy as np

from data_reader.errors import InputError, check_whole_number
from data_reader.layout import REPOSITORY
from data_reader.story_batches import feature_statistics, log_word_frequencies
from data_reader.vocabulary import NULL, ROW_LENGTH, START
from models import model_class
from models.next_word import NextWordLoss
from models.precision import dtype_policy
from models.story_model import settings_of
from models.word_embeddings import load_word_embeddings
from training.checkpoint import kept_random_states


def make_model(experiment, vocabulary, training_stories, steps_per_epoch):
    """The experiment's model, compiled.

    Raises:
        FileNotFoundError: the file of word embeddings is missing.
        InputError: a setting of the model is unknown or out of range.
    """
    model = _build_model(experiment, vocabulary, training_stories)
    with kept_random_states(model):
        _generate_one_word(model)
    compile_model(model, experiment, steps_per_epoch)
    return model


def _generate_one_word(model):
    """Fail at once, with its line, where a model of one's own can't generate."""
    image_states = model.encode_images(np.zeros((1, 1, model.feature_size), np.float32))
    previous = np.array([[START] + [NULL] * (ROW_LENGTH - 1)], np.int32)
    state = model.start_sentence([part[:, 0] for part in image_states], previous)
    model.make_decode_step()(np.array([START], np.int32), state)


def _build_model(experiment, vocabulary, training_stories):
    chosen = model_class(experiment.model)
    settings = dict(experiment.model_settings)
    check_settings(chosen, settings)
    if experiment.word_embeddings is not None:
        settings["word_embeddings"] = _load_word_embeddings(experiment, chosen, vocabulary)
    model = chosen(
        vocabulary_size=len(vocabulary),
        feature_size=training_stories["image_embeddings"].shape[-1],
        dtype=dtype_policy(experiment.precision),
        **settings,
    )
    if model.feature_standardisation is not None:
        model.feature_standardisation.set_statistics(*feature_statistics(training_stories))
    if experiment.bias_from_word_frequencies:
        # Else the decoder's units learn the frequencies first, and an attentional state's tanh
        # stays saturated by it (docs/study.md).
        bias = log_word_frequencies(training_stories, len(vocabulary))
        model.next_word_logits.bias.assign(bias)
    return model


def _load_word_embeddings(experiment, chosen, vocabulary):
    size = (settings_of(chosen) | experiment.model_settings)["word_embedding_size"]
    check_whole_number("word_embedding_size", size)
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
    optimizer = keras.optimizers.Adam(rate, clipvalue=experiment.gradient_clip_value)
    if model.policy.compute_dtype == "float16":
        # In float16 small gradients would become zero.  A step that overflows is skipped.
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    optimizer.build(model.trainable_variables)
    # XLA makes these recurrent models slower on a CPU and shuts out cuDNN on a GPU.
    model.compile(optimizer, NextWordLoss(), jit_compile=False)


def check_settings(chosen, settings):
    """Refuse settings that the model class does not have.

    Raises:
        InputError: the message names the first of them and all that there are.
    """
    known = settings_of(chosen)
    for name in settings:
        if name not in known:
            raise InputError(
                f"{chosen.__name__} has no setting {name!r}; it has: {', '.join(known)}."
            )

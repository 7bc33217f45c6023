"""train(experiment) -> a run folder."""

import math
import shlex
import shutil
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import h5py
import keras

from data_reader.errors import InputError
from data_reader.files import exclusive_lock, write_json
from data_reader.layout import RESULTS, DataLayout
from data_reader.run_folder import RunFolder
from data_reader.stories_file import check_features, features_of, open_stories
from data_reader.story_batches import StoryBatches
from data_reader.vocabulary import Vocabulary
from training.checkpoint import Checkpoints
from training.environment import environment
from training.model_building import choose_strategy, make_model
from training.model_picture import can_draw, draw_model
from training.recorder import Recorder, stop_requests
from training.report import add_result
from training.samples import ValidationStories


def train(experiment, results=RESULTS, resumed=None, tensorboard=False):
    """Train the experiment's model; the run folder holds all that belongs to it.

    Args:
        experiment: an `Experiment`.
        results: the folder in which the run folder is made.
        resumed: the run folder of an interrupted training, which is resumed.
        tensorboard: also write TensorBoard's logs into the run folder.

    Raises:
        FileNotFoundError: the data folder lacks the vocabulary or a stories file.
        InputError: they do not fit each other or the run that is resumed, a setting of the model
            is wrong, or the loss became nan before a model was saved.
        TrainingStoppedError: the process was asked to stop, and everything is saved.
    """
    with ExitStack() as opened:
        data = _open_data(experiment, opened)
        if resumed is not None:
            _check_same_data(resumed, data)
        keras.utils.set_random_seed(experiment.seed)
        strategy = choose_strategy()
        steps = len(StoryBatches(data.training, experiment.stories_per_batch))
        model = make_model(experiment, data.vocabulary, data.training, steps, strategy)
        run = resumed or _create_run_folder(experiment, data, model, results)
        print(f"run folder: {run.path}")
        opened.enter_context(exclusive_lock(run.path, f"Another process is training {run.path}."))
        request = opened.enter_context(stop_requests())
        progress = _fit(experiment, data, model, run, request, tensorboard)
        sentences = 5 * len(data.training["story_ids"])
    add_result(run, run.path.parent, sentences)
    _finish(run, experiment, progress)
    return run


@dataclass(frozen=True)
class _Data:
    vocabulary: Vocabulary
    training: h5py.File
    validation: h5py.File
    features: dict


def _open_data(experiment, opened):
    layout = DataLayout(experiment.data)
    if not layout.vocabulary.exists():
        raise FileNotFoundError(
            f"{layout.vocabulary} is missing; make it and the stories files with: "
            + shlex.join(["python", "-m", "data_reader", "--data", str(layout)])
        )
    vocabulary = Vocabulary.read(layout.vocabulary)
    training = opened.enter_context(open_stories(layout, "train", vocabulary))
    validation = opened.enter_context(open_stories(layout, "valid", vocabulary))
    features = features_of(training)
    check_features(training, {"extractor": experiment.extractor.lower()})
    check_features(validation, features)
    return _Data(vocabulary, training, validation, features)


def _fit(experiment, data, model, run, request, tensorboard):
    """Train epoch by epoch from the newest checkpoint on -> the run's `Progress`."""
    checkpoints = Checkpoints(run.checkpoint)
    progress, state = checkpoints.newest()
    stories = ValidationStories(model, data.validation, data.vocabulary)
    recorder = Recorder(run, progress, checkpoints, stories, request, state)
    callbacks = [keras.callbacks.TerminateOnNaN(), recorder]
    if tensorboard:
        callbacks.append(keras.callbacks.TensorBoard(run.tensorboard))
    per_batch = experiment.stories_per_batch
    devices = model.distribute_strategy.num_replicas_in_sync
    validation = StoryBatches(data.validation, per_batch, multiple_of=devices)
    while _why_it_ended(experiment, progress) is None:
        # Each epoch is a `fit` of its own: an interrupted one has fewer batches left.
        batches = StoryBatches(
            data.training, per_batch, experiment.seed, progress.epoch, progress.batch, devices
        )
        model.fit(
            batches,
            validation_data=validation,
            initial_epoch=progress.epoch,
            epochs=progress.epoch + 1,
            callbacks=callbacks,
            # `StoryBatches` shuffles by itself, the same way after an interruption.
            shuffle=False,
            verbose=0,
        )
    return progress


def _why_it_ended(experiment, progress):
    """The reason why training has ended; None if it has not."""
    if progress.rows and not math.isfinite(progress.rows[-1]["loss"]):
        return "loss became nan"
    if progress.epoch >= experiment.epochs:
        return "all epochs"
    patience = experiment.early_stopping_patience
    if patience and progress.best and progress.epoch - progress.best["epoch"] >= patience:
        return "early stopping"
    return None


def _finish(run, experiment, progress):
    """Write down how the training ended."""
    reason, best = _why_it_ended(experiment, progress), progress.best
    if reason == "loss became nan":
        message = (
            f"The loss became {progress.rows[-1]['loss']} in epoch {progress.epoch}; "
            "try a lower learning_rate."
        )
        if best is None:
            raise InputError(f"{message} No model was saved in {run.path}.")
        print(f"warning: {message} The best model before that is kept.", file=sys.stderr)
    finished = {
        "epochs": progress.epoch,
        "best_epoch": best["epoch"],
        "best_val_loss": best["val_loss"],
        "seconds": sum(row["seconds"] for row in progress.rows),
        "reason": reason,
    }
    write_json(run.finished_file, finished, indent=2)
    # Checkpoints take a few times the model's space, and a finished run is not resumed.
    shutil.rmtree(run.checkpoint, ignore_errors=True)


def _create_run_folder(experiment, data, model, results):
    """A new folder, also for two runs that start in the same second."""
    Path(results).mkdir(parents=True, exist_ok=True)
    while True:
        path = Path(results) / f"{experiment.name}_{time.strftime('%Y%m%d-%H%M%S')}"
        try:
            path.mkdir()
            break
        except FileExistsError:
            time.sleep(0.2)
    run = RunFolder(path)
    write_json(run.features_file, data.features, indent=2)
    write_json(run.environment_file, environment(experiment.seed, data.vocabulary, model), indent=2)
    data.vocabulary.write(run.vocabulary_file)
    if can_draw():
        draw_model(model, run.model_picture)
    # Written last, since it makes the folder a run that can be resumed.
    write_json(run.experiment_file, experiment.to_dict(), indent=2)
    return run


def _check_same_data(run, data):
    """Refuse to resume with another vocabulary or other features than the run began with."""
    check_features(data.training, run.features())
    kept = Vocabulary.read(run.vocabulary_file)
    if kept.checksum != data.vocabulary.checksum:
        raise InputError(
            f"The run {run.name} has a vocabulary of {len(kept)} words (checksum {kept.checksum}), "
            f"the data one of {len(data.vocabulary)} ({data.vocabulary.checksum}); "
            "put the run's vocabulary.json back into the data folder, or start a new run."
        )

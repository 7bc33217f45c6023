"""train(experiment) -> a run folder."""

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
from data_reader.stories_file import check_features, features_of, open_stories, photos_per_story
from data_reader.story_batches import StoryBatches
from data_reader.vocabulary import Vocabulary
from training.checkpoint import Checkpoints, Progress
from training.device_features import on_device
from training.environment import environment
from training.loop import TrainingLoop, why_it_ended
from training.model_building import make_model
from training.model_picture import can_draw, draw_model
from training.pieces import (
    KerasCallbacks,
    LossLog,
    ModelFiles,
    ProgressBar,
    Samples,
    SaveCheckpoints,
)
from training.report import add_result
from training.same_inputs import check_same_inputs
from training.samples import ValidationStories
from training.stopping import stop_requests
from training.strategy import lost_workers_named, make_strategy, share_state
from training.workers import Workers


def train(experiment, results=RESULTS, resumed=None, callbacks=(), tensorboard=False, workers=None):
    """Train the experiment's model -> its run folder; None on workers other than the chief.

    Args:
        results: the folder in which the run folder is made.
        resumed: the run folder of an interrupted training, which is resumed.
        callbacks: Keras callbacks; each of several workers calls its own, as in Keras.
        tensorboard: also write TensorBoard's logs into the run folder.
        workers: `Workers` that train together; by default this process trains alone.

    Raises:
        FileNotFoundError: the data folder lacks the vocabulary or a stories file.
        InputError: they do not fit each other, the run that is resumed or those of another worker,
            a setting of the model is wrong, or the loss became nan before a model was saved.
        TrainingStoppedError: a worker was asked to stop, and everything is saved.
        WorkerLostError: another worker is gone.
    """
    workers = workers or Workers()
    with ExitStack() as opened, lost_workers_named(workers):
        data = _open_data(experiment, opened)
        if resumed is not None:
            _check_same_data(resumed, data)
        check_same_inputs(experiment, data, workers)
        strategy = make_strategy(workers)
        model = _make_model(experiment, data)
        workers.exchange("ready")  # before anything is written
        request = opened.enter_context(stop_requests())
        run, progress = None, Progress()
        if workers.is_chief:
            run = resumed or _create_run_folder(experiment, data, model, results, workers)
            opened.enter_context(_locked(run))
            progress = Checkpoints(run.checkpoint).restore_newest(model)
        pieces = _pieces(run, experiment, data, model, callbacks, tensorboard)
        progress = share_state(model, progress, workers, strategy)
        TrainingLoop(experiment, model, data, pieces, request, strategy, workers).run(progress)
        if workers.is_chief:
            _finish(run, experiment, data, progress)
    return run


def _locked(run):
    print(f"run folder: {run.path}", flush=True)
    return exclusive_lock(run.path, f"Another process is training {run.path}.")


def _pieces(run, experiment, data, model, callbacks, tensorboard):
    """What happens around the steps, in this order; `run` is None on workers but the chief."""
    if tensorboard and run is not None:
        callbacks = [*callbacks, keras.callbacks.TensorBoard(run.tensorboard)]
    epochs, steps = experiment.epochs, len(data.training)
    called = [KerasCallbacks(callbacks, model, epochs, steps)] if callbacks else []
    if run is None:
        return called
    stories = ValidationStories(model, data.validation_stories, data.vocabulary)
    return [
        ProgressBar(epochs, steps),
        Samples(run, stories, experiment.score_every_epochs),
        LossLog(run),
        ModelFiles(run, model),
        *called,
        SaveCheckpoints(Checkpoints(run.checkpoint), model, experiment.save_every_steps, steps),
    ]


def _make_model(experiment, data):
    # Checkpoints name random states as Keras does, by a count from the session's start, so that a
    # training resumes in a process that has made models before.
    keras.utils.clear_session()
    keras.utils.set_random_seed(experiment.seed)
    model = make_model(experiment, data.vocabulary, data.training_stories, len(data.training))
    if (on_gpu := on_device(data.training.features)) is not None:
        data.training.features = on_gpu
    return model


@dataclass(frozen=True)
class _Data:
    """The data of a training.

    Attributes:
        features: their description, see `features_of`.
        photos_per_story: I, of all stories.
        training_stories, validation_stories: open stories files.
        training, validation: their batches.
    """

    vocabulary: Vocabulary
    features: dict
    photos_per_story: int
    training_stories: h5py.File
    validation_stories: h5py.File
    training: StoryBatches
    validation: StoryBatches


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
    _check_same_length(training, validation)
    per_batch = experiment.stories_per_batch
    return _Data(
        vocabulary,
        features,
        photos_per_story(training),
        training,
        validation,
        StoryBatches(training, per_batch, experiment.seed),
        StoryBatches(validation, per_batch),
    )


def _check_same_length(training, validation):
    lengths = [photos_per_story(stories) for stories in (training, validation)]
    if lengths[0] != lengths[1]:
        raise InputError(
            f"{training.filename} has stories of {lengths[0]} photos, {validation.filename} of "
            f"{lengths[1]}; state the same photos_per_story in the annotations of both splits "
            "(see docs/data.md) and run python -m data_reader again."
        )


def _finish(run, experiment, data, progress):
    """Write down how the training ended."""
    sentences = data.photos_per_story * len(data.training_stories["story_ids"])
    add_result(run, run.path.parent, sentences)
    reason, best = why_it_ended(experiment, progress), progress.best
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


def _create_run_folder(experiment, data, model, results, workers):
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
    described = {**data.features, "photos_per_story": data.photos_per_story}
    write_json(run.features_file, described, indent=2)
    made_in = environment(experiment.seed, data.vocabulary, model, workers)
    write_json(run.environment_file, made_in, indent=2)
    data.vocabulary.write(run.vocabulary_file)
    if can_draw():
        draw_model(model, run.model_picture)
    # Written last, since it makes the folder a run that can be resumed.
    write_json(run.experiment_file, experiment.to_dict(), indent=2)
    return run


def _check_same_data(run, data):
    """Refuse to resume with another vocabulary or other stories than the run began with."""
    check_features(data.training_stories, run.features())
    begun_with = run.photos_per_story() or data.photos_per_story
    if begun_with != data.photos_per_story:
        raise InputError(
            f"The run {run.name} began with stories of {begun_with} photos, the data have stories "
            f"of {data.photos_per_story}; start a new run."
        )
    kept = run.vocabulary()
    if kept.checksum != data.vocabulary.checksum:
        raise InputError(
            f"The run {run.name} has a vocabulary of {len(kept)} words (checksum {kept.checksum}), "
            f"the data one of {len(data.vocabulary)} ({data.vocabulary.checksum}); "
            "put the run's vocabulary.json back into the data folder, or start a new run."
        )

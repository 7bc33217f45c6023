"""The command of an experiment file."""

import shlex
import sys
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from data_reader.cli import command_line, import_tensorflow, run_command, whole_number
from data_reader.errors import InputError
from data_reader.files import exclusive_lock
from data_reader.layout import RESULTS, DataLayout
from data_reader.run_folder import SMOKE_PREFIX, RunFolder
from training.cluster import find_cluster
from training.experiment import SMOKE_DATA, smoke_test
from training.launch import number_of_gpus, start_workers
from training.stopping import STOPPED, TrainingStoppedError
from training.workers import WorkerLostError, meet


def run_experiment(experiment, callbacks=()):
    """The command line of one experiment: train it, or a variant or tiny version of it.

    Started once on each machine of a cluster, the processes find each other and train together.

    Args:
        callbacks: Keras callbacks, see `train`.
    """
    run_command(lambda: _main(experiment, callbacks))


def _main(experiment, callbacks):
    arguments = _parse_arguments(experiment)
    cluster = find_cluster()
    count = 1 if cluster is None else len(cluster.addresses)
    if cluster is None and (wanted := arguments.workers or number_of_gpus()) > 1:
        sys.exit(start_workers(wanted))
    if arguments.workers not in (None, count):
        raise InputError(
            f"--workers is {arguments.workers}, but TF_CONFIG or Slurm starts {count}; leave one "
            "of them out."
        )
    with resumable(_resume_command(arguments)), meet(cluster) as workers:
        _train(experiment, arguments, callbacks, workers)


def _train(experiment, arguments, callbacks, workers):
    experiment = variant(experiment, arguments.settings, arguments.smoke_test)
    resumed = None
    if workers.is_chief:
        if arguments.smoke_test and experiment.data == SMOKE_DATA:
            make_smoke_data(DataLayout(experiment.data))
        resumed = find_interrupted(experiment, arguments.results, arguments.resume)
    workers.exchange("data and run are found")
    import_tensorflow()
    from training.train import train

    run = train(experiment, arguments.results, resumed, callbacks, arguments.tensorboard, workers)
    if workers.is_chief:
        print(f"model and loss plot: {run.path}")


def variant(experiment, settings, is_smoke_test):
    """The experiment with overridden settings, and tiny for a smoke test.

    Raises:
        InputError: see `Experiment.overridden`.
    """
    if not is_smoke_test:
        return experiment.overridden(settings)
    import_tensorflow()
    changed = smoke_test(experiment).overridden(settings)
    name = changed.name.removeprefix(SMOKE_PREFIX)
    return replace(changed, name=f"{SMOKE_PREFIX}{name}")


@contextmanager
def resumable(command):
    """When a signal or the loss of a worker stops a training, end with status 75.

    Args:
        command: that resumes it; it is printed.
    """
    try:
        yield
    except TrainingStoppedError:
        print(f"Stopped; to resume: {command}")
    except WorkerLostError as lost:
        print(f"{lost} To resume from the last checkpoint: {command}", file=sys.stderr)
    else:
        return
    sys.exit(STOPPED)


def _parse_arguments(experiment):
    parser = command_line(f"Train the experiment {experiment.name!r} on {experiment.data}.")
    add_training_options(parser)
    add_set_option(parser)
    parser.add_argument(
        "--resume",
        nargs="?",
        const="",
        metavar="FOLDER",
        help="resume an interrupted run (default: this experiment's newest one)",
    )
    parser.add_argument(
        "--tensorboard", action="store_true", help="write TensorBoard's logs into the run folder"
    )
    parser.add_argument(
        "--workers",
        type=whole_number(1),
        metavar="N",
        help="processes on this machine that share each batch (default: one per GPU)",
    )
    parser.set_defaults(program=parser.prog)
    return parser.parse_args()


def add_training_options(parser):
    """Add `--smoke-test` and `--results FOLDER`."""
    parser.add_argument(
        "--smoke-test",
        action="store_true",
        help="train a tiny model on a tiny sample set, made if need be, to see that all runs",
    )
    add_results_option(parser)


def add_set_option(parser):
    """Add `--set SETTING=VALUE ...`."""
    parser.add_argument(
        "--set",
        nargs="+",
        action="extend",
        default=[],
        dest="settings",
        metavar="SETTING=VALUE",
        help="override settings for a trial: epochs=2 model_settings.image_group_size=5; the run "
        "folder's name says which",
    )


def add_results_option(parser):
    """Add `--results FOLDER`."""
    parser.add_argument(
        "--results", default=RESULTS, help="folder of the run folders (default: results/)"
    )


def _resume_command(arguments):
    resume = ["--resume"] if arguments.resume is None else []
    return f"{arguments.program} {shlex.join([*sys.argv[1:], *resume])}"


def find_interrupted(experiment, results, folder):
    """The interrupted run to resume; None to start a new one.

    Args:
        folder: its folder; "" for the experiment's newest one; None to start a new one.

    Raises:
        FileNotFoundError: there is no such run.
        InputError: it is finished, or its settings are not the experiment's.
    """
    if folder is None:
        return None
    if not folder:
        return _newest(experiment, results)
    run = RunFolder.open_started(folder)
    if run.finished():
        raise InputError(f"The run {run.name} is finished; there is nothing to resume.")
    _check_same_settings(run.settings(), experiment.to_dict(), run)
    return run


def _newest(experiment, results):
    found = interrupted_runs(experiment, results)
    if not found:
        raise FileNotFoundError(
            f"There is no interrupted run of {experiment.name!r} under {results}; "
            "start one without --resume."
        )
    _check_same_settings(found[-1].settings(), experiment.to_dict(), found[-1])
    return found[-1]


def runs_of(experiment, results):
    """The runs of the experiment's name, finished or not, the oldest first."""
    files = Path(results).glob(f"{experiment.name}_[0-9]*-[0-9]*/experiment.json")
    return [RunFolder.open_started(path.parent) for path in sorted(files)]


def interrupted_runs(experiment, results):
    """The runs of the experiment's name that are not finished, the oldest first."""
    return [run for run in runs_of(experiment, results) if not run.finished()]


def _check_same_settings(begun, wanted, run):
    for name in sorted(begun.keys() | wanted.keys()):
        if begun.get(name) != wanted.get(name):
            raise InputError(
                f"The run {run.name} began with {name} = {begun.get(name)!r}, the experiment has "
                f"{wanted.get(name)!r}; set it back, or start a run without --resume."
            )


def make_smoke_data(layout):
    """Make the tiny sample set with features and stories files, unless it is there."""
    from data_reader.layout import SPLITS
    from data_reader.sis_datareader import index_stories, make_vocabulary
    from dataset.image_features import extract_all
    from dataset.sample.sample_set import SMOKE_ALBUMS, make_sample_set

    with exclusive_lock(layout.root):  # another smoke test may be making it
        if all(layout.stories(split).exists() for split in SPLITS):
            return
        make_sample_set(layout, SMOKE_ALBUMS)
        extract_all(layout)
        vocabulary = make_vocabulary(layout)
        for split in SPLITS:
            index_stories(layout, split, vocabulary)

"""A sweep as a value, and its command."""

import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import product
from pathlib import Path

from data_reader.cli import command_line, import_tensorflow, run_command, whole_number
from data_reader.errors import InputError
from data_reader.files import exclusive_lock
from data_reader.layout import SPLITS, DataLayout
from data_reader.run_folder import SMOKE_PREFIX, RunFolder
from generation.decoding_options import parse_decoding
from generation.fact_recall import report_run
from generation.generate_split import decoding_name
from training.cluster import find_cluster
from training.command import add_set_option, add_training_options, make_smoke_data, resumable
from training.experiment import Experiment, in_a_name, smoke_test
from training.sweeps.jobs import run_jobs
from training.sweeps.report import write_report

_NAMES_ONLY = ("name", "notes")  # settings that change nothing in a run


@dataclass(frozen=True)
class Planned:
    """One run of a sweep: an experiment, with its seed, and its label."""

    label: str
    experiment: Experiment


@dataclass(frozen=True)
class Sweep:
    """Experiments that differ in some settings, each trained with the same seeds.

    Attributes:
        name: of its folder in the results.
        experiments: `{label: Experiment}`, see also `grid`.
        seeds: each experiment is trained with each of them.
        setting: what the labels are values of.
        reference: the label of the experiment that the others are compared with; the first by
            default.
        decodings: texts of options of `python -m generation`: how stories are generated.
        split: of which stories are generated and scored.

    Raises:
        InputError: it has no experiments or seeds, or no such reference or split.
    """

    name: str
    experiments: Mapping[str, Experiment]
    seeds: Sequence[int] = (1,)
    setting: str = "experiment"
    reference: str | None = None
    decodings: Sequence[str] = ("",)
    split: str = "test"

    def __post_init__(self):
        for attribute in ("experiments", "seeds", "decodings"):
            if not getattr(self, attribute):
                raise InputError(f"The sweep {self.name!r} has no {attribute}.")
        if self.reference not in (None, *self.experiments):
            raise InputError(
                f"The sweep {self.name!r} compares with {self.reference!r}; it has the "
                f"experiments {', '.join(self.experiments)}."
            )
        if self.split not in SPLITS:
            raise InputError(f"split is {self.split!r}; it must be one of {', '.join(SPLITS)}.")
        names = [planned.experiment.name for planned in self.planned()]
        if len(set(names)) < len(names):
            raise InputError(f"Two runs of the sweep {self.name!r} have one name.")

    @classmethod
    def grid(cls, name, baseline, settings, seeds=(1,), **others):
        """A sweep over all combinations of some settings' values.

        Args:
            baseline: the `Experiment` that has all other settings.
            settings: `{setting: values}`, of the experiment or of its model.
            others: further attributes.

        Raises:
            InputError: a value is out of range.
        """
        experiments = {}
        for values in product(*settings.values()):
            chosen = dict(zip(settings, values, strict=True))
            texts = [f"{setting}={value}" for setting, value in chosen.items()]
            label = ", ".join(texts) if len(settings) > 1 else str(values[0])
            changed = _with_settings(baseline, chosen)
            added = "_".join(map(in_a_name, texts))
            experiments[label] = replace(changed, name=f"{baseline.name}_{added}")
        return cls(name, experiments, seeds, ", ".join(settings), **others)

    def planned(self):
        """List its runs, the seeds of an experiment one after the other."""
        return [
            Planned(label, _with_seed(experiment, seed, several=len(self.seeds) > 1))
            for label, experiment in self.experiments.items()
            for seed in self.seeds
        ]


def _with_settings(experiment, settings):
    own = {each.name for each in fields(Experiment)}
    changed = replace(experiment, **{k: v for k, v in settings.items() if k in own})
    return changed.with_model_settings(**{k: v for k, v in settings.items() if k not in own})


def _with_seed(experiment, seed, several):
    name = f"{experiment.name}_seed-{seed}" if several else experiment.name
    return replace(experiment, name=name, seed=seed)


def run_sweep(sweep):
    """The command line of a sweep.

    It trains the runs that are not finished (a smoke test trains two tiny ones), generates and
    scores their stories, and writes a table, comparisons and a picture into the sweep's folder of
    the results.
    """
    run_command(lambda: _main(sweep))


def _main(sweep):
    arguments = _parse_arguments(sweep)
    if find_cluster():
        raise InputError(
            "A sweep trains each run in one process; start it once, or train single runs of it "
            "with --only on several machines."
        )
    changed = {each: e.overridden(arguments.settings) for each, e in sweep.experiments.items()}
    sweep = replace(
        sweep,
        experiments=changed,
        seeds=arguments.seeds or sweep.seeds,
        reference=arguments.reference or sweep.reference,
    )
    if arguments.smoke_test:
        sweep = _smoke_test_of(sweep)
    planned, results = sweep.planned(), Path(arguments.results)
    if arguments.only:
        if arguments.only > len(planned):
            raise InputError(f"--only is {arguments.only}; the sweep has {len(planned)} runs.")
        _complete(sweep, planned[arguments.only - 1], results, arguments)
        return
    folder = results / sweep.name
    with exclusive_lock(folder, f"Another process works on the sweep {folder}; let it finish."):
        failed = _run_all(sweep, planned, results, arguments)
        runs = [(each.label, find_run(each.experiment, results)) for each in planned]
        print(write_report(sweep, [pair for pair in runs if pair[1]], folder))
    if failed:
        raise InputError(f"{len(failed)} of {len(planned)} runs failed: {', '.join(failed)}")


def _smoke_test_of(sweep):
    """Its reference and the last of its experiments, tiny, with the first seed."""
    import_tensorflow()
    first, *_, last = [sweep.reference or next(iter(sweep.experiments)), *sweep.experiments]
    tiny = {label: smoke_test(sweep.experiments[label]) for label in dict.fromkeys([first, last])}
    make_smoke_data(DataLayout(tiny[first].data))
    return replace(
        sweep,
        name=f"{SMOKE_PREFIX}{sweep.name}",
        experiments=tiny,
        seeds=sweep.seeds[:1],
        reference=None,
    )


def _run_all(sweep, planned, results, arguments):
    """Complete all runs -> the names, or the log files, of those that failed."""
    if arguments.jobs > 1:
        left = {
            number: each.experiment.name
            for number, each in enumerate(planned, 1)
            if not _is_complete(sweep, each, results, arguments)
        }
        logs = results / sweep.name / "logs"
        return list(map(str, run_jobs(left, arguments.jobs, logs, arguments.program)))
    failed = []
    for each in planned:
        try:
            _complete(sweep, each, results, arguments)
        except (InputError, OSError) as error:
            print(f"error: {each.experiment.name}: {error}", file=sys.stderr, flush=True)
            failed.append(each.experiment.name)
    return failed


def _complete(sweep, planned, results, arguments):
    """Train a run unless it is finished, and score its stories unless they are scored."""
    run = _finished(planned.experiment, results, arguments)
    _score(run or _trained(planned.experiment, results, arguments), sweep)


def _is_complete(sweep, planned, results, arguments):
    run = _finished(planned.experiment, results, arguments)
    return run is not None and not list(_unscored(run, sweep))


def _finished(experiment, results, arguments):
    """A finished run of the experiment that need not be trained again, or None."""
    # A smoke test tries all of it, but those of one study share their runs.
    if arguments.smoke_test and not results.name.startswith(SMOKE_PREFIX):
        return None
    if run := find_run(experiment, results):
        print(f"{experiment.name} is finished, skipped: {run.path}", flush=True)
    return run


def _trained(experiment, results, arguments):
    """A new run of the experiment, or an interrupted one, resumed."""
    resumed = None
    if not arguments.smoke_test:
        resumed = find_run(experiment, results, finished=False)
    import_tensorflow()
    from training.train import train

    with resumable(arguments.program):
        return train(experiment, results, resumed)


def find_run(experiment, results, finished=True):
    """The newest finished, or interrupted, run with the experiment's settings; or None.

    Its name and notes may be others: sweeps share runs.
    """
    wanted = _decisive(experiment.to_dict())
    for path in sorted(Path(results).glob("*_[0-9]*-[0-9]*/experiment.json"), reverse=True):
        run = RunFolder.open_started(path.parent)
        same_kind = run.name.startswith(SMOKE_PREFIX) == experiment.name.startswith(SMOKE_PREFIX)
        if same_kind and bool(run.finished()) == finished and _decisive(run.settings()) == wanted:
            return run
    return None


def _decisive(settings):
    return {name: value for name, value in settings.items() if name not in _NAMES_ONLY}


def _score(run, sweep):
    """Generate and score the run's stories in each decoding that it does not have yet."""
    import_tensorflow()
    from generation.split_stories import generate_for_split

    layout, split = run.layout(), sweep.split
    for decoding, precision in _unscored(run, sweep):
        name = decoding_name(decoding, precision)
        if not run.album_sums(name, split).is_file():
            lines = generate_for_split(run, split, layout, decoding, precision)
            print("\n".join(lines), flush=True)
        if layout.facts.is_file():
            print(report_run(layout, run, name, split), flush=True)


def _unscored(run, sweep):
    """The (decoding, precision) by which the run's stories are not scored yet."""
    for options in sweep.decodings:
        decoding, precision = parse_decoding(options)
        name = decoding_name(decoding, precision)
        files = [run.album_sums(name, sweep.split)]
        if run.layout().facts.is_file():
            files.append(run.fact_recall(name, sweep.split))
        if not all(file.is_file() for file in files):
            yield decoding, precision


def _parse_arguments(sweep):
    runs = len(sweep.planned())
    parser = command_line(f"Train and score {runs} runs that differ in {sweep.setting} and seed.")
    add_sweep_options(parser)
    parser.add_argument(
        "--only",
        type=whole_number(1),
        metavar="N",
        help=f"complete the N-th run alone, of 1 to {runs}: for the array jobs of a cluster",
    )
    parser.add_argument(
        "--reference",
        choices=list(sweep.experiments),
        metavar="LABEL",
        help="compare the others with this one of: "
        + ", ".join(sweep.experiments).replace("%", "%%"),
    )
    parser.set_defaults(program=f"{parser.prog} {shlex.join(sys.argv[1:])}")
    return parser.parse_args()


def add_sweep_options(parser):
    """Add the options that all sweeps have."""
    add_training_options(parser)
    add_set_option(parser)
    parser.add_argument(
        "--jobs",
        type=whole_number(1),
        default=1,
        metavar="N",
        help="runs at a time; they share the cores, or the GPUs (default: 1)",
    )
    parser.add_argument(
        "--seeds",
        type=whole_number(0),
        nargs="+",
        metavar="SEED",
        help="other seeds than the sweep's own",
    )

"""The command of an experiment file with several experiments."""

import math
from pathlib import Path

from data_reader.cli import command_line, import_tensorflow, run_command
from data_reader.errors import InputError
from data_reader.files import atomic_write, write_csv
from data_reader.layout import DataLayout
from data_reader.run_folder import SMOKE_PREFIX, RunFolder
from training.cluster import find_cluster
from training.command import (
    add_training_options,
    interrupted_runs,
    make_smoke_data,
    resumable,
)
from training.experiment import smoke_test
from training.loss_plot import finite, highest_bleu, read_losses, start_at_zero


def run_experiments(name, experiments, setting):
    """The command line of experiments that differ in one setting.

    It trains those that are not finished (a smoke test trains all), then draws and lists the best
    losses and scores by the setting: `<name>.png` and `<name>.csv` in the folder `<name>` of the
    results.
    """
    run_command(lambda: _main(name, experiments, setting))


def _main(name, experiments, setting):
    parser = command_line(f"Train {len(experiments)} experiments that differ in {setting}.")
    add_training_options(parser)
    arguments = parser.parse_args()
    if find_cluster():
        raise InputError(
            "A sweep trains one run after the other in one process; start it once, or train each "
            "of its experiments on its own with several workers."
        )
    if arguments.smoke_test:
        import_tensorflow()
        name, experiments = f"{SMOKE_PREFIX}{name}", [smoke_test(each) for each in experiments]
        make_smoke_data(DataLayout(experiments[0].data))
    values = [_value(experiment, setting) for experiment in experiments]
    runs = [
        _run_of(each, arguments.results, parser.prog, arguments.smoke_test) for each in experiments
    ]
    folder = Path(arguments.results) / name
    table = sweep_table(setting, values, runs)
    write_csv(folder / f"{name}.csv", table, zip(*table.values(), strict=True))
    plot_sweep(setting, table, folder / f"{name}.png")
    print(f"{len(runs)} runs by {setting}: {folder}")


def _value(experiment, setting):
    settings = experiment.to_dict() | experiment.model_settings
    if setting not in settings:
        raise InputError(f"The experiment {experiment.name!r} does not set {setting!r}.")
    return settings[setting]


def _run_of(experiment, results, command, always_new):
    """A finished run of the experiment; an interrupted one, resumed; or else a new one."""
    resumed = None
    if not always_new:
        run = finished_run(experiment, results)
        if run:
            print(f"{experiment.name} is finished, skipped: {run.path}")
            return run
        same = [r for r in interrupted_runs(experiment, results) if is_run_of(r, experiment)]
        resumed = same[-1] if same else None
    import_tensorflow()
    from training.train import train

    with resumable(command):
        return train(experiment, results, resumed)


def is_run_of(run, experiment):
    """Whether the run has just these settings."""
    return run.settings() == experiment.to_dict()


def finished_run(experiment, results):
    """The newest finished run of just these settings, or None."""
    finished = sorted(Path(results).glob(f"{experiment.name}_*/finished.json"))
    runs = [RunFolder.open_started(path.parent) for path in finished]
    return next((run for run in reversed(runs) if is_run_of(run, experiment)), None)


def sweep_table(setting, values, runs):
    """`{column: one value per run}`: the setting, the best epoch and the highest BLEU.

    A run whose loss was never a number has nan in their place.
    """
    best = [run.best_epoch() for run in runs]
    columns = {"best_epoch": "epoch", "best_val_loss": "val_loss", "perplexity": "perplexity"}
    return {
        setting: values,
        **{
            name: [epoch.get(column, math.nan) for epoch in best]
            for name, column in columns.items()
        },
        "highest_bleu": [highest_bleu(read_losses(run)) for run in runs],
        "run": [run.name for run in runs],
    }


def plot_sweep(setting, table, path):
    """Draw the best validation loss by a setting, and below it BLEU where there is any.

    Values, numbers or words, are evenly spaced in the experiments' order.
    """
    from matplotlib.figure import Figure

    has_bleu = any(map(math.isfinite, table["highest_bleu"]))
    panels = {"best_val_loss": "best validation loss\nper word (nats)"}
    if has_bleu:
        panels["highest_bleu"] = "highest BLEU (%)\nwhile training"
    figure = Figure(figsize=(6, 1 + 2.8 * len(panels)), layout="constrained")
    all_axes = figure.subplots(len(panels), sharex=True, squeeze=False)[:, 0]
    for axes, (column, label) in zip(all_axes, panels.items(), strict=True):
        axes.plot(
            [str(value) for value in table[setting]], finite(table[column]), "-o", color="black"
        )
        axes.set_ylabel(label)
        start_at_zero(axes, table[column])
    all_axes[-1].set_xlabel(setting)
    with atomic_write(path) as partial:
        figure.savefig(partial, dpi=150)

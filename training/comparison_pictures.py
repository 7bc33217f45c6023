"""The pictures of a comparison of runs: loss curves and the table."""

from math import isfinite, nan
from statistics import fmean

from data_reader.files import atomic_write
from training.loss_plot import finite, marked_every, read_losses, start_at_zero

MARKERS = "os^DvPX*"


def plot_curves(experiments, path):
    """Plot the losses of experiments, which differ in shade and marker as well as in colour.

    Of several seeds the lines are means, and a thin line is the validation loss of each.

    Args:
        experiments: pairs of a label and runs, which are seeds of one experiment.

    Raises:
        InputError: a run has no epoch yet or a broken loss.csv.
    """
    from matplotlib import colormaps
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5.5 + 0.25 * len(experiments)), layout="constrained")
    axes = figure.subplots()
    shown = []
    for number, (label, runs) in enumerate(experiments):
        # From dark to light, but not too light to be seen on white.
        color = colormaps["viridis"](0.8 * number / max(1, len(experiments) - 1))
        losses = [read_losses(run) for run in runs]
        draw_experiment(axes, label, losses, color, MARKERS[number % len(MARKERS)])
        shown += [value for of_run in losses for value in of_run["val_loss"] + of_run["loss"]]
    axes.set(xlabel="epoch", ylabel="loss per word (nats)")
    has_seeds = any(len(runs) > 1 for _, runs in experiments)
    axes.set_title(
        "Loss in validation (solid) and training (dashed)"
        + ("\nmeans over seeds; thin lines: validation of each seed" if has_seeds else "")
    )
    axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    start_at_zero(axes, shown)
    for text in figure.legend(loc="outside lower center").get_texts():
        text.set_parse_math(False)  # a $ in a name is a $
    with atomic_write(path) as partial:
        figure.savefig(partial, dpi=150)


def draw_experiment(axes, label, losses, color, marker):
    """Draw the mean losses of an experiment, and thinly the validation losses of several seeds."""
    if len(losses) > 1:
        for of_run in losses:
            thin = {"color": color, "linewidth": 0.8, "alpha": 0.5}
            axes.plot(of_run["epoch"], finite(of_run["val_loss"]), "-", **thin)
    means = mean_losses(losses)
    style = {"color": color, "markevery": marked_every(means["epoch"])}
    validation = {"marker": marker, "markeredgecolor": "white", "label": label}
    axes.plot(means["epoch"], means["val_loss"], "-", **style, **validation)
    axes.plot(means["epoch"], means["loss"], "--", linewidth=1, color=color)


def mean_losses(losses):
    """The means over runs -> `{"epoch", "loss", "val_loss": numbers}`.

    Each is over the runs that have a finite loss at that epoch; nan where none has.

    Args:
        losses: of each run, see `read_losses`.
    """
    epochs = sorted({epoch for of_run in losses for epoch in of_run["epoch"]})
    means = {"epoch": epochs}
    for column in ("loss", "val_loss"):
        of_runs = [dict(zip(run["epoch"], run[column], strict=True)) for run in losses]
        at_epochs = [[run.get(epoch, nan) for run in of_runs] for epoch in epochs]
        numbers = [[loss for loss in at_epoch if isfinite(loss)] for at_epoch in at_epochs]
        means[column] = [fmean(of_epoch) if of_epoch else nan for of_epoch in numbers]
    return means


def draw_table(lines, path):
    """Draw a table whose first line and column are headings."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(1, 0.1))  # the picture is cropped to the table, however large
    axes = figure.subplots()
    axes.axis("off")
    table = axes.table(lines, cellLoc="left", loc="center")
    table.auto_set_font_size(False)
    table.set_fontsize(10)
    table.scale(1, 1.4)
    table.auto_set_column_width(range(len(lines[0])))
    for (row, column), cell in table.get_celld().items():
        cell.set_edgecolor("0.8")
        cell.get_text().set_parse_math(False)
        if row == 0 or column == 0:
            cell.set_facecolor("0.93")
    with atomic_write(path) as partial:
        figure.savefig(partial, dpi=150, bbox_inches="tight")

"""The loss curves of a run."""

import csv
import math

from data_reader.files import written_beside


def read_losses(run):
    """`{column: values}` of a run's loss.csv.

    Raises:
        ValueError: the log has no row yet.
    """
    with open(run.loss_log, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    if not rows:
        raise ValueError(f"{run.loss_log} has no row: the first epoch did not end.")
    return {name: [float(row[name]) for row in rows] for name in ("loss", "val_loss")}


def plot_losses(run):
    """Draw training and validation loss per word into the run folder, the best epoch marked."""
    from matplotlib.figure import Figure

    losses = read_losses(run)
    highest = max(filter(math.isfinite, [*losses["loss"], *losses["val_loss"]]), default=1.0)
    epochs = range(1, len(losses["loss"]) + 1)
    best = min(epochs, key=lambda epoch: _nan_last(losses["val_loss"][epoch - 1]))
    lowest = losses["val_loss"][best - 1]

    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.subplots()
    axes.plot(epochs, losses["loss"], "--o", color="0.45", markersize=4, label="training")
    axes.plot(epochs, losses["val_loss"], "-o", color="#b2182b", markersize=4, label="validation")
    axes.plot(best, lowest, "*", color="black", markersize=13, label=f"best: epoch {best}")
    axes.annotate(
        f"{lowest:.3f}", (best, lowest), xytext=(0, 10), textcoords="offset points", ha="center"
    )
    axes.set(title=run.name, xlabel="epoch", ylabel="loss per word (nats)")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_ylim(0, 1.15 * highest)
    axes.grid(alpha=0.3)
    axes.legend()
    with written_beside(run.loss_plot) as partial:
        figure.savefig(partial, dpi=150)


def _nan_last(loss):
    return math.inf if math.isnan(loss) else loss

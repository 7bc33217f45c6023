"""The loss curves of a run."""

import math

from data_reader.errors import InputError
from data_reader.files import atomic_write


def read_losses(run):
    """`{column: one number per epoch}` of a run's loss.csv; nan where the file has none.

    Raises:
        InputError: the log has no row yet, or is broken.
    """
    losses = run.losses()
    if not losses["epoch"]:
        raise InputError(f"{run.loss_log} has no row: the first epoch did not end.")
    return losses


def highest_bleu(losses):
    """The highest BLEU of any epoch; nan if no epoch was scored."""
    return max(filter(math.isfinite, losses["bleu"]), default=math.nan)


def plot_losses(run):
    """Draw the losses per word, the best epoch marked, and the scores, if any, into the folder."""
    from matplotlib.figure import Figure

    losses = read_losses(run)
    has_scores = any(map(math.isfinite, losses["bleu"]))
    figure = Figure(figsize=(7, 6.5 if has_scores else 4.7), layout="constrained")
    panels = figure.subplots(
        2 if has_scores else 1, sharex=True, squeeze=False, height_ratios=[2, 1][: 1 + has_scores]
    )[:, 0]
    panels[0].set_title(run.name)
    _draw_losses(panels[0], losses, run.best_epoch())
    if has_scores:
        _draw_scores(panels[1], losses)
    panels[-1].set_xlabel("epoch")
    panels[-1].set_xlim(losses["epoch"][0] - 0.5, losses["epoch"][-1] + 0.5)
    panels[-1].xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    figure.legend(loc="outside lower center", ncols=4)
    with atomic_write(run.loss_plot) as partial:
        figure.savefig(partial, dpi=150)


def _draw_losses(axes, losses, best):
    """Lines differ in style and marker, not in colour alone."""
    epochs = losses["epoch"]
    style = {"markersize": 4, "markevery": marked_every(epochs)}
    axes.plot(epochs, finite(losses["loss"]), "--s", color="0.5", label="training", **style)
    axes.plot(
        epochs, finite(losses["val_loss"]), "-o", color="#b2182b", label="validation", **style
    )
    if best:
        label = f"best: epoch {best['epoch']}, {best['val_loss']:.3f}"
        axes.plot(best["epoch"], best["val_loss"], "*", color="black", markersize=13, label=label)
    axes.set_ylabel("loss per word (nats)")
    start_at_zero(axes, losses["loss"] + losses["val_loss"])


def _draw_scores(axes, losses):
    pairs = zip(losses["epoch"], losses["bleu"], strict=True)
    scored = [(epoch, bleu) for epoch, bleu in pairs if math.isfinite(bleu)]
    axes.plot(*zip(*scored, strict=True), ":D", color="#2166ac", markersize=4, label="BLEU")
    axes.set_ylabel("BLEU (%)")
    start_at_zero(axes, losses["bleu"])


def start_at_zero(axes, values):
    """Scale an axis from zero to the highest value, with grid lines."""
    highest = max(filter(math.isfinite, values), default=0)
    axes.set_ylim(0, 1.1 * highest or 1)
    axes.grid(alpha=0.3)


def finite(values):
    """Values that are no finite number as nan, which leaves a gap in a curve."""
    return [value if math.isfinite(value) else math.nan for value in values]


def marked_every(epochs):
    """The distance of points whose markers do not overlap."""
    return max(1, len(epochs) // 15)

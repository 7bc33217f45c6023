"""python -m training.compare: compare runs.

It draws their loss curves in one picture and lists the settings in which they differ, their losses
and the scores recorded in their folders.  python -m generation.compare scores stories anew, of runs
and of other systems, side by side.
"""

import math
from pathlib import Path

from data_reader.cli import command_line, run_command
from data_reader.files import atomic_write, write_csv
from data_reader.layout import RESULTS
from data_reader.run_folder import RunFolder
from training.loss_plot import finite, highest_bleu, marked_every, read_losses, start_at_zero

MARKERS = "os^DvPX*"
LONGEST_CELL = 40  # of the printed table; the CSV file has the full text


def main():
    parser = command_line(__doc__)
    parser.add_argument("runs", nargs="+", metavar="RUN", help="run folders with a loss.csv")
    parser.add_argument(
        "--out",
        type=Path,
        default=RESULTS / "comparison",
        metavar="FOLDER",
        help="for curves.png, table.csv and table.png (default: results/comparison/)",
    )
    arguments = parser.parse_args()
    runs = [RunFolder.open_started(path) for path in arguments.runs]
    print(compare(runs, arguments.out))
    print(f"curves and table: {arguments.out}")


def compare(runs, folder):
    """Write curves.png, table.csv and table.png into the folder -> the table as text.

    Raises:
        InputError: a run has no epoch yet or a broken file.
    """
    columns = {"run": [run.name for run in runs], **compared(runs)}
    plot_curves(runs, folder / "curves.png")
    write_csv(folder / "table.csv", columns, zip(*columns.values(), strict=True))
    # The printed table has one column per run: settings and scores are many, runs few.
    lines = [[name, *map(_cell, values)] for name, values in columns.items()]
    _draw_table(lines, folder / "table.png")
    return _aligned(lines)


def compared(runs):
    """`{name: one value per run}`: the settings that differ, losses of the best epoch, scores.

    The value is "" where a run does not have the setting or score.
    """
    settings = _by_name([run.all_settings() for run in runs])
    del settings["name"]
    best = [run.best_epoch() for run in runs]
    scores = [_scores(run) for run in runs]
    return {
        **{name: values for name, values in settings.items() if _differ(values)},
        "best epoch": [epoch.get("epoch", "") for epoch in best],
        "training loss": [epoch.get("loss", "") for epoch in best],
        "validation loss": [epoch.get("val_loss", "") for epoch in best],
        "perplexity": [epoch.get("perplexity", "") for epoch in best],
        **_by_name(scores),
    }


def _scores(run):
    highest = highest_bleu(read_losses(run))
    return ({"highest BLEU in training": highest} if math.isfinite(highest) else {}) | {
        f"{name} {decoding_and_split}": score
        for decoding_and_split, scores in run.all_scores().items()
        for name, score in scores.items()
    }


def _by_name(dictionaries):
    names = dict.fromkeys(name for dictionary in dictionaries for name in dictionary)
    return {name: [dictionary.get(name, "") for dictionary in dictionaries] for name in names}


def _differ(values):
    return any(value != values[0] for value in values)


def plot_curves(runs, path):
    """Plot the losses of all runs, which differ in shade and marker as well as in colour."""
    from matplotlib import colormaps
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5.5 + 0.25 * len(runs)), layout="constrained")
    axes = figure.subplots()
    shown = []
    for number, run in enumerate(runs):
        losses = read_losses(run)
        # From dark to light, but not too light to be seen on white.
        color = colormaps["viridis"](0.8 * number / max(1, len(runs) - 1))
        style = {"color": color, "markevery": marked_every(losses["epoch"])}
        marker = MARKERS[number % len(MARKERS)]
        validation = {"marker": marker, "markeredgecolor": "white", "label": _cell(run.name)}
        axes.plot(losses["epoch"], finite(losses["val_loss"]), "-", **style, **validation)
        axes.plot(losses["epoch"], finite(losses["loss"]), "--", linewidth=1, color=color)
        shown += losses["val_loss"] + losses["loss"]
    axes.set(xlabel="epoch", ylabel="loss per word (nats)")
    axes.set_title("Loss in validation (solid) and training (dashed)")
    axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    start_at_zero(axes, shown)
    for text in figure.legend(loc="outside lower center").get_texts():
        text.set_parse_math(False)  # a $ in a name is a $
    with atomic_write(path) as partial:
        figure.savefig(partial, dpi=150)


def _cell(value):
    text = f"{value:.4g}" if isinstance(value, float) else " ".join(str(value).split())
    if len(text) <= LONGEST_CELL:
        return text
    half = LONGEST_CELL // 2
    return f"{text[: half - 1]}…{text[-half:]}"  # of a run's name the start time is kept


def _aligned(lines):
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _draw_table(lines, path):
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


if __name__ == "__main__":
    run_command(main)

"""python -m training.compare: compare runs.

It draws their loss curves in one picture and lists the settings in which they differ, their losses
and the scores recorded in their folders; seeds of one experiment stand together, with their means.
python -m generation.compare scores stories anew, of runs and of other systems, side by side.
"""

import math
from itertools import islice
from pathlib import Path

from data_reader.cli import command_line, run_command
from data_reader.files import write_csv
from data_reader.layout import RESULTS
from data_reader.run_folder import RunFolder
from data_reader.seeds import group_seeds, mean_and_deviation
from training.comparison_pictures import draw_table, plot_curves
from training.loss_plot import highest_bleu, read_losses

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

    Seeds of one experiment, see `group_seeds`, share a column of the table and a curve; in
    table.csv each run has its row.

    Raises:
        InputError: a run has no epoch yet or a broken file.
    """
    experiments = group_seeds(runs)
    runs = [run for seeds in experiments.values() for run in seeds]
    settings, results = differing_settings(runs), results_of(runs)
    columns = {"run": [run.name for run in runs]}
    if len(experiments) < len(runs):
        columns["experiment"] = [name for name, seeds in experiments.items() for _ in seeds]
    columns |= settings | results
    lines = _table(experiments, settings, results)
    plot_curves(list(zip(lines[0][1:], experiments.values(), strict=True)), folder / "curves.png")
    write_csv(folder / "table.csv", columns, zip(*columns.values(), strict=True))
    draw_table(lines, folder / "table.png")
    return _aligned(lines)


def _table(experiments, settings, results):
    """The lines of cells; one column per experiment: settings and scores are many, runs few."""
    sizes = [len(seeds) for seeds in experiments.values()]
    corner = "mean ± sd over seeds" if max(sizes) > 1 else "run"
    return [
        [corner, *(_heading(name, seeds) for name, seeds in experiments.items())],
        *([name, *map(_distinct, _split(all_, sizes))] for name, all_ in settings.items()),
        *([name, *map(_mean, _split(all_, sizes))] for name, all_ in results.items()),
    ]


def _heading(name, seeds):
    if len(seeds) == 1:
        return _cell(seeds[0].name)
    unfinished = sum(not run.finished() for run in seeds)
    note = f", {unfinished} unfinished" if unfinished else ""
    return _cell(f"{name} ({len(seeds)} seeds{note})")


def _split(values, sizes):
    """Split the values of all runs into those of each experiment."""
    rest = iter(values)
    return [list(islice(rest, size)) for size in sizes]


def differing_settings(runs):
    """`{name: one value per run}` of the settings that differ; "" where a run does not have it."""
    settings = _by_name([run.all_settings() for run in runs])
    del settings["name"]
    return {name: values for name, values in settings.items() if _differ(values)}


def results_of(runs):
    """`{name: one value per run}`: losses of the best epoch, then scores; "" where it has none."""
    best = [run.best_epoch() for run in runs]
    return {
        "best epoch": [epoch.get("epoch", "") for epoch in best],
        "training loss": [epoch.get("loss", "") for epoch in best],
        "validation loss": [epoch.get("val_loss", "") for epoch in best],
        "perplexity": [epoch.get("perplexity", "") for epoch in best],
        **_by_name([_scores(run) for run in runs]),
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


def _cell(value):
    text = f"{value:.4g}" if isinstance(value, float) else " ".join(str(value).split())
    if len(text) <= LONGEST_CELL:
        return text
    half = LONGEST_CELL // 2
    return f"{text[: half - 1]}…{text[-half:]}"  # of a run's name the start time is kept


def _distinct(values):
    """A cell of the settings of seeds: one for all, or each of them."""
    return _cell(", ".join(dict.fromkeys(filter(None, map(_cell, values)))))


def _mean(values):
    """A cell of the results of seeds: mean ± standard deviation; of one run its result.

    Where some have no finite number, it says how many the mean is over.
    """
    numbers = [value for value in values if value != "" and math.isfinite(value)]
    if len(values) == 1 or not numbers:
        return _distinct(values)
    mean, deviation = mean_and_deviation(numbers)
    missing = f" ({len(numbers)} of {len(values)})" if len(numbers) < len(values) else ""
    if len(numbers) == 1:
        return _cell(mean) + missing
    if not 1e-3 <= abs(mean) < 1e6:
        return f"{mean:.4g} ± {deviation:.2g}{missing}"
    decimals = max(0, 3 - math.floor(math.log10(abs(mean))))
    return f"{mean:.{decimals}f} ± {deviation:.{decimals}f}{missing}"


def _aligned(lines):
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


if __name__ == "__main__":
    run_command(main)

"""The picture of a sweep: a panel per score, a dot per run, a line at the mean of the seeds."""

import math
from statistics import fmean

from data_reader.files import atomic_write
from training.loss_plot import finite

_PANEL_WIDTH, _PANEL_HEIGHT, _PANELS_PER_ROW = 3.6, 2.2, 4  # inches
_HALF_A_LINE = 0.25  # of the distance of two labels
_LONGEST_LABEL = 6  # characters that stand side by side below a panel


def draw_sweep(setting, groups, columns, path):
    """Draw the numbers of all runs against their labels, evenly spaced, each on its own scale.

    Args:
        setting: what the labels are values of.
        groups: `{label: rows}`.
        columns: `{name: Column}`: the panels, of which those without numbers are left out.
    """
    from matplotlib.figure import Figure

    shown = [name for name in columns if any(map(math.isfinite, _numbers(groups, name)))]
    across = min(_PANELS_PER_ROW, len(shown))
    down = math.ceil(len(shown) / max(across, 1))
    size = (_PANEL_WIDTH * across, 0.8 + _PANEL_HEIGHT * down)
    figure = Figure(figsize=size, layout="constrained")
    panels = list(figure.subplots(down, across, squeeze=False).flat)
    for place, axes in enumerate(panels):
        if place < len(shown):
            _draw_panel(axes, groups, shown[place], columns[shown[place]])
            _label(axes, groups, is_lowest=place + across >= len(shown))
        else:
            axes.set_axis_off()
    figure.supxlabel(setting, fontsize=11)
    with atomic_write(path) as partial:
        figure.savefig(partial, dpi=110)


def _numbers(groups, name):
    return [row.numbers.get(name, math.nan) for rows in groups.values() for row in rows]


def _draw_panel(axes, groups, name, column):
    means = []
    for place, rows in enumerate(groups.values()):
        numbers = [column.factor * row.numbers.get(name, math.nan) for row in rows]
        known = [number for number in numbers if math.isfinite(number)]
        axes.plot([place] * len(numbers), finite(numbers), "o", color="black", alpha=0.5, ms=5)
        means.append(fmean(known) if known else math.nan)
    for place, mean in enumerate(means):
        axes.plot([place - _HALF_A_LINE, place + _HALF_A_LINE], [mean] * 2, "-", color="#b2182b")
    if all(map(str.isdecimal, groups)):  # of a number the means are a curve
        axes.plot(range(len(means)), means, "-", color="#b2182b", linewidth=1)
    axes.set_title(column.title, fontsize=10)
    axes.margins(x=0.1, y=0.15)
    axes.grid(alpha=0.3)
    axes.tick_params(labelsize=8)


def _label(axes, groups, is_lowest):
    axes.set_xticks(range(len(groups)))
    if not is_lowest:
        axes.set_xticklabels([])
    elif max(map(len, groups)) <= _LONGEST_LABEL:
        axes.set_xticklabels(groups, parse_math=False)
    else:
        axes.set_xticklabels(groups, rotation=30, ha="right", parse_math=False)

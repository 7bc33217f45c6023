"""The picture of a sweep: a panel per score, a dot per run, the means joined by a line."""

import math
from statistics import fmean

from data_reader.files import atomic_write
from training.loss_plot import finite, start_at_zero

_PANEL_WIDTH, _PANEL_HEIGHT, _PANELS_PER_ROW = 4.6, 2.6, 3  # inches
_LONGEST_LABEL = 10  # characters that stand side by side below a panel


def draw_sweep(setting, groups, columns, path):
    """Draw the numbers of all runs against their labels, evenly spaced.

    Args:
        setting: what the labels are values of.
        groups: `{label: rows}`.
        columns: `{name: Column}`: the panels, of which those without numbers are left out.
    """
    from matplotlib.figure import Figure

    shown = [name for name in columns if _has_numbers(groups, name)]
    across = min(_PANELS_PER_ROW, len(shown))
    down = math.ceil(len(shown) / across)
    size = (_PANEL_WIDTH * across, 0.8 + _PANEL_HEIGHT * down)
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subplots(down, across, squeeze=False, sharex=True).flat
    for axes, name in zip(panels, shown, strict=False):
        _draw_panel(axes, groups, name, columns[name])
    for axes in list(panels)[len(shown) :]:
        axes.set_axis_off()
    figure.supxlabel(setting)
    with atomic_write(path) as partial:
        figure.savefig(partial, dpi=110)


def _has_numbers(groups, name):
    return any(
        math.isfinite(row.numbers.get(name, math.nan)) for rows in groups.values() for row in rows
    )


def _draw_panel(axes, groups, name, column):
    means, shown = [], []
    for place, rows in enumerate(groups.values()):
        numbers = [column.factor * row.numbers.get(name, math.nan) for row in rows]
        known = [number for number in numbers if math.isfinite(number)]
        axes.plot([place] * len(numbers), finite(numbers), "o", color="black", alpha=0.5, ms=5)
        means.append(fmean(known) if known else math.nan)
        shown += known
    axes.plot(range(len(means)), means, "-", color="#b2182b")
    axes.set_title(column.title, fontsize=10)
    start_at_zero(axes, shown)
    axes.set_xticks(range(len(groups)), list(groups), parse_math=False)
    axes.tick_params(labelbottom=True)
    if max(map(len, groups)) > _LONGEST_LABEL:
        axes.set_xticklabels(groups, rotation=25, ha="right", fontsize=8, parse_math=False)

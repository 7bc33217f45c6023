"""The picture of a comparison: a row per score, a dot and an interval per system."""

from data_reader.errors import InputError
from data_reader.files import atomic_write
from data_reader.run_files import Share
from generation.comparison import LEFT_OUT
from generation.generated_stories import HUMAN

_MARKERS = "osD^vPX*"
_WIDTH, _ROW, _SYSTEM, _LEGEND = 8, 0.5, 0.13, 0.5  # inches


def draw(path, sections):
    """Draw the scores that have intervals, each on its own scale.

    Scores with one human story left out replace those without, because they include human stories.

    Raises:
        InputError: there are none.
    """
    from matplotlib.figure import Figure

    rows = [
        (section.title, score, of_score)
        for section in sections
        if f"{section.title}, {LEFT_OUT}" not in [other.title for other in sections]
        for score, of_score in section.results.items()
        if all(result.interval for result in of_score.values())
    ]
    if not rows:
        raise InputError(f"{path} can't be drawn: no score with an interval was computed.")
    systems = list(dict.fromkeys(system for _, _, of_score in rows for system in of_score))
    heights = [_ROW + _SYSTEM * len(of_score) for _, _, of_score in rows]
    figure = Figure(figsize=(_WIDTH, _LEGEND + sum(heights)), layout="constrained")
    panels = figure.subplots(len(rows), squeeze=False, height_ratios=heights)[:, 0]
    for axes, (title, score, of_score) in zip(panels, rows, strict=True):
        _draw_row(axes, of_score, _styles(systems))
        _name_row(axes, title, score, of_score)
    _draw_legend(figure, _styles(systems))
    with atomic_write(path) as partial:
        figure.savefig(partial, dpi=110)


def _styles(systems):
    """`{system: style}`: systems differ in marker as well as in colour; human stories are black."""
    from matplotlib import colormaps

    colours = iter(colormaps["tab10"].colors * (1 + len(systems) // 10))
    return {
        system: {
            "color": "black" if system == HUMAN else next(colours),
            "marker": _MARKERS[number % len(_MARKERS)],
        }
        for number, system in enumerate(systems)
    }


def _draw_row(axes, of_score, styles):
    for place, (system, result) in enumerate(of_score.items()):
        value, low, high = (_factor(result) * x for x in (result.value, *result.interval))
        error = [[max(0, value - low)], [max(0, high - value)]]
        style = {"linestyle": "", "capsize": 2.5, "markersize": 5, **styles[system]}
        axes.errorbar(value, place, xerr=error, **style)
    axes.set_ylim(len(of_score) - 0.3, -0.7)
    axes.set_yticks([])
    axes.margins(x=0.04)
    axes.tick_params(labelsize=8)
    axes.grid(axis="x", alpha=0.3)
    axes.spines[["top", "right", "left"]].set_visible(False)


def _factor(result):
    return 100 if isinstance(result.value, Share) else 1


def _name_row(axes, title, score, of_score):
    percent = " (%)" if _factor(next(iter(of_score.values()))) == 100 else ""
    place = {"transform": axes.transAxes, "ha": "right", "parse_math": False}
    axes.text(-0.02, 0.62, f"{score}{percent}", va="center", weight="bold", **place)
    protocol, _, rest = title.partition(", ")
    below = f"{protocol},\n{rest}" if rest else protocol
    axes.text(-0.02, 0.5, below, va="top", fontsize=8, **place)


def _draw_legend(figure, styles):
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], linestyle="", markersize=6, label=system, **style)
        for system, style in styles.items()
    ]
    legend = figure.legend(handles=handles, loc="outside upper center", ncols=6, frameon=False)
    for text in legend.get_texts():
        text.set_parse_math(False)  # a $ in a name is a $

"""The results of a sweep as CSV, text and Markdown."""

import math
from dataclasses import dataclass

from data_reader.files import atomic_write, write_csv
from data_reader.seeds import mean_and_deviation
from generation.decoding_options import parse_decoding
from generation.generate_split import decoding_name
from training.sweeps.comparison import compare_with_reference
from training.sweeps.picture import draw_sweep
from training.sweeps.rows import by_label, make_row


@dataclass(frozen=True)
class Column:
    """How readers see a number of the rows.

    Attributes:
        title: its name.
        digits: after the point.
        factor: 100 for shares.
    """

    title: str
    digits: int = 1
    factor: float = 1


COLUMNS = {
    "best_val_loss": Column("validation loss", 3),
    "facts_event": Column("event (%)"),
    "facts_weather": Column("weather (%)"),
    "facts_clothes": Column("clothes (%)"),
    "facts_keepsake": Column("keepsake (%)"),
    "facts_all": Column("facts (%)"),
    "facts_difference": Column("facts beyond another album's"),
    "vist-album METEOR": Column("METEOR by album (%)", 2, 100),
    "vist-album RoViST-NR": Column("non-redundancy (%)", 1, 100),
    "vocabulary": Column("different words", 0),
    "duplicate_stories": Column("repeated stories (%)", 1, 100),
    "highest_bleu": Column("highest BLEU in training (%)"),
    "seconds_per_epoch": Column("seconds per epoch", 0),
}


def write_report(sweep, runs, folder):
    """Write `<name>.csv`, `<name>.md` and `<name>.png` into the sweep's folder -> a text to print.

    Args:
        runs: pairs of an experiment's label and one of its finished runs.
    """
    names = [decoding_name(*parse_decoding(options)) for options in sweep.decodings]
    rows = [
        make_row(f"{label}, {name}" if len(names) > 1 else label, run, name, sweep.split)
        for label, run in runs
        for name in names
    ]
    if not rows:
        return "No run is finished yet."
    reference = sweep.reference or next(iter(sweep.experiments))
    reference = f"{reference}, {names[0]}" if len(names) > 1 else reference
    differences = compare_with_reference(rows, reference, sweep.split)
    tables = [means(sweep.setting, rows), *comparison_tables(reference, differences)]
    _write_rows(sweep.setting, rows, folder / f"{sweep.name}.csv")
    with atomic_write(folder / f"{sweep.name}.md") as partial:
        partial.write_text("\n".join(map(_as_markdown, tables)), encoding="utf-8")
    draw_sweep(sweep.setting, by_label(rows), COLUMNS, folder / f"{sweep.name}.png")
    return "\n".join([*map(_as_text, tables), f"{len(rows)} rows by {sweep.setting}: {folder}"])


def _write_rows(setting, rows, path):
    columns = list(dict.fromkeys(name for row in rows for name in row.numbers))
    lines = [
        [row.label, *(row.numbers.get(name, "") for name in columns), row.decoding, row.run.name]
        for row in rows
    ]
    write_csv(path, [setting, *columns, "decoding", "run"], lines)


@dataclass(frozen=True)
class Table:
    """Cells with a head, and what has to be said about them."""

    head: list[str]
    lines: list[list[str]]
    note: str


def means(setting, rows):
    """The `Table` of means and standard deviations over the seeds: a column per experiment."""
    groups = by_label(rows)
    shown = [name for name in COLUMNS if any(name in row.numbers for row in rows)]
    lines = [
        [COLUMNS[name].title, *(mean_and_spread(group, name) for group in groups.values())]
        for name in shown
    ]
    seeds = ["seeds", *(str(len(group)) for group in groups.values())]
    return Table(
        [setting, *groups], [seeds, *lines], "Means over seeds ± their standard deviation."
    )


def mean_and_spread(rows, name):
    """ "0.135 ± 0.002" of the rows that have the number, "" of none."""
    column = COLUMNS[name]
    values = [column.factor * row.numbers[name] for row in rows if name in row.numbers]
    if not values:
        return ""
    texts = mean_and_deviation(values)[: len(values)]
    return " ± ".join(f"{value:.{column.digits}f}" for value in texts)


def comparison_tables(reference, differences):
    """The `Table` of differences from the reference, if there are any."""
    if not differences:
        return []
    lines = [
        [each.label, COLUMNS[each.column].title, *_cells(each, COLUMNS[each.column])]
        for each in differences
    ]
    tested = sum(each.p_value is not None for each in differences)
    head = [f"less {reference}", "of", "mean difference", "by seed", "95 % interval", "p"]
    bound = f"; with so many, take p below {0.05 / tested:.4f} for 0.05" if tested > 1 else ""
    note = (
        f"{tested} comparison{'s' if tested > 1 else ''} by bootstrap over albums within "
        f"seeds{bound}.  Of the loss only the seeds' differences are known."
    )
    return [Table(head, lines, note)]


def _cells(difference, column):
    digits, factor = column.digits, column.factor
    mean = f"{factor * difference.mean:+.{digits}f}"
    if math.isfinite(difference.spread):
        mean += f" ± {factor * difference.spread:.{digits}f}"
    by_seed = ", ".join(f"{factor * value:+.{digits}f}" for value in difference.by_seed)
    if difference.p_value is None:
        return [mean, by_seed, "", ""]
    low, high = (f"{factor * bound:+.{digits}f}" for bound in difference.interval)
    return [mean, by_seed, f"{low} to {high}", f"{difference.p_value:.4f}"]


def _as_text(table):
    lines = [table.head, *table.lines]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    aligned = [
        "  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]
    return "\n".join([*aligned, table.note, ""])


def _as_markdown(table):
    lines = [table.head, ["---"] * len(table.head), *table.lines]
    rows = [f"| {' | '.join(cell.replace('|', '&#124;') for cell in line)} |" for line in lines]
    return "\n".join([*rows, "", table.note, ""])

"""Comparisons of systems as text, Markdown and CSV."""

from data_reader.files import write_csv
from data_reader.run_files import Share
from generation.metrics import shown

CSV_COLUMNS = ("section", "score", "system", "value", "low", "high", "difference", "p_value")


def as_text(sections):
    """One line per score and system."""
    lines = []
    for section in sections:
        lines += ["", f"{section.title}: {section.basis}"]
        width = max(
            (len(name) for of_score in section.results.values() for name in of_score), default=0
        )
        for score, of_score in section.results.items():
            for place, (system, result) in enumerate(of_score.items()):
                cells = "  ".join(f"{cell:<18}" for cell in _cells(result))
                line = f"  {'' if place else score:26}{system:{width}}  {cells}"
                lines.append(line.rstrip())
        lines += [f"  {line}" for line in _notes(section)]
    return "\n".join(lines[1:])


def as_markdown(sections):
    """A table per section, with a row per score and a column per system."""
    lines = []
    for section in sections:
        systems = list(dict.fromkeys(s for of_score in section.results.values() for s in of_score))
        lines += ["", f"**{section.title}**: {section.basis}", ""]
        lines += [_row(["score", *systems]), _row(["---"] * (1 + len(systems)))]
        for score, of_score in section.results.items():
            cells = ["<br>".join(_cells(of_score[s])) if s in of_score else "" for s in systems]
            lines.append(_row([score, *cells]))
        if notes := _notes(section):
            lines += ["", *notes]
    return "\n".join(lines[1:]) + "\n"


def _row(cells):
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"


def _cells(result):
    """A value, its interval and its p-value, those that there are."""
    cells = [_number(result.value)]
    if result.interval is not None:
        low, high = (_number(type(result.value)(bound)) for bound in result.interval)
        cells.append(f"{low} to {high}")
    if result.p_value is not None:
        cells.append(f"p = {result.p_value:.4f}")
    return cells


def _number(value):
    if isinstance(value, Share):
        return shown(value)
    return f"{value:.0f}" if value >= 100 else f"{value:.3f}"


def _notes(section):
    return [
        *(f"{score}: lower is better" for score in section.lower_is_better),
        *(f"{score} is missing: {reason}" for score, reason in section.missing.items()),
    ]


def write_table(path, sections):
    """Write all numbers as CSV, shares from 0 to 1."""
    rows = [
        (section.title, score, system, *_values(result))
        for section in sections
        for score, of_score in section.results.items()
        for system, result in of_score.items()
    ]
    write_csv(path, CSV_COLUMNS, rows)


def _values(result):
    """What the columns hold; csv writes None as nothing."""
    interval = result.interval or (None, None)
    return float(result.value), *interval, result.difference, result.p_value

"""The list of failed downloads: rows are added at once, so that a killed run keeps them."""

import csv
import io
import threading
from contextlib import contextmanager

from data_reader.errors import InputError
from data_reader.files import write_csv

COLUMNS = ("id", "address", "reason")
_TEMPORARY = "temporary: "


def is_temporary(reason):
    """Whether a failure is tried again on the next run."""
    return reason.startswith(_TEMPORARY)


def reason_of(failure):
    """Return the reason that stands in the list."""
    return f"{_TEMPORARY if failure.temporary else ''}{failure}"


def read_failures(path):
    """Read a list -> `{photo id: (address, reason)}`; a last line that was cut short is left out.

    Raises:
        InputError: the file is something else.
    """
    if not path.is_file():
        return {}
    text = path.read_text(encoding="utf-8", errors="replace")
    try:
        rows = list(csv.reader(io.StringIO(text[: text.rfind("\n") + 1])))
    except csv.Error:
        rows = [[]]
    if any(len(row) != len(COLUMNS) for row in rows) or rows[:1] not in ([], [list(COLUMNS)]):
        raise InputError(f"{path} is not a list of {', '.join(COLUMNS)}; delete it.")
    return {id_: (address, reason) for id_, address, reason in rows[1:]}


@contextmanager
def failure_list(path, failures):
    """Write the list and yield a function that adds a row, which several threads may call.

    Args:
        failures: `{photo id: (address, reason)}`, to which the rows are added, too.
    """
    write_failures(path, failures)
    lock = threading.Lock()
    with path.open("a", encoding="utf-8", errors="backslashreplace", newline="") as file:
        writer = csv.writer(file)

        def add(id_, address, reason):
            row = [" ".join(field.split()) for field in (id_, address, reason)]  # one line
            with lock:
                writer.writerow(row)
                file.flush()
                failures[row[0]] = tuple(row[1:])

        yield add


def write_failures(path, failures):
    """Write the list in order of id."""
    write_csv(path, COLUMNS, [(id_, *failures[id_]) for id_ in sorted(failures)])

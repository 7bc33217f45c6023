"""Files in JSON whose fields are checked when they are read, so that what follows can trust them.

What a file must hold is written as data: a `Kind` for a value, a dictionary `{field: ...}` for the
fields that are known (others are not looked at), `Each` for a dictionary of values that are alike.
"""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from data_reader.errors import InputError
from data_reader.files import read_json
from data_reader.vocabulary import can_be_stored

_LARGEST_NUMBER = 1e300  # its percentage is still a number
_SHOWN = 60  # characters of what was found


class Kind(NamedTuple):
    """The values that a field may have, in words and as a test."""

    words: str
    holds: Callable[[Any], bool]


class Each(NamedTuple):
    """A dictionary of any names; what each of its values must be."""

    expected: Any


def whole(smallest=1):
    """The `Kind` of whole numbers from `smallest` on."""
    return Kind(
        f"a whole number from {smallest}",
        lambda value: type(value) is int and smallest <= value < 2**63,
    )


def number(smallest=-_LARGEST_NUMBER, largest=_LARGEST_NUMBER):
    """The `Kind` of finite numbers of a range, the limits included."""
    lower = f" from {smallest:g}" if smallest > -_LARGEST_NUMBER else ""
    upper = f" to {largest:g}" if largest < _LARGEST_NUMBER else ""
    return Kind(
        f"a number{lower}{upper}",
        lambda value: type(value) in (int, float) and smallest <= value <= largest,
    )


def optional(kind):
    """The `Kind` of the same values and of null."""
    return Kind(f"{kind.words} or null", lambda value: value is None or kind.holds(value))


def list_of(kind, count=None):
    """The `Kind` of lists of such values, of any number or of just so many."""
    return Kind(
        f"a list, each {kind.words}" if count is None else f"a list of {count}, each {kind.words}",
        lambda value: (
            isinstance(value, list) and count in (None, len(value)) and all(map(kind.holds, value))
        ),
    )


TEXT = Kind("a text", lambda value: isinstance(value, str) and can_be_stored(value))
FLAG = Kind("true or false", lambda value: isinstance(value, bool))
ANYTHING = Kind("anything", lambda value: True)
NUMBER_OR_NAN = Kind("a number", lambda value: value != value or number().holds(value))


def read_fields(path, expected, needed=()):
    """Read a dictionary from a JSON file and check its fields.

    Args:
        expected: see above.
        needed: the fields that must not be missing.

    Raises:
        FileNotFoundError: there is no such file.
        InputError: it is broken; the message says which field is what, and what was expected.
    """
    contents = read_json(path)
    if not isinstance(contents, dict):
        raise InputError(f"{path} is broken: expected a dictionary, found {_shown(contents)}.")
    if missing := [name for name in needed if name not in contents]:
        raise InputError(f"{path} lacks {', '.join(missing)}.")
    check_unicode(path, contents)
    check_fields(path, contents, expected)
    return contents


def check_unicode(where, contents):
    """Refuse contents of a JSON file with a text, or a name of a field, that is not Unicode.

    Raises:
        InputError: see `read_fields`.
    """
    if not can_be_stored(json.dumps(contents, ensure_ascii=False)):
        raise InputError(f"{where} is broken: it holds half of a surrogate pair, not a letter.")


def check_fields(where, value, expected, field=""):
    """Refuse a value, or one in it, that is not as expected.

    Args:
        where: the file, for the message.
        field: its name, for the message.

    Raises:
        InputError: see `read_fields`.
    """
    if isinstance(expected, Kind):
        if not expected.holds(value):
            raise InputError(f"{where}: {field} is {_shown(value)}, expected {expected.words}.")
        return
    if not isinstance(value, dict):
        raise InputError(f"{where}: {field} is {_shown(value)}, expected a dictionary.")
    for name, part in value.items():
        its = expected.expected if isinstance(expected, Each) else expected.get(name, ANYTHING)
        check_fields(where, part, its, f"{field}.{name}" if field else name)


def _shown(value):
    try:
        text = repr(value)
    except RecursionError:
        text = f"a {type(value).__name__}, nested deeply"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."

"""The project's own exception."""

import reprlib


class InputError(ValueError):
    """An input that can't be used: a file, a setting, an option.

    Its message says what arrived, what was expected and what to do.  Commands show it in one line
    (see `data_reader.cli.run_command`); any other exception but an operating-system error is a bug
    and keeps its traceback.
    """


def abbreviated(value):
    """A value in a message, of which little is shown, however long or deep it is."""
    return reprlib.repr(value)


def check_whole_number(name, value, smallest=1, largest=None):
    """Refuse a setting that is no whole number from `smallest` on, or is larger than `largest`.

    Raises:
        InputError: the message names the setting and its value.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < smallest:
        raise InputError(f"{name} is {value!r}; it must be a whole number from {smallest}.")
    if largest is not None and value > largest:
        raise InputError(f"{name} is {value}; it must be at most {largest:,}.")


def check_number(name, value, allowed, holds):
    """Refuse a setting that is no number, or is none of those for which `holds` is true.

    Args:
        allowed: these numbers, in words.

    Raises:
        InputError: the message names the setting and its value.
    """
    if not isinstance(value, int | float) or isinstance(value, bool) or not holds(value):
        raise InputError(f"{name} is {value!r}; it must be a number {allowed}.")


def check_flag(name, value):
    """Refuse a setting that is neither True nor False.

    Raises:
        InputError: the message names the setting and its value.
    """
    if not isinstance(value, bool):
        raise InputError(f"{name} is {value!r}; it must be True or False.")

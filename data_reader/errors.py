"""The project's own exception."""


class InputError(ValueError):
    """An input that can't be used: a file, a setting, an option.

    Its message says what arrived, what was expected and what to do.  Commands show it in one line
    (see `data_reader.cli.run_command`); any other exception but an operating-system error is a bug
    and keeps its traceback.
    """

"""Classes and other objects of a user's own modules, by "module:name".

That is what experiment.json keeps of a model or cell that is not one of the project's.
"""

import importlib
import sys
from pathlib import Path

from data_reader.errors import InputError


def import_path(definition):
    """A class or function -> "module:name", by which `import_object` finds it again.

    Raises:
        InputError: it stands inside a function or class, where no import reaches it.
    """
    if "." in definition.__qualname__:
        raise InputError(
            f"{definition.__qualname__} stands inside a function or class; "
            "move it to the top level of its file, so that it can be imported later."
        )
    in_script = definition.__module__ == "__main__"
    module = _name_of_script() if in_script else definition.__module__
    return f"{module}:{definition.__name__}"


def import_object(path):
    """ "module:name" -> the object of that name.

    Raises:
        InputError: there is no such module or no such name in it.
    """
    module, _, name = path.partition(":")
    found = _import_module(module, path)
    if not hasattr(found, name):
        raise InputError(f"{path}: the module {module} has no {name}.")
    return getattr(found, name)


def _import_module(module, path):
    # The script that runs is not imported a second time: its classes would be other ones.
    if module == _name_of_script():
        return sys.modules["__main__"]
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if not f"{module}.".startswith(f"{error.name}."):
            raise  # the module is there; what it imports is not
        raise InputError(
            f"{path}: there is no module {module}; run the command from the folder that holds "
            f"{module.partition('.')[0]}.py, or add that folder to PYTHONPATH."
        ) from error


def _name_of_script():
    """The name under which the running script can be imported; None in an interactive session."""
    main = sys.modules["__main__"]
    if getattr(main, "__spec__", None):
        return main.__spec__.name
    return Path(main.__file__).stem if hasattr(main, "__file__") else None

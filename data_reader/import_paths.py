"""Import paths, "module:name", of classes and functions in a user's own modules.

experiment.json names a model or cell that is not one of the project's own by its import path.
"""

import importlib
import sys
from pathlib import Path

from data_reader.errors import InputError


def import_path(definition):
    """Return the "module:name" by which `import_object` finds a class or function again.

    Raises:
        InputError: it is defined inside a function or class and so can't be imported.
    """
    if "." in definition.__qualname__:
        raise InputError(
            f"{definition.__qualname__} is defined inside a function or class; "
            "move it to the top level of its file, so that it can be imported later."
        )
    in_script = definition.__module__ == "__main__"
    module = _name_of_script() if in_script else definition.__module__
    return f"{module}:{definition.__name__}"


def import_object(path):
    """Import an object by its "module:name".

    Raises:
        InputError: there is no such module or no such name in it.
    """
    module, _, name = path.partition(":")
    if not module or module.startswith("."):
        raise InputError(f"{path!r} is not an import path of the form module:name.")
    found = _import_module(module, path)
    if not hasattr(found, name):
        raise InputError(f"{path}: the module {module} has no {name}.")
    return getattr(found, name)


def _import_module(module, path):
    # The running script is not imported a second time: that would make new classes.
    if module == _name_of_script():
        return sys.modules["__main__"]
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if not f"{module}.".startswith(f"{error.name}."):
            raise  # the module exists, but a module that it imports does not
        raise InputError(
            f"{path}: there is no module {module}; run the command from the folder that holds "
            f"{module.partition('.')[0]}.py, or add that folder to PYTHONPATH."
        ) from error


def _name_of_script():
    """Return the module name of the running script; None in an interactive session."""
    main = sys.modules["__main__"]
    if getattr(main, "__spec__", None):
        return main.__spec__.name
    return Path(main.__file__).stem if hasattr(main, "__file__") else None

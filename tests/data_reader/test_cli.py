import pytest

from data_reader.cli import run_command


def test_a_wrong_input_is_one_line_and_status_2(capsys):
    def main():
        raise ValueError("Story 420 has\n4 photos.")

    with pytest.raises(SystemExit) as stopped:
        run_command(main)
    assert stopped.value.code == 2
    assert capsys.readouterr().err == "error: Story 420 has 4 photos.\n"


def test_a_mistake_in_the_program_keeps_its_traceback():
    def main():
        raise KeyError("bug")

    with pytest.raises(KeyError):
        run_command(main)

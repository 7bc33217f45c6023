import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from data_reader.cli import import_tensorflow, run_command
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


def test_keras_runs_on_tensorflow_whatever_the_environment_says(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    import_tensorflow()
    assert os.environ["KERAS_BACKEND"] == "tensorflow"
    code = "import os, models; print(os.environ['KERAS_BACKEND'])"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "KERAS_BACKEND": "jax"}
    printed = subprocess.check_output([sys.executable, "-c", code], env=environment, text=True)
    assert printed == "tensorflow\n"


def test_keras_imported_with_another_backend_is_refused(monkeypatch):
    on_jax = SimpleNamespace(config=SimpleNamespace(backend=lambda: "jax"))  # none is installed
    monkeypatch.setitem(sys.modules, "keras", on_jax)
    with pytest.raises(InputError, match="Keras runs on jax here, but this project's models need"):
        import_tensorflow()

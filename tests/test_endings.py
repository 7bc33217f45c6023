"""How commands end before they are done: by signals, full disks, and outputs that nobody reads."""

import os
import re
import signal
import subprocess
import sys
import time

import pytest

WRITES_FOR_EVER = """
import time
from data_reader.cli import run_command
from data_reader.files import atomic_write

def main():
    with atomic_write("scores.json") as partial:
        partial.write_text("half")
        print("begun", flush=True)
        time.sleep(60)

run_command(main)
"""


def start(*arguments, **options):
    """Start Python as a terminal does, with buffered output."""
    environment = {"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONUNBUFFERED": ""}
    return subprocess.Popen(
        [sys.executable, *map(str, arguments)],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | environment | options.pop("environment", {}),
        **options,
    )


@pytest.mark.parametrize(
    "command",
    [
        "data_reader",
        "data_reader.image_mean_calculation",
        "dataset",
        "dataset.image_features",
        "dataset.models.alexnet",
        "dataset.sample",
        "generation.scores",
        "generation.story_strip",
        "models.share",
        "training.experiments.attention",
    ],
)
def test_ctrl_c_while_modules_load_is_one_line(command):
    with start("-X", "importtime", "-m", command, "--help") as process:
        while next(process.stderr).split("|")[-1].strip() != "data_reader":
            pass
        process.send_signal(signal.SIGINT)
        rest = [line for line in process.stderr if not line.startswith("import time:")]
    assert rest == ["interrupted\n"]
    assert process.returncode == 130


def test_the_import_of_a_package_by_others_leaves_ctrl_c_to_them():
    code = "import data_reader, models, signal; print(signal.getsignal(signal.SIGINT).__name__)"
    with start("-c", code, stdout=subprocess.PIPE) as process:
        assert process.stdout.read() == "default_int_handler\n"


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (signal.SIGINT, "interrupted\n"),
        (signal.SIGTERM, "ended by SIGTERM\n"),
        (signal.SIGHUP, "ended by SIGHUP\n"),
    ],
)
def test_a_signal_is_one_line_and_leaves_no_half_written_file(tmp_path, number, said):
    with start("-c", WRITES_FOR_EVER, cwd=tmp_path, stdout=subprocess.PIPE) as process:
        assert next(process.stdout) == "begun\n"
        process.send_signal(number)
        assert process.stderr.read() == said
    assert process.returncode == 128 + number
    assert list(tmp_path.iterdir()) == []


def test_a_signal_that_is_ignored_stays_so(tmp_path):
    code = "import os, signal; os.kill(os.getpid(), signal.SIGHUP); print('goes on')"
    code = f"from data_reader.cli import run_command; run_command(lambda: exec({code!r}))"
    nohup = {"preexec_fn": lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)}
    with start("-c", code, stdout=subprocess.PIPE, **nohup) as process:
        assert process.stdout.read() == "goes on\n"


@pytest.mark.parametrize(
    ("number", "said"), [(signal.SIGINT, "interrupted\n"), (signal.SIGHUP, "ended by SIGHUP\n")]
)
def test_a_sample_set_is_made_by_one_process_and_ends_with_all_its_children(tmp_path, number, said):
    command = ("-m", "dataset.sample", "--data", tmp_path, "--albums", 90, 1, 1)
    with start(*command, start_new_session=True) as first:
        while not list(tmp_path.rglob("*.jpg")):
            time.sleep(0.05)
        with start(*command) as second:
            assert "Another process is making the sample set" in second.stderr.read()
        assert second.returncode == 2
        os.killpg(first.pid, number)  # as a terminal does
        assert first.stderr.read() == said
    assert first.returncode == 128 + number
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("length", [1, 100_000])
@pytest.mark.parametrize(
    ("sink", "status", "said"),
    [("closed pipe", 141, ""), ("/dev/full", 2, "error: [Errno 28] No space left on device")],
)
def test_an_output_that_cant_be_written(length, sink, status, said):
    code = f"from data_reader.cli import run_command; run_command(lambda: print({length} * 'x'))"
    reading, writing = os.pipe()
    os.close(reading)
    full = os.open("/dev/full", os.O_WRONLY)
    with start("-c", code, stdout=full if sink == "/dev/full" else writing) as process:
        os.close(writing)
        os.close(full)
        error = process.stderr.read()
    assert process.returncode == status
    assert error.startswith(said)
    assert error.count("\n") == bool(said)


def test_no_file_gets_the_number_of_a_closed_stream(tmp_path):
    code = """
import os
from data_reader.cli import run_command

def main():
    with open("features.hdf5", "wb") as file:
        print("for nobody", flush=True)
        os.write(2, b"a library's notice")
        file.write(b"features")

run_command(main)
"""
    with start("-c", code, cwd=tmp_path, preexec_fn=lambda: os.closerange(1, 3)):
        pass
    assert (tmp_path / "features.hdf5").read_bytes() == b"features"


def test_a_file_too_large_is_one_line(tmp_path):
    command = f"ulimit -f 8; exec {sys.executable} -m dataset.sample --data {tmp_path} --smoke-test"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert re.fullmatch(r"error: \[Errno 27\] File too large: '.*\.json'\n", done.stderr)
    assert done.returncode == 2
    assert list(tmp_path.iterdir()) == []


def test_names_outside_of_ascii_work_in_the_plainest_locale(tmp_path):
    """File names in a file are text, whatever the locale says of those on the command line."""
    import cv2
    import numpy as np

    plain = {
        "LC_ALL": "C",
        "PYTHONUTF8": "0",
        "PYTHONCOERCECLOCALE": "0",
        "PYTHONIOENCODING": "ascii",
    }
    photo = tmp_path / "café.png"
    photo.write_bytes(cv2.imencode(".png", np.zeros((8, 8, 3), np.uint8))[1])
    stories = tmp_path / "stories.jsonl"
    stories.write_text('{"photos": ["café.png"], "sentences": ["Café."]}\n', encoding="utf-8")
    data = tmp_path / os.fsdecode(b"caf\xe9")
    command = ("-m", "dataset.import_stories", stories, "--data", data)
    with start(*command, environment=plain, stdout=subprocess.PIPE) as process:
        out, error = process.communicate()
    assert process.returncode == 0, error
    assert "1 stories of 1 photos" in out
    assert "caf\\udce9" in out
    assert [path.stat().st_ino for path in data.rglob("*.png")] == [photo.stat().st_ino]

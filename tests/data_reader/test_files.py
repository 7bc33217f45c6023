import os
import socket
import subprocess
import sys
import time

import pytest

from data_reader.errors import InputError
from data_reader.files import (
    atomic_write,
    exclusive_lock,
    read_json,
    shared_lock,
    write_json,
)


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "scores.json"
    path.write_text("old")
    with pytest.raises(RuntimeError), atomic_write(path) as partial:
        partial.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_is_not_written_to_as_a_file(tmp_path):
    with pytest.raises(InputError, match="is a folder; give the name"), atomic_write(tmp_path):
        pass


def test_processes_that_write_the_same_file_leave_one_whole_file(tmp_path):
    path = tmp_path / "page.html"
    code = f"""
from data_reader.files import atomic_write
for _ in range(300):
    with atomic_write({str(path)!r}) as partial:
        partial.write_text("x" * 10_000)
"""
    writers = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(2)]
    assert [writer.wait() for writer in writers] == [0, 0]
    assert path.read_text() == "x" * 10_000
    assert list(tmp_path.iterdir()) == [path]


def test_the_temporary_file_of_a_killed_process_is_removed(tmp_path):
    path = tmp_path / "page.html"
    code = f"""
import os, signal
from data_reader.files import atomic_write
with atomic_write({str(path)!r}) as partial:
    partial.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", code], check=False)
    assert len(list(tmp_path.iterdir())) == 1
    with atomic_write(path) as partial:
        partial.write_text("whole")
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_text() == "whole"


@pytest.mark.parametrize(
    ("name", "hours", "stays"),
    [
        (".own_1.{here}.999999999.partial.png", 0, False),  # killed: there is no such process
        (".own_1.{here}.1.partial.png", 0, True),
        (".own_1.{here}.1.partial.png", 25, False),  # another process has got its number
        (".own_1.node7.cluster.12.partial", 23, True),
        (".own_1.node7.cluster.12.partial", 25, False),
        (".sis.partial", 25, True),  # a download, which is resumed
        ("own_1.node7.12.partial.png", 25, True),
    ],
)
def test_temporary_files_of_whatever_name_go_with_their_process_or_after_a_day(
    tmp_path, name, hours, stays
):
    leftover = tmp_path / name.format(here=socket.gethostname())
    leftover.write_text("half")
    then = time.time() - hours * 3600
    os.utime(leftover, (then, then))
    with atomic_write(tmp_path / "other.json") as partial:
        partial.write_text("whole")
    assert leftover.exists() == stays


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="Linux tells of zombies")
def test_the_temporary_file_of_a_killed_process_goes_even_if_nobody_asked_for_its_end(tmp_path):
    process = subprocess.Popen(["sleep", "60"])
    leftover = tmp_path / f".own_1.{socket.gethostname()}.{process.pid}.partial.png"
    for kill, stays in ((False, True), (True, False)):
        leftover.touch()
        if kill:
            process.kill()
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # it stays a zombie
        with atomic_write(tmp_path / "other.json") as partial:
            partial.write_text("whole")
        assert leftover.exists() == stays
    process.wait()


def test_json_comes_back_as_written(tmp_path):
    write_json(tmp_path / "a.json", {"word": "café"})
    assert read_json(tmp_path / "a.json") == {"word": "café"}


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        ("", "is empty"),
        ('{"annotations": [[{"te', "cut short"),
        ("\udcff", "cut short"),
        ("[" * 100_000, "cut short"),
    ],
)
def test_a_broken_json_file_is_named(tmp_path, contents, message):
    path = tmp_path / "train.json"
    path.write_bytes(contents.encode("utf-8", "surrogateescape"))
    with pytest.raises(InputError, match=rf"train\.json {message}|train\.json is {message}"):
        read_json(path)


def test_a_text_that_is_not_unicode_is_an_input_error_and_nothing_is_written(tmp_path):
    with pytest.raises(InputError, match=r"a\.json can't be written: a text is not Unicode"):
        write_json(tmp_path / "a.json", {"path": "caf\udce9.jpg"})
    assert list(tmp_path.iterdir()) == []


def test_a_folder_s_lock_is_held_by_one_process_at_a_time(tmp_path):
    with (
        exclusive_lock(tmp_path / "run"),
        pytest.raises(InputError, match="Another process"),
        exclusive_lock(tmp_path / "run", "Another process is training here."),
    ):
        pass
    with exclusive_lock(tmp_path / "run", "Another process is training here."):
        pass


def test_a_shared_lock_excludes_only_an_exclusive_one(tmp_path):
    refusal = "Another process is extracting here."
    with (
        shared_lock(tmp_path, refusal),
        shared_lock(tmp_path, refusal),
        pytest.raises(InputError, match=refusal),
        exclusive_lock(tmp_path, refusal),
    ):
        pass
    with (
        exclusive_lock(tmp_path),
        pytest.raises(InputError, match=refusal),
        shared_lock(tmp_path, refusal),
    ):
        pass

import subprocess
import sys

import h5py
import pytest

from data_reader.files import atomic_write, exclusive_lock, open_hdf5, read_json, write_json


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "scores.json"
    path.write_text("old")
    with pytest.raises(RuntimeError), atomic_write(path) as partial:
        partial.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


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


def test_what_a_killed_process_had_begun_is_removed(tmp_path):
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
    with pytest.raises(ValueError, match=rf"train\.json {message}|train\.json is {message}"):
        read_json(path)


def test_a_missing_hdf5_file_names_the_command_that_makes_it(tmp_path):
    with pytest.raises(FileNotFoundError, match="is missing; make it with: make features"):
        open_hdf5(tmp_path / "f.hdf5", ["embeddings"], "make features")


def test_an_hdf5_file_cut_short_is_named(tmp_path):
    path = tmp_path / "f.hdf5"
    with h5py.File(path, "w") as file:
        file["embeddings"] = [1.0] * 1000
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(ValueError, match=r"f\.hdf5 is no readable HDF5 file"):
        open_hdf5(path, ["embeddings"], "make features")


def test_a_missing_dataset_is_named(tmp_path):
    path = tmp_path / "f.hdf5"
    with h5py.File(path, "w") as file:
        file["embeddings"] = [1.0]
    with pytest.raises(ValueError, match=r"lacks image_ids \(it holds embeddings\)"):
        open_hdf5(path, ["embeddings", "image_ids"], "make features")


def test_a_folder_s_lock_is_held_by_one_process_at_a_time(tmp_path):
    with (
        exclusive_lock(tmp_path / "run"),
        pytest.raises(ValueError, match="Another process"),
        exclusive_lock(tmp_path / "run", "Another process is training here."),
    ):
        pass
    with exclusive_lock(tmp_path / "run", "Another process is training here."):
        pass

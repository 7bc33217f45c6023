"""python -m dataset.download as a user runs it, on archives and photos from the loopback."""

import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import time
import zipfile
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from faulty_server import FaultyServer, no_faults

from data_reader.files import exclusive_lock
from data_reader.layout import SPLITS, DataLayout
from dataset.download import __main__ as command
from dataset.download import archives, plan
from dataset.download.addresses import NAMES
from dataset.download.photos import NO_ADDRESS, NO_FILE_NAME

ARCHIVES = {
    "sis": "sis.tar.gz",
    "dii": "dii.tar.gz",
    "alexnet": "weights.npy",
    "glove": "glove.zip",
    "arel": "arel.zip",
}


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """Annotations of two photos per split, of which one is missing, and the other downloads."""
    folder = tmp_path_factory.mktemp("served")
    with FaultyServer(folder) as server:
        for name, tier in archives.TIERS.items():
            write_annotations(folder / ARCHIVES[name], name, tier, server.address)
        for number in range(3):
            photo = np.full((60, 80, 3), 50 * number, np.uint8)
            assert cv2.imwrite(str(folder / f"{number}1.jpg"), photo)
        (folder / "weights.npy").write_bytes(b"\x93NUMPY and so on")
        (folder / "cut.zip").write_bytes(b"PK\3\4 and no more")
        write_zip(folder / "glove.zip", {"glove.6B.50d.txt": "a 1", "glove.6B.300d.txt": "a 2"})
        write_zip(folder / "arel.zip", {"resnet_features/fc/train/01.npy": "." * 500_000})
        yield server


def write_annotations(archive, folder, tier, address):
    with tarfile.open(archive, "w:gz") as tar:
        for number, split in enumerate(("train", "val", "test")):
            ids = [f"{number}1", f"{number}2"]
            images = [{"id": id_, "url_o": f"{address}/{id_}.jpg"} for id_ in ids]
            annotations = [[{"photo_flickr_id": id_}] for id_ in ids]
            text = json.dumps({"images": images, "annotations": annotations}).encode()
            member = tarfile.TarInfo(f"{folder}/{split}.{tier}.json")
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text))


def write_zip(path, contents):
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in contents.items():
            archive.writestr(name, text)


@pytest.fixture
def layout(tmp_path):
    return DataLayout(tmp_path / "data")


@pytest.fixture
def download(served, layout, monkeypatch, capsys):
    """Run the command in this process -> (its exit status, its output, its errors)."""
    monkeypatch.setattr(archives, "ALEXNET_WEIGHTS", layout.root / "weights" / "alexnet.npy")
    monkeypatch.setattr(archives, "WORD_VECTORS", layout.root / "glove.6B.300d.txt")
    monkeypatch.setenv("no_proxy", "127.0.0.1")

    def run(*arguments, addresses=None, yes=("--yes",)):
        files = ARCHIVES | (addresses or {})
        options = [f"--address={name}={served.address}/{files[name]}" for name in NAMES]
        options += ["--data", str(layout), *yes]
        monkeypatch.setattr(sys, "argv", ["download", *map(str, arguments), *options])
        try:
            command.run_command(command.main)
            status = 0
        except SystemExit as end:
            status = end.code
        shown = capsys.readouterr()
        return status, shown.out, shown.err

    return run


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_everything_is_fetched_and_put_into_place(download, layout):
    status, out, err = download("photos", "features", "annotations", "alexnet", "glove")
    assert (status, err) == (0, "")
    for split in SPLITS:
        for tier in archives.TIERS.values():
            assert "annotations" in json.loads(layout.annotations(split, tier).read_text())
    assert names(layout.vist) == ["dii", "sis", "test_data", "training_data", "validate_data"]
    assert len(names(layout.vist / "sis")) == 3
    assert names(layout.downloaded_photos("valid")) == ["11.jpg"]
    assert layout.failed_downloads("valid").read_text().splitlines()[1].startswith("12,http://")
    assert (layout.root / "weights" / "alexnet.npy").read_bytes().startswith(b"\x93NUMPY")
    assert (layout.root / "glove.6B.300d.txt").read_text() == "a 2"
    assert names(layout.root / "models") == ["resnet_features.zip"]
    assert f"glove: fetched, glove.6B.300d.txt in {layout}\n" in out
    assert "valid photos: 1 fetched, 0 were there, 1 failed, in" in out
    assert "        1  404 Not Found" in out
    vectors = layout.arel_features / "resnet_features" / "fc"
    next_one = f"--from-npy {vectors} --extractor arel --data {layout}"
    assert out.endswith(f"Next: python -m dataset.image_features {next_one}\n")


def test_nothing_is_fetched_twice(download, served, layout):
    everything = ("annotations", "photos", "alexnet", "glove", "features")
    download(*everything)
    served.asked.clear()
    status, out, _ = download(*everything, yes=())  # nothing to ask about
    assert status == 0
    assert served.asked == {}
    assert f"glove: there already, {layout}" in out
    assert "test photos: 0 fetched, 1 were there, 1 failed" in out
    assert "--retry-failed tries them again" in out


def test_a_split_that_is_given_twice_is_fetched_once(download, served):
    download("annotations")
    served.asked.clear()
    download("photos", "--split", "test", "test")
    assert served.asked == {"/21.jpg": 1, "/22.jpg": 1}


def test_sizes_are_shown_first(download, served, layout, monkeypatch):
    set_free_disk(monkeypatch, 10**12)
    served.asked.clear()
    status, out, err = download("annotations", "photos", "--max-side", 0, "--split", "test", yes=())
    assert (status, served.asked) == (2, {})
    assert err == "error: There is no terminal to ask on; give --yes to fetch this.\n"
    lines = out.splitlines()
    assert lines[0].startswith("sis: ")
    assert lines[0].endswith(f"bytes to fetch, 300 MB on the disk, {layout.vist / 'sis'}")
    assert lines[2].startswith("test photos, about 21,075: 32 GB to fetch, 32 GB on the disk, ")
    assert lines[3].endswith(f" are free on the disk of {layout.vist / 'sis'}")
    assert not layout.root.exists()


def set_free_disk(monkeypatch, free):
    usage = SimpleNamespace(free=free)
    monkeypatch.setattr(plan.shutil, "disk_usage", lambda folder: usage)


def test_on_a_terminal_it_asks(download, layout, monkeypatch):
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    for answer, status in (("", 2), ("n", 2), ("y", 0)):
        monkeypatch.setattr("builtins.input", lambda question, answer=answer: answer)
        assert download("features", yes=())[0] == status
        assert layout.arel_features.exists() == (answer == "y")


@pytest.mark.parametrize(
    ("what", "advice"),
    [
        (["features"], "make space, or use --data."),
        (["glove"], "make space."),
        (["annotations", "photos"], "make space, or use --data, --split or --max-side."),
    ],
)
def test_too_little_space_is_refused(download, layout, monkeypatch, what, advice):
    set_free_disk(monkeypatch, 10)
    status, _, err = download(*what)
    assert status == 2
    assert err.endswith(f", but 10 bytes are free; {advice}\n")
    assert err.count("\n") == 1
    assert not layout.root.exists()


def test_a_disk_that_becomes_full_is_named_with_its_folder(download, layout):
    layout.arel_features.parent.mkdir(parents=True)
    layout.arel_features.with_name(".arel.partial").symlink_to("/dev/full")
    status, _, err = download("features")
    assert status == 2
    assert err == (
        f"error: {layout.arel_features.parent} can't be written to (No space left on device); "
        "make space, then give the same command again: it goes on where it ended.\n"
    )


@pytest.mark.parametrize("what", ["annotations", "photos"])
def test_a_file_in_the_place_of_the_data_folder_is_refused(download, layout, what):
    layout.root.write_text("a file")
    status, _, err = download(what)
    assert status == 2
    assert err.startswith(
        f"error: {layout.root} is a file, so there can't be a folder {layout.root}"
    )


@pytest.mark.parametrize(
    ("what", "name", "file", "reason"),
    [
        ("annotations", "sis", "nothing", "404 Not Found"),
        ("annotations", "sis", "glove.zip", "the archive lacks train.story-in-sequence.json"),
        ("annotations", "sis", "weights.npy", "it is not an archive: it begins with b'\\x93NUMPY"),
        ("alexnet", "alexnet", "arel.zip", "begins with b'\\x93NUMPY', but it is b'PK"),
        ("features", "arel", "cut.zip", "the zip is cut short"),
        ("features", "arel", "weights.npy", "begins with b'PK', but it is b'\\x93NUMPY"),
    ],
)
def test_what_is_something_else_is_refused_in_one_line(
    download, served, layout, what, name, file, reason
):
    status, _, err = download(what, addresses={name: file})
    assert status == 2
    assert err.startswith(f"error: {served.address}/{file}")
    assert reason in err
    assert err.count("\n") == 1
    assert [path for path in layout.root.rglob("*") if path.is_file()] == []


def test_photos_need_annotations(download, layout):
    status, _, err = download("photos")
    assert status == 2
    assert err == (
        f"error: {layout.downloaded_annotations('train')} is missing; "
        f"fetch it with: python -m dataset.download annotations --data {layout}\n"
    )
    assert not layout.root.exists()


def test_photos_that_are_there_elsewhere_need_no_folder(download, served, layout):
    download("annotations")
    layout.photos("test").mkdir()
    for name in ("21.jpg", "22.jpg"):
        (layout.photos("test") / name).write_bytes((served.folder / "21.jpg").read_bytes())
    status, out, _ = download("photos", "--split", "test", yes=())
    assert status == 0
    assert "test photos: 0 fetched, 2 were there, 0 failed" in out
    assert not layout.downloaded_photos("test").exists()


def test_two_downloads_into_one_folder_are_refused(download, layout):
    with exclusive_lock(layout.vist / "sis"):
        status, _, err = download("annotations")
    assert status == 2
    assert err == (
        f"error: Another download into {layout.vist / 'sis'} is running; wait for it or stop it.\n"
    )


@pytest.mark.parametrize(
    ("number", "said"), [(signal.SIGINT, "interrupted"), (signal.SIGTERM, "ended by SIGTERM")]
)
def test_it_can_be_stopped_and_continued(download, served, layout, number, said):
    """The server does not go on in the middle of a file."""
    served.faults = lambda path: ("hang",) if path == "/arel.zip" else ("",)
    address = f"arel={served.address}/arel.zip"
    arguments = ["features", "--data", str(layout), "--yes", "--address", address]
    running = subprocess.Popen(
        [sys.executable, "-m", "dataset.download", *arguments],
        stderr=subprocess.PIPE,
        env=os.environ | {"no_proxy": "127.0.0.1"},
        text=True,
    )
    try:
        partial = layout.arel_features.with_name(".arel.partial")
        deadline = time.monotonic() + 20
        while not (partial.exists() and partial.stat().st_size) and time.monotonic() < deadline:
            time.sleep(0.01)
        running.send_signal(number)
        assert running.communicate(timeout=20)[1].splitlines()[-1] == said
        assert running.returncode == 128 + number
    finally:
        running.kill()
        served.faults = no_faults
    assert download("features")[0] == 0
    assert served.ranges[-1] == "/arel.zip"
    assert zipfile.is_zipfile(layout.arel_features)


@pytest.mark.parametrize(
    ("reasons", "advice"),
    [
        ({NO_ADDRESS: 3, NO_FILE_NAME: 1}, ""),
        ({NO_ADDRESS: 3, "404 Not Found": 1}, "; --retry-failed tries them again"),
        ({NO_ADDRESS: 3, "temporary: 503": 1}, "; the same command tries them again"),
    ],
)
def test_trying_again_is_advised_only_where_it_can_help(reasons, advice):
    assert command._how_to_try_again(reasons) == advice

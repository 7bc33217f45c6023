"""Extractions that several processes share, on one machine or, as far as they know, on several."""

import os
import shutil
import signal
import socket
import subprocess
import sys

import h5py
import numpy as np
import pytest
import tiny_extraction
from tiny_extraction import mean_colour, write_photos

from data_reader.errors import InputError
from data_reader.image_data_reader import find_photos
from data_reader.layout import REPOSITORY, DataLayout
from dataset import feature_parts, image_features
from dataset.feature_parts import WHOLE, PartsFolder, Shard
from dataset.image_features import Unfinished, extract, extract_all, main

# Parts 0 to 5 of two photos each, the last one of one; a photo of part 1 and of part 3 is broken.
PHOTOS = 11
EXTRACTED = [0, 1, 2, 4, 5, 6, 8, 9, 10]


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    monkeypatch.setattr(image_features, "PHOTOS_PER_PART", tiny_extraction.PHOTOS_PER_PART)


@pytest.fixture
def layout(tmp_path):
    layout = DataLayout(tmp_path)
    folder = layout.photos("train") / "images"
    write_photos(folder, PHOTOS)
    (folder / "003.png").write_bytes(b"")
    (folder / "007.png").write_bytes(b"\x89PNG")
    return layout


def extract_train(layout, shard=WHOLE, extractor=None):
    photos = find_photos(layout.photos("train"))
    paths = layout.features("train"), layout.skipped_photos("train")
    return extract(photos, extractor or mean_colour(), *paths, shard)


def assert_complete(layout):
    with h5py.File(layout.features("train")) as file:
        assert file["image_ids"].asstr()[:].tolist() == [f"{number:03}" for number in EXTRACTED]
        assert file["embeddings"][:].tolist() == [[number, 0, 2] for number in EXTRACTED]
    lines = layout.skipped_photos("train").read_text().splitlines()
    assert [line.split(",")[:2] for line in lines] == [
        ["id", "reason"],
        ["003", "empty file"],
        ["007", "cut short or broken PNG"],
    ]
    assert len(list(layout.features("train").parent.iterdir())) == 2  # the parts are gone


class Meanwhile:
    """Computes as `mean_colour`, but before one of its batches something else happens."""

    def __init__(self, action, batch=0):
        self.action, self.batch = action, batch
        self.seen = []

    def __call__(self, inputs):
        if self.batch == 0:
            self.action()
        self.batch -= 1
        self.seen.extend(inputs[:, 0, 0, 0])
        return inputs.mean(axis=(1, 2))


def test_shards_complete_the_features_in_any_order_and_number(layout):
    assert extract_train(layout, Shard(2, 3)) == Unfinished(parts=6, missing=4, of_shard=2)
    assert extract_train(layout, Shard(1, 2)) == Unfinished(parts=6, missing=2, of_shard=3)
    assert extract_train(layout, Shard(3, 3)) == Unfinished(parts=6, missing=1, of_shard=2)
    assert extract_train(layout, Shard(8, 9)) == Unfinished(parts=6, missing=1, of_shard=0)
    assert extract_train(layout, Shard(2, 2)) == (9, 2)
    assert_complete(layout)


def test_a_call_without_shards_computes_only_what_they_left(layout):
    extract_train(layout, Shard(1, 2))
    rest = Meanwhile(lambda: None)
    assert extract_train(layout, extractor=mean_colour(rest)) == (9, 2)
    assert rest.seen == [2, 6, 10]
    assert_complete(layout)


@pytest.mark.parametrize("batch", [0, 1, 2])
def test_a_slower_shard_ends_well_when_others_have_assembled_the_features(layout, batch):
    def others():
        results = [extract_train(layout, Shard(number, 3)) for number in (1, 2, 3)]
        assert results[2] == (9, 2)
        assert_complete(layout)

    assert extract_train(layout, Shard(1, 2), mean_colour(Meanwhile(others, batch))) == (9, 2)
    assert_complete(layout)


def test_a_part_that_another_process_computes_meanwhile_is_not_begun(layout, monkeypatch):
    monkeypatch.setattr(image_features, "BATCH_SIZE", 1)  # and so two photos are decoded ahead
    slow = Meanwhile(lambda: extract_train(layout, Shard(5, 6)))
    extract_train(layout, Shard(1, 2), mean_colour(slow))
    assert slow.seen == [0, 1, 4, 5]  # not 8 and 9


def test_two_processes_may_assemble_at_once(layout, monkeypatch):
    extract_train(layout, Shard(1, 2))
    assemble = image_features._assemble

    def second(*arguments):
        monkeypatch.setattr(image_features, "_assemble", assemble)
        assert extract_train(layout, Shard(2, 3)) == (9, 2)
        assemble(*arguments)

    monkeypatch.setattr(image_features, "_assemble", second)
    assert extract_train(layout, Shard(2, 2)) == (9, 2)
    assert_complete(layout)


def test_parts_that_stayed_beside_complete_features_are_removed(layout, monkeypatch):
    with monkeypatch.context() as context, pytest.raises(KeyboardInterrupt):
        context.setattr(PartsFolder, "remove", lambda _: _interrupt())
        extract_train(layout)
    assert layout.features("train").with_suffix(".parts").exists()
    monkeypatch.setattr(image_features, "load_extractor", lambda *_: mean_colour())
    extract_all(layout, shard=Shard(2, 3))
    assert_complete(layout)


def _interrupt():
    raise KeyboardInterrupt


OTHERS = mean_colour(weights_checksum="other")
SAME_MACHINE = [
    (Shard(1, 2), Shard(1, 2), None, "Shard 1/2 of .* already runs on this machine"),
    (Shard(1, 2), WHOLE, None, "Another process is extracting"),
    (WHOLE, Shard(1, 2), None, "Another process is extracting"),
    (Shard(1, 2), Shard(2, 2), OTHERS, r"Shard 1/2 on .*\(weights_checksum none there, other here"),
    (
        Shard(1, 2),
        Shard(2, 2),
        mean_colour(precision="bfloat16"),
        r"\(precision float32 there, bfloat16 here",
    ),
]


@pytest.mark.parametrize(("first", "second", "extractor", "message"), SAME_MACHINE)
def test_a_process_that_would_disturb_another_one_is_refused(
    layout, first, second, extractor, message
):
    def disturb():
        with pytest.raises(InputError, match=message):
            extract_train(layout, second, extractor)

    extract_train(layout, first, mean_colour(Meanwhile(disturb)))
    extract_train(layout, Shard(2, 2))
    assert_complete(layout)


def test_the_parts_of_another_machine_are_removed_only_if_it_has_been_silent(layout, monkeypatch):
    def from_elsewhere():
        monkeypatch.setattr(socket, "gethostname", lambda: "node7")
        assert extract_train(layout, Shard(1, 2)) == Unfinished(parts=6, missing=3, of_shard=3)
        with pytest.raises(InputError, match=rf"Shard 1/2 on {here} .* none there, other here"):
            extract_train(layout, Shard(2, 2), OTHERS)
        [manifest] = layout.features("train").with_suffix(".parts").glob("*1-of-2*/manifest.json")
        os.utime(manifest, (0, manifest.stat().st_mtime - feature_parts.SILENCE - 10))
        extract_train(layout, Shard(2, 2), OTHERS)

    here = socket.gethostname()
    with pytest.raises(FileNotFoundError, match=r"\.parts was removed during the extraction"):
        extract_train(layout, Shard(1, 2), mean_colour(Meanwhile(from_elsewhere)))
    # What the silent one still wrote is not taken for a part of the others.
    assert extract_train(layout, Shard(1, 2), OTHERS) == (9, 2)


def test_a_shard_reports_what_is_there(layout, monkeypatch, capsys):
    bfloat16 = mean_colour(precision="bfloat16")
    monkeypatch.setattr(image_features, "load_extractor", lambda *_: bfloat16)
    extract_all(layout, shard=Shard(3, 4), precision="bfloat16")
    extract_all(layout, shard=Shard(8, 8), precision="bfloat16")
    options = f"--extractor alexnet --precision bfloat16 --data {layout}"
    command = f"python -m dataset.image_features {options}"
    there = f"1 of 6 parts are there; the last shard assembles them, or: {command}"
    reports = [line for line in capsys.readouterr().out.splitlines() if line.startswith("train")]
    assert reports == [
        f"train: shard 3/4 is done; {there}",
        f"train: shard 8/8 has no part to compute; {there}",
    ]


@pytest.mark.parametrize("shard", ["0/8", "9/8", "a/b", "3", "1/0", "-1/8", "1/2/3", "²/3"])
def test_what_is_not_a_shard_is_refused(shard, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["image_features", f"--shard={shard}"])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    message = f"{shard!r} is not I/N with I from 1 to N, such as 3/8"
    assert capsys.readouterr().err == f"error: argument --shard: {message}; see --help\n"


def start(layout, shard, place="nowhere"):
    script = REPOSITORY / "tests" / "tiny_extraction.py"
    return subprocess.Popen(
        [sys.executable, script, place, "--data", layout.root, "--shard", shard],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
    )


def ends(*processes):
    return [process.wait() for process in processes]


def test_killed_shards_end_as_one_process_that_never_was(layout, tmp_path):
    extract_train(layout)
    with h5py.File(layout.features("train")) as file:
        expected = file["embeddings"][:], dict(file.attrs)
    skipped = layout.skipped_photos("train").read_bytes()
    shutil.rmtree(layout.features("train").parent)

    killed = -signal.SIGKILL
    assert ends(start(layout, "1/3", "after a part")) == [killed]
    assert ends(
        start(layout, "1/3"), start(layout, "2/3", "while a part is written"), start(layout, "3/3")
    ) == [0, killed, 0]
    assert ends(start(layout, "2/2")) == [0]
    assert ends(start(layout, "1/2", "before the parts are joined")) == [killed]
    assert not layout.features("train").exists()
    assert ends(*(start(layout, shard) for shard in ("1/3", "2/3", "3/3"))) == [0, 0, 0]

    assert_complete(layout)
    with h5py.File(layout.features("train")) as file:
        np.testing.assert_array_equal(file["embeddings"][:], expected[0])
        assert str(dict(file.attrs)) == str(expected[1])
    assert layout.skipped_photos("train").read_bytes() == skipped

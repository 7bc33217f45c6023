import csv
import multiprocessing
import os

import cv2
import h5py
import numpy as np
import pytest
from tiny_extraction import mean_colour, write_photos

from data_reader.errors import InputError
from data_reader.files import exclusive_lock
from data_reader.image_data_reader import find_photos
from data_reader.layout import DataLayout
from dataset.image_features import BATCH_SIZE, PHOTOS_PER_PART, extract, extract_all, main

PHOTOS = 2 * PHOTOS_PER_PART + 3
FEW = 5


class Interrupted:
    """Stops the extraction after some photos, as Ctrl-C does."""

    def __init__(self, after):
        self.left = after

    def __call__(self, inputs):
        self.left -= len(inputs)
        if self.left < 0:
            raise KeyboardInterrupt
        return inputs.mean(axis=(1, 2))


@pytest.fixture
def layout(tmp_path):
    layout = DataLayout(tmp_path)
    write_photos(layout.photos("train") / "images", PHOTOS)
    return layout


@pytest.fixture
def few(tmp_path):
    layout = DataLayout(tmp_path)
    write_photos(layout.photos("train") / "images", FEW)
    return layout


def extract_train(layout, extractor=None):
    photos = find_photos(layout.photos("train"))
    paths = layout.features("train"), layout.skipped_photos("train")
    return extract(photos, extractor or mean_colour(), *paths)


def read(layout):
    with h5py.File(layout.features("train")) as file:
        ids = [id_.decode() for id_ in file["image_ids"][:]]
        return ids, file["embeddings"][:], dict(file.attrs)


def test_features_are_stored_with_their_ids(layout):
    assert extract_train(layout) == (PHOTOS, 0)
    ids, embeddings, attributes = read(layout)
    assert ids == [f"{number:03}" for number in range(PHOTOS)]
    assert embeddings.dtype == np.float32
    assert embeddings.tolist() == [[n % 256, n // 256, 2] for n in range(PHOTOS)]
    assert attributes["extractor"] == "alexnet"
    assert attributes["channel_means"].tolist() == [0, 0, 0]
    files = {path.name for path in layout.features("train").parent.iterdir()}
    assert files == {"alexnet_image_train_features.hdf5", "skipped_photos_train.csv"}


def test_broken_photos_are_skipped_and_listed(layout):
    folder = layout.photos("train") / "images"
    (folder / "004.png").write_bytes((folder / "004.png").read_bytes()[:30])
    (folder / "007.png").write_bytes(b"")
    assert extract_train(layout) == (PHOTOS - 2, 2)
    with layout.skipped_photos("train").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows == [
        ["id", "reason", "path"],
        ["004", "cut short or broken PNG", str(folder / "004.png")],
        ["007", "empty file", str(folder / "007.png")],
    ]
    ids, embeddings, _ = read(layout)
    assert ids[:6] == ["000", "001", "002", "003", "005", "006"]
    assert embeddings[4].tolist() == [5, 0, 2]


def test_without_one_readable_photo_there_is_no_file(layout):
    for photo in layout.photos("train").rglob("*.png"):
        photo.write_bytes(b"")
    with pytest.raises(InputError, match=rf"None of the {PHOTOS} photos .*: empty file"):
        extract_train(layout)
    assert list(layout.features("train").parent.iterdir()) == []


@pytest.mark.parametrize("after", [0, 40, PHOTOS_PER_PART + 10, 2 * PHOTOS_PER_PART])
def test_an_interrupted_extraction_resumes_with_the_same_result(layout, tmp_path, after):
    extract_train(layout)
    expected = read(layout)
    layout.features("train").unlink()
    with pytest.raises(KeyboardInterrupt):
        extract_train(layout, mean_colour(Interrupted(after)))
    assert not layout.features("train").exists()
    # Finished parts are skipped: the rest fits into the photos that are left.
    left = PHOTOS - after // PHOTOS_PER_PART * PHOTOS_PER_PART
    assert extract_train(layout, mean_colour(Interrupted(left))) == (PHOTOS, 0)
    ids, embeddings, attributes = read(layout)
    assert ids == expected[0]
    np.testing.assert_array_equal(embeddings, expected[1])
    assert str(attributes) == str(expected[2])


def test_parts_of_other_weights_are_not_reused(layout):
    with pytest.raises(KeyboardInterrupt):
        extract_train(layout, mean_colour(Interrupted(PHOTOS_PER_PART)))
    doubled = mean_colour(lambda inputs: 2 * inputs.mean(axis=(1, 2)), weights_checksum="other")
    extract_train(layout, doubled)
    assert read(layout)[1][3].tolist() == [6, 0, 4]


def _hold(folder, held, release):
    with exclusive_lock(folder):
        held.set()
        release.wait(30)


def test_a_second_process_on_the_same_file_is_refused(layout):
    spawn = multiprocessing.get_context("spawn")
    held, release = spawn.Event(), spawn.Event()
    folder = layout.features("train").with_suffix(".parts")
    first = spawn.Process(target=_hold, args=(folder, held, release))
    first.start()
    try:
        assert held.wait(30)
        with pytest.raises(InputError, match="Another process is extracting"):
            extract_train(layout)
    finally:
        release.set()
        first.join()
    assert extract_train(layout) == (PHOTOS, 0)


def test_without_any_photo_folder_the_expected_ones_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"training_data, .*validate_data, .*test_data"):
        extract_all(DataLayout(tmp_path))


def extract_only_train(layout, monkeypatch, extractor):
    monkeypatch.setattr("dataset.image_features.load_extractor", lambda *_: extractor)
    extract_all(layout)


def test_features_of_the_same_photos_and_weights_are_kept(layout, monkeypatch, capsys):
    extract_only_train(layout, monkeypatch, mean_colour())
    assert f"train: {PHOTOS} photos extracted, 0 unreadable" in capsys.readouterr().out
    extract_only_train(layout, monkeypatch, mean_colour(Interrupted(0)))
    assert "train: already there" in capsys.readouterr().out


def test_features_of_other_photos_or_weights_or_broken_ones_are_extracted_again(
    layout, monkeypatch
):
    extract_only_train(layout, monkeypatch, mean_colour())
    extract_only_train(layout, monkeypatch, mean_colour(weights_checksum="other"))
    assert read(layout)[2]["weights_checksum"] == "other"

    photo = layout.photos("train") / "images" / "000.png"
    assert cv2.imwrite(str(photo), np.full((9, 9, 3), 77, np.uint8))
    extract_only_train(layout, monkeypatch, mean_colour(weights_checksum="other"))
    assert read(layout)[1][0].tolist() == [77, 77, 77]

    path = layout.features("train")
    path.write_bytes(path.read_bytes()[:1000])
    extract_only_train(layout, monkeypatch, mean_colour(weights_checksum="other"))
    assert len(read(layout)[0]) == PHOTOS


def exchange(photo, shade, seconds):
    """Overwrite a photo with one of the same size in bytes, some seconds later."""
    later = photo.stat().st_mtime + seconds
    pixels = np.full((6, 8, 3), (shade, 0, 2), np.uint8)
    contents = cv2.imencode(".bmp", pixels)[1].tobytes()
    photo.write_bytes(contents)
    os.utime(photo, (later, later))


def test_a_photo_exchanged_for_another_of_the_same_size_is_extracted_again(
    few, monkeypatch, capsys
):
    photo = few.photos("train") / "images" / "000.png"
    exchange(photo, 5, 0)
    extract_only_train(few, monkeypatch, mean_colour())
    exchange(photo, 77, 2)
    extract_only_train(few, monkeypatch, mean_colour())
    assert read(few)[1][0].tolist() == [77, 0, 2]

    capsys.readouterr()
    exchange(photo, 77, 2)  # the same contents, as a copy has them
    extract_only_train(few, monkeypatch, mean_colour(Interrupted(0)))
    assert "train: already there" in capsys.readouterr().out


def test_parts_of_a_photo_that_was_exchanged_are_not_reused(few, monkeypatch):
    photo = few.photos("train") / "images" / "000.png"
    exchange(photo, 5, 0)
    monkeypatch.setattr("dataset.image_features.PHOTOS_PER_PART", 2)
    with pytest.raises(KeyboardInterrupt):
        extract_train(few, mean_colour(Interrupted(2)))
    exchange(photo, 77, 2)
    extract_train(few)
    assert read(few)[1][0].tolist() == [77, 0, 2]


def test_features_that_do_not_record_times_limits_and_precision_are_kept(few, monkeypatch, capsys):
    extract_only_train(few, monkeypatch, mean_colour())
    with h5py.File(few.features("train"), "r+") as file:  # as an earlier version's
        for name in ("photo_times", "photo_contents", "max_megapixels", "precision"):
            del file.attrs[name]
    os.utime(few.photos("train") / "images" / "000.png", (0, 0))
    extract_only_train(few, monkeypatch, mean_colour(Interrupted(0)))
    assert "train: already there" in capsys.readouterr().out
    extract_only_train(few, monkeypatch, mean_colour(precision="bfloat16"))
    assert read(few)[2]["precision"] == "bfloat16"


def test_the_empty_name_is_no_extractor(few, monkeypatch):
    monkeypatch.setattr("sys.argv", ["features", "--data", str(few), "--extractor", ""])
    with pytest.raises(InputError, match="There is no extractor ''; choose alexnet, "):
        main()


def test_the_command_hands_the_precision_to_the_extractor(few, monkeypatch):
    monkeypatch.setattr(
        "dataset.image_features.load_extractor",
        lambda name, layout, precision: mean_colour(precision=precision),
    )
    arguments = ["image_features", "--data", str(few), "--precision", "bfloat16"]
    monkeypatch.setattr("sys.argv", arguments)
    main()
    assert read(few)[2]["precision"] == "bfloat16"


def test_only_a_higher_limit_of_pixels_lets_photos_be_extracted_again(few, monkeypatch, capsys):
    large = np.zeros((1500, 1000, 3), np.uint8)
    assert cv2.imwrite(str(few.photos("train") / "images" / "000.png"), large)
    monkeypatch.setattr("dataset.image_features.load_extractor", lambda *_: mean_colour())
    extract_all(few, max_megapixels=1)
    assert f"train: {FEW - 1} photos extracted, 1 unreadable" in capsys.readouterr().out
    extract_all(few, max_megapixels=2)
    assert f"train: {FEW} photos extracted, 0 unreadable" in capsys.readouterr().out
    extract_all(few, max_megapixels=1)
    assert "train: already there" in capsys.readouterr().out


def test_files_of_one_id_but_other_contents_are_named(few, monkeypatch, capsys):
    folder = few.photos("train") / "images"
    (folder / "more").mkdir()
    for name in ("000.png", "001.png"):
        (folder / "more" / name).write_bytes((folder / "001.png").read_bytes())
    extract_only_train(few, monkeypatch, mean_colour())
    assert capsys.readouterr().err.splitlines()[0] == (
        "warning: train: 1 files have the photo id of another file, but other contents; used: "
        f"{folder}/000.png, not {folder}/more/000.png (python -m dataset lists all)."
    )


def test_pipes_and_devices_are_skipped(few):
    folder = few.photos("train") / "images"
    os.mkfifo(folder / "pipe.png")
    (folder / "zero.png").symlink_to("/dev/zero")
    assert extract_train(few) == (FEW, 2)
    lines = few.skipped_photos("train").read_text().splitlines()
    reason = "no regular file, but a pipe or device"
    assert [line.split('"')[:2] for line in lines[1:]] == [["pipe,", reason], ["zero,", reason]]


def test_a_features_file_that_records_nothing_is_accepted(layout, monkeypatch):
    path = layout.features("train")
    path.parent.mkdir(parents=True)
    with h5py.File(path, "w") as file:
        file["embeddings"] = np.ones((1, 3))
        file.create_dataset("image_ids", data=["000"], dtype=h5py.string_dtype())
    extract_only_train(layout, monkeypatch, mean_colour())
    assert read(layout)[0] == ["000"]


def test_a_split_without_photos_is_skipped(layout, monkeypatch, capsys):
    (layout.photos("valid") / "sis").mkdir(parents=True)
    extract_only_train(layout, monkeypatch, mean_colour())
    assert f"valid: no photos under {layout.photos('valid')}" in capsys.readouterr().out


@pytest.mark.parametrize("photos", [1, BATCH_SIZE, PHOTOS_PER_PART])
def test_the_last_batch_is_never_empty(layout, photos):
    def mean_of_some(inputs):
        assert len(inputs) > 0
        return inputs.mean(axis=(1, 2))

    chosen = dict(list(find_photos(layout.photos("train")).items())[:photos])
    paths = layout.features("train"), layout.skipped_photos("train")
    assert extract(chosen, mean_colour(mean_of_some), *paths) == (photos, 0)


def test_odd_names_and_links_to_nowhere_do_not_stop_an_extraction(layout):
    folder = layout.photos("train") / "images"
    (folder / "000.png").rename(folder / os.fsdecode(b"caf\xe9.png"))
    (folder / "999.png").symlink_to(folder / "nowhere.png")
    (folder / os.fsdecode(b"\xff.png")).write_bytes(b"")
    assert extract_train(layout) == (PHOTOS, 2)
    assert "caf\\xe9" in read(layout)[0]


def test_a_part_broken_by_a_power_failure_is_computed_again(layout):
    with pytest.raises(KeyboardInterrupt):
        extract_train(layout, mean_colour(Interrupted(PHOTOS_PER_PART)))
    [part] = layout.features("train").with_suffix(".parts").glob("*.npz")
    part.write_bytes(part.read_bytes()[:100])
    assert extract_train(layout) == (PHOTOS, 0)


@pytest.mark.parametrize("damage", ["first bytes", "middle", "ids", "fingerprints", "nan"])
def test_a_part_with_wrong_bytes_is_named(layout, damage):
    with pytest.raises(KeyboardInterrupt):
        extract_train(layout, mean_colour(Interrupted(PHOTOS_PER_PART)))
    [part] = layout.features("train").with_suffix(".parts").glob("*.npz")
    with np.load(part) as file:
        arrays = dict(file)
    contents = bytearray(part.read_bytes())
    if damage in ("ids", "fingerprints"):
        name = damage.replace("ids", "image_ids")
        np.savez(part, **arrays | {name: arrays[name][1:]})
    elif damage == "nan":
        np.savez(part, **arrays | {"embeddings": arrays["embeddings"] * np.float32("nan")})
    else:
        start = 0 if damage == "first bytes" else len(contents) // 2
        contents[start : start + 100] = bytes(100)
        part.write_bytes(contents)
    with pytest.raises(InputError, match=r"000000\.npz is broken .*; delete it and start again"):
        extract_train(layout)

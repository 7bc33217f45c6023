import os
import struct
import sys

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from data_reader.errors import InputError
from data_reader.files import write_json
from data_reader.run_folder import RunFolder
from dataset.extractor import Extractor
from dataset.extractors import load_extractor_of
from generation.own_photos import features_of, photos_in_order, unseen_in_training

TAKEN = 36867  # DateTimeOriginal, in EXIF's own folder
EXIF = 0x8769
TIMELESS = "by name, since c.jpg has no EXIF time"


def write_photo(path, shade=0, taken=None):
    exif = Image.Exif()
    if taken:
        exif.get_ifd(EXIF)[TAKEN] = taken
    Image.fromarray(np.full((6, 8, 3), shade, np.uint8)).save(path, exif=exif)
    return path


def names(photos):
    return [path.name for path in photos]


def test_given_photos_stay_in_their_order(tmp_path):
    given = [write_photo(tmp_path / name) for name in ("b.jpg", "a.jpg", "c.jpg")]
    assert photos_in_order(given) == (given, "as given", [])


def test_a_folder_is_ordered_by_name_with_numbers_by_value(tmp_path):
    for name in ("10.jpg", "9.jpg", "B2.PNG", "b1.jpg"):
        write_photo(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no photo")
    (tmp_path / ".hidden.jpg").write_text("no photo")
    photos, order, _ = photos_in_order([tmp_path])
    assert names(photos) == ["9.jpg", "10.jpg", "b1.jpg", "B2.PNG"]
    assert order == "by name"


def test_a_folder_whose_photos_all_have_a_time_is_ordered_by_it(tmp_path):
    write_photo(tmp_path / "a.jpg", taken="2020:05:02 10:00:00")
    write_photo(tmp_path / "b.jpg", taken="2020:05:01 23:00:00")
    photos, order, _ = photos_in_order([tmp_path])
    assert names(photos) == ["b.jpg", "a.jpg"]
    assert order == "by EXIF time"
    write_photo(tmp_path / "c.jpg", taken="0000:00:00 00:00:00")  # a camera without a clock
    photos, order, _ = photos_in_order([tmp_path])
    assert (names(photos), order) == (["a.jpg", "b.jpg", "c.jpg"], TIMELESS)


def test_broken_exif_data_have_no_time(tmp_path):
    write_photo(tmp_path / "a.jpg", taken="2020:05:02 10:00:00")
    broken = PngInfo()
    broken.add_text("Raw profile type exif", "\nexif\n4\nno hexadecimal digits")
    Image.fromarray(np.zeros((6, 8, 3), np.uint8)).save(tmp_path / "b.png", pnginfo=broken)
    photos, order, _ = photos_in_order([tmp_path])
    assert (names(photos), order) == (["a.jpg", "b.png"], "by name, since b.png has no EXIF time")


def test_damaged_photos_have_no_time_and_nothing_is_said(tmp_path, recwarn, caplog):
    Image.new("RGB", (6, 8)).save(tmp_path / "a.tif")
    contents = bytearray((tmp_path / "a.tif").read_bytes())
    place = contents.find(b"\x15\x01\x03\x00\x01\x00\x00\x00") + 8  # samples per pixel
    contents[place : place + 2] = b"\x03\x07"
    (tmp_path / "a.tif").write_bytes(contents)
    size = struct.pack("<Iii", 40, 12_000, 9_000)  # Pillow warns of large ones
    (tmp_path / "b.bmp").write_bytes(b"BM" + bytes(12) + size + b"\1\0\x18" + bytes(25))
    photos, order, notes = photos_in_order([tmp_path])
    assert (names(photos), order, notes) == (["a.tif", "b.bmp"], "by name", [])
    assert not recwarn.list and not caplog.records


def test_files_that_are_left_out_are_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)  # can't be imported
    photo = write_photo(tmp_path / "a.jpg")
    (tmp_path / "b.HEIC").write_bytes(b"\0\0\0\x18ftypheic")
    os.mkfifo(tmp_path / "c.jpg")
    photos, _, notes = photos_in_order([tmp_path])
    assert photos == [photo]
    assert notes == [
        "left out: b.HEIC, c.jpg.",
        "HEIC photos are read if pillow-heif is installed: pip install pillow-heif",
    ]
    photo.unlink()
    with pytest.raises(InputError, match=r"got 0: .*Note: left out: b\.HEIC, c\.jpg\. Note: HEIC"):
        photos_in_order([tmp_path])
    with pytest.raises(InputError, match=r"c\.jpg is no file, but a pipe or device"):
        photos_in_order([tmp_path / "c.jpg"])


def test_names_that_are_not_utf_8(tmp_path):
    photo = write_photo(tmp_path / os.fsdecode(b"caf\xe9.jpg"), 7, taken="2020:05:02 10:00:00")
    photos, order, _ = photos_in_order([tmp_path])
    assert (photos, order) == ([photo], "by EXIF time")
    assert features_of(photos, shade_extractor()).tolist() == [[[7]]]


def test_too_few_or_too_many_photos_are_refused(tmp_path):
    photo = write_photo(tmp_path / "a.jpg")
    (tmp_path / "none").mkdir()
    with pytest.raises(InputError, match="1 to 20 photos, got 0"):
        photos_in_order([tmp_path / "none"])
    with pytest.raises(InputError, match="got 21"):
        photos_in_order([photo] * 21)
    assert len(photos_in_order([photo] * 20)[0]) == 20
    assert photos_in_order([photo])[0] == photos_in_order([tmp_path])[0] == [photo]
    with pytest.raises(InputError, match="is a folder; give photos, or one folder"):
        photos_in_order([photo, tmp_path])
    with pytest.raises(FileNotFoundError, match="nowhere"):
        photos_in_order([photo, tmp_path / "nowhere"])


def shade_extractor():
    return Extractor(
        name="shade",
        image_size=2,
        feature_size=1,
        preprocess=lambda photo: photo.astype(np.float32),
        compute=lambda photos: photos.mean(axis=(1, 2, 3))[:, None],
        weights_checksum="",
        channel_means=(0, 0, 0),
        precision="float32",
    )


def test_features_come_from_the_extractor_s_own_preprocessing(tmp_path):
    photos = [write_photo(tmp_path / f"{shade}.png", shade) for shade in (10, 250)]
    assert features_of(photos, shade_extractor()).tolist() == [[[10], [250]]]


def test_another_number_of_photos_than_in_training_is_noted(tmp_path):
    run = RunFolder(tmp_path)
    write_json(run.features_file, {"weights_checksum": "a1", "photos_per_story": 7})
    assert unseen_in_training(run.features(), 7) == []
    assert unseen_in_training(run.features(), 5) == [
        "training used stories of 7 photos, none of 5."
    ]
    write_json(run.features_file, {"weights_checksum": "a1"})  # an earlier version's
    assert unseen_in_training(run.features(), 5) == []


def test_an_unreadable_photo_is_named(tmp_path):
    (tmp_path / "b.jpg").write_text("no photo")
    with pytest.raises(InputError, match=r"b\.jpg can't be read: not a photo"):
        features_of([tmp_path / "b.jpg"], shade_extractor())
    Image.effect_noise((64, 64), 50).save(tmp_path / "a.jpg")
    (tmp_path / "c.jpg").write_bytes((tmp_path / "a.jpg").read_bytes()[:-500])
    with pytest.raises(InputError, match=r"c\.jpg can't be read: cut short or broken JPEG"):
        features_of([tmp_path / "a.jpg", tmp_path / "c.jpg"], shade_extractor())
    with pytest.raises(InputError, match="number 1 can't be read: Pillow can't decode it"):
        features_of([Image.open(tmp_path / "c.jpg")], shade_extractor())


SEEDED = {
    "extractor": "alexnet",
    "weights_checksum": "seeded-1",
    "channel_means": [1, 2, 3],
    "precision": "float32",
}


def test_photos_get_the_features_that_the_run_was_trained_on(tmp_path):
    extractor = load_extractor_of(SEEDED)
    assert extractor.channel_means == (1, 2, 3)
    assert extractor.preprocess(np.full((300, 400, 3), 5, np.uint8))[0, 0].tolist() == [4, 3, 2]
    in_bfloat16 = load_extractor_of({**SEEDED, "precision": "bfloat16"})
    assert in_bfloat16.precision == "bfloat16"
    photos = np.random.default_rng(1).integers(0, 256, (2, 9, 12, 3), np.uint8)
    one, other = (features_of(photos, each)[0] for each in (extractor, in_bfloat16))
    assert one.dtype == other.dtype == np.float32
    assert (one != other).any()
    norms = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    assert ((one * other).sum(axis=1) > 0.999 * norms).all()


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ({"feature_size": 4096}, "do not record which extractor"),
        (
            {**SEEDED, "weights_checksum": "seeded-2"},
            "weights seeded-2, but the weights found here are seeded-1",
        ),
        ({**SEEDED, "precision": "int8"}, "precision int8, expected float32 or bfloat16"),
    ],
)
def test_features_that_can_not_be_computed_are_refused(features, message):
    with pytest.raises(InputError, match=message):
        load_extractor_of(features)

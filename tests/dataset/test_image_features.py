import csv

import cv2
import h5py
import numpy as np
import pytest

from data_reader.image_data_reader import network_input
from data_reader.layout import DataLayout
from dataset.image_features import BATCH_SIZE, Extractor, extract, load_extractor


def mean_colour():
    """An extractor whose features are a photo's mean blue, green and red."""
    return Extractor(
        name="alexnet",
        feature_size=3,
        preprocess=lambda photo: network_input(photo, 4, (0.0, 0.0, 0.0)),
        compute=lambda inputs: inputs.mean(axis=(1, 2)),
        weights_checksum="none",
        channel_means=(0.0, 0.0, 0.0),
    )


@pytest.fixture
def layout(tmp_path):
    layout = DataLayout(tmp_path)
    folder = layout.photos("train") / "images"
    folder.mkdir(parents=True)
    for number in range(BATCH_SIZE + 3):
        pixels = np.full((6, 8, 3), (number, 1, 2), np.uint8)
        assert cv2.imwrite(str(folder / f"{number:03}.png"), pixels)
    return layout


def test_features_stand_beside_their_ids(layout):
    assert extract(layout, "train", mean_colour()) == (BATCH_SIZE + 3, 0)
    with h5py.File(layout.features("train")) as file:
        ids = [id_.decode() for id_ in file["image_ids"][:]]
        assert file["embeddings"].dtype == np.float32
        assert file["embeddings"][:].tolist() == [[int(id_), 1, 2] for id_ in ids]
        assert len(set(ids)) == BATCH_SIZE + 3
        assert file.attrs["extractor"] == "alexnet"
        assert file.attrs["channel_means"].tolist() == [0, 0, 0]


def test_broken_photos_are_skipped_and_listed(layout):
    folder = layout.photos("train") / "images"
    (folder / "004.png").write_bytes((folder / "004.png").read_bytes()[:30])
    (folder / "007.png").write_bytes(b"")
    assert extract(layout, "train", mean_colour()) == (BATCH_SIZE + 1, 2)
    with layout.skipped_photos("train").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["id", "reason", "path"]
    assert [row[0] for row in rows[1:]] == ["004", "007"]
    assert rows[2] == ["007", "empty file", str(folder / "007.png")]
    with h5py.File(layout.features("train")) as file:
        assert b"004" not in file["image_ids"][:]


def test_without_one_readable_photo_there_is_no_file(layout):
    for photo in layout.photos("train").rglob("*.png"):
        photo.write_bytes(b"")
    with pytest.raises(ValueError, match=r"None of the 35 photos .*: empty file"):
        extract(layout, "train", mean_colour())
    assert not layout.features("train").exists()


def test_an_interrupted_extraction_leaves_no_file(layout):
    def interrupted(inputs):
        raise KeyboardInterrupt

    extractor = Extractor("alexnet", 3, mean_colour().preprocess, interrupted, "", (0, 0, 0))
    with pytest.raises(KeyboardInterrupt):
        extract(layout, "train", extractor)
    assert list(layout.features("train").parent.iterdir()) == []


def test_an_unknown_extractor_is_named(layout):
    with pytest.raises(ValueError, match="no extractor 'vgg'; there is: alexnet"):
        load_extractor("vgg", layout)

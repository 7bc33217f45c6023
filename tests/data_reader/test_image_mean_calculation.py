import json

import cv2
import numpy as np
import pytest

from data_reader.errors import InputError
from data_reader.image_data_reader import ALEXNET_MEANS
from data_reader.image_mean_calculation import channel_means, read_means
from data_reader.layout import DataLayout


def save(path, colour, shape=(300, 300)):
    assert cv2.imwrite(str(path), np.full((*shape, 3), colour, np.uint8))
    return path


def test_the_mean_is_that_of_all_photos_whatever_their_size(tmp_path):
    photos = [
        save(tmp_path / "1.png", (10, 20, 30)),
        save(tmp_path / "2.png", (30, 40, 80), shape=(40, 90)),
    ]
    assert channel_means(photos) == ((20.0, 30.0, 55.0), 2)


def test_only_the_centre_that_the_network_sees_is_averaged(tmp_path):
    photo = np.zeros((227, 681, 3), np.uint8)
    photo[:, 227:454] = (9, 6, 3)
    assert cv2.imwrite(str(tmp_path / "1.png"), photo)
    assert channel_means([tmp_path / "1.png"])[0] == (9.0, 6.0, 3.0)


def test_unreadable_photos_do_not_count(tmp_path):
    (tmp_path / "2.png").write_bytes(b"")
    photos = [save(tmp_path / "1.png", (10, 20, 30)), tmp_path / "2.png"]
    assert channel_means(photos) == ((10.0, 20.0, 30.0), 1)
    with pytest.raises(InputError, match="None of the 1 photos"):
        channel_means(photos[1:])


def test_the_file_is_read_by_its_names(tmp_path):
    layout = DataLayout(tmp_path)
    assert read_means(layout) == ALEXNET_MEANS
    layout.means.write_text('{"red_mean": 3, "green_mean": 2.5, "blue_mean": 1}')
    assert read_means(layout) == (1.0, 2.5, 3.0)


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        ({"blue_mean": 1, "green_mean": 2}, "lacks red_mean"),
        ([1, 2, 3], "expected a dictionary"),
        ({"red_mean": 3, "green_mean": 2.5, "blue_mean": 300}, "blue_mean is 300, expected a num"),
        ({"red_mean": 3, "green_mean": "2.5", "blue_mean": 3}, "green_mean is '2.5', expected a"),
        ({"red_mean": True, "green_mean": 2.5, "blue_mean": 3}, "red_mean is True, expected a nu"),
        ({"red_mean": 10**400, "green_mean": 2.5, "blue_mean": 3}, "red_mean is 1000"),
    ],
)
def test_a_file_that_does_not_hold_three_means_is_refused(tmp_path, contents, message):
    layout = DataLayout(tmp_path)
    layout.means.write_text(json.dumps(contents))
    with pytest.raises(InputError, match=rf"mean\.json.* {message}.*make it again with"):
        read_means(layout)

import cv2
import numpy as np
import pytest

from data_reader.image_data_reader import find_photos, network_input, read_photo


def save(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), pixels)


def test_photos_are_found_by_id_at_any_depth(tmp_path):
    pixels = np.zeros((4, 4, 3), np.uint8)
    save(tmp_path / "b" / "deep" / "20.jpg", pixels)
    save(tmp_path / "10.PNG", pixels)
    (tmp_path / "readme.txt").write_text("no photo")
    assert find_photos(tmp_path) == {
        "10": tmp_path / "10.PNG",
        "20": tmp_path / "b" / "deep" / "20.jpg",
    }


def test_a_missing_and_an_empty_folder_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"photo folder .*photos is missing"):
        find_photos(tmp_path / "photos")
    with pytest.raises(FileNotFoundError, match="holds no photos"):
        find_photos(tmp_path)


def test_colours_are_blue_green_red(tmp_path):
    save(tmp_path / "p.png", np.full((2, 2, 3), (10, 20, 30), np.uint8))
    assert read_photo(tmp_path / "p.png")[0, 0].tolist() == [10, 20, 30]


@pytest.mark.parametrize("channels", [(), (4,)])
def test_greyscale_and_transparent_photos_have_three_channels(tmp_path, channels):
    save(tmp_path / "p.png", np.full((3, 2, *channels), 7, np.uint8))
    assert read_photo(tmp_path / "p.png").shape == (3, 2, 3)


def test_the_content_decides_not_the_ending(tmp_path):
    save(tmp_path / "p.png", np.full((2, 2, 3), 9, np.uint8))
    (tmp_path / "p.png").rename(tmp_path / "p.jpg")
    assert read_photo(tmp_path / "p.jpg").tolist() == [[[9, 9, 9]] * 2] * 2


@pytest.mark.parametrize(
    ("contents", "message"), [(b"", "empty"), (b"<html>404</html>", "not decodable")]
)
def test_an_unreadable_photo_says_why(tmp_path, contents, message):
    (tmp_path / "p.jpg").write_bytes(contents)
    with pytest.raises(ValueError, match=message):
        read_photo(tmp_path / "p.jpg")


def test_the_centre_is_cropped_and_the_means_subtracted():
    photo = np.zeros((2, 6, 3), np.uint8)
    photo[:, 2:4] = (14, 27, 33)  # the centre third
    result = network_input(photo, size=2, means=(4.0, 7.0, 3.0))
    assert result.dtype == np.float32
    assert result.tolist() == [[[10.0, 20.0, 30.0]] * 2] * 2


@pytest.mark.parametrize("shape", [(500, 300), (300, 500), (227, 227), (40, 90), (229, 1000)])
def test_any_size_is_scaled_by_its_short_side(shape):
    photo = np.full((*shape, 3), 100, np.uint8)
    result = network_input(photo, 227, (100.0, 100.0, 100.0))
    assert result.shape == (227, 227, 3)
    assert not result.any()

import io
import os

import cv2
import numpy as np
import pytest
from PIL import Image

from data_reader.errors import InputError
from data_reader.image_data_reader import (
    find_photo_files,
    find_photos,
    index_photos,
    network_input,
    photo_id,
    read_photo,
)

# A photo of four quarters: R,G,B.
QUARTERS = np.zeros((60, 80, 3), np.uint8)
QUARTERS[:30, :40] = (200, 40, 40)
QUARTERS[:30, 40:] = (40, 200, 40)
QUARTERS[30:, :40] = (40, 40, 200)
QUARTERS[30:, 40:] = (220, 220, 220)


def save(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), pixels)


def encoded(kind, mode="RGB", **options):
    contents = io.BytesIO()
    Image.fromarray(QUARTERS).convert(mode).save(contents, kind, **options)
    return contents.getvalue()


def turned():
    """EXIF data of a photo that must be turned a quarter to the right to be upright."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("123.jpg", "123"),
        ("123_o.jpg", "123"),
        ("123_o.jpg.1", "123"),
        ("123_0a1b2c3d4e_o.JPG", "123"),
        ("123_4.jpg", "123_4"),
        ("my_photo_a.jpg", "my_photo_a"),
        ("007.tar.png", "007"),
    ],
)
def test_the_id_in_a_file_name(name, expected):
    assert photo_id(name) == expected


def test_photos_are_found_by_id_at_any_depth(tmp_path):
    pixels = np.zeros((4, 4, 3), np.uint8)
    save(tmp_path / "b" / "deep" / "20.jpg", pixels)
    save(tmp_path / "10.PNG", pixels)
    (tmp_path / "30_o.jpg.1").write_bytes(b"as a second download names it")
    (tmp_path / "._10.jpg").write_bytes(b"what macOS leaves behind")
    (tmp_path / "readme.txt").write_text("not a photo")
    assert find_photos(tmp_path) == {
        "10": str(tmp_path / "10.PNG"),
        "20": str(tmp_path / "b" / "deep" / "20.jpg"),
        "30": str(tmp_path / "30_o.jpg.1"),
    }


def test_links_to_folders_are_followed_once(tmp_path):
    disk = tmp_path / "disk"
    save(disk / "1.jpg", np.zeros((4, 4, 3), np.uint8))
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "images").symlink_to(disk)
    (disk / "loop").symlink_to(tmp_path / "photos")
    assert find_photo_files(tmp_path / "photos") == {"1": [str(tmp_path / "photos/images/1.jpg")]}


def test_a_name_that_is_not_utf_8_has_an_id_that_can_be_written(tmp_path):
    (tmp_path / os.fsdecode(b"caf\xe9.jpg")).touch()
    assert list(index_photos(tmp_path)) == ["caf\\xe9"]


def test_of_two_files_with_one_id_the_first_is_used(tmp_path):
    for folder in ("b", "a"):
        save(tmp_path / folder / "1.jpg", np.zeros((4, 4, 3), np.uint8))
    both = [str(tmp_path / folder / "1.jpg") for folder in ("a", "b")]
    assert find_photo_files(tmp_path) == {"1": both}
    assert index_photos(tmp_path) == {"1": str(tmp_path / "a" / "1.jpg")}


def test_a_missing_and_an_empty_folder_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"photo folder .*photos is missing"):
        find_photos(tmp_path / "photos")
    with pytest.raises(FileNotFoundError, match="holds no photos"):
        find_photos(tmp_path)


@pytest.mark.parametrize(
    "contents",
    [
        encoded("JPEG", quality=95),
        encoded("JPEG", quality=95, progressive=True),
        encoded("JPEG", mode="CMYK", quality=95),
        encoded("PNG"),
        encoded("PNG", mode="RGBA"),
        encoded("PNG", mode="P"),
        encoded("GIF"),
        encoded("GIF", save_all=True, append_images=[Image.new("RGB", (80, 60), "black")]),
        encoded("WEBP", quality=95),
        encoded("BMP"),
        encoded("TIFF"),
        cv2.imencode(".png", QUARTERS[:, :, ::-1].astype(np.uint16) * 257)[1].tobytes(),
    ],
    ids=[
        "JPEG",
        "progressive",
        "CMYK",
        "PNG",
        "alpha",
        "palette",
        "GIF",
        "animated GIF",
        "WebP",
        "BMP",
        "TIFF",
        "16-bit",
    ],
)
def test_every_kind_of_photo_becomes_blue_green_red(tmp_path, contents):
    (tmp_path / "p.jpg").write_bytes(contents)
    photo = read_photo(tmp_path / "p.jpg")
    assert photo.shape == (60, 80, 3)
    assert photo.dtype == np.uint8
    for place in [(15, 20), (15, 60), (45, 20), (45, 60)]:
        np.testing.assert_allclose(photo[place][::-1], QUARTERS[place], atol=36)  # coarse palettes


@pytest.mark.parametrize("mode", ["L", "1", "LA"])
def test_greyscale_becomes_three_equal_channels(tmp_path, mode):
    (tmp_path / "p.png").write_bytes(encoded("PNG", mode=mode))
    photo = read_photo(tmp_path / "p.png")
    assert photo.shape == (60, 80, 3)
    assert (photo[..., 0] == photo[..., 1]).all()
    assert (photo[..., 0] == photo[..., 2]).all()


def test_a_rotated_photo_is_turned_upright(tmp_path):
    (tmp_path / "p.jpg").write_bytes(encoded("JPEG", quality=95, exif=turned()))
    photo = read_photo(tmp_path / "p.jpg")
    assert photo.shape == (80, 60, 3)
    # The lower left quarter, blue, comes to the upper left.
    np.testing.assert_allclose(photo[20, 15], (200, 40, 40), atol=10)


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        (b"", "empty file"),
        (b"<html>404</html>", "not a photo: begins with b.<htm.$"),
        (b"%PDF-1.4", "not a photo: begins with b.%PDF.$"),
        (bytes(500), "not a photo"),
        (encoded("JPEG")[:-2], "cut short or broken JPEG"),
        (encoded("JPEG")[:400], "cut short or broken JPEG"),
        (encoded("JPEG", progressive=True)[:-100], "cut short or broken JPEG"),
        (encoded("PNG")[:-30], "cut short or broken PNG"),
        (encoded("PNG")[:20], "cut short or broken PNG"),
        (encoded("GIF")[:200], "cut short or broken GIF"),
        (encoded("WEBP")[:60], "cut short or broken WebP"),
    ],
)
@pytest.mark.parametrize("short_side", [None, 227])
def test_the_reason_for_an_unreadable_photo_is_given(tmp_path, contents, message, short_side):
    (tmp_path / "p.jpg").write_bytes(contents)
    with pytest.raises(InputError, match=message):
        read_photo(tmp_path / "p.jpg", short_side)


def big_photo(height, width, **options):
    detail = np.random.default_rng(0).integers(0, 256, (height // 20, width // 20, 3), np.uint8)
    pixels = cv2.resize(detail, (width, height), interpolation=cv2.INTER_CUBIC)
    contents = io.BytesIO()
    Image.fromarray(pixels).save(contents, "JPEG", **options)
    return contents.getvalue()


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((800, 1000), (800, 1000)),
        ((920, 1000), (460, 500)),
        ((1820, 2000), (455, 500)),
        ((3640, 4000), (455, 500)),
    ],
)
def test_a_large_jpeg_is_decoded_smaller_but_never_below_twice_the_input(tmp_path, size, expected):
    (tmp_path / "p.jpg").write_bytes(big_photo(*size))
    assert read_photo(tmp_path / "p.jpg", short_side=227).shape[:2] == expected
    assert read_photo(tmp_path / "p.jpg").shape[:2] == size


def test_a_photo_decoded_smaller_gives_nearly_the_same_input(tmp_path):
    (tmp_path / "p.jpg").write_bytes(big_photo(1000, 1200, exif=turned()))
    full = network_input(read_photo(tmp_path / "p.jpg"))
    reduced = network_input(read_photo(tmp_path / "p.jpg", short_side=227))
    cosine = (full * reduced).sum() / np.linalg.norm(full) / np.linalg.norm(reduced)
    assert cosine > 0.999


def test_the_centre_is_cropped_and_the_means_subtracted():
    photo = np.zeros((2, 6, 3), np.uint8)
    photo[:, 2:4] = (14, 27, 33)  # the centre third
    result = network_input(photo, size=2, means=(4.0, 7.0, 3.0))
    assert result.dtype == np.float32
    assert result.tolist() == [[[10.0, 20.0, 30.0]] * 2] * 2


@pytest.mark.parametrize(
    "shape", [(500, 300), (300, 500), (227, 227), (40, 90), (229, 1000), (1, 1)]
)
def test_any_size_is_scaled_by_its_short_side(shape):
    photo = np.full((*shape, 3), 100, np.uint8)
    result = network_input(photo, 227, (100.0, 100.0, 100.0))
    assert result.shape == (227, 227, 3)
    assert not result.any()

import cv2
import numpy as np
import pytest

from generation.story_strip import _width_of, _wrap, draw_strip

COLOURS = [(0, 0, 255), (0, 255, 0), (255, 0, 0), (0, 255, 255), (255, 0, 255)]  # B,G,R


@pytest.fixture
def photos(tmp_path):
    paths = [tmp_path / f"{number}.png" for number in range(5)]
    for path, colour in zip(paths, COLOURS, strict=True):
        assert cv2.imwrite(str(path), np.full((30, 40, 3), colour, np.uint8))
    return paths


def test_the_photos_stand_in_a_row_in_their_order(photos, tmp_path):
    draw_strip(photos, {"human": ["a dog ."] * 5}, tmp_path / "strip.png")
    picture = cv2.imread(str(tmp_path / "strip.png"))
    row = picture[picture.shape[0] // 3]
    seen = [tuple(int(c) for c in pixel) for pixel in row]
    places = [seen.index(colour) for colour in COLOURS]
    assert places == sorted(places)


def test_each_teller_adds_a_row(photos, tmp_path):
    draw_strip(photos, {"human": ["a dog ."] * 5}, tmp_path / "one.png")
    draw_strip(photos, {"human": ["a dog ."] * 5, "model": ["b ."] * 5}, tmp_path / "two.png")
    one, two = (cv2.imread(str(tmp_path / name)) for name in ("one.png", "two.png"))
    assert one.shape[1] == two.shape[1]
    added = two[one.shape[0] :]
    assert len(added) > 20
    assert added.min() < 100


def test_a_missing_photo_leaves_a_grey_frame(photos, tmp_path):
    photos[2].unlink()
    draw_strip(photos, {"human": ["a dog ."] * 5}, tmp_path / "strip.png")
    picture = cv2.imread(str(tmp_path / "strip.png"))
    assert (picture[picture.shape[0] // 3] == 220).all(axis=-1).sum() > 100


def test_dollars_and_underscores_are_text(photos, tmp_path):
    draw_strip(photos, {"a_b": ["it cost $5 and $6 \\frac ."] * 5}, tmp_path / "strip.png")
    assert (tmp_path / "strip.png").exists()


def test_long_sentences_wrap_within_their_photo():
    assert _wrap("one two three", width=10) == ["one two three"]
    assert _wrap("one two three", width=0.65) == ["one two", "three"]
    # A word that is too long is broken, so that it does not run into the next photo's.
    pieces = _wrap("wwwwwwwwwwww two", width=0.5)
    assert "".join(pieces).replace(" ", "") == "wwwwwwwwwwwwtwo"
    assert len(pieces) > 2
    assert all(_width_of(piece, "normal") <= 0.5 for piece in pieces)


def test_a_teller_must_tell_every_photo(photos, tmp_path):
    with pytest.raises(ValueError, match="human tells 4 sentences for 5 photos"):
        draw_strip(photos, {"human": ["a dog ."] * 4}, tmp_path / "strip.png")
    assert not (tmp_path / "strip.png").exists()

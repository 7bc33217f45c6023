import re
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from data_reader.errors import InputError
from generation.generated_stories import ShownStory
from generation.story_strip import (
    _choose,
    _lay_out,
    _width_of,
    _wrap,
    draw_sheet,
    draw_strip,
    draw_strips,
    spread_over,
)

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


def test_each_system_adds_a_row(photos, tmp_path):
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


def test_the_id_of_a_missing_photo_stands_in_its_square(photos):
    photos[1].unlink()
    ids = ["v", "w w\n1" + 80 * "x", "y", "z", "z"]
    strip = _lay_out(photos, {"human": ["a dog ."] * 5}, photo_ids=ids)
    left, top, right, bottom = boxes(strip)[0]
    assert "".join(strip.texts[0].lines).replace(" ", "") == "ww1" + 54 * "x" + "…"
    photo = strip.photos[1]
    assert photo.left < left < right < photo.left + 2.6
    assert photo.top < top < bottom < photo.top + 2.6 * 240 / 320
    assert len(strip.texts) == 1 + 1 + 5


def test_only_stories_of_the_split_can_be_drawn(photos):
    chosen = SimpleNamespace(story=["7", "9" * 300], split="test")
    with pytest.raises(InputError, match=rf"no test story {'9' * 59}…; there are 1, .* ones: 7\."):
        _choose([shown(photos, 7)], chosen)


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


def test_a_system_needs_one_sentence_per_photo(photos, tmp_path):
    with pytest.raises(InputError, match="human has 4 sentences for 5 photos"):
        draw_strip(photos, {"human": ["a dog ."] * 4}, tmp_path / "strip.png")
    assert not (tmp_path / "strip.png").exists()


def write_photo(path, width, height):
    assert cv2.imwrite(str(path), np.full((height, width, 3), 90, np.uint8))
    return path


def boxes(strip):
    """Left, top, right, bottom of all texts and photos, in inches."""
    texts = [
        (
            text.left,
            text.top,
            text.left + max(_width_of(line, text.weight) for line in text.lines),
            text.top + 0.17 * len(text.lines),
        )
        for text in strip.texts
        if any(text.lines)
    ]
    photos = []
    for photo in strip.photos:
        height, width = photo.pixels.shape[:2]
        scale = 2.6 / max(height, width)
        left = photo.left + (2.6 - width * scale) / 2
        box = (left, photo.top, left + width * scale, photo.top + height * scale)
        photos.append(box)
    return texts + photos


def test_nothing_overlaps_or_is_cut_at_any_length(tmp_path):
    photos = [
        write_photo(tmp_path / "portrait.png", 100, 400),
        write_photo(tmp_path / "panorama.png", 900, 100),
        write_photo(tmp_path / "square.png", 50, 50),
        tmp_path / "missing.png",
        write_photo(tmp_path / "usual.png", 400, 300),
        write_photo(tmp_path / "sixth.png", 30, 40),
    ]
    texts = ["w" * 60 + " .", " ".join(["extraordinarily"] * 20), "", "a $1 _b_ .", "x", "y z"]
    systems = {"human": texts, "n" * 300: texts[::-1], "a run": texts}
    strip = _lay_out(photos, systems, caption="story 1")
    placed = boxes(strip)
    assert len(placed) == 6 + 1 + 2 * 3 + 3 * 5  # one text of each system is empty
    for number, (left, top, right, bottom) in enumerate(placed):
        assert left > 0 and top > 0 and right <= strip.width and bottom <= strip.height
        for other in placed[:number]:
            apart = (left >= other[2], right <= other[0], top >= other[3], bottom <= other[1])
            assert any(apart), (placed[number], other)
    left, top, right, bottom = placed[-len(photos)]
    assert (right - left) / (bottom - top) == pytest.approx(1 / 4, rel=0.01)


def test_a_window_is_framed_in_red(photos, tmp_path):
    def red(**frame):
        draw_strip(photos, {"human": ["a"] * 5}, tmp_path / "strip.png", **frame)
        blue, green, red = cv2.imread(str(tmp_path / "strip.png")).T.astype(int)
        framing = (red > 190) & (green < 30) & (blue < 30)
        width = framing.shape[0]
        # The first photo is itself red; a frame's vertical lines count.
        return [bool(framing[int(left * width / 14.98), 60:120].any()) for left in lefts]

    lefts = [1.28 + number * 2.74 + 0.01 for number in range(5)]
    del lefts[0]
    assert red() == [False, False, False, False]
    assert red(framed_sentence=3, group_size=3) == [True, True, True, False]
    assert red(framed_sentence=3, group_size=1) == [False, False, True, False]
    assert red(framed_sentence=0, group_size=3) == [False, False, False, False]
    assert red(framed_sentence=4, group_size=5) == [True, True, True, True]


def test_a_pdf_holds_its_text(photos, tmp_path):
    draw_strip(photos, {"human": ["a dog ."] * 5}, tmp_path / "strip.pdf")
    contents = (tmp_path / "strip.pdf").read_bytes()
    assert contents.startswith(b"%PDF")
    assert b"/TrueType" in contents or b"/CIDFontType2" in contents
    assert b"/Type3" not in contents


def shown(photos, number):
    return ShownStory(str(number), "a", tuple(photos), tuple("vwxyz"), {"human": ["a dog ."] * 5})


def test_a_sheet_has_as_many_strips_on_a_page_as_fit(photos, tmp_path):
    # A page of 15 x 21.2 inches; a strip of photos of 4 to 3 is 2.9 inches high: 7 on a page.
    draw_sheet([shown(photos, number) for number in range(15)], tmp_path / "sheet.pdf")
    pages = re.findall(rb"/Type /Page\b", (tmp_path / "sheet.pdf").read_bytes())
    assert len(pages) == 3


def test_strips_are_named_by_their_stories(photos, tmp_path):
    paths = draw_strips([shown(photos, 7), shown(photos, 8)], tmp_path / "strips", "test")
    assert [path.name for path in paths] == ["test_7.png", "test_8.png"]
    [framed] = draw_strips([shown(photos, 7)], tmp_path / "strips", "test", "pdf", (3, 3))
    assert framed.name == "test_7_frame4.pdf"
    assert sorted((tmp_path / "strips").iterdir()) == [paths[0], framed, paths[1]]


def test_stories_are_chosen_from_all_over_the_split():
    assert spread_over(list(range(10)), 3) == [0, 3, 6]
    assert spread_over([1, 2], 5) == [1, 2]

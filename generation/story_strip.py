"""Photos in a row with the stories under them, one row a teller."""

from functools import lru_cache

import numpy as np
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath

from data_reader.image_data_reader import read_photo

# Inches.
_PHOTO_WIDTH = 2.6
_NAME_WIDTH = 1.0
_GAP = 0.14
_LINE_HEIGHT = 0.17

_FONT_SIZE = 9  # points
_POINTS_PER_INCH = 72
_COLOURS = ("#1f3a5f", "#000000", "#7a1f1f", "#1f5f2a", "#5f1f5a")
_NO_BREAK_SPACE = "\u00a0"


def draw_strip(photos, tellers, path):
    """Draw one story as a picture.

    Args:
        photos: paths, in the story's order; one that can't be read is shown as a grey frame.
        tellers: `{name: sentences}`, a sentence a photo; a row each, from top to bottom.
        path: the picture's file; its ending says the format.

    Raises:
        ValueError: a teller has not as many sentences as there are photos.
    """
    for name, sentences in tellers.items():
        if len(sentences) != len(photos):
            raise ValueError(f"{name} tells {len(sentences)} sentences for {len(photos)} photos.")
    pictures = [_picture(photo) for photo in photos]
    rows = [
        [
            _wrap(name.replace("_", " "), _NAME_WIDTH, "bold"),
            *(_wrap(_tidy(sentence), _PHOTO_WIDTH) for sentence in sentences),
        ]
        for name, sentences in tellers.items()
    ]
    photo_height = _PHOTO_WIDTH * max(p.shape[0] / p.shape[1] for p in pictures)
    row_heights = [_LINE_HEIGHT * max(map(len, row)) + 1.5 * _GAP for row in rows]
    width = _GAP + _left(len(photos))
    height = photo_height + 2 * _GAP + sum(row_heights)
    figure = Figure(figsize=(width, height), facecolor="white")
    for place, picture in enumerate(pictures):
        _put_photo(figure, picture, _left(place), height - _GAP - photo_height, photo_height)
    top = height - photo_height - 2.5 * _GAP
    for number, (row, row_height) in enumerate(zip(rows, row_heights, strict=True)):
        colour = _COLOURS[number % len(_COLOURS)]
        name, *sentences = row
        _put_text(figure, _GAP, top, name, colour, "bold")
        for place, lines in enumerate(sentences):
            _put_text(figure, _left(place), top, lines, colour, "normal")
        top -= row_height
    figure.savefig(path, dpi=110)


def _left(place):
    return _GAP + _NAME_WIDTH + place * (_PHOTO_WIDTH + _GAP)


def _tidy(sentence):
    """Keep a full stop or comma, which VIST separates by a space, on its word's line."""
    for mark in ".,!?":
        sentence = sentence.replace(f" {mark}", _NO_BREAK_SPACE + mark)
    return sentence


def _wrap(text, width, weight="normal"):
    """Break a text into lines of at most `width` inches, as far as its words are that short."""
    lines = []
    room = 0.0
    space = _width_of("a a", weight) - _width_of("aa", weight)
    for word in text.split(" "):
        needed = _width_of(word, weight)
        if lines and needed + space <= room:
            lines[-1] += f" {word}"
            room -= needed + space
        else:
            lines.append(word)
            room = width - needed
    return lines


@lru_cache(maxsize=10_000)
def _width_of(text, weight):
    if not text.strip():
        return 0.0
    outline = TextPath((0, 0), text, size=_FONT_SIZE, prop=FontProperties(weight=weight))
    return outline.get_extents().width / _POINTS_PER_INCH


def _picture(path):
    """uint8 [height, width, 3] in R,G,B; grey where there is no photo."""
    try:
        return read_photo(path)[:, :, ::-1]
    except (ValueError, OSError):
        return np.full((240, 320, 3), 220, np.uint8)


def _put_photo(figure, picture, left, bottom, box_height):
    width, height = figure.get_size_inches()
    axes = figure.add_axes(
        (left / width, bottom / height, _PHOTO_WIDTH / width, box_height / height)
    )
    axes.imshow(picture)
    axes.set_anchor("S")
    axes.set_axis_off()


def _put_text(figure, left, top, lines, colour, weight):
    width, height = figure.get_size_inches()
    figure.text(
        left / width,
        top / height,
        "\n".join(lines),
        fontsize=_FONT_SIZE,
        color=colour,
        weight=weight,
        verticalalignment="top",
        linespacing=1.25,
        parse_math=False,
    )

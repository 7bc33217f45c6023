"""Photos in a row with the stories under them, one row a teller."""

from functools import lru_cache

import numpy as np
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties

from data_reader.image_data_reader import read_photo

# Inches.
_PHOTO_WIDTH = 2.6
_NAME_WIDTH = 1.0
_GAP = 0.14
_LINE_HEIGHT = 0.17

_FONT_SIZE = 9  # points
_PIXELS_PER_INCH = 110
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
    figure.savefig(path, dpi=_PIXELS_PER_INCH)


def _left(place):
    return _GAP + _NAME_WIDTH + place * (_PHOTO_WIDTH + _GAP)


def _tidy(sentence):
    """Keep a full stop or comma, which VIST separates by a space, on its word's line."""
    for mark in ".,!?":
        sentence = sentence.replace(f" {mark}", _NO_BREAK_SPACE + mark)
    return sentence


def _wrap(text, width, weight="normal"):
    """Break a text into lines of at most `width` inches, between words if they are that short."""
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}".strip()
        if _width_of(longer, weight) <= width:
            lines[-1] = longer
        else:
            lines.extend(_break(word, width, weight))
    return [line for line in lines if line] or [""]


def _break(word, width, weight):
    """A word in pieces of at most `width` inches; nearly always it is one piece."""
    pieces = [""]
    for letter in word:
        if pieces[-1] and _width_of(pieces[-1] + letter, weight) > width:
            pieces.append("")
        pieces[-1] += letter
    return pieces


def _width_of(text, weight):
    """The width of a text in inches, as it will be drawn."""
    font = FontProperties(weight=weight, size=_FONT_SIZE)
    pixels, _, _ = _renderer().get_text_width_height_descent(text, font, ismath=False)
    return pixels / _PIXELS_PER_INCH


@lru_cache(maxsize=1)
def _renderer():
    return RendererAgg(1, 1, _PIXELS_PER_INCH)


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

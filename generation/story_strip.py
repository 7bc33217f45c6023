"""Photos in a row with the stories under them, one row a teller."""

from pathlib import Path
from textwrap import wrap

import numpy as np
from matplotlib.figure import Figure

from data_reader.image_data_reader import read_photo

_PHOTO_WIDTH = 2.6  # inches
_MARGIN = 0.12
_NAME_WIDTH = 1.1
_LINE_HEIGHT = 0.19
_FONT_SIZE = 9
_CHARACTERS_PER_LINE = 33
_COLOURS = ("#1f3a5f", "#000000", "#7a1f1f", "#1f5f2a", "#5f1f5a")


def draw_strip(photos, tellers, path):
    """Draw one story as a picture.

    Args:
        photos: paths, in the story's order; one that can't be read is shown as an empty frame.
        tellers: `{name: sentences}`, a sentence a photo; a row each, from top to bottom.
        path: the picture's file; its ending says the format.

    Raises:
        ValueError: a teller has not as many sentences as there are photos.
    """
    for name, sentences in tellers.items():
        if len(sentences) != len(photos):
            raise ValueError(f"{name} tells {len(sentences)} sentences for {len(photos)} photos.")
    pictures = [_picture(photo) for photo in photos]
    wrapped = {
        name: [wrap(sentence, _CHARACTERS_PER_LINE) for sentence in sentences]
        for name, sentences in tellers.items()
    }
    photo_height = _PHOTO_WIDTH * max(p.shape[0] / p.shape[1] for p in pictures)
    row_heights = [
        _LINE_HEIGHT * max(len(lines) for lines in rows) + 2 * _MARGIN for rows in wrapped.values()
    ]
    width = _NAME_WIDTH + len(photos) * (_PHOTO_WIDTH + _MARGIN)
    height = photo_height + 2 * _MARGIN + sum(row_heights)
    figure = Figure(figsize=(width, height), facecolor="white")
    for place, picture in enumerate(pictures):
        _put_photo(figure, picture, _left(place), height - _MARGIN - photo_height, photo_height)
    top = height - photo_height - 2 * _MARGIN
    for (name, rows), row_height, colour in zip(
        wrapped.items(), row_heights, _cycle(_COLOURS), strict=False
    ):
        _put_text(figure, _MARGIN, top - _MARGIN, "\n".join(wrap(name, 14)), colour, "bold")
        for place, lines in enumerate(rows):
            _put_text(figure, _left(place), top - _MARGIN, "\n".join(lines), colour, "normal")
        top -= row_height
    figure.savefig(path, dpi=110)


def _cycle(values):
    while True:
        yield from values


def _left(place):
    return _NAME_WIDTH + place * (_PHOTO_WIDTH + _MARGIN)


def _picture(path):
    """uint8 [height, width, 3] in R,G,B; grey where there is no photo."""
    try:
        return read_photo(Path(path))[:, :, ::-1]
    except (ValueError, OSError):
        return np.full((240, 320, 3), 220, np.uint8)


def _put_photo(figure, picture, left, bottom, box_height):
    width, height = figure.get_size_inches()
    shown = min(_PHOTO_WIDTH, box_height * picture.shape[1] / picture.shape[0])
    axes = figure.add_axes(
        (
            (left + (_PHOTO_WIDTH - shown) / 2) / width,
            bottom / height,
            shown / width,
            box_height / height,
        )
    )
    axes.imshow(picture)
    axes.set_anchor("S")
    axes.set_axis_off()


def _put_text(figure, left, top, text, colour, weight):
    width, height = figure.get_size_inches()
    figure.text(
        left / width,
        top / height,
        text.replace("$", r"\$"),
        fontsize=_FONT_SIZE,
        color=colour,
        weight=weight,
        va="top",
        linespacing=1.25,
    )

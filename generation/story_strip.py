"""python -m generation.story_strip: draw photos in a row, and under them one story per system.

Strips are written into the folder of the first run, as PNG or PDF; --sheet puts all of them into
one PDF, several on a page.  --frame N draws red frames around the photos in the window of the N-th
sentence of the first run, and the sentence in red, as in the paper's figure.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from matplotlib import rc_context
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, get_font_names
from matplotlib.patches import Rectangle
from tqdm import tqdm

from data_reader.cli import command_line, run_command, whole_number
from data_reader.errors import InputError
from data_reader.files import atomic_write
from data_reader.image_data_reader import read_photo
from data_reader.run_folder import RunFolder
from generation.generated_stories import add_system_options, read_shown_stories, read_systems

PHOTOS_IN_A_ROW = 5

# Inches.
_PHOTO_SIZE = 2.6  # side of the square that contains a photo
_NAME_WIDTH = 1.0
_GAP = 0.14
_LINE_HEIGHT = 0.17
_ASCENT = 0.12  # of a line, over its base
_CAPTION_HEIGHT = 0.26

_NO_PHOTO = np.full((240, 320, 3), 220, np.uint8)
_LONGEST_ID = 60  # characters
_FONT_SIZE = 9  # points
_PIXELS_PER_INCH = 110
_PHOTO_PIXELS_PER_INCH = 150  # enough for print, few enough for a sheet of a hundred
_COLOURS = ("#1f3a5f", "#000000", "#7a1f1f", "#1f5f2a", "#5f1f5a")
_FRAME = "#d40000"
_PAGE_PROPORTION = 2**0.5  # A4
_NO_BREAK_SPACE = "\u00a0"
_OTHER_SCRIPTS = (
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "WenQuanYi Zen Hei",
    "Droid Sans Fallback",
)
_TEXT_IN_PDF = {"pdf.fonttype": 42, "svg.fonttype": "none"}  # as text, not as drawings of letters


def draw_strip(photos, systems, path, framed_sentence=None, group_size=None, photo_ids=()):
    """Draw one story as a picture.

    Args:
        photos: paths, in the story's order; one that can't be read is shown as a grey square.  More
            than five continue in further rows.
        systems: `{name: sentences}`, one sentence per photo; one row each, from top to bottom.
        path: of the picture; its ending determines the format.
        framed_sentence: number, from 0 on, of the sentence whose window is framed.
        group_size: number of photos in the window.
        photo_ids: one is written on the grey square of each photo that can't be read.

    Raises:
        InputError: a system has more or fewer sentences than there are photos.
    """
    framed = None if framed_sentence is None else _Framed(framed_sentence, group_size)
    strip = _lay_out(photos, systems, framed, photo_ids=photo_ids)
    figure = Figure(figsize=(strip.width, strip.height), facecolor="white")
    _draw(strip, figure, strip.height)
    with rc_context(_TEXT_IN_PDF):
        figure.savefig(path, dpi=_PIXELS_PER_INCH)


def draw_strips(stories, folder, split, ending="png", framed=None):
    """Draw the strip of each story into `folder`, with a progress bar -> paths.

    Args:
        stories: `ShownStory`s.
        framed: sentence and group size, see `draw_strip`; the sentence, counted from 1, is part of
            the strip's name.
    """
    ending = f"_frame{framed[0] + 1}.{ending}" if framed else f".{ending}"
    paths = []
    for story in tqdm(stories, desc="strips", unit="strip", disable=None):
        paths.append(Path(folder) / f"{split}_{story.name_in_files}{ending}")
        with atomic_write(paths[-1]) as partial:
            frame = framed or (None, None)
            draw_strip(story.photos, story.systems, partial, *frame, story.photo_ids)
    return paths


def draw_sheet(stories, path, framed=None):
    """Draw the strips of many stories into one PDF, as many on a page as fit."""
    framed = _Framed(*framed) if framed else None
    with (
        atomic_write(path) as partial,
        rc_context(_TEXT_IN_PDF),
        PdfPages(partial) as pages,
        tqdm(total=len(stories), desc="strips", unit="strip", disable=None) as bar,
    ):
        page, room = None, 0.0
        for story in stories:
            caption = f"story {story.story_id}, album {story.album_id}"
            strip = _lay_out(story.photos, story.systems, framed, caption, story.photo_ids)
            if page is None or strip.height > room:
                _finish(page, pages)
                room = max(strip.width * _PAGE_PROPORTION, strip.height)
                page = Figure(figsize=(strip.width, room), facecolor="white")
            _draw(strip, page, room)
            room -= strip.height
            bar.update()
        _finish(page, pages)


def _finish(page, pages):
    if page is not None:
        pages.savefig(page)


def spread_over(stories, count):
    """Choose `count` of the stories, far apart, so that they show different albums."""
    if count >= len(stories):
        return list(stories)
    return [stories[number * len(stories) // count] for number in range(count)]


@dataclass(frozen=True)
class _Framed:
    """A sentence and the size of its window."""

    sentence: int
    group_size: int

    def sees(self, photo):
        return self.sentence - self.group_size < photo <= self.sentence


@dataclass(frozen=True)
class _Text:
    """Lines at a place (in inches from the upper left corner of the strip)."""

    left: float
    top: float
    lines: list[str]
    colour: str
    weight: str = "normal"


@dataclass(frozen=True, eq=False)
class _Photo:
    """A photo, uint8 [height, width, 3] in R,G,B, in its square."""

    left: float
    top: float
    pixels: np.ndarray
    is_framed: bool


@dataclass(frozen=True)
class _Strip:
    width: float
    height: float
    photos: list[_Photo]
    texts: list[_Text]


def _lay_out(photos, systems, framed=None, caption=None, photo_ids=()):
    for name, sentences in systems.items():
        if len(sentences) != len(photos):
            raise InputError(f"{name} has {len(sentences)} sentences for {len(photos)} photos.")
    pictures = [_picture(photo) for photo in photos]
    shown, texts = [], []
    top = _GAP
    width = _left(min(PHOTOS_IN_A_ROW, len(photos)))
    if caption:
        lines = _wrap(" ".join(caption.split()), width - 2 * _GAP)
        texts.append(_Text(_GAP, top, lines, "#777777"))
        top += _CAPTION_HEIGHT + _LINE_HEIGHT * (len(lines) - 1)
    for first in range(0, len(photos), PHOTOS_IN_A_ROW):
        places = range(first, min(first + PHOTOS_IN_A_ROW, len(photos)))
        row_height = max(_shown_size(pictures[place])[1] for place in places)
        for place in places:
            is_framed = framed is not None and framed.sees(place)
            _, height = _shown_size(pictures[place])
            bottom_aligned = top + row_height - height
            shown.append(_Photo(_left(place - first), bottom_aligned, pictures[place], is_framed))
            if photo_ids and pictures[place] is _NO_PHOTO:
                texts.append(_label(photo_ids[place], _left(place - first), bottom_aligned))
        top += row_height + _GAP
        for number, (name, sentences) in enumerate(systems.items()):
            row = _lay_out_system(name, sentences, places, number, framed, top)
            texts += row
            top += _LINE_HEIGHT * max(len(text.lines) for text in row) + 1.5 * _GAP
    return _Strip(width, top, shown, texts)


def _label(photo_id, left, top):
    """Lay out the id of a photo on the grey square that stands for it."""
    return _Text(
        left + _GAP, top + _GAP, _wrap(_short(photo_id), _PHOTO_SIZE - 2 * _GAP), "#444444"
    )


def _short(id_):
    """Return an id in one line of at most 60 characters."""
    line = " ".join(id_.split())
    return line if len(line) <= _LONGEST_ID else f"{line[: _LONGEST_ID - 1]}…"


def _lay_out_system(name, sentences, places, number, framed, top):
    """Lay out the name of a system and its sentences at these places."""
    colour = _COLOURS[number % len(_COLOURS)]
    row = [_Text(_GAP, top, _wrap(name.replace("_", " "), _NAME_WIDTH, "bold"), colour, "bold")]
    for place in places:
        is_framed = framed is not None and framed.sentence == place
        lines = _wrap(_tidy(sentences[place]), _PHOTO_SIZE)
        left = _left(place - places[0])
        row.append(_Text(left, top, lines, _FRAME if is_framed else colour))
    return row


def _left(place):
    return 2 * _GAP + _NAME_WIDTH + place * (_PHOTO_SIZE + _GAP)


def _shown_size(picture):
    """Return width and height in inches of a picture that is fitted into the square."""
    height, width = picture.shape[:2]
    scale = _PHOTO_SIZE / max(height, width)
    return width * scale, height * scale


def _tidy(sentence):
    """Keep punctuation, which VIST separates by a space, on the line of its word."""
    for mark in ".,!?":
        sentence = sentence.replace(f" {mark}", _NO_BREAK_SPACE + mark)
    return sentence


def _wrap(text, width, weight="normal"):
    """Break a text into lines of at most `width` inches, between words where possible."""
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}".strip()
        if _width_of(longer, weight) <= width:
            lines[-1] = longer
        else:
            lines.extend(_break(word, width, weight))
    return [line for line in lines if line] or [""]


def _break(word, width, weight):
    """Break a word into pieces of at most `width` inches, nearly always one."""
    pieces = [""]
    for letter in word:
        if pieces[-1] and _width_of(pieces[-1] + letter, weight) > width:
            pieces.append("")
        pieces[-1] += letter
    return pieces


def _width_of(text, weight):
    """Return the width of a text in inches, as it will be drawn."""
    font = FontProperties(family=_families(), weight=weight, size=_FONT_SIZE)
    pixels, _, _ = _renderer().get_text_width_height_descent(text, font, ismath=False)
    return pixels / _PIXELS_PER_INCH


@lru_cache(maxsize=1)
def _renderer():
    return RendererAgg(1, 1, _PIXELS_PER_INCH)


@lru_cache(maxsize=1)
def _families():
    """Return Matplotlib's own font and those installed fonts that have other scripts."""
    installed = set(get_font_names())
    return ["DejaVu Sans", *(name for name in _OTHER_SCRIPTS if name in installed)]


def _picture(path):
    """Read a photo, uint8 [height, width, 3] in R,G,B, no larger than drawn; grey if unreadable."""
    longest = round(_PHOTO_SIZE * _PHOTO_PIXELS_PER_INCH)
    try:
        photo = read_photo(path, short_side=longest)[:, :, ::-1]
    except (InputError, OSError):
        return _NO_PHOTO
    scale = longest / max(photo.shape[:2])
    if scale >= 1:
        return photo
    size = [max(1, round(side * scale)) for side in photo.shape[1::-1]]
    return cv2.resize(photo, size, interpolation=cv2.INTER_AREA)


def _draw(strip, figure, top):
    """Draw a strip whose upper edge is at `top` inches of the figure."""
    for photo in strip.photos:
        _draw_photo(photo, figure, top)
    width, height = figure.get_size_inches()
    for text in strip.texts:
        for number, line in enumerate(text.lines):
            base = text.top + _ASCENT + number * _LINE_HEIGHT
            figure.text(
                text.left / width,
                (top - base) / height,
                line,
                fontsize=_FONT_SIZE,
                family=_families(),
                color=text.colour,
                weight=text.weight,
                verticalalignment="baseline",
                parse_math=False,
            )


def _draw_photo(photo, figure, top):
    width, height = figure.get_size_inches()
    shown_width, shown_height = _shown_size(photo.pixels)
    left = photo.left + (_PHOTO_SIZE - shown_width) / 2
    bottom = top - photo.top - shown_height
    box = (left / width, bottom / height, shown_width / width, shown_height / height)
    axes = figure.add_axes(box)
    axes.imshow(photo.pixels, aspect="auto")
    axes.set_axis_off()
    if photo.is_framed:
        figure.add_artist(
            Rectangle(box[:2], *box[2:], fill=False, edgecolor=_FRAME, linewidth=4, zorder=5)
        )


def main():
    arguments = _parse_arguments()
    if arguments.sheet and arguments.format == "png":
        raise InputError("--sheet is a PDF; it has no --format png.")
    runs = [RunFolder.open(path) for path in arguments.runs]
    layout = runs[0].layout(arguments.data)
    systems = read_systems(runs, arguments.split, arguments.decoding)
    stories = _choose(read_shown_stories(layout, arguments.split, systems), arguments)
    framed = _framed(runs[0], stories, arguments.frame)
    folder = runs[0].strips
    if arguments.sheet:
        paths = [folder / f"{arguments.split}_sheet.pdf"]
        draw_sheet(stories, paths[0], framed)
    else:
        paths = draw_strips(stories, folder, arguments.split, arguments.format or "png", framed)
    print(f"{len(stories)} strips")
    print("\n".join(f"  {path}" for path in paths))


def _choose(stories, arguments):
    """Choose the stories asked for, or some spread over the split."""
    if not arguments.story:
        return spread_over(stories, arguments.number)
    by_id = {story.story_id: story for story in stories}
    unknown = [story_id for story_id in arguments.story if story_id not in by_id]
    if unknown:
        raise InputError(
            f"There is no {arguments.split} story {', '.join(map(_short, unknown))}; there are "
            f"{len(by_id)}, the first ones: {', '.join(map(_short, list(by_id)[:3]))}."
        )
    return [by_id[story_id] for story_id in arguments.story]


def _framed(run, stories, number):
    """Return the sentence to frame and the size of its window."""
    if number is None:
        return None
    fewest = min(len(story.photos) for story in stories)
    if number > fewest:
        raise InputError(f"--frame is {number}; a story has {fewest} sentences.")
    return number - 1, run.model_config()["image_group_size"]


def _parse_arguments():
    parser = command_line(__doc__)
    add_system_options(parser)
    parser.add_argument("--story", nargs="+", metavar="ID", help="these stories only")
    parser.add_argument(
        "--number", type=whole_number(1), default=12, metavar="N", help="default: %(default)s"
    )
    parser.add_argument(
        "--frame", type=whole_number(1), metavar="N", help="number of the sentence, from 1 on"
    )
    parser.add_argument("--format", choices=("png", "pdf"), help="default: png")
    parser.add_argument("--sheet", action="store_true", help="one PDF of all strips")
    return parser.parse_args()


if __name__ == "__main__":
    run_command(main)

"""python -m generation.attribution_picture: attribute the words of one story to its inputs.

For each sentence it draws two maps: photos against words, and words of the previous sentence
against words, darker for a larger share.  Each column sums to 1.  The shares are attention weights
where the model has them, else gradient times input (see `generation.attribution`).
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib import colormaps
from matplotlib.backend_bases import FigureCanvasBase
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from data_reader.cli import add_data_option, command_line, import_tensorflow, run_command
from data_reader.errors import InputError
from data_reader.files import atomic_write
from data_reader.image_data_reader import centre_square
from data_reader.layout import RESULTS, SPLITS
from data_reader.run_folder import RunFolder
from data_reader.stories_file import StoryFeatures, check_features, open_stories
from generation.generated_stories import read_hypotheses, read_shown_stories
from generation.own_photos import read_given

# Inches.
_WORD_WIDTH = 0.34
_PHOTO_HEIGHT = 0.42
_WORD_HEIGHT = 0.19
_LABELS = 1.3  # left of a map
_WORDS_BELOW = 0.85
_MARGIN = 0.35
_TITLE = 0.55
_BAR = 0.12

_FONT_SIZE = 8  # points
_PIXELS_PER_INCH = 130
_COLOURS = colormaps["Blues"]
_THUMBNAIL_PIXELS = 96


@dataclass(frozen=True, eq=False)
class AttributionMap:
    """The attribution of the words of one sentence to photos, or to the previous sentence.

    Attributes:
        words: of the sentence, <END> last.
        sources: words of the previous sentence, or thumbnails uint8 [height, width, 3].
        shares: [sources, words], columns that sum to 1; nan where the model has no such input.
    """

    words: list[str]
    sources: list
    shares: np.ndarray


def attribution_maps(attribution, rows, words, thumbnails, group_size):
    """Turn an `Attribution` into maps.

    Args:
        attribution: of a story of I sentences.
        rows: int [I, T], the story.
        words: a function, a row of indices -> its words.
        thumbnails: of the I photos.
        group_size: number of photos in a window.

    Returns:
        for each sentence the map of the photos, and that of the previous words or None.
    """
    maps = []
    for sentence, row in enumerate(rows):
        generated = words(row[1:])
        photos = _shares(attribution.photos[sentence, : len(generated)])
        outside = [
            not sentence - group_size < photo <= sentence for photo in range(len(thumbnails))
        ]
        photos[outside] = np.nan
        of_words = None
        if attribution.previous_words_by:
            before = words(rows[sentence - 1]) if sentence else words(rows[0][:1])
            shares = _shares(attribution.previous_words[sentence, : len(generated), : len(before)])
            of_words = AttributionMap(generated, before, shares)
        maps.append((AttributionMap(generated, thumbnails, photos), of_words))
    return maps


def _shares(by_word):
    """[words, sources] -> [sources, words], columns that sum to 1, or are 0 if they were."""
    sums = by_word.sum(axis=1, keepdims=True)
    return (by_word / np.where(sums > 0, sums, 1)).T


def draw_attribution(maps, titles, path):
    """Draw the maps of a story, one row per sentence.

    Args:
        maps: see `attribution_maps`.
        titles: of the column of photos and of that of previous words.
        path: of the picture; its ending determines the format.
    """
    widest = max(len(photos.words) for photos, _ in maps) * _WORD_WIDTH
    heights = [max(map(_height, filter(None, pair))) + _WORDS_BELOW for pair in maps]
    panels = 2 if any(of_words for _, of_words in maps) else 1
    width = _MARGIN + panels * (_LABELS + widest) + 3 * _MARGIN + _BAR
    height = _TITLE + sum(heights) + _MARGIN
    figure = Figure(figsize=(width, height), facecolor="white")
    top = height - _TITLE
    for pair, room in zip(maps, heights, strict=True):
        for panel, drawn in enumerate(pair):
            if drawn is not None:
                left = _MARGIN + _LABELS + panel * (_LABELS + widest)
                _draw_map(figure, drawn, left, top)
        top -= room
    for panel, title in enumerate(titles[:panels]):
        left = _MARGIN + _LABELS + panel * (_LABELS + widest)
        figure.text(left / width, (height - 0.2) / height, title, fontsize=9, va="top")
    _draw_colour_bar(figure)
    figure.savefig(path, dpi=_PIXELS_PER_INCH)


def _height(drawn):
    return len(drawn.sources) * (_WORD_HEIGHT if _are_words(drawn) else _PHOTO_HEIGHT)


def _are_words(drawn):
    return isinstance(drawn.sources[0], str)


def _draw_map(figure, drawn, left, top):
    """Draw a map with its upper left corner at this place, in inches."""
    width, height = figure.get_size_inches()
    map_height, map_width = _height(drawn), len(drawn.words) * _WORD_WIDTH
    axes = figure.add_axes(
        (left / width, (top - map_height) / height, map_width / width, map_height / height)
    )
    axes.set_facecolor("#dddddd")  # where the model has no such input
    axes.imshow(np.ma.masked_invalid(drawn.shares), cmap=_COLOURS, vmin=0, vmax=1, aspect="auto")
    axes.set_xticks(range(len(drawn.words)), drawn.words, rotation=55, ha="right")
    axes.tick_params(length=0, labelsize=_FONT_SIZE, pad=2)
    for label in axes.get_xticklabels():
        label.set_rotation_mode("anchor")
        label.set_parse_math(False)
    if _are_words(drawn):
        axes.set_yticks(range(len(drawn.sources)), drawn.sources)
        for label in axes.get_yticklabels():
            label.set_parse_math(False)
    else:
        axes.set_yticks([])
        _draw_thumbnails(axes, drawn.sources)
    for edge in axes.spines.values():
        edge.set_color("#bbbbbb")


def _draw_thumbnails(axes, thumbnails):
    side = _PHOTO_HEIGHT / _WORD_WIDTH  # of a square, in words
    for place, thumbnail in enumerate(thumbnails):
        small = axes.inset_axes(
            (-0.6 - 0.92 * side, place - 0.46, 0.92 * side, 0.92), transform=axes.transData
        )
        small.imshow(thumbnail, aspect="auto")
        small.set_axis_off()


def _draw_colour_bar(figure):
    from matplotlib.cm import ScalarMappable

    width, height = figure.get_size_inches()
    left = width - 2 * _MARGIN - _BAR
    bar_height = min(1.6, height - _TITLE - _MARGIN)
    box = (left / width, (height - _TITLE - bar_height) / height, _BAR / width, bar_height / height)
    bar = figure.colorbar(ScalarMappable(Normalize(0, 1), _COLOURS), cax=figure.add_axes(box))
    bar.ax.tick_params(labelsize=_FONT_SIZE)
    bar.set_ticks([0, 0.5, 1])


def main():
    arguments = _parse_arguments()
    run = RunFolder.open(arguments.run) if arguments.run else RunFolder.newest(RESULTS)
    layout = run.layout(arguments.data)
    split, name = arguments.split, run.settings()["name"]
    stories = read_hypotheses(run, arguments.decoding, split)
    shown = read_shown_stories(layout, split, {name: stories})
    number = _place_of(arguments.story, shown, split)
    story = shown[number]
    path = arguments.output or run.strips / f"{split}_{story.name_in_files}_attribution.png"
    _check_format(path)
    with open_stories(layout, split) as file:
        check_features(file, run.features())
        image_features = StoryFeatures(file)[number]
    import_tensorflow()
    from models.loading import load_model

    maps, titles = attribute_story(
        load_model(run),
        run.vocabulary(),
        image_features,
        story.systems[name],
        story.photos,
    )
    with atomic_write(path) as partial:
        draw_attribution(maps, titles, partial)
    print(f"story {story.story_id}, {run.name}, {arguments.decoding}\n  {path}")


def _check_format(path):
    if path.suffix.lower()[1:] not in FigureCanvasBase.get_supported_filetypes():
        raise InputError(f"--output is {path}; its name must end in .png, .pdf or .svg.")


def _place_of(story_id, shown, split):
    ids = [story.story_id for story in shown]
    if story_id is None:
        return 0
    if story_id not in ids:
        raise InputError(
            f"There is no {split} story {story_id}; there are {len(ids)}, the first ones: "
            f"{', '.join(ids[:3])}."
        )
    return ids.index(story_id)


def attribute_story(model, vocabulary, image_features, sentences, photos):
    """Attribute the words of one story -> maps and titles for `draw_attribution`.

    Args:
        model: a `StoryModel`.
        image_features: float [I, F].
        sentences: I texts.
        photos: I paths, PIL images or arrays, see `generation.own_photos.read_given`.
    """
    from generation.attribution import attribution

    rows = np.stack([vocabulary.encode(sentence) for sentence in sentences])
    found = attribution(model, image_features, rows)

    def words(row):
        return [vocabulary.words[index] for index in row if index]

    thumbnails = [_thumbnail(photo) for photo in photos]
    maps = attribution_maps(found, rows, words, thumbnails, model.image_group_size)
    return maps, [f"photos: {found.photos_by}", f"previous sentence: {found.previous_words_by}"]


def _thumbnail(photo):
    try:
        return centre_square(read_given(photo, _THUMBNAIL_PIXELS), _THUMBNAIL_PIXELS)[:, :, ::-1]
    except (InputError, OSError):
        return np.full((_THUMBNAIL_PIXELS, _THUMBNAIL_PIXELS, 3), 220, np.uint8)


def _parse_arguments():
    parser = command_line(__doc__)
    parser.add_argument("--run", metavar="FOLDER", help="run folder (default: the newest one)")
    parser.add_argument("--split", default="test", choices=SPLITS)
    parser.add_argument("--decoding", default="greedy", metavar="NAME", help="default: greedy")
    parser.add_argument("--story", metavar="ID", help="default: the first of the split")
    add_data_option(parser, None)
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="PNG, PDF or SVG (default: beside the strips)"
    )
    return parser.parse_args()


if __name__ == "__main__":
    run_command(main)

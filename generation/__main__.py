"""python -m generation: generate stories for a split, or one for your own photos.

Given photos (1 to 20 files, or a folder of them), it prints their story and draws its strip.
Otherwise it generates the stories of a whole split, scores them, draws strips and writes a page for
browsing them.  The same command resumes an interrupted generation.
"""

import os
from datetime import datetime
from pathlib import Path

from data_reader.cli import (
    add_data_option,
    add_photo_limit_option,
    command_line,
    import_tensorflow,
    run_command,
    whole_number,
)
from data_reader.errors import InputError
from data_reader.files import atomic_write
from data_reader.layout import RESULTS, SPLITS
from data_reader.run_folder import RunFolder
from data_reader.shared_model import open_model
from generation.decoding_options import (
    add_decoding_options,
    check_decoding_options,
    chosen_decoding,
)
from generation.story_files import FORMATS

_STRIPS = 12


def main():
    arguments = _parse_arguments()
    check_decoding_options(arguments)
    with open_model(arguments.run or RunFolder.newest(RESULTS).path, arguments.trust) as run:
        if arguments.photos:
            _refuse_options_of_splits(arguments)
            _generate_for_photos(run, run.vocabulary(), arguments)
        else:
            _generate_for_split(run, arguments)


def _refuse_options_of_splits(arguments):
    for name in ("split", "data", "strips", "format"):
        if getattr(arguments, name) is not None:
            raise InputError(f"--{name} is for a split; it has no meaning with photos.")


def _generate_for_photos(run, vocabulary, arguments):
    """Print a story of the given photos and draw its strip."""
    from generation.own_photos import photos_in_order

    photos, order, notes = photos_in_order(arguments.photos)
    import_tensorflow()
    from dataset.extractors import load_extractor_of
    from generation.own_photos import features_of, unseen_in_training
    from generation.story_generator import StoryGenerator
    from generation.story_strip import draw_strip
    from models.loading import load_model

    decoding = chosen_decoding(arguments)
    extractor = load_extractor_of(run.features())
    image_features = features_of(photos, extractor, arguments.max_megapixels)
    generator = StoryGenerator(load_model(run, arguments.precision), decoding)
    [rows] = generator.generate(image_features, show_progress=False)
    sentences = [vocabulary.decode(row) for row in rows]
    print(f"{run.name}: {len(photos)} photos, {order}")
    for line in [*notes, *unseen_in_training(run.features(), len(photos))]:
        print(f"  note: {line}")
    for photo, sentence in zip(photos, sentences, strict=True):
        name = os.fsencode(photo.name).decode(errors="replace")
        print(f"  {name:<20} {sentence}")
    path = run.strips / f"own_{datetime.now():%Y%m%d-%H%M%S-%f}.png"
    with atomic_write(path) as partial:
        draw_strip(photos, {run.settings()["name"]: sentences}, partial)
    print(f"  strip: {path}")


def _generate_for_split(run, arguments):
    from generation.split_stories import generate_for_split

    import_tensorflow()
    lines = generate_for_split(
        run,
        arguments.split or "test",
        run.layout(arguments.data),
        chosen_decoding(arguments),
        arguments.precision,
        _STRIPS if arguments.strips is None else arguments.strips,
        arguments.format,
    )
    print("\n".join(lines))


def _parse_arguments():
    parser = command_line(__doc__)
    parser.add_argument(
        "photos", nargs="*", type=Path, metavar="PHOTO", help="your own photos, or a folder of them"
    )
    parser.add_argument(
        "--run",
        metavar="FOLDER",
        help="run folder, or the folder or zip of a shared model (default: the newest run)",
    )
    parser.add_argument(
        "--trust",
        action="append",
        default=[],
        metavar="MODULE",
        help="let a shared model import its class from this module of yours; may be repeated",
    )
    parser.add_argument("--split", choices=SPLITS, help="default: test")
    add_data_option(parser, None)
    parser.add_argument(
        "--strips",
        type=whole_number(0),
        metavar="N",
        help=f"number of strips to draw of a split (default: {_STRIPS})",
    )
    parser.add_argument(
        "--format", choices=FORMATS, help="write a split's stories in this form, too"
    )
    add_photo_limit_option(parser)
    add_decoding_options(parser)
    return parser.parse_args()


if __name__ == "__main__":
    run_command(main)

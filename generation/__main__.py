"""python -m generation: generate stories for a split, or one for your own photos.

Given photos (1 to 20 files, or a folder of them), it prints their story and draws its strip.
Otherwise it generates the stories of a whole split, scores them, draws strips and writes a page for
browsing them.  The same command resumes an interrupted generation.
"""

import os
import shlex
from datetime import datetime
from pathlib import Path

from data_reader.cli import (
    add_data_option,
    command_line,
    import_tensorflow,
    run_command,
    whole_number,
)
from data_reader.errors import InputError
from data_reader.files import atomic_write, write_json
from data_reader.layout import RESULTS, SPLITS
from data_reader.run_folder import RunFolder
from data_reader.shared_model import open_model
from data_reader.stories_file import check_features, open_stories
from data_reader.vocabulary import Vocabulary
from generation.decoding_options import (
    add_decoding_options,
    check_decoding_options,
    chosen_decoding,
    decoding_as_dict,
)
from generation.story_files import FORMATS, read_run, write_stories

_STRIPS = 12


def main():
    arguments = _parse_arguments()
    check_decoding_options(arguments)
    with open_model(arguments.run or RunFolder.newest(RESULTS).path, arguments.trust) as run:
        vocabulary = Vocabulary.read(run.vocabulary_file)
        if arguments.photos:
            _refuse_options_of_splits(arguments)
            _generate_for_photos(run, vocabulary, arguments)
        else:
            _generate_for_split(run, vocabulary, arguments)


def _refuse_options_of_splits(arguments):
    for name in ("split", "data", "strips", "format"):
        if getattr(arguments, name) is not None:
            raise InputError(f"--{name} is for a split; it has no meaning with photos.")


def _generate_for_photos(run, vocabulary, arguments):
    """Print a story of the given photos and draw its strip."""
    from generation.own_photos import photos_in_order

    photos, order = photos_in_order(arguments.photos)
    import_tensorflow()
    from dataset.extractors import load_extractor_of
    from generation.own_photos import features_of, unseen_in_training
    from generation.story_generator import StoryGenerator
    from generation.story_strip import draw_strip
    from models.loading import load_model

    decoding = chosen_decoding(arguments)
    image_features = features_of(photos, load_extractor_of(run.features()))
    generator = StoryGenerator(load_model(run, arguments.precision), decoding)
    [rows] = generator.generate(image_features, show_progress=False)
    sentences = [vocabulary.decode(row) for row in rows]
    print(f"{run.name}: {len(photos)} photos, {order}")
    for line in unseen_in_training(run.features(), len(photos)):
        print(f"  note: {line}")
    for photo, sentence in zip(photos, sentences, strict=True):
        name = os.fsencode(photo.name).decode(errors="replace")
        print(f"  {name:<20} {sentence}")
    path = run.strips / f"own_{datetime.now():%Y%m%d-%H%M%S-%f}.png"
    with atomic_write(path) as partial:
        draw_strip(photos, {run.settings()["name"]: sentences}, partial)
    print(f"  strip: {path}")


def _generate_for_split(run, vocabulary, arguments):
    """Generate the stories of a split; write them, their scores, strips and page."""
    layout = run.layout(arguments.data)
    split = arguments.split or "test"
    strips = _STRIPS if arguments.strips is None else arguments.strips
    also = ("album_ids", "image_ids") if arguments.format else ()
    with open_stories(layout, split, vocabulary, also) as stories:
        check_features(stories, run.features())
        import_tensorflow()
        from generation.generate_split import decoding_name, forget_parts, generate_split

        decoding = chosen_decoding(arguments)
        name = decoding_name(decoding, arguments.precision)
        rows = generate_split(run, split, stories, decoding, arguments.precision)
        sentences = [[vocabulary.decode(row) for row in story] for story in rows]
        references = [
            [vocabulary.decode(row) for row in story] for story in stories["story_sentences"][:]
        ]
        settings = decoding_as_dict(decoding, arguments.precision)
        write_json(run.decoding(name, split), settings, indent=2)
        _write_texts(run, name, split, sentences, references)
        forget_parts(run, split, name)
        written = _write_in_form(run, name, split, layout, arguments.format)
        scores = scores_or_why_not(run, name, split, layout)
        shown = _show(run, split, layout, stories, strips)
    print(f"{run.name}: {len(sentences)} {split} stories, {name}")
    print(f"  {run.story_hypotheses(name, split)}")
    print("\n".join(f"  {line}" for line in [*written, *scores, *shown]))


def _write_texts(run, name, split, sentences, references):
    _write_lines(run.hypotheses(name, split), [s for story in sentences for s in story])
    _write_lines(run.story_hypotheses(name, split), [" ".join(story) for story in sentences])
    _write_lines(run.references(split), [s for story in references for s in story])


def _write_in_form(run, name, split, layout, form):
    """Write the stories in a form of the field, if one was asked for -> lines to print."""
    if form is None:
        return []
    path = run.hypotheses_in_form(form, name, split)
    write_stories(path, form, read_run(run, split, name, layout), run.settings()["name"])
    return [str(path)]


def _write_lines(path, lines):
    with atomic_write(path) as partial:
        partial.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def scores_or_why_not(run, name, split, layout):
    """Score the generated stories -> lines to print."""
    from generation.scores import report, score_run

    try:
        return report(score_run(run, split, name, layout)).splitlines()
    except (InputError, FileNotFoundError) as error:
        files = shlex.join(map(str, (run.hypotheses(name, split), run.references(split))))
        return [
            f"not scored: {error}",
            f"without albums: python -m generation.scores original-2018 {files}",
        ]


def _show(run, split, layout, stories, count):
    """Draw `count` strips and write the page, with all stories that the run has of the split.

    -> lines to print: the paths.
    """
    if not {"texts", "image_paths", "image_ids", "album_ids"} <= set(stories):
        return [f"{stories.filename} has no photo paths, albums or texts: no strips, no page"]
    from generation.generated_stories import read_shown_stories, read_systems, system_scores
    from generation.story_page import write_page
    from generation.story_strip import draw_strips, spread_over

    systems = read_systems([run], split)
    others = [name for name in systems if len(systems[name]) != len(stories["story_ids"])]
    systems = {name: systems[name] for name in systems if name not in others}
    shown = read_shown_stories(layout, split, systems)
    paths = draw_strips(spread_over(shown, count), run.strips, split)
    scores = {n: of_n for n, of_n in system_scores([run], split).items() if n in systems}
    write_page(run.page, f"{run.name}, {split}", shown, scores)
    lines = [f"{name} was generated from other stories: not shown" for name in others]
    lines += [f"{len(paths)} strips, the first: {paths[0]}"] if paths else []
    return [*lines, str(run.page)]


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
    add_decoding_options(parser)
    return parser.parse_args()


if __name__ == "__main__":
    run_command(main)

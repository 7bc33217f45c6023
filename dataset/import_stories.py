"""python -m dataset.import_stories: write stories of your own, with their photos, as VIST's are.

FILE.jsonl has one line per story: an object with "photos" (paths, relative to the file) or
"photo_ids" (ids of photos that you have features of), with "sentences", and optionally with
"story_id", "album_id" and "split".  FILE.csv has one row per sentence, with the columns story_id,
photo or photo_id, sentence, and optionally album_id, split and order.
"""

import shlex
from collections import Counter
from pathlib import Path

from data_reader.cli import command_line, run_command, whole_number
from data_reader.layout import DataLayout
from data_reader.sis_datareader import features_command
from dataset.own_stories.importing import SEED, import_stories


def main():
    arguments = _parse_arguments()
    layout = DataLayout(arguments.data)
    imported = import_stories(
        arguments.file,
        layout,
        arguments.photos_per_story,
        str if arguments.tokenised else None,
        arguments.seed,
    )
    print(*_summary(imported, layout, arguments), sep="\n")
    print(*_next_commands(imported, layout), sep="\n  ")


def _summary(imported, layout, arguments):
    """Yield the lines that say what was imported and what not."""
    total = sum(map(len, imported.stories.values()))
    number = imported.photos_per_story
    chosen = "" if arguments.photos_per_story else ", as most stories have"
    yield f"{total:,} stories of {number} photos{chosen} (--photos-per-story), in {layout}"
    for split, stories in imported.stories.items():
        albums = len({story.album_id for story in stories})
        photos = len({photo for story in stories for photo in story.photos})
        yield f"{split}: {len(stories):,} stories, {albums:,} albums, {photos:,} photos"
    if empty := [split for split, stories in imported.stories.items() if not stories]:
        yield (
            f"warning: no stories for {' and '.join(empty)}; give stories that split, or more "
            "albums to split (stories that share a photo are split as one)."
        )
    if imported.replaced:
        yield f"They replace the stories imported from {', '.join(imported.replaced)}."
    yield from _what_was_removed(imported, layout)
    if any(imported.shared):
        albums, photos = imported.shared
        yield (
            f"warning: {albums:,} albums and {photos:,} photos are in more than one split, as "
            f"{arguments.file.name} splits them; what is tested was seen in training."
        )
    if imported.skipped:
        yield f"{len(imported.skipped):,} stories skipped, listed in {imported.skipped_path}:"
    for reason, count in Counter(story.reason for story in imported.skipped).most_common():
        yield f"  {count:,}: {reason}"


def _what_was_removed(imported, layout):
    if imported.removed is None:
        return
    if imported.removed:
        yield "Removed, since they were made of those stories:"
        yield from (f"  {path}" for path in imported.removed)
    if kept := [p for p in (layout.vocabulary, layout.word_frequencies) if p.is_file()]:
        yield (
            f"warning: kept, since not made of those stories: {', '.join(map(str, kept))}; add "
            "--rebuild-vocabulary to python -m data_reader to count the words of the new ones."
        )


def _next_commands(imported, layout):
    folder = shlex.quote(str(layout))
    yield "Next:"
    if imported.photos_are_ids:
        yield (
            "python -m dataset.image_features --from-npy FEATURES --extractor NAME "
            f"--data {folder}    # FEATURES: yours"
        )
        extractor = " --extractor NAME"
    else:
        yield f"{features_command(layout, 'alexnet')}    # or another extractor"
        extractor = ""
    yield f"python -m data_reader --data {folder}{extractor} --no-descriptions"
    yield f"python -m dataset --data {folder}{extractor}    # what is there, and the next step"


def _parse_arguments():
    parser = command_line(__doc__)
    parser.add_argument("file", type=Path, metavar="FILE", help="stories, .jsonl or .csv")
    parser.add_argument(
        "--data",
        type=lambda folder: Path(folder).absolute(),
        required=True,
        metavar="FOLDER",
        help="data folder to write, which must not have other annotations",
    )
    parser.add_argument(
        "--photos-per-story",
        type=whole_number(1),
        metavar="N",
        help="skip stories of another number (default: the number that most stories have)",
    )
    parser.add_argument(
        "--tokenised",
        action="store_true",
        help="the sentences are VIST-like, lower-case words between spaces: keep them as they are",
    )
    parser.add_argument(
        "--seed",
        type=whole_number(0),
        default=SEED,
        metavar="N",
        help="of the split by album, for stories without a split (default: %(default)s)",
    )
    return parser.parse_args()


if __name__ == "__main__":
    run_command(main)

"""python -m data_reader: stories and features -> vocabulary and stories files."""

from data_reader.cli import add_data_option, command_line, run_command, whole_number
from data_reader.files import exclusive_lock, shared_lock
from data_reader.layout import SPLITS, DataLayout
from data_reader.sis_datareader import (
    check_annotations,
    check_descriptions,
    features_command,
    index_stories,
    make_vocabulary,
)
from data_reader.vocabulary import VOCABULARY_SIZE


def main():
    arguments = _parse_arguments()
    layout = DataLayout(arguments.data)
    splits = _splits_to_read(layout, arguments.extractor)
    if not arguments.no_descriptions:
        for split in splits:
            check_descriptions(layout, split)
    wait = "wait until that has finished."
    importing = f"Stories are being imported into {layout}; {wait}"
    reading = f"Another process is writing stories files in {layout}; {wait}"
    with (
        shared_lock(layout.vist, importing),
        exclusive_lock(layout.stories("train").parent, reading),
    ):
        _read(layout, splits, arguments)


def _read(layout, splits, arguments):
    source = _source_of_vocabulary(layout, arguments.rebuild_vocabulary)
    vocabulary = make_vocabulary(layout, arguments.vocabulary_size, arguments.rebuild_vocabulary)
    print(f"vocabulary: {len(vocabulary):,} words, {source}\n  {layout.vocabulary}")
    for split in splits:
        report = index_stories(
            layout, split, vocabulary, arguments.extractor, not arguments.no_descriptions
        )
        skipped = [f"{n} skipped: {reason}" for reason, n in report.skipped.most_common()]
        print(f"{split}: {report.kept} stories kept", *skipped, sep="; ")
        print(f"  {report.coverage}")
        print(f"  {layout.stories(split)}")


def _source_of_vocabulary(layout, rebuild):
    if layout.vocabulary.exists() and not rebuild:
        return "from the existing file (--rebuild-vocabulary replaces it)"
    if layout.word_frequencies.exists() and not rebuild:
        return f"from {layout.word_frequencies} (--rebuild-vocabulary counts the words again)"
    return "counted in the training stories"


def _splits_to_read(layout, extractor):
    """List the splits that have annotations and features; print what the others lack."""
    if not any(layout.annotations(split).is_file() for split in SPLITS):
        check_annotations(layout, "train")
    complete = []
    for split in SPLITS:
        needed = (layout.annotations(split), layout.features(split, extractor))
        missing = [str(path) for path in needed if not path.is_file()]
        if missing:
            print(f"{split}: skipped, missing: {', '.join(missing)}")
        else:
            complete.append(split)
    if not complete:
        command = features_command(layout, extractor)
        raise FileNotFoundError(
            f"No split has both annotations and features; extract the features with: {command}; "
            f"or import ready-made ones with: {command} --from-npy PATH"
        )
    return complete


def _parse_arguments():
    parser = command_line(__doc__)
    add_data_option(parser)
    parser.add_argument(
        "--extractor", type=str.lower, default="alexnet", help="(default: %(default)s)"
    )
    parser.add_argument(
        "--vocabulary-size",
        type=whole_number(1),
        default=VOCABULARY_SIZE,
        metavar="WORDS",
        help="size of a new vocabulary (default: %(default)s)",
    )
    parser.add_argument(
        "--rebuild-vocabulary", action="store_true", help="count the words again, replace the files"
    )
    parser.add_argument(
        "--no-descriptions", action="store_true", help="keep stories without descriptions"
    )
    return parser.parse_args()


if __name__ == "__main__":
    run_command(main)

"""python -m data_reader: stories and features -> vocabulary and stories files."""

from data_reader.cli import add_data_option, command_line, run_command, whole_number
from data_reader.layout import SPLITS, DataLayout
from data_reader.sis_datareader import features_command, index_stories, make_vocabulary


def main():
    arguments = _parse_arguments()
    layout = DataLayout(arguments.data)
    how = _how_the_vocabulary_is_made(layout, arguments.rebuild_vocabulary)
    vocabulary = make_vocabulary(layout, arguments.vocabulary_size, arguments.rebuild_vocabulary)
    print(f"vocabulary: {len(vocabulary):,} words, {how}\n  {layout.vocabulary}")
    for split in _splits_to_read(layout, arguments.extractor):
        report = index_stories(
            layout, split, vocabulary, arguments.extractor, not arguments.no_descriptions
        )
        left_out = [f"{n} left out: {reason}" for reason, n in report.left_out.most_common()]
        print(f"{split}: {report.kept} stories kept", *left_out, sep="; ")
        print(f"  {report.coverage}")
        print(f"  {layout.stories(split)}")


def _how_the_vocabulary_is_made(layout, rebuild):
    if layout.vocabulary.exists() and not rebuild:
        return "already there, kept (--rebuild-vocabulary replaces it)"
    if layout.word_frequencies.exists() and not rebuild:
        return f"from {layout.word_frequencies} (--rebuild-vocabulary counts anew)"
    return "counted in the training stories"


def _splits_to_read(layout, extractor):
    """The splits that have annotations and features; of the others it is said what they lack."""
    complete = []
    for split in SPLITS:
        needed = (layout.annotations(split), layout.features(split, extractor))
        missing = [str(path) for path in needed if not path.is_file()]
        if missing:
            print(f"{split}: left out, missing: {', '.join(missing)}")
        else:
            complete.append(split)
    if not complete:
        raise FileNotFoundError(
            "No split has both annotations and features; the features come from: "
            + features_command(layout, extractor)
        )
    return complete


def _parse_arguments():
    parser = command_line(__doc__)
    add_data_option(parser)
    parser.add_argument(
        "--extractor", type=str.lower, default="alexnet", help="whose features to take"
    )
    parser.add_argument(
        "--vocabulary-size",
        type=whole_number(1),
        default=10_000,
        metavar="WORDS",
        help="of a vocabulary made anew (default: %(default)s)",
    )
    parser.add_argument(
        "--rebuild-vocabulary", action="store_true", help="count the words anew, replace the files"
    )
    parser.add_argument(
        "--no-descriptions", action="store_true", help="keep stories without descriptions"
    )
    return parser.parse_args()


if __name__ == "__main__":
    run_command(main)

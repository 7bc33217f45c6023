"""python -m data_reader: stories and features -> vocabulary and stories files."""

import argparse

from data_reader.commands import add_data_option, run_command
from data_reader.layout import SPLITS, DataLayout
from data_reader.sis_datareader import index_stories, make_vocabulary


def main():
    arguments = _parse_arguments()
    layout = DataLayout(arguments.data)
    vocabulary = make_vocabulary(layout, arguments.vocabulary_size, arguments.rebuild_vocabulary)
    print(f"vocabulary: {len(vocabulary)} words in {layout.vocabulary}")
    for split in _splits_to_read(layout, arguments.extractor):
        report = index_stories(
            layout, split, vocabulary, arguments.extractor, not arguments.no_descriptions
        )
        left_out = [f"{n} left out: {reason}" for reason, n in report.left_out.most_common()]
        print(f"{split}: {report.kept} stories kept", *left_out, sep="; ")
        print(f"  {report.coverage}")
        print(f"  {layout.stories(split)}")


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
            f"python -m dataset.image_features --extractor {extractor} --data {layout}"
        )
    return complete


def _parse_arguments():
    parser = argparse.ArgumentParser(prog="python -m data_reader", description=__doc__)
    add_data_option(parser)
    parser.add_argument("--extractor", default="alexnet", help="whose features to take")
    parser.add_argument("--vocabulary-size", type=int, default=10_000, metavar="WORDS")
    parser.add_argument(
        "--rebuild-vocabulary", action="store_true", help="count the words anew, replace the files"
    )
    parser.add_argument(
        "--no-descriptions", action="store_true", help="keep stories without descriptions"
    )
    return parser.parse_args()


if __name__ == "__main__":
    run_command(main)

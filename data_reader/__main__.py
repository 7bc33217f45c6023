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
    for split in SPLITS:
        outcome = index_stories(
            layout, split, vocabulary, arguments.extractor, not arguments.no_descriptions
        )
        dropped = [f"{n} left out: {why}" for why, n in sorted(outcome.items()) if why != "kept"]
        print(f"{split}: {outcome['kept']} stories kept", *dropped, sep="; ")
        print(f"  {layout.stories(split)}")


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

"""python -m dataset: survey a data folder and name the next step."""

import sys

from data_reader.cli import add_data_option, add_photo_limit_option, command_line, run_command
from data_reader.layout import DataLayout
from dataset.next_step import next_step
from dataset.survey import survey, write_problems
from dataset.survey_report import report


def main():
    arguments = _parse_arguments()
    found = survey(
        DataLayout(arguments.data),
        arguments.extractor.lower(),
        arguments.check_photos,
        arguments.max_megapixels,
    )
    print(report(found, *write_problems(found)))
    step = next_step(found)
    print(f"\nNext: {step.text}")
    sys.exit(0 if step.can_run else 1)


def _parse_arguments():
    parser = command_line(__doc__)
    parser.epilog = (
        "Exit status: 0 if the next step can run, 1 if a file must be obtained or deleted first, "
        "2 for a wrong argument."
    )
    add_data_option(parser)
    parser.add_argument(
        "--extractor",
        default="alexnet",
        metavar="NAME",
        help="extractor of the features to look for (default: %(default)s)",
    )
    parser.add_argument(
        "--check-photos", action="store_true", help="decode every photo to find unreadable ones"
    )
    add_photo_limit_option(parser)
    return parser.parse_args()


if __name__ == "__main__":
    run_command(main)

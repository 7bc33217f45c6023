"""python -m dataset.sample: make the sample set, in VIST's own format."""

from data_reader.cli import add_data_option, command_line, run_command, whole_number
from data_reader.layout import DataLayout
from dataset.sample.sample_set import ALBUMS, SEED, SMOKE_ALBUMS, make_sample_set


def main():
    parser = command_line(__doc__)
    add_data_option(parser, "dataset/sample_data")
    parser.add_argument(
        "--albums",
        type=int,
        nargs=3,
        default=ALBUMS,
        metavar=("TRAIN", "VALID", "TEST"),
        help=f"albums per split (default: {' '.join(map(str, ALBUMS))})",
    )
    parser.add_argument("--seed", type=whole_number(0), default=SEED, help="default: %(default)s")
    parser.add_argument(
        "--smoke-test",
        action="store_const",
        dest="albums",
        const=SMOKE_ALBUMS,
        help=f"make a tiny set: --albums {' '.join(map(str, SMOKE_ALBUMS))}",
    )
    arguments = parser.parse_args()
    make_sample_set(DataLayout(arguments.data), tuple(arguments.albums), arguments.seed)


if __name__ == "__main__":
    run_command(main)

"""python -m dataset.sample: the embedded sample set, in VIST's own format."""

import argparse
import shutil

from data_reader.commands import run_command
from data_reader.files import read_json
from data_reader.layout import DataLayout

SMOKE_ALBUMS = (12, 4, 6)


def make_sample_set(layout, albums_per_split=(300, 30, 60), seed=7):
    """Write the sample set under `layout.vist`, whole or not at all; one already there is kept.

    Raises:
        ValueError: something else is there, or a sample set of other numbers.
    """
    made_with = {"albums_per_split": list(albums_per_split), "seed": seed}
    if layout.vist.exists():
        _check_same(layout, made_with)
        print(f"The sample set is already there: {layout.vist}")
        return
    from dataset.sample.vist_files import (
        break_some,
        invent_albums,
        write_annotations,
        write_facts,
        write_photos,
    )

    albums = invent_albums(albums_per_split, seed)
    every_album = [album for split_albums in albums.values() for album in split_albums]
    unfinished = DataLayout(layout.root / ".sample_being_written")
    shutil.rmtree(unfinished.root, ignore_errors=True)
    try:
        for split, split_albums in albums.items():
            write_annotations(unfinished, split, split_albums)
        write_photos(unfinished, every_album)
        broken = break_some(unfinished, albums["train"])
        write_facts(unfinished, every_album, made_with)
        unfinished.vist.rename(layout.vist)
    finally:
        shutil.rmtree(unfinished.root, ignore_errors=True)
    counts = ", ".join(f"{len(a)} {split}" for split, a in albums.items())
    print(f"{counts} albums in {layout.vist}")
    print("Broken on purpose, as in the real set:", *broken, sep="\n  ")


def _check_same(layout, made_with):
    if not layout.facts.exists():
        raise ValueError(
            f"{layout.vist} holds something that is no sample set; give another --data folder."
        )
    found = read_json(layout.facts).get("made_with")
    if found != made_with:
        raise ValueError(
            f"{layout.vist} holds a sample set made with {found}, not with {made_with}; "
            "remove it first or give another --data folder."
        )


def main():
    parser = argparse.ArgumentParser(prog="python -m dataset.sample", description=__doc__)
    parser.add_argument(
        "--data", default="dataset/sample_data", help="data folder (default: %(default)s)"
    )
    parser.add_argument(
        "--albums",
        type=int,
        nargs=3,
        default=(300, 30, 60),
        metavar=("TRAIN", "VALID", "TEST"),
        help="albums per split (default: 300 30 60)",
    )
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    if min(arguments.albums) < 1:
        raise ValueError(f"Every split needs an album, but --albums is {arguments.albums}.")
    make_sample_set(DataLayout(arguments.data), tuple(arguments.albums), arguments.seed)


if __name__ == "__main__":
    run_command(main)

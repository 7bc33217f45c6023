"""python -m dataset.download: fetch VIST, AlexNet's weights, GloVe or AREL's features."""

import shlex
from collections import Counter
from contextlib import ExitStack, contextmanager
from pathlib import Path

from data_reader.cli import add_data_option, command_line, run_command, whole_number
from data_reader.files import exclusive_lock
from data_reader.layout import REPOSITORY, SPLITS, DataLayout
from dataset.download.addresses import add_address_option, read_table
from dataset.download.archives import fetch_download, find_downloads, remaining_sizes
from dataset.download.failures import is_temporary
from dataset.download.fetch import Client
from dataset.download.photos import NO_ADDRESS, NO_FILE_NAME, fetch_photos, plan_photos
from dataset.download.plan import (
    Item,
    check_space,
    confirm,
    existing_folder,
    full_disk_explained,
    photos_item,
    show,
)

WHAT = ("annotations", "photos", "alexnet", "glove", "features")
_REASONS_SHOWN = 10


def main():
    arguments = _parse_arguments()
    addresses, photo_facts = read_table(overrides=arguments.address)
    layout = DataLayout(arguments.data)
    what = [name for name in WHAT if name in arguments.what]
    downloads = [download for name in what for download in find_downloads(name, addresses, layout)]
    splits = [split for split in SPLITS if split in arguments.split and "photos" in what]
    existing_folder(layout.root)  # before anything is looked for in it
    _Run(arguments, layout, photo_facts).run(downloads, splits)
    print(f"Next: {_next_command(what, layout)}")


class _Run:
    """A run of the command."""

    def __init__(self, arguments, layout, photo_facts):
        self._arguments = arguments
        self._layout = layout
        self._photo_facts = photo_facts
        self._client = Client(arguments.connections)

    def run(self, downloads, splits):
        """Show what is to be fetched, ask, and fetch it; before that, no folder is made."""
        waiting = self._waiting(downloads)
        to_come = any(download.address.name == "sis" for download in waiting)
        plans = {} if to_come else {split: self._plan(split) for split in splits}
        items = [self._item(download) for download in waiting]
        items += [self._photos_item(split, plans.get(split)) for split in splits]
        items = [item for item in items if item.to_fetch]
        show(items)
        check_space(items)
        if items:
            confirm(self._arguments.yes)
        folders = {item.folder for item in items}
        folders |= {download.folder for download in waiting}  # also those only to be unpacked
        folders |= set(filter(Path.is_dir, map(self._layout.downloaded_photos, splits)))
        with _locked(folders):
            for download in waiting:
                self._fetch(download)
            for split in splits:
                self._fetch_photos(plans.get(split) or self._plan(split))

    def _waiting(self, downloads):
        for download in downloads:
            if download.there:
                print(f"{download.address.name}: there already, {download.folder}")
        return [download for download in downloads if not download.there]

    def _item(self, download):
        sizes = remaining_sizes(download, self._client)
        options = ("--data",) if download.in_data_folder else ()
        return Item(download.address.name, *sizes, download.folder, options)

    def _fetch(self, download):
        with full_disk_explained(download.folder):
            fetch_download(download, self._client)
        names = ", ".join(target.name for target in download.targets)
        print(f"{download.address.name}: fetched, {names} in {download.folder}")

    def _plan(self, split):
        return plan_photos(self._layout, split, self._arguments.retry_failed)

    def _photos_item(self, split, plan):
        number = len(plan.to_fetch) if plan else self._photo_facts.numbers[split]
        folder = self._layout.downloaded_photos(split)
        return photos_item(split, number, self._photo_facts, self._arguments.max_side, folder)

    def _fetch_photos(self, photos):
        check_space([self._photos_item(photos.split, photos)])
        with full_disk_explained(photos.folder):
            failures = fetch_photos(
                photos,
                self._client,
                self._photo_facts.placeholders,
                self._arguments.max_side,
                self._arguments.connections,
            )
        _summarise(photos, failures)


@contextmanager
def _locked(folders):
    with ExitStack() as locks:
        for folder in folders:
            refusal = f"Another download into {folder} is running; wait for it or stop it."
            locks.enter_context(exclusive_lock(folder, refusal))
        yield


def _summarise(photos, failures):
    fetched = max(len(photos.addresses) - photos.there - len(failures), 0)
    print(
        f"{photos.split} photos: {fetched:,} fetched, {photos.there:,} were there, "
        f"{len(failures):,} failed, in {photos.folder}"
    )
    reasons = Counter(reason for _, reason in failures.values())
    for reason, number in reasons.most_common(_REASONS_SHOWN):
        print(f"  {number:>7,}  {reason}")
    if len(reasons) > _REASONS_SHOWN:
        print(f"  and {len(reasons) - _REASONS_SHOWN:,} other reasons")
    if failures:
        print(f"  listed in {photos.list_path}{_how_to_try_again(reasons)}")


def _how_to_try_again(reasons):
    if any(map(is_temporary, reasons)):
        return "; the same command tries them again"
    if set(reasons) <= {NO_ADDRESS, NO_FILE_NAME}:
        return ""
    return "; --retry-failed tries them again"


def _next_command(what, layout):
    command = ["python", "-m", "dataset"]
    if "features" in what:
        command = ["python", "-m", "dataset.image_features", "--from-npy", str(layout.arel_vectors)]
        command += ["--extractor", "arel"]
    if layout.root != REPOSITORY / "dataset":
        command += ["--data", str(layout)]
    return shlex.join(command)


def _parse_arguments():
    parser = command_line(__doc__)
    parser.epilog = (
        "A download can be stopped or killed at any time; the same command continues it.  Exit "
        "status: 0 if everything is there or, of the photos, listed as failed; 2 for a wrong "
        "argument, or if a file can't be fetched."
    )
    parser.add_argument("what", nargs="+", choices=WHAT, metavar="WHAT", help=", ".join(WHAT))
    add_data_option(parser)
    add_address_option(parser)
    parser.add_argument("--yes", action="store_true", help="do not ask before fetching")
    _add_photo_options(parser)
    return parser.parse_args()


def _add_photo_options(parser):
    parser.add_argument(
        "--connections",
        type=whole_number(1),
        default=8,
        metavar="N",
        help="photos to fetch at once (default: %(default)s)",
    )
    parser.add_argument(
        "--split",
        nargs="+",
        choices=SPLITS,
        default=SPLITS,
        metavar="SPLIT",
        help="splits whose photos to fetch (default: all)",
    )
    parser.add_argument(
        "--max-side",
        type=whole_number(0),
        default=640,
        metavar="PIXELS",
        help="keep photos with a longer side of at most this; 0: as they are "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--retry-failed",
        action="store_true",
        help="also fetch the photos again that are listed as failed",
    )


if __name__ == "__main__":
    run_command(main)

"""Everything but photos: single files and archives of which some files are unpacked."""

import os
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from data_reader.errors import InputError
from data_reader.layout import ALEXNET_WEIGHTS, SPLITS, WORD_VECTORS, DataLayout
from dataset.download.addresses import Address
from dataset.download.fetch import Client, FetchError, forget, size_there
from dataset.download.unpack import unpack

TIERS = {"sis": "story-in-sequence", "dii": "description-in-isolation"}
_ZIP = b"PK"
_LARGEST = 4  # times its nominal size an archive may unpack to


@dataclass(frozen=True)
class Download:
    """One address and the files that it gives.

    Attributes:
        targets: the files that there are afterwards.
        start: how the file begins, if it is not an archive to unpack.
        there: whether nothing need be fetched.
        in_data_folder: whether it depends on the data folder where they are.
    """

    address: Address
    targets: tuple[Path, ...]
    start: bytes | None
    there: bool
    in_data_folder: bool

    @property
    def folder(self):
        return self.targets[0].parent

    @property
    def partial(self):
        return self.folder / f".{self.address.name}.partial"


def find_downloads(what, addresses, layout: DataLayout):
    """List the downloads of "annotations", "alexnet", "glove" or "features"; none of "photos"."""
    if what == "annotations":
        return [_annotations(addresses[name], tier, layout) for name, tier in TIERS.items()]
    if what == "alexnet":
        return [_file(addresses["alexnet"], ALEXNET_WEIGHTS, b"\x93NUMPY", False)]
    if what == "glove":
        return [_file(addresses["glove"], WORD_VECTORS, None, False)]
    if what == "features":
        return [_file(addresses["arel"], layout.arel_features, _ZIP, True)]
    return []


def _annotations(address, tier, layout):
    there = all(layout.annotations(split, tier).is_file() for split in SPLITS)
    targets = tuple(layout.downloaded_annotations(split, tier) for split in SPLITS)
    return Download(address, targets, None, there, True)


def _file(address, target, start, in_data_folder):
    return Download(address, (target,), start, target.is_file(), in_data_folder)


def remaining_sizes(download, client):
    """Return a download's bytes -> (still to fetch, needed on the disk).

    Raises:
        InputError: the server can't be reached, or has no such file.
    """
    address = download.address
    size = _explained(address, lambda: client.size(address.url, address.headers)) or address.size
    to_fetch = max(size - size_there(address.url, download.partial), 0)
    return to_fetch, to_fetch + address.unpacked


def fetch_download(download, client: Client):
    """Fetch a download, unpack it, and remove the archive.

    Raises:
        InputError: it can't be fetched, or is something else; then it is not kept.
    """
    address, partial = download.address, download.partial
    with tqdm(desc=address.name, unit="B", unit_scale=True, unit_divisor=1000, disable=None) as bar:
        shown = _shown_on(bar)
        _explained(
            address, lambda: client.fetch(address.url, partial, address.headers, progress=shown)
        )
    try:
        if download.start is None:
            unpack(partial, download.targets, _LARGEST * address.unpacked)
        else:
            _check_start(partial, download.start)
            os.replace(partial, download.targets[0])
    except InputError as error:
        forget(partial)
        raise InputError(f"{address.url}: {error}. It was not kept.") from error
    forget(partial)


def _explained(address, ask: Callable):
    try:
        return ask()
    except FetchError as failure:
        raise InputError(
            f"{address.url} can't be fetched: {failure}; give another address with "
            f"--address {address.name}=URL, or try again later."
        ) from failure


def _shown_on(bar):
    def progress(done, length):
        bar.total = length
        if bar.n == 0:
            bar.initial = done  # the rate is that of this run
        bar.update(done - bar.n)

    return progress


def _check_start(path, start):
    with path.open("rb") as file:
        found = file.read(16)
    if not found.startswith(start):
        raise InputError(f"expected a file that begins with {start!r}, but it is {found!r}")
    if start == _ZIP and not zipfile.is_zipfile(path):
        raise InputError("the zip is cut short")

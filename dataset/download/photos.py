"""Photos from the addresses in the annotations; each is decoded before it counts."""

import hashlib
import itertools
import math
import os
from collections import Counter, defaultdict
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import cv2
from tqdm import tqdm

from data_reader.errors import InputError
from data_reader.image_data_reader import decoded_photo, find_photo_files, photo_id
from data_reader.photo_header import photo_ending
from dataset.download.addresses import is_web_address
from dataset.download.failures import (
    failure_list,
    is_temporary,
    read_failures,
    reason_of,
    write_failures,
)
from dataset.download.fetch import FetchError, forget
from dataset.download.parallel import in_parallel
from dataset.download.photo_addresses import read_all_addresses
from dataset.next_step import download_command

# The networks' inputs have at most this short side; longer photos than 5:2 keep it.
SMALLEST_SIDE = 256
JPEG_QUALITY = 92
LONGEST_ID = 200  # bytes, for a file name
LARGEST_PHOTO = 100_000_000  # bytes; an address that gives more is no photo's
SAME_PHOTOS = 10  # as many ids with the same bytes are a server's placeholder
FAILURES_IN_A_ROW = 50  # temporary ones: a server is given up; perhaps there is no connection
SERVERS_TRIED = 16  # at once, to find out whether there is a connection
GONE = "a placeholder: the photo is gone"
NO_FILE_NAME = "its id can't be a file name"
NO_ADDRESS = "the annotations have no web address for it"


@dataclass(frozen=True)
class SplitPhotos:
    """The photos that a split's stories use.

    Attributes:
        folder: for the photos.
        list_path: for the list of failures.
        addresses: `{photo id: address}` of all of them; "" for one without an address.
        second_addresses: `{photo id: address}` of those that have another one.
        there: the number of photos that are there already.
        failures: `{photo id: (address, reason)}`, those that are not tried again.
        to_fetch: the ids of the others.
    """

    split: str
    folder: Path
    list_path: Path
    addresses: dict[str, str]
    second_addresses: dict[str, str]
    there: int
    failures: dict[str, tuple[str, str]]
    to_fetch: list[str]


def plan_photos(layout, split, retry_failed=False):
    """Find out which photos of a split's stories are to be fetched -> `SplitPhotos`.

    A failure counts unless it is a temporary one or the address has changed.

    Raises:
        FileNotFoundError: there are no annotations.
        InputError: they, or the list of failures, are something else.
    """
    check_annotations(layout, split)
    found = read_all_addresses(layout.annotations(split))
    addresses = {id_: (*of_photo, "")[0] for id_, of_photo in found.items()}
    there = addresses.keys() & find_photo_files(layout.photos(split)).keys()
    listed = {} if retry_failed else read_failures(layout.failed_downloads(split))
    failures = {
        id_: (address, reason)
        for id_, (address, reason) in listed.items()
        if addresses.get(id_) == address and id_ not in there and not is_temporary(reason)
    }
    return SplitPhotos(
        split,
        layout.downloaded_photos(split),
        layout.failed_downloads(split),
        addresses,
        {id_: of_photo[1] for id_, of_photo in found.items() if len(of_photo) > 1},
        len(there),
        failures,
        [id_ for id_ in addresses if id_ not in there and id_ not in failures],
    )


def check_annotations(layout, split):
    """Refuse a split without annotations.

    Raises:
        FileNotFoundError: there are none; the message names the command that fetches them.
    """
    if not layout.annotations(split).is_file():
        raise FileNotFoundError(
            f"{layout.downloaded_annotations(split)} is missing; fetch it with: "
            f"{download_command(layout, 'annotations')}"
        )


def fetch_photos(photos, client, placeholders, max_side=640, connections=8):
    """Fetch a split's photos -> `{photo id: (address, reason)}` of all that failed.

    Args:
        placeholders: parts of the addresses that vanished photos are redirected to.
        max_side: the longer side of the photos that are kept; 0 to keep them as they are.

    Raises:
        InputError: there is no connection.
    """
    failures = dict(photos.failures)
    if photos.to_fetch:
        _check_connection(client, photos)
        photos.folder.mkdir(parents=True, exist_ok=True)
    with failure_list(photos.list_path, failures) as add_failure:
        fetch = _fetcher(photos, client, placeholders, max_side, add_failure)
        reasons = in_parallel(fetch, photos.to_fetch, connections)
        with (
            closing(reasons),
            tqdm(total=len(photos.to_fetch), desc=photos.split, unit="photo", disable=None) as bar,
        ):
            _follow(reasons, bar, lambda: _check_connection(client, photos))
    if photos.folder.is_dir():
        for id_ in _remove_placeholders(photos):
            failures[id_] = (photos.addresses[id_], GONE)
        _remove_leftovers(photos.folder, failures)
    write_failures(photos.list_path, failures)
    return failures


def _fetcher(photos, client, placeholders, max_side, add_failure):
    """Return a function that fetches a photo -> the reason why not, or ""; for several threads."""
    in_a_row = Counter()

    def fetch(id_):
        address = photos.addresses[id_]
        server = urlsplit(address).netloc if is_web_address(address) else ""
        try:
            if in_a_row[server] >= FAILURES_IN_A_ROW:
                told = f"its server failed {FAILURES_IN_A_ROW} times in a row"
                raise FetchError(told, temporary=True)
            _fetch_photo(client, photos, id_, placeholders, max_side)
        except FetchError as failure:
            in_a_row[server] = in_a_row[server] + 1 if failure.temporary else 0
            add_failure(id_, address, reason_of(failure))
            return reason_of(failure)
        in_a_row[server] = 0
        return ""

    return fetch


def _check_connection(client, photos):
    """Refuse to go on if no server can be reached, not even one whose photos are there already."""
    of_server = {
        urlsplit(address).netloc: address
        for address in photos.addresses.values()
        if is_web_address(address)
    }
    servers = list(of_server.values())
    tried = servers[:: math.ceil(len(servers) / SERVERS_TRIED) or 1]
    with closing(in_parallel(client.why_unreachable, tried, SERVERS_TRIED)) as results:
        reasons = list(itertools.takewhile(bool, results))
    if tried and len(reasons) == len(tried):
        raise InputError(
            f"No server that has the photos can be reached ({reasons[0]}); check the connection, "
            "then give the same command again."
        )


def _follow(reasons, bar, check_connection):
    """Show the progress; whenever many photos in a row have failed, check the connection."""
    in_a_row = 0
    for reason in reasons:
        bar.update()
        in_a_row = in_a_row + 1 if is_temporary(reason) else 0
        if in_a_row % FAILURES_IN_A_ROW == FAILURES_IN_A_ROW - 1:
            check_connection()


def _fetch_photo(client, photos, id_, placeholders, max_side):
    """Fetch one photo, from its second address if there is none at its first."""
    address, second = photos.addresses[id_], photos.second_addresses.get(id_)
    if not _is_file_name(id_):
        raise FetchError(NO_FILE_NAME)
    if not is_web_address(address):
        raise FetchError(NO_ADDRESS)
    try:
        _fetch_from(address, client, photos, id_, placeholders, max_side)
    except FetchError as failure:
        if failure.temporary or not is_web_address(second):
            raise
        _fetch_from(second, client, photos, id_, placeholders, max_side)


def _fetch_from(address, client, photos, id_, placeholders, max_side):
    """Fetch a photo from an address and keep it if it is one."""
    partial = photos.folder / f".{id_}.partial"
    final_address = client.fetch(address, partial, largest=LARGEST_PHOTO)
    try:
        if any(part in urlsplit(final_address).path for part in placeholders):
            raise FetchError(GONE)
        keep_photo(partial, photos.folder / id_, max_side)
    finally:
        forget(partial)


def _is_file_name(id_):
    """Whether a photo of this name is found again by this id."""
    usable = id_.isprintable() and "/" not in id_ and photo_id(f"{id_}.jpg") == id_
    return usable and 0 < len(id_.encode()) <= LONGEST_ID


def keep_photo(fetched, path, max_side):
    """Move a fetched photo, or its shorter copy, to `path` with the ending of its format.

    The shorter copy is a JPEG with the longer side `max_side`, or the shorter side
    `SMALLEST_SIDE` if that is more; a photo that is no larger stays as it is.

    Raises:
        FetchError: it is not a photo.
    """
    with fetched.open("rb") as file:
        start = file.read(256)
    if start.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
        raise FetchError("a web page instead of a photo")
    ending = photo_ending(start)
    # If it is decoded at a fraction of its size, it is still larger than its shorter copy.
    enough = max(max_side, SMALLEST_SIDE) // 2 + 1
    try:
        with decoded_photo(fetched, enough) as photo:
            scale = _scale(photo, max_side)
            shorter = None if scale == 1 and ending else _shorter_copy(photo, scale)
    except InputError as error:
        raise FetchError(str(error)) from error
    if shorter is None:
        os.replace(fetched, path.with_name(f"{path.name}{ending}"))
    else:
        beside = fetched.with_name(f"{fetched.name}.jpg")
        beside.write_bytes(shorter)
        os.replace(beside, path.with_name(f"{path.name}.jpg"))


def _scale(photo, max_side):
    """Return the factor to scale a photo by, at most 1."""
    longer, shorter = max(photo.shape[:2]), min(photo.shape[:2])
    return min(1, max(max_side / longer, SMALLEST_SIDE / shorter)) if max_side else 1


def _shorter_copy(photo, scale):
    """Scale a photo -> the bytes of a JPEG."""
    height, width = (round(side * scale) for side in photo.shape[:2])
    if scale < 1:
        photo = cv2.resize(photo, (width, height), interpolation=cv2.INTER_AREA)
    _, jpeg = cv2.imencode(".jpg", photo, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return jpeg.tobytes()


def _remove_placeholders(photos):
    """Remove the photos that many ids share, as a placeholder under any address -> their ids."""
    of_size = defaultdict(list)  # names, since a `Path` takes a kilobyte
    for file in os.scandir(photos.folder):
        if not file.name.startswith(".") and photo_id(file.name) in photos.addresses:
            of_size[file.stat().st_size].append(file.name)
    same = defaultdict(list)
    for names in of_size.values():
        if len(names) >= SAME_PHOTOS:
            for name in names:
                contents = (photos.folder / name).read_bytes()
                same[hashlib.sha256(contents).digest()].append(name)
    gone = [name for names in same.values() if len(names) >= SAME_PHOTOS for name in names]
    for name in gone:
        (photos.folder / name).unlink()
    return map(photo_id, gone)


def _remove_leftovers(folder, failures):
    """Remove the partial files of killed runs but those that are fetched further next time."""
    for file in os.scandir(folder):
        id_, partial, _ = file.name[1:].partition(".partial")
        _, reason = failures.get(id_, ("", ""))
        if file.name.startswith(".") and partial and not is_temporary(reason):
            os.unlink(file.path)

"""The addresses of photos, from VIST's annotations."""

import json

from data_reader.errors import InputError
from dataset.download.addresses import is_web_address


def read_photo_addresses(path):
    """Read the addresses of the photos that a file's stories use -> `{photo id: address}`.

    The address is the first one that `read_all_addresses` gives, or "".

    Raises:
        FileNotFoundError: there is no such file.
        InputError: the file is not in VIST's format.
    """
    return {id_: (*found, "")[0] for id_, found in read_all_addresses(path).items()}


def read_all_addresses(path):
    """Read all addresses of the photos that a file's stories use -> `{photo id: addresses}`.

    The addresses are those of the original and of the medium size, as far as they are there; one
    that is no web address comes last.

    Raises:
        As `read_photo_addresses`.
    """
    try:
        contents = json.loads(path.read_bytes(), object_hook=_needed_part)
        used = [use.photo_id for uses in contents["annotations"] for use in uses]
        images = [image for image in contents["images"] if isinstance(image, _Image)]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise InputError(
            f"{path} is not a VIST annotation file with 'images' and 'annotations'; get it again "
            f"({type(error).__name__}: {error})."
        ) from error
    known = {image.photo_id: image.addresses for image in images}
    return {id_: known.get(id_, ()) for id_ in dict.fromkeys(used)}


class _Use:
    """An annotation's photo."""

    __slots__ = ("photo_id",)

    def __init__(self, entry):
        self.photo_id = str(entry["photo_flickr_id"])


class _Image:
    """An image entry's id and addresses."""

    __slots__ = ("addresses", "photo_id")

    def __init__(self, entry):
        self.photo_id = str(entry["id"])
        addresses = [str(entry.get(key) or "").strip() for key in ("url_o", "url_m")]
        different = dict.fromkeys(filter(None, addresses))
        self.addresses = tuple(sorted(different, key=is_web_address, reverse=True))


def _needed_part(entry):
    """Reduce an object while the JSON is read: in full, all of them take half a gigabyte."""
    if "photo_flickr_id" in entry:
        return _Use(entry)
    if "url_o" in entry or "url_m" in entry:
        return _Image(entry)
    return entry

"""The table of the downloads' addresses, `addresses.toml`, read and checked."""

import re
import tomllib
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from data_reader.errors import InputError
from data_reader.layout import SPLITS

TABLE = Path(__file__).with_name("addresses.toml")
NAMES = ("sis", "dii", "alexnet", "glove", "arel")
_KINDS = {str: "a text", int: "a whole number", dict: "a table", list: "a list"}
_HEADER_NAME = r"[\w-]+"
_HEADER_VALUE = r"[!-~]([ -~]*[!-~])?"


@dataclass(frozen=True)
class Address:
    """An address: `size` and `unpacked` are nominal, in bytes; `headers` go with the request."""

    name: str
    url: str
    size: int
    unpacked: int = 0
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class PhotoFacts:
    """What is known of photos in general.

    Attributes:
        placeholders: parts of the addresses that stand for vanished photos.
        size, shorter_size: bytes of an average photo as it is, and of its shorter copy.
        numbers: `{split: number of photos}` of the real VIST.
    """

    placeholders: list[str]
    size: int
    shorter_size: int
    numbers: dict[str, int]


def read_table(path=TABLE, overrides=()):
    """Read the table -> (`{name: Address}`, `PhotoFacts`).

    Args:
        overrides: other addresses, each "name=URL".

    Raises:
        InputError: the table is missing, or it or an override is wrong; the message names the file
            and the key.
    """
    if not path.is_file():
        raise InputError(f"{path} is missing; it is a part of this project: get it again.")
    try:
        contents = tomllib.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:  # bad TOML, or not UTF-8
        raise InputError(f"{path} is not TOML: {error}") from error
    _check(path, "", contents, {"addresses": dict, "photos": dict})
    entries, photos = contents["addresses"], contents["photos"]
    _check(path, "addresses.", entries, dict.fromkeys(NAMES, dict))
    addresses = {name: _address(path, name, entry) for name, entry in entries.items()}
    kinds = {"placeholders": list, "size": int, "shorter_size": int, "numbers": dict}
    _check(path, "photos.", photos, kinds)
    _check_placeholders(path, photos["placeholders"])
    _check(path, "photos.numbers.", photos["numbers"], dict.fromkeys(SPLITS, int))
    for override in overrides:
        name, url = _override(override)
        addresses[name] = replace(addresses[name], url=url)
    return addresses, PhotoFacts(**photos)


def add_address_option(parser):
    """Add `--address NAME=URL`, see the overrides of `read_table`."""
    parser.add_argument(
        "--address",
        action="append",
        default=[],
        metavar="NAME=URL",
        help=f"fetch from another address: {', '.join(NAMES)}; may be repeated",
    )


def _address(path, name, entry):
    key = f"addresses.{name}."
    _check(path, key, entry, {"url": str, "size": int}, {"unpacked": int, "headers": dict})
    if not is_web_address(entry["url"]):
        raise InputError(f"{path}: {key}url is {entry['url']!r}, expected http(s)://...")
    headers = entry.get("headers", {})
    _check(path, f"{key}headers.", headers, dict.fromkeys(headers, str))
    for header, value in headers.items():
        fits = re.fullmatch(_HEADER_NAME, header, re.ASCII) and re.fullmatch(_HEADER_VALUE, value)
        if not fits:
            raise InputError(
                f"{path}: {key}headers has {header!r} = {value!r}, expected a name of letters, "
                "digits and '-', and a text of printable ASCII without spaces around it."
            )
    return Address(name, **entry)


def _check_placeholders(path, placeholders):
    for part in placeholders:
        if not isinstance(part, str) or not part:
            raise InputError(
                f"{path}: photos.placeholders has {part!r}, expected parts of addresses."
            )


def _check(path, above, entry, required, optional=None):
    """Check a table's keys, the types of their values, and that numbers are above 0."""
    kinds = required | (optional or {})
    for key in required:
        if key not in entry:
            raise InputError(f"{path}: the key {above}{key} is missing.")
    for key, value in entry.items():
        if key not in kinds:
            raise InputError(f"{path}: unknown key {above}{key}; known: {', '.join(kinds)}.")
        if type(value) is not kinds[key]:
            raise InputError(f"{path}: {above}{key} is {value!r}, expected {_KINDS[kinds[key]]}.")
        if kinds[key] is int and value <= 0:
            raise InputError(f"{path}: {above}{key} is {value}, expected a number above 0.")


def is_web_address(url):
    """Whether a value is an address of the form http(s)://host..."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except (ValueError, AttributeError, TypeError):
        return False


def _override(text):
    name, _, url = text.partition("=")
    if name not in NAMES:
        raise InputError(f"--address {text}: there is no address {name!r}; {', '.join(NAMES)} are.")
    if not is_web_address(url):
        raise InputError(f"--address {text}: {url!r} is no address of the form http(s)://...")
    return name, url

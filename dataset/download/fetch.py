"""Fetching a file over HTTP: it resumes, retries with growing pauses, and waits when told to."""

import json
import os
import random
import re
import threading
import time
from dataclasses import asdict, dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from data_reader.errors import InputError

TRIES = 6  # without a byte more than before
FIRST_PAUSE = 1.0  # seconds; each pause is twice the one before, give or take a quarter
LONGEST_PAUSE = 60.0
LONGEST_WAIT = 600.0  # if a server asks for more (Retry-After), the file is given up for now
TIMEOUTS = (15, 30)  # seconds to connect, and between two packets
_REDIRECTS = 10
_HOSTS = 32  # connections are kept to this many servers
_CHUNK = 1 << 16
_BUSY = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
_ERRORS = (requests.RequestException, urllib3.exceptions.HTTPError, UnicodeError)


class FetchError(InputError):
    """A file that can't be fetched; if `temporary`, it may be there at another time."""

    def __init__(self, reason, temporary=False):
        super().__init__(reason)
        self.temporary = temporary


class _RetryError(Exception):
    """The try failed; `wait` are the seconds that the server asked for."""

    def __init__(self, reason, busy=False, wait=0):
        super().__init__(reason)
        self.busy = busy
        self.wait = wait


@dataclass
class _Partial:
    """What is known of a partial file: kept in a file beside it, to resume from."""

    address: str
    final_address: str
    validator: str
    length: int | None


class Client:
    """A client for several threads at once.

    A server that is busy (429, 503) is left alone by all threads for as long as it says; what is to
    be fetched there fails at once if that is too long.
    """

    def __init__(self, connections=1):
        adapter = HTTPAdapter(pool_connections=_HOSTS, pool_maxsize=connections)
        self._session = requests.Session()
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)
        self._session.max_redirects = _REDIRECTS
        # Lengths and ranges are then those of the file.
        self._session.headers["Accept-Encoding"] = "identity"
        self._not_before = {}
        self._lock = threading.Lock()

    def size(self, url, headers=()):
        """Ask for a file's size in bytes; None if the server doesn't say.

        Raises:
            FetchError: the server can't be reached, or says that there is no such file.
        """
        try:
            answer = self._session.head(
                url, headers=dict(headers), allow_redirects=True, timeout=TIMEOUTS
            )
        except _ERRORS as error:
            raise FetchError(_explain(error), temporary=True) from error
        if answer.status_code in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
            raise FetchError(_status(answer))
        return _length(answer) if answer.ok else None

    def why_unreachable(self, url):
        """Return why there is no connection to an address's server; "" if there is one."""
        try:
            self._session.head(url, timeout=TIMEOUTS)
        except requests.ConnectionError as error:
            return _explain(error)
        except _ERRORS:
            pass
        return ""

    def fetch(self, url, partial, headers=(), largest=None, progress=lambda done, length: None):
        """Fetch a file into `partial`, from where an earlier call for the same address ended.

        Args:
            largest: give up beyond this number of bytes.
            progress: called with the bytes that are there and the file's length (or None).

        Returns:
            The address after redirects.

        Raises:
            FetchError: the file can't be fetched; what arrived is kept if that is temporary.
        """
        tries = furthest = 0
        while True:
            self._wait_for(url)
            try:
                return self._try(url, partial, dict(headers), largest, progress)
            except _RetryError as failed:
                reached = _size_of(partial)
                tries = 1 if reached > furthest else tries + 1
                furthest = max(furthest, reached)
                if tries == TRIES:
                    raise FetchError(str(failed), temporary=True) from failed
                self._pause(url, tries, failed)
            except FetchError as failed:
                if not failed.temporary:
                    forget(partial)
                raise

    def _pause(self, url, tries, failed):
        growing = min(FIRST_PAUSE * 2 ** (tries - 1), LONGEST_PAUSE)
        seconds = max(growing * random.uniform(0.75, 1.25), failed.wait)
        if not failed.busy:
            time.sleep(seconds)
            return
        with self._lock:
            host = urlsplit(url).netloc
            until = time.monotonic() + seconds
            self._not_before[host] = max(until, self._not_before.get(host, until))

    def _wait_for(self, url):
        while (pause := self._not_before.get(urlsplit(url).netloc, 0) - time.monotonic()) > 0:
            if pause > LONGEST_WAIT:
                told = f"the server is busy and says to wait longer than {LONGEST_WAIT:.0f} s"
                raise FetchError(told, temporary=True)
            time.sleep(pause)

    def _try(self, url, partial, headers, largest, progress):
        known, there = _read_partial(partial, url)
        if known and there == known.length:
            return known.final_address
        if there and known.validator:
            headers |= {"Range": f"bytes={there}-", "If-Range": known.validator}
        try:
            with self._session.get(url, headers=headers, stream=True, timeout=TIMEOUTS) as answer:
                if answer.status_code == HTTPStatus.PARTIAL_CONTENT:
                    _check_range(answer, partial, known, there)
                elif answer.status_code == HTTPStatus.OK:
                    known, there = _begin(answer, partial, url), 0
                elif answer.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                    return _check_end(answer, partial, known, there)
                else:
                    raise _refusal(answer)
                _receive(answer, partial, known.length, largest, progress)
        except _ERRORS as error:
            raise _outcome(error) from error
        return known.final_address


def _begin(answer, partial, url):
    """Start a partial file from its beginning."""
    partial.open("wb").close()
    known = _Partial(url, answer.url, _validator(answer), _length(answer))
    _write_partial(partial, known)
    return known


def _validator(answer):
    """Return what tells this version of the file from others; a weak ETag is no use for parts."""
    tag = answer.headers.get("ETag", "")
    return tag if tag.startswith('"') else answer.headers.get("Last-Modified", "")


def _length(answer):
    length = answer.headers.get("Content-Length", "")
    return int(length) if re.fullmatch(r"\d{1,18}", length) else None


def _check_range(answer, partial, known, there):
    """Check that a 206 goes on where the partial file ends."""
    found = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", answer.headers.get("Content-Range", ""))
    if found and known and known.length is None and found[2] != "*":
        known.length = int(found[2])
    if not (found and there == int(found[1]) > 0 and found[2] in ("*", str(known.length))):
        forget(partial)
        raise _RetryError("the server sent another part of the file than asked for")


def _check_end(answer, partial, known, there):
    """Take a 416 as the end of the file if its length is what is there."""
    if not there:
        raise _refusal(answer)
    if answer.headers.get("Content-Range") != f"bytes */{there}":
        forget(partial)
        raise _RetryError("the file on the server became shorter")
    known.length = there
    _write_partial(partial, known)
    return known.final_address


def _refusal(answer):
    """Return the exception for a status other than those of success."""
    status = answer.status_code
    if status in _BUSY:
        return _RetryError(_status(answer), busy=True, wait=_retry_after(answer))
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT:
        return _RetryError(_status(answer))
    return FetchError(_status(answer))


def _retry_after(answer):
    """Read Retry-After, in seconds or as a date -> seconds, 0 without."""
    try:
        return Retry().parse_retry_after(answer.headers["Retry-After"])
    except (KeyError, ValueError, OverflowError, urllib3.exceptions.InvalidHeader):
        return 0


def _status(answer):
    try:
        return f"{answer.status_code} {HTTPStatus(answer.status_code).phrase}"
    except ValueError:
        return str(answer.status_code)


def _receive(answer, partial, length, largest, progress):
    """Append what the server sends to the partial file."""
    with partial.open("ab") as file:
        there = file.tell()
        progress(there, length)
        # Not decoded: an archive stays one if a server calls its compression that of the transfer.
        for chunk in answer.raw.stream(_CHUNK, decode_content=False):
            there += file.write(chunk)
            if largest and there > largest:
                raise FetchError(f"larger than {largest:,} bytes")
            progress(there, length)
    if length is not None and there != length:
        raise _RetryError(f"the length is {there:,} bytes, but {length:,} were announced")


def _outcome(error):
    """Return what follows from an exception of the libraries."""
    reason = _explain(error)
    if isinstance(error, requests.TooManyRedirects):
        return FetchError(f"more than {_REDIRECTS} redirects")
    if isinstance(error, ValueError):  # an address, perhaps of a redirect, that is none
        return FetchError(reason)
    if isinstance(error, requests.exceptions.SSLError):
        return FetchError(reason, temporary=True)
    return _RetryError(reason)


def _explain(error):
    """Return an exception's reason in a few words."""
    cause = error.args[0] if error.args else error
    cause = getattr(cause, "reason", None) or cause
    if isinstance(error, requests.exceptions.SSLError):
        found = re.search(r"\] (?:certificate verify failed: )?(.*?)\.? \(_ssl", str(cause))
        is_certificate = "CERTIFICATE_VERIFY_FAILED" in str(cause)
        failed = "its certificate is not accepted" if is_certificate else "no https connection"
        return f"{failed} ({found[1] if found else cause})"
    if isinstance(cause, urllib3.exceptions.NameResolutionError):
        return "the server's name is not known"
    if isinstance(cause, urllib3.exceptions.NewConnectionError):
        return f"no connection ({str(cause).rpartition('] ')[2]})"
    if isinstance(cause, urllib3.exceptions.TimeoutError | requests.Timeout):
        return "no answer in time"
    if isinstance(error, ValueError):
        return f"not a web address ({error})"
    return "the connection was cut"


def _read_partial(partial, url):
    """Read what is known of a partial file -> (`_Partial` or None, its size in bytes)."""
    try:
        known = _Partial(**json.loads(_facts_of(partial).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None, 0
    size = _size_of(partial)
    fits = known.address == url and (known.length is None or size <= known.length)
    return (known, size) if fits else (None, 0)


def _write_partial(partial, known):
    """Write it so that it is whole even if the process is killed."""
    facts = _facts_of(partial)
    beside = facts.with_name(f"{facts.name}.new")
    beside.write_text(json.dumps(asdict(known)), encoding="utf-8")
    os.replace(beside, facts)


def _facts_of(partial):
    return partial.with_name(f"{partial.name}.json")


def _size_of(path):
    return path.stat().st_size if path.is_file() else 0


def size_there(url, partial):
    """Return how many bytes of a file are there to resume from."""
    return _read_partial(partial, url)[1]


def forget(partial):
    """Remove a partial file and what is known of it."""
    partial.unlink(missing_ok=True)
    _facts_of(partial).unlink(missing_ok=True)

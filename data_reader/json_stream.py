"""Reading a JSON file piece by piece: at no time is more than one of its entries in memory."""

import json
import re

from data_reader.errors import InputError, abbreviated
from data_reader.files import check_not_empty, once_each

_SPACE = re.compile(r"[ \t\n\r]*")
_PIECE = 2**18  # characters that are read at a time
# A number that ends so close to the end of what is in memory may go on: 1 is 1.5 or 1e+5.
_CUT = 3


def read_members(path):
    """Yield (name, value) of each member of the dictionary that a JSON file holds.

    A list comes as an iterator of its entries, to be used before the next member is asked for.  Of
    a file that holds no dictionary nothing is yielded.

    Raises:
        FileNotFoundError: there is no such file.
        InputError: the file is empty, cut short, not JSON in UTF-8, or has a name twice in the same
            place.
    """
    check_not_empty(path)
    with open(path, encoding="utf-8-sig", newline="") as file:
        text = _Text(path, file)
        if text.next() == "{":
            yield from _members(text)
        else:
            text.value()
        if text.next():
            raise text.error("extra data")


def _members(text):
    names = set()
    for _ in text.items("{", "}"):
        name = text.value()
        if not isinstance(name, str):
            raise text.error("a name is no text")
        if name in names:
            raise text.error(f"it has the name {abbreviated(name)} twice")
        names.add(name)
        text.take(":")
        if text.next() == "[":
            entries = _entries(text)
            yield name, entries
            for _ in entries:  # those that were not asked for
                pass
        else:
            yield name, text.value()


def _entries(text):
    for _ in text.items("[", "]"):
        yield text.value()


class _Text:
    """The text of a file, of which the part in memory begins with what is read next."""

    def __init__(self, path, file):
        self._path, self._file = path, file
        self._decoder = json.JSONDecoder(object_pairs_hook=once_each)
        self._text, self._place, self._is_whole = "", 0, False
        self._before = 0  # characters before the part in memory

    def error(self, reason):
        """Return the error that the file is broken at this place."""
        where = f"{reason}, character {self._before + self._place}"
        return InputError(f"{self._path} is cut short or not JSON ({where}); get it again.")

    def next(self):
        """Return the next character that is not white space; "" at the end."""
        while True:
            self._place = _SPACE.match(self._text, self._place).end()
            if self._place < len(self._text) or self._is_whole:
                return self._text[self._place : self._place + 1]
            self._read_on()

    def take(self, *expected):
        """Read one of the expected characters and return it."""
        found = self.next()
        if found not in expected:
            raise self.error(f"expected {' or '.join(expected)}")
        self._place += 1
        return found

    def items(self, opening, closing):
        """Yield when the next item between brackets comes, which must then be read."""
        self.take(opening)
        if self.next() == closing:
            self.take(closing)
            return
        yield
        while self.take(",", closing) == ",":
            yield

    def value(self):
        """Read a value."""
        self.next()
        while True:
            try:
                value, end = self._decoder.raw_decode(self._text, self._place)
            except json.JSONDecodeError as error:
                if self._is_whole:
                    self._place = error.pos
                    raise self.error(error.msg) from error
            except (ValueError, RecursionError) as error:
                raise self.error(error) from error
            else:
                if self._is_whole or end + _CUT <= len(self._text):
                    self._place = end
                    return value
            self._read_on()

    def _read_on(self):
        """Read so much more that a long value is not begun too often."""
        rest = self._text[self._place :]
        try:
            more = self._file.read(max(_PIECE, len(rest)))
        except ValueError as error:
            raise self.error(error) from error
        self._before += self._place
        self._text, self._place, self._is_whole = rest + more, 0, not more

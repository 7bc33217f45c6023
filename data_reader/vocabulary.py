"""The vocabulary: words and their indices, sentences as rows of indices, and the sizes of both."""

import hashlib
from collections import Counter
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from unidecode import unidecode

from data_reader.errors import InputError
from data_reader.files import read_json, write_json

SPECIAL_WORDS = ("<NULL>", "<START>", "<END>", "<UNK>")
NULL, START, END, UNKNOWN = range(4)

MAX_WORDS = 20
ROW_LENGTH = MAX_WORDS + 2  # <START> words <END>
VOCABULARY_SIZE = 10_000  # the default, without the special words


def count_words(texts):
    """Count words -> `[[word, count], ...]`, most frequent first, ties by first appearance.

    Words whose transliteration has an upper-case letter are not counted: VIST's texts are
    lower-case, and the original left such words out.
    """
    counts = Counter(word for text in texts for word in text.split())
    return [[word, n] for word, n in counts.most_common() if not _has_upper_case(word)]


def _has_upper_case(word):
    return any(letter.isupper() for letter in unidecode(word))


def can_be_stored(text):
    """Return whether HDF5 can store a text: without NUL and without half of a surrogate pair."""
    try:
        return b"\0" not in text.encode()
    except UnicodeEncodeError:
        return False


@dataclass(frozen=True)
class Coverage:
    """The numbers of distinct words and of all words in texts, and how many a vocabulary lacks."""

    types: int
    unknown_types: int
    tokens: int
    unknown_tokens: int

    def __str__(self):
        share = 100 * self.unknown_tokens / max(self.tokens, 1)
        return (
            f"{self.tokens:,} words, {share:.2f} % unknown; "
            f"{self.types:,} distinct words, {self.unknown_types:,} unknown"
        )


@dataclass(frozen=True)
class Vocabulary:
    """The words that models know; a word's index is its position in `words`."""

    words: tuple[str, ...]

    def __post_init__(self):
        if not all(isinstance(word, str) for word in self.words):
            raise InputError("The vocabulary contains something other than words.")
        if not can_be_stored("".join(self.words)):
            raise InputError("The vocabulary contains a word that can't be stored in UTF-8.")
        start = self.words[: len(SPECIAL_WORDS)]
        if start != SPECIAL_WORDS:
            raise InputError(
                f"The vocabulary starts with {' '.join(start) or 'nothing'}, "
                f"expected {' '.join(SPECIAL_WORDS)}."
            )
        if len(set(self.words)) != len(self.words):
            twice = next(w for w, n in Counter(self.words).items() if n > 1)
            raise InputError(f"The vocabulary contains {twice!r} more than once.")

    @classmethod
    def from_word_frequencies(cls, word_frequencies, size=VOCABULARY_SIZE):
        """Make the vocabulary of the special words and the `size` most frequent words."""
        most_frequent = [word for word, _ in word_frequencies[:size]]
        return cls(SPECIAL_WORDS + tuple(w for w in most_frequent if w not in SPECIAL_WORDS))

    @classmethod
    def read(cls, path):
        """Read a vocabulary file, ours or the original's.

        Raises:
            FileNotFoundError: there is no such file.
            InputError: the file is not a vocabulary.
        """
        contents = read_json(path)
        if not isinstance(contents, dict) or not isinstance(contents.get("idx_to_words"), list):
            raise InputError(f"{path} is not a vocabulary: it has no list 'idx_to_words'.")
        try:
            return cls(tuple(contents["idx_to_words"]))
        except InputError as error:
            raise InputError(f"{path}: {error}") from error

    def write(self, path):
        """Write the vocabulary file in the original's format."""
        write_json(path, {"idx_to_words": self.words, "words_to_idx": self.indices})

    def __len__(self):
        return len(self.words)

    @cached_property
    def indices(self):
        """`{word: index}`."""
        return {word: index for index, word in enumerate(self.words)}

    @cached_property
    def checksum(self):
        """A digest of the words in their order."""
        return hashlib.sha256("\n".join(self.words).encode()).hexdigest()[:16]

    def encode(self, text):
        """Encode a sentence -> int32 [22]: <START>, at most 20 words, <END>, <NULL> to the end."""
        row = np.full(ROW_LENGTH, NULL, np.int32)
        words = [self.indices.get(word, UNKNOWN) for word in text.split()[:MAX_WORDS]]
        row[: len(words) + 2] = [START, *words, END]
        return row

    def coverage(self, texts):
        """Count the words of texts and those that the vocabulary lacks -> `Coverage`."""
        counts = Counter(word for text in texts for word in text.split())
        unknown = {word: n for word, n in counts.items() if word not in self.indices}
        return Coverage(
            types=len(counts),
            unknown_types=len(unknown),
            tokens=sum(counts.values()),
            unknown_tokens=sum(unknown.values()),
        )

    def decode(self, row):
        """Decode a row of indices -> its words joined by spaces, up to the first <END>."""
        row = list(row)[1:]
        words = row[: row.index(END)] if END in row else row
        return " ".join(self.words[index] for index in words if index != NULL)

"""A GloVe file and a vocabulary -> the initial word vectors of a model.

Legend of shapes: V vocabulary, E embedding size.  Source: Pennington, Socher, Manning 2014, GloVe:
Global Vectors for Word Representation; files at https://nlp.stanford.edu/projects/glove.
"""

import hashlib
import json
import re
from contextlib import suppress
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

import numpy as np
from tqdm import tqdm

from data_reader.errors import InputError
from data_reader.files import atomic_write
from data_reader.vocabulary import NULL, SPECIAL_WORDS

LARGEST_NUMBER = float(np.finfo(np.float32).max)
# A file without newlines must not be read into memory whole.
LONGEST_LINE = 1 << 20
HEADER = re.compile(rb"(\d+) (\d+)\s*")


@dataclass(frozen=True, eq=False)
class WordEmbeddings:
    """The vectors of a vocabulary's words, and which of them came from the file."""

    matrix: np.ndarray  # float32 [V, E]
    found: np.ndarray  # bool [V]
    file_name: str

    def report(self):
        """One line: how many of the words, special words aside, the file held."""
        found, words = int(self.found.sum()), len(self.found) - len(SPECIAL_WORDS)
        share = 100 * found / words
        return f"{found:,} of {words:,} words found in {self.file_name} ({share:.1f} %)"


def load_word_embeddings(path, words, dimension=300, seed=1):
    """A GloVe text file, a vocabulary's V words -> `WordEmbeddings`: matrix [V, E], found [V].

    `words` starts with the special words, which are never looked up.  `[male]` takes the vector of
    `male` where the file has no `[male]`; of a word's lines the first counts.  <NULL> is zero.
    Every other word that is not found is drawn from a normal distribution with mean 0 and the
    spread of the found vectors; before that scaling its draw hangs on `seed` and its index alone.

    The file is read line by line; each line's columns are counted, but only the numbers of the
    vocabulary's words are read.  What was found is kept beside the file, in
    `<file>.<checksum>.npz`, and taken from there as long as file, words and dimension stay the
    same; where that can't be written, the file is read each time.

    Raises:
        FileNotFoundError: there is no such file.
        InputError: `words` lacks the special words, `dimension` is not the file's, the file is
            empty, packed, binary, cut short or not in GloVe's text format (the message names the
            line), or it holds none of the words.
    """
    path, words = Path(path), tuple(words)
    _check_arguments(path, words, dimension)
    cache = path.with_name(f"{path.name}.{_checksum(path, words, dimension)}.npz")
    kept = _read_cache(cache, len(words), dimension)
    if kept is None:
        kept = _find_vectors(path, words, dimension)
        _write_cache(cache, *kept)
    found, vectors = kept
    spread = vectors.std(dtype=np.float64)
    matrix = _random_rows(np.flatnonzero(~found), len(words), dimension, seed, spread)
    matrix[found] = vectors
    return WordEmbeddings(matrix, found, path.name)


def _check_arguments(path, words, dimension):
    if words[:4] != SPECIAL_WORDS:
        raise InputError(
            f"A vocabulary's words start with {' '.join(SPECIAL_WORDS)}, "
            f"these with {' '.join(map(str, words[:4])) or 'nothing'}."
        )
    if dimension < 1:
        raise InputError(f"dimension is {dimension}; a vector holds at least 1 number.")
    if not path.is_file():
        raise FileNotFoundError(
            f"{path} is missing; fetch a GloVe archive from "
            "https://nlp.stanford.edu/projects/glove and unpack it."
        )
    if path.stat().st_size == 0:
        raise InputError(f"{path} is empty; fetch and unpack it again.")


def _random_rows(indices, vocabulary_size, dimension, seed, spread):
    """float32 [V, E]: a draw at each of `indices`, but for <NULL>; elsewhere zero."""
    rows = np.zeros((vocabulary_size, dimension), np.float32)
    for index in indices[indices != NULL]:
        rows[index] = np.random.default_rng([seed, index]).normal(0.0, spread, dimension)
    return rows


def _find_vectors(path, words, dimension):
    """found [V] and the vectors of the found words [found.sum(), E], in their order."""
    vectors = _read_vectors(path, {s for word in words for s in _spellings(word)}, dimension)
    in_file = [next((s for s in _spellings(word) if s in vectors), None) for word in words]
    found = np.array([spelling is not None for spelling in in_file])
    if not found.any():
        raise InputError(
            f"{path} holds none of the vocabulary's {len(words) - len(SPECIAL_WORDS):,} words; "
            "it is probably the wrong file, or the wrong vocabulary."
        )
    return found, np.stack([vectors[spelling] for spelling in in_file if spelling is not None])


def _spellings(word):
    """What to look a word up as, the best first: `[male]` as `[male]`, then `male`."""
    if word in SPECIAL_WORDS:
        return ()
    return (word, word[1:-1]) if re.fullmatch(r"\[.+\]", word) else (word,)


def _read_vectors(path, wanted, dimension):
    """`{word: vector [E]}` of those of the `wanted` words that the file holds."""
    promised = _check_start(path, dimension)
    vectors, lines = {}, 0
    with (
        path.open("rb") as file,
        tqdm(
            total=path.stat().st_size,
            desc="word embeddings",
            unit="B",
            unit_scale=True,
            disable=None,
        ) as bar,
    ):
        # Lines end at \n alone: some of GloVe's words hold other characters that Python takes for
        # an end of line.
        for line in iter(lambda: file.readline(LONGEST_LINE), b""):
            lines += 1
            bar.update(len(line))
            if lines == 1 and promised is not None:
                continue
            try:
                _read_line(line, wanted, dimension, vectors)
            except ValueError as error:  # a wrong line, or one that is not UTF-8
                raise InputError(_explain(path, lines, line, error)) from error
    if promised is not None and lines - 1 < promised:
        raise InputError(
            f"{path} is cut short: it ends at line {lines} with {lines - 1:,} vectors, its header "
            f"says {promised:,}; fetch and unpack it again."
        )
    return vectors


def _read_line(line, wanted, dimension, vectors):
    """Add a line's vector to `vectors` if its word is wanted and new."""
    word, numbers = _split_line(line, dimension)
    # A last line without a newline may be cut within a number: it is always read to its end.
    if (word in wanted and word not in vectors) or not line.endswith(b"\n"):
        vectors.setdefault(word, _to_vector(numbers))


def _check_start(path, dimension):
    """The number of vectors that a header on line 1 promises; None where there is no header.

    Two plain integers are a header, as word2vec writes it: `400000 300`.
    """
    with path.open("rb") as file:
        start = file.read(1 << 16)
        file.seek(0)
        line = file.readline(LONGEST_LINE)
    if b"\0" in start:
        raise InputError(
            f"{path} is packed or binary from line 1 on, expected GloVe's text format; "
            "unpack it first (gunzip, unzip)."
        )
    header = HEADER.fullmatch(line)
    text = line.decode("utf-8", "replace").rstrip(" \r\n")
    given = int(header[2]) if header else _count_numbers(text, dimension)
    # A line that is cut or without any number is explained where all lines are.
    if given not in (0, dimension) and line.endswith(b"\n"):
        raise InputError(
            f"{path} holds vectors of {given} numbers (line 1), expected {dimension}; "
            f"set the dimension to {given} or take the file with {dimension}."
        )
    return int(header[1]) if header else None


def _split_line(line, dimension):
    """A line's bytes -> its word, and its numbers as one text."""
    if len(line) == LONGEST_LINE and not line.endswith(b"\n"):
        raise InputError(f"more than {LONGEST_LINE:,} bytes, expected a word and its numbers")
    text = line.decode("utf-8").rstrip(" \r\n")
    given = _count_numbers(text, dimension)
    if given != dimension:
        raise InputError(f"{given} numbers, expected {dimension}")
    spaces_in_word = text.count(" ") - dimension
    if spaces_in_word == 0:  # nearly always, and much faster
        word, _, numbers = text.partition(" ")
        return word, numbers
    word, *numbers = text.rsplit(" ", dimension)
    return word, " ".join(numbers)


def _count_numbers(text, dimension):
    """How many numbers follow a line's word, which may itself hold spaces, as `. . .` does."""
    if text.count(" ") == dimension:  # nearly always: a word without spaces
        return dimension
    return len(list(takewhile(_is_number, reversed(text.split(" ")[1:]))))


def _is_number(text):
    try:
        float(text)
    except ValueError:
        return False
    return True


def _to_vector(numbers):
    """`0.1 -0.2` -> float32 [E]."""
    values = np.array([float(number) for number in numbers.split(" ")])
    if not (np.abs(values) <= LARGEST_NUMBER).all():  # so that nan is refused too
        raise InputError("a number is nan, infinite or too large")
    return values.astype(np.float32)


def _explain(path, number, line, error):
    if line.endswith(b"\n") or len(line) == LONGEST_LINE:
        return f"{path}, line {number}: {error}; is it GloVe's text format? Else fetch it again."
    return f"{path} is cut short in its last line, {number}: {error}; fetch and unpack it again."


def _checksum(path, words, dimension):
    """A digest of all that decides which vectors are found."""
    state = path.stat()
    known = json.dumps([words, dimension, state.st_size, state.st_mtime_ns])
    return hashlib.sha256(known.encode()).hexdigest()[:16]


def _read_cache(cache, vocabulary_size, dimension):
    """found [V] and vectors [found.sum(), E]; None where there is no whole cache."""
    try:
        with np.load(cache, allow_pickle=False) as arrays:
            found, vectors = arrays["found"], arrays["vectors"]
    except Exception:  # a broken archive raises anything, and whatever it is, the file is there
        return None
    is_whole = (
        (found.dtype, vectors.dtype) == (np.bool_, np.float32)
        and found.shape == (vocabulary_size,)
        and vectors.shape == (found.sum(), dimension)
        and found.any()
    )
    return (found, vectors) if is_whole else None


def _write_cache(cache, found, vectors):
    # A folder that can't be written to or a full disk: next time the file is read again.
    with suppress(OSError), atomic_write(cache) as partial, partial.open("wb") as file:
        np.savez(file, found=found, vectors=vectors)

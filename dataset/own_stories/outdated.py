"""Files that the reader made of an earlier import, which go when other stories replace it."""

from data_reader.errors import InputError
from data_reader.hdf5_files import open_hdf5
from data_reader.layout import SPLITS
from data_reader.sis_datareader import count_training_words, read_word_frequencies
from data_reader.vocabulary import Vocabulary


def remove_outdated(layout):
    """Remove the stories files, and the vocabulary if it is that of the training stories.

    A vocabulary from elsewhere, such as the original's, and the original's stories files stay.  To
    be called before the annotations are replaced.

    Returns:
        the paths of the removed files.
    """
    outdated = [
        path for path in map(layout.stories, SPLITS) if path.is_file() and _is_reader_s(path)
    ]
    outdated += _vocabulary_of_the_stories(layout)
    for path in outdated:
        path.unlink()
    return outdated


def _is_reader_s(path):
    try:
        with open_hdf5(path, {}) as file:
            return "vocabulary_checksum" in file.attrs
    except InputError:  # broken: the reader says so
        return False


def _vocabulary_of_the_stories(layout):
    """List those of the vocabulary's two files that were counted in the training stories."""
    paths = (layout.vocabulary, layout.word_frequencies)
    if not any(path.is_file() for path in paths):
        return []
    try:
        counted = count_training_words(layout)
    except (InputError, FileNotFoundError):  # nothing to compare with
        return []
    checks = (_has_these_words, _has_these_counts)
    return [
        path
        for path, check in zip(paths, checks, strict=True)
        if path.is_file() and check(path, counted)
    ]


def _has_these_words(path, counted):
    """Return whether a vocabulary has the most frequent of the words, however many."""
    try:
        words = Vocabulary.read(path).words
    except InputError:
        return False
    return words == Vocabulary.from_word_frequencies(counted, len(counted)).words[: len(words)]


def _has_these_counts(path, counted):
    try:
        return read_word_frequencies(path) == counted
    except InputError:
        return False

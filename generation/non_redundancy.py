"""RoViST-NR, the non-redundancy of a story, computed as its authors' code does.

Wang, Han and Poon 2022, RoViST: Learning Robust Metrics for Visual Storytelling.
"""

import math
from collections import Counter
from functools import cache, lru_cache
from itertools import combinations
from statistics import fmean

from dataset.tokeniser import sentence_splitter

_SLICE = 4  # words
# Their full stop ends no sentence.
_SHORT = ("mr", "mrs", "ms", "dr", "st", "jr", "sr", "vs", "a.m", "p.m", "d.j", "u.s", "p", "d.c")


def non_redundancy(sentences):
    """1 less the mean of what a story repeats between its sentences and within them.

    Between: over all pairs of sentences, the pairs of equal words, divided by the number of
    different words in both; the mean.  Within: the same over neighbouring slices of four words of
    each sentence, 0 where no sentence is long enough for two.  The last token of a sentence,
    usually its full stop, is left out.  A word that both sides repeat counts more than once, so
    stories that say little else can fall below 0.

    Args:
        sentences: a story's, as texts.

    Returns:
        a number of at most 1, or nan for a story without two sentences to compare.
    """
    words = [_words(sentence) for sentence in sentences]
    between = [_repetition(*pair) for pair in combinations(words, 2) if any(pair)]
    within = [
        _repetition(of_sentence[start : start + _SLICE], of_sentence[start + _SLICE :][:_SLICE])
        for of_sentence in words
        for start in range(0, len(of_sentence) - _SLICE, _SLICE)
    ]
    if not between:
        return math.nan
    return 1 - (fmean(between) + fmean(within or [0])) / 2


def split_sentences(text):
    """Split a text into sentences, by NLTK's Punkt without training but with abbreviations."""
    return _splitter().tokenize(text)


def _repetition(one, other):
    counts, others = Counter(one), Counter(other)
    pairs = sum(count * others[word] for word, count in counts.items())
    return pairs / len(counts.keys() | others.keys())


@lru_cache(maxsize=2**16)  # the protocols score the same stories
def _words(sentence):
    return tuple(_tokeniser().tokenize(sentence)[:-1])


@cache
def _tokeniser():
    from nltk.tokenize import NLTKWordTokenizer

    return NLTKWordTokenizer()


@cache
def _splitter():
    return sentence_splitter(_SHORT)

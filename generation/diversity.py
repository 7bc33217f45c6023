"""The variety and the repetitions of stories, which n-gram scores do not see."""

from collections import Counter

import numpy as np

from data_reader.errors import InputError
from generation.non_redundancy import non_redundancy


def diversity(stories):
    """Measure stories, each a list of sentences; shares are from 0 to 1.

    Pass one story per sequence of photos, or stories of the same photos count as repetition.

    Returns:
        distinct_1, distinct_2, distinct_3: the number of different n-grams in sentences, divided by
            that of all n-grams (Li et al. 2016).
        duplicate_sentences, duplicate_stories: the share that equals an earlier one.
        repeated_trigrams_within: the share of a story's trigrams that occurred in it before, mean
            over the stories.
        repeated_trigrams_between: the share of trigrams that some other story has, too.
        vocabulary: the number of different words.
        words_per_sentence: mean.
        unknown_share: the share of <UNK> among the words.
        non_redundancy: RoViST-NR, mean over the stories that have two sentences; 1 if none has.

    Raises:
        InputError: the stories hold no words.
    """
    sentences = [sentence.split() for story in stories for sentence in story]
    words = Counter(word for sentence in sentences for word in sentence)
    if not words:
        raise InputError("The stories hold no words; there is nothing to measure.")
    trigrams = [_story_trigrams(story) for story in stories]
    return {
        **{f"distinct_{n}": _distinct(sentences, n) for n in (1, 2, 3)},
        "duplicate_sentences": _duplicates(map(tuple, sentences)),
        "duplicate_stories": _duplicates(" ".join(" ".join(story).split()) for story in stories),
        "repeated_trigrams_within": float(np.mean([_repeated(of_story) for of_story in trigrams])),
        "repeated_trigrams_between": _shared(trigrams),
        "vocabulary": len(words),
        "words_per_sentence": words.total() / len(sentences),
        "unknown_share": words["<UNK>"] / words.total(),
        "non_redundancy": _mean_non_redundancy(stories),
    }


def _ngrams(words, n):
    return [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]


def _story_trigrams(story):
    return Counter(trigram for sentence in story for trigram in _ngrams(sentence.split(), 3))


def _distinct(sentences, n):
    ngrams = [ngram for sentence in sentences for ngram in _ngrams(sentence, n)]
    return len(set(ngrams)) / max(len(ngrams), 1)


def _duplicates(texts):
    counts = Counter(texts)
    return 1 - len(counts) / counts.total()


def _repeated(trigrams):
    return 1 - len(trigrams) / trigrams.total() if trigrams else 0.0


def _shared(trigrams):
    """The share of all trigrams that occur in more than one story."""
    stories = Counter(trigram for of_story in trigrams for trigram in of_story)
    total = sum(of_story.total() for of_story in trigrams)
    shared = sum(
        count
        for of_story in trigrams
        for trigram, count in of_story.items()
        if stories[trigram] > 1
    )
    return shared / max(total, 1)


def _mean_non_redundancy(stories):
    values = np.array([non_redundancy(story) for story in stories])
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else 1.0

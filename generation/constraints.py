"""What a sentence may not say.

Legend of shapes: N sentences being written, J sentences of the same story told before, T words of
a row, V vocabulary.  A row is <START> words <END>, padded with <NULL>; it is written at `position`,
counted from <START>, which stands at 0.
"""

from dataclasses import dataclass

import tensorflow as tf

from data_reader.errors import InputError
from data_reader.vocabulary import END, MAX_WORDS, NULL, START, UNKNOWN

_IMPOSSIBLE = float("-inf")


@dataclass(frozen=True)
class DecodingConstraints:
    """Which words may not come next.

    <NULL> and <START> never do.  Where nothing is left to say, the sentence ends.

    Attributes:
        no_unknown: <UNK> is never said.
        no_repeated_ngram: no sequence of so many words twice in a sentence; 0: no such rule.
        no_story_ngram: none that the story's earlier sentences hold; 0: no such rule.
        no_repeated_sentence: no sentence that the story already has, which is what the original
            meant by `no_duplicates`.
        min_words: of a sentence.
        max_words: of a sentence; then it ends.

    Raises:
        ValueError: a number is out of range; the message names it.
    """

    no_unknown: bool = False
    no_repeated_ngram: int = 0
    no_story_ngram: int = 0
    no_repeated_sentence: bool = False
    min_words: int = 1
    max_words: int = MAX_WORDS

    def __post_init__(self):
        if not 1 <= self.min_words <= self.max_words <= MAX_WORDS:
            raise InputError(
                f"A sentence of {self.min_words} to {self.max_words} words was asked for; the "
                f"shortest has 1, the longest {MAX_WORDS}, and min is no more than max."
            )
        for name in ("no_repeated_ngram", "no_story_ngram"):
            if not 0 <= getattr(self, name) <= MAX_WORDS:
                raise InputError(
                    f"{name} is {getattr(self, name)}; it is 0 (no such rule) to {MAX_WORDS} words."
                )

    @property
    def suffix(self):
        """What the rules add to a decoding's name; nothing where they are the usual ones."""
        parts = {
            "nounk": self.no_unknown,
            f"norepeat{self.no_repeated_ngram}": self.no_repeated_ngram,
            f"nostory{self.no_story_ngram}": self.no_story_ngram,
            "nosame": self.no_repeated_sentence,
            f"min{self.min_words}": self.min_words > 1,
            f"max{self.max_words}": self.max_words < MAX_WORDS,
        }
        return "".join(f"_{part}" for part, holds in parts.items() if holds)

    def apply(self, logits, rows, told, position):
        """Make what may not be said impossible.

        Args:
            logits: float32 [N, V], of the words at `position`.
            rows: int32 [N, T], written up to there.
            told: int32 [N, J, T]; rows of <NULL> alone stand for nothing.
            position: int32 scalar.

        Returns:
            float32 [N, V]; at least one of each row is possible.
        """
        allowed = logits + self._never_said(logits)
        if self.no_repeated_ngram:
            allowed = _without_ngrams(allowed, rows, rows, position, self.no_repeated_ngram)
        if self.no_story_ngram:
            allowed = _without_ngrams(allowed, told, rows, position, self.no_story_ngram)
        if self.no_repeated_sentence:
            allowed = self._without_sentences(allowed, told, rows, position)
        is_end = tf.range(tf.shape(logits)[1]) == END
        allowed = tf.where(is_end & (position <= self.min_words), _IMPOSSIBLE, allowed)
        nothing_left = tf.reduce_all(tf.math.is_inf(allowed), axis=1, keepdims=True)
        nothing_left |= position > self.max_words
        return tf.where(nothing_left, tf.where(is_end, logits, _IMPOSSIBLE), allowed)

    def _never_said(self, logits):
        """[V]: 0, or -inf for words that are never said."""
        never = [NULL, START, *([UNKNOWN] if self.no_unknown else [])]
        words = tf.range(tf.shape(logits)[1])[:, None]
        return tf.where(tf.reduce_any(words == never, axis=1), _IMPOSSIBLE, 0.0)

    def _without_sentences(self, logits, told, rows, position):
        """Neither end what would be an earlier sentence, nor say the word that would force it."""
        columns = tf.range(tf.shape(rows)[1])
        agrees = (told == rows[:, None]) | (columns >= position)
        next_words = told[:, :, position]
        after = told[:, :, tf.minimum(position + 1, told.shape[2] - 1)]
        completes = (next_words == END) | ((after == END) & (position == self.max_words))
        return _ban(logits, next_words, tf.reduce_all(agrees, axis=2) & completes)


def _without_ngrams(logits, texts, rows, position, n):
    """Ban each word that would complete n words that `texts` [N, ..., T] already hold."""
    length = texts.shape[-1]
    ngrams = tf.stack([texts[..., i : length - n + 1 + i] for i in range(n)], axis=-1)
    ngrams = tf.reshape(ngrams, [tf.shape(rows)[0], -1, n])
    first = tf.maximum(position - n + 1, 0)
    begun = rows[:, None, first : first + n - 1]  # holds <START> while the sentence is too short
    matches = tf.reduce_all(ngrams[..., :-1] == begun, axis=2)
    are_words = tf.reduce_all(ngrams > END, axis=2)
    return _ban(logits, ngrams[..., -1], matches & are_words)


def _ban(logits, words, is_banned):
    """words and is_banned [N, M]: words of each row that become impossible."""
    sentences = tf.broadcast_to(tf.range(tf.shape(words)[0])[:, None], tf.shape(words))
    ceilings = tf.where(is_banned, _IMPOSSIBLE, float("inf"))
    return tf.tensor_scatter_nd_min(logits, tf.stack([sentences, words], axis=2), ceilings)

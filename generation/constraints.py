"""Decoding constraints: words and sentences that may not be generated.

Legend of shapes: N sentences being written, J earlier sentences of the same story, T words of a
row, V vocabulary.  A row is <START> words <END>, padded with <NULL>; `position` is the place of the
next word, and <START> stands at 0.
"""

from dataclasses import dataclass

import tensorflow as tf

from data_reader.errors import InputError
from data_reader.vocabulary import END, MAX_WORDS, NULL, ROW_LENGTH, START, UNKNOWN

_IMPOSSIBLE = float("-inf")


@dataclass(frozen=True)
class DecodingConstraints:
    """Decoding constraints.

    <NULL> and <START> are never generated.  Where no word is left, the sentence ends.

    Attributes:
        no_unknown: never generate <UNK>.
        no_repeated_ngram: no n-gram of this length twice in a sentence; 0 for no constraint.
        no_story_ngram: no n-gram of this length that an earlier sentence of the story contains;
            0 for no constraint.
        no_repeated_sentence: no sentence twice in a story, which is what the original meant by
            `no_duplicates`.
        min_words: minimum length of a sentence.
        max_words: maximum length of a sentence, where it is cut.

    Raises:
        InputError: a number is out of range; the message names it.
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
                f"Sentences of {self.min_words} to {self.max_words} words were asked for; both "
                f"must be from 1 to {MAX_WORDS}, and the minimum at most the maximum."
            )
        for name in ("no_repeated_ngram", "no_story_ngram"):
            if not 0 <= getattr(self, name) <= MAX_WORDS:
                raise InputError(
                    f"{name} is {getattr(self, name)}; it must be 1 to {MAX_WORDS} words, or 0."
                )

    @property
    def suffix(self):
        """The part of a decoding's name that says which constraints differ from the defaults."""
        parts = {
            "nounk": self.no_unknown,
            f"norepeat{self.no_repeated_ngram}": self.no_repeated_ngram,
            f"nostory{self.no_story_ngram}": self.no_story_ngram,
            "nosame": self.no_repeated_sentence,
            f"min{self.min_words}": self.min_words > 1,
            f"max{self.max_words}": self.max_words < MAX_WORDS,
        }
        return "".join(f"_{part}" for part, holds in parts.items() if holds)

    def apply(self, logits, rows, previous_sentences, position):
        """Set the logits of forbidden words to -inf.

        Args:
            logits: float32 [N, V], of the words at `position`.
            rows: int32 [N, T], written up to there.
            previous_sentences: int32 [N, J, T]; rows of <NULL> alone stand for no sentence.
            position: int32 scalar.

        Returns:
            float32 [N, V], with at least one finite logit in each row.
        """
        allowed = logits + self._forbidden_words(tf.shape(logits)[1], position)
        if self.no_repeated_ngram:
            allowed = _without_ngrams(allowed, rows, rows, position, self.no_repeated_ngram)
        if self.no_story_ngram:
            allowed = _without_ngrams(
                allowed, previous_sentences, rows, position, self.no_story_ngram
            )
        if self.no_repeated_sentence:
            allowed = self._without_sentences(allowed, previous_sentences, rows, position)
        no_word_left = tf.reduce_max(allowed, axis=1, keepdims=True) == _IMPOSSIBLE
        is_end = tf.range(tf.shape(logits)[1]) == END
        return tf.cond(  # of all logits each pass counts, and this one is hardly ever needed
            tf.reduce_any(no_word_left),
            lambda: tf.where(no_word_left & is_end, logits, allowed),
            lambda: allowed,
        )

    def _forbidden_words(self, vocabulary_size, position):
        """Return [V]: -inf for words that no sentence may have at this position, else 0."""
        never = [NULL, START, *([UNKNOWN] if self.no_unknown else [])]
        words = tf.range(vocabulary_size)
        is_end = words == END
        is_forbidden = tf.reduce_any(words[:, None] == never, axis=1)
        is_forbidden |= is_end & (position <= self.min_words)
        is_forbidden |= ~is_end & (position > self.max_words)
        return tf.where(is_forbidden, _IMPOSSIBLE, 0.0)

    def _without_sentences(self, logits, previous_sentences, rows, position):
        """Forbid the <END> that completes an earlier sentence, and a last word that forces it."""
        columns = tf.range(tf.shape(rows)[1])
        agrees = (previous_sentences == rows[:, None]) | (columns >= position)
        next_words = previous_sentences[:, :, position]
        after = previous_sentences[:, :, tf.minimum(position + 1, ROW_LENGTH - 1)]
        completes = (next_words == END) | ((after == END) & (position == self.max_words))
        return _ban(logits, next_words, tf.reduce_all(agrees, axis=2) & completes)


def _without_ngrams(logits, texts, rows, position, n):
    """Ban each word that would complete an n-gram that `texts` [N, ..., T] already contain."""
    length = texts.shape[-1]
    ngrams = tf.stack([texts[..., i : length - n + 1 + i] for i in range(n)], axis=-1)
    ngrams = tf.reshape(ngrams, [tf.shape(rows)[0], -1, n])
    first = tf.maximum(position - n + 1, 0)
    begun = rows[:, None, first : first + n - 1]  # holds <START> while the sentence is too short
    matches = tf.reduce_all(ngrams[..., :-1] == begun, axis=2)
    are_words = tf.reduce_all(ngrams > END, axis=2)
    return _ban(logits, ngrams[..., -1], matches & are_words)


def _ban(logits, words, is_banned):
    """Set the logits of `words` [N, M] to -inf where `is_banned` [N, M]."""
    sentences = tf.broadcast_to(tf.range(tf.shape(words)[0])[:, None], tf.shape(words))
    ceilings = tf.where(is_banned, _IMPOSSIBLE, float("inf"))
    return tf.tensor_scatter_nd_min(logits, tf.stack([sentences, words], axis=2), ceilings)

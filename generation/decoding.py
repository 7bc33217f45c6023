"""Writing sentences word by word over a decoder step; knows no model.

A step is a function `(words int32 [N], state) -> (logits float32 [N, V], state)` whose state is any
nest of tensors [N, ...].  A decoding is called with

    step: such a function.
    state: before the first word.
    told: int32 [N, J, T], rows of the sentences that the same stories told before; a row of <NULL>
        alone stands for none.
    numbers: int32 [N], which tell the sentences apart: what they are sampled with.

and returns int32 [N, T], rows <START> words <END> padded with <NULL>: each one has its <END>, also
where the decoder did not come to say it.  Sentences that have ended are no longer computed.  Its
`name` tells it from others, in the names of files.

Legend of shapes: N sentences, n of them still being written, K hypotheses of each, T words of a
row, V vocabulary.
"""

import math
from dataclasses import dataclass, field
from typing import NamedTuple

import tensorflow as tf

from data_reader.errors import InputError
from data_reader.vocabulary import END, ROW_LENGTH, START
from generation.constraints import DecodingConstraints

_NEVER = float("-inf")


def start_rows(sentences):
    """int32 [N, T]: rows of <START> alone."""
    return tf.pad(tf.fill([sentences, 1], START), [[0, 0], [0, ROW_LENGTH - 1]])


@dataclass(frozen=True)
class Greedy:
    """The likeliest word at each step."""

    rules: DecodingConstraints = field(default_factory=DecodingConstraints)

    @property
    def name(self):
        return f"greedy{self.rules.suffix}"

    def __call__(self, step, state, told, numbers):
        def likeliest(logits, *_):
            return tf.argmax(logits, axis=1, output_type=tf.int32)

        return _write(likeliest, step, state, told, self.rules)


@dataclass(frozen=True)
class Sampling:
    """A word drawn by the probabilities of the likeliest ones.

    A sentence is drawn by its own number and the seed, whichever others are written with it.

    Attributes:
        temperature: the logits are divided by it.
        top_k: only so many of the likeliest words; 0: all.
        top_p: only the likeliest words that together come to this probability (Holtzman et al.
            2020, nucleus sampling).
        seed: from 0 on.

    Raises:
        ValueError: a number is out of range; the message names it.
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    seed: int = 1
    rules: DecodingConstraints = field(default_factory=DecodingConstraints)

    def __post_init__(self):
        if not 0 < self.temperature < math.inf:
            raise InputError(f"temperature is {self.temperature}; it must be a number above 0.")
        if self.top_k < 0:
            raise InputError(f"top_k is {self.top_k}; it is a number of words, or 0 for all.")
        if not 0 < self.top_p <= 1:
            raise InputError(f"top_p is {self.top_p}; it must be above 0 and at most 1.")
        if not 0 <= self.seed < 2**31:
            raise InputError(f"seed is {self.seed}; it must be from 0 to 2^31 - 1.")

    @property
    def name(self):
        kept = f"_k{self.top_k}" if self.top_k else ""
        kept += f"_p{self.top_p:g}" if self.top_p < 1 else ""
        return f"sample_t{self.temperature:g}{kept}_s{self.seed}{self.rules.suffix}"

    def __call__(self, step, state, told, numbers):
        uniform = self._uniform(numbers)

        def draw(logits, writing, position):
            words = None  # all, as they stand: sorting ten thousand takes as long as a layer
            if self.top_k or self.top_p < 1:
                size = tf.shape(logits)[1]
                logits, words = tf.math.top_k(
                    logits, tf.minimum(self.top_k, size) if self.top_k else size
                )
            likeliest = tf.reduce_max(logits, axis=1, keepdims=True)
            chances = tf.nn.softmax((logits - likeliest) / self.temperature)
            if self.top_p < 1:
                likelier = tf.cumsum(chances, axis=1, exclusive=True)
                chances = tf.where(likelier < self.top_p, chances, 0.0)
            up_to = tf.cumsum(chances, axis=1)
            drawn = tf.gather(uniform, writing)[:, position, None] * up_to[:, -1:]
            place = tf.searchsorted(up_to, drawn, side="right")[:, 0]
            return place if words is None else tf.gather(words, place, batch_dims=1)

        return _write(draw, step, state, told, self.rules)

    def _uniform(self, numbers):
        """[N, T] between 0 and 1."""

        def of_sentence(number):
            return tf.random.stateless_uniform([ROW_LENGTH], [self.seed, number])

        return tf.map_fn(of_sentence, numbers, fn_output_signature=tf.float32)


def _write(choose, step, state, told, rules):
    """Write sentences, one word at a step; `choose(logits, writing, position)` says which.

    `writing` [n] are the sentences that have not ended; all else in the loop is theirs alone.
    """

    def goes_on(position, rows, writing, *_):
        return (position <= rules.max_words) & (tf.size(writing) > 0)

    def write_word(position, rows, writing, words, state):
        logits, state = step(words, state)
        logits = rules.apply(logits, tf.gather(rows, writing), tf.gather(told, writing), position)
        words = choose(logits, writing, position)
        rows = _put(rows, writing, position, words)
        go_on = tf.where(words != END)[:, 0]
        writing, words, state = _take((writing, words, state), go_on)
        return position + 1, rows, writing, words, state

    rows = start_rows(tf.shape(told)[0])
    writing = tf.range(tf.shape(told)[0])
    start = tf.constant(1), rows, writing, rows[:, 0], state
    position, rows, writing, *_ = _loop(goes_on, write_word, start)
    return _put(rows, writing, position, tf.fill(tf.shape(writing), END))


@dataclass(frozen=True)
class BeamSearch:
    """The best sentence that a search of so many hypotheses finds.

    A hypothesis is as good as the log probability of its words and its <END>, by the model alone,
    over their number to the power of `length_penalty`.  Each step goes on with the `width`
    likeliest hypotheses.  One ends where its <END> is among the `width` likeliest continuations; a
    sentence is settled when `width` have ended, or when none that goes on can become better than
    the best of them.  As long as no hypothesis had to be cut off, each <END> counts and only the
    latter settles a sentence: the search is exhaustive.

    Attributes:
        width: K; 1 is `Greedy`.
        length_penalty: 0 prefers short sentences; 1 takes the mean by word.

    Raises:
        ValueError: a number is out of range; the message names it.
    """

    width: int
    length_penalty: float = 1.0
    rules: DecodingConstraints = field(default_factory=DecodingConstraints)

    def __post_init__(self):
        if self.width < 1:
            raise InputError(f"The beam's width is {self.width}; it must be at least 1.")
        if not 0 <= self.length_penalty < math.inf:
            raise InputError(
                f"length_penalty is {self.length_penalty}; it must be a number of 0 or more."
            )

    @property
    def name(self):
        penalty = f"_lp{self.length_penalty:g}" if self.length_penalty != 1 else ""
        return f"beam{self.width}{penalty}{self.rules.suffix}"

    def __call__(self, step, state, told, numbers):
        def goes_on(position, best, beams):
            return tf.size(beams.writing) > 0

        def write_word(position, best, beams):
            totals, beams = self._continuations(step, told, beams, position)
            vocabulary_size = tf.shape(totals)[2]
            totals = tf.reshape(totals, [tf.shape(totals)[0], -1])
            # At most K of them are <END>s; if more than K others are possible, some are cut off.
            wanted = tf.minimum(2 * self.width + 1, tf.shape(totals)[1])
            totals, places = tf.math.top_k(totals, wanted)
            chosen = _Chosen(totals, places // vocabulary_size, places % vocabulary_size)
            is_possible, is_end = totals > _NEVER, chosen.words == END
            is_cut = beams.is_cut | (_count(is_possible & ~is_end) > self.width)
            is_ranked_end = is_possible & is_end & (tf.range(wanted) < self.width)
            counts = tf.where(is_cut[:, None], is_ranked_end, is_possible & is_end)
            best = self._with_ended(best, beams, chosen, counts, position)
            ended = beams.ended + _count(is_ranked_end)
            beams = self._longer(beams._replace(ended=ended, is_cut=is_cut), chosen, position)
            outlook = beams.scores[:, 0] / self._length(self.rules.max_words + 1)
            settled = is_cut & (ended >= self.width)
            settled |= tf.gather(best.qualities, beams.writing) >= outlook
            return position + 1, best, _of_sentences(beams, tf.where(~settled)[:, 0])

        stories = tf.shape(told)[0]
        rows = start_rows(stories)
        best = _Best(rows, tf.fill([stories], _NEVER))
        beams = _Beams(
            tf.range(stories),
            tf.repeat(rows[:, None], self.width, axis=1),
            tf.tile([[0.0] + [_NEVER] * (self.width - 1)], [stories, 1]),
            tf.zeros([stories], tf.int32),
            tf.zeros([stories], tf.bool),
            tf.nest.map_structure(lambda part: tf.repeat(part, self.width, axis=0), state),
        )
        return _loop(goes_on, write_word, (tf.constant(1), best, beams))[1].rows

    def _continuations(self, step, told, beams, position):
        """-> log probability of each hypothesis with each word after it, [n, K, V]; new state."""
        rows = tf.reshape(beams.rows, [-1, ROW_LENGTH])
        logits, state = step(rows[:, position - 1], beams.state)
        told = tf.repeat(tf.gather(told, beams.writing), self.width, axis=0)
        allowed = self.rules.apply(logits, rows, told, position)
        log_probabilities = tf.where(allowed > _NEVER, tf.nn.log_softmax(logits), _NEVER)
        log_probabilities = tf.reshape(log_probabilities, [-1, self.width, tf.shape(logits)[1]])
        return beams.scores[:, :, None] + log_probabilities, beams._replace(state=state)

    def _with_ended(self, best, beams, chosen, is_end, position):
        """The best sentences, where one that has ended now is better than those before."""
        qualities = tf.where(is_end, chosen.totals, _NEVER) / self._length(position)
        place = tf.argmax(qualities, axis=1, output_type=tf.int32)
        qualities = tf.gather(qualities, place, batch_dims=1)
        hypotheses = tf.gather(chosen.hypotheses, place, batch_dims=1)
        better = tf.where(qualities > tf.gather(best.qualities, beams.writing))[:, 0]
        rows = tf.gather(beams.rows, hypotheses, batch_dims=1)
        rows = tf.where(tf.range(ROW_LENGTH) == position, END, rows)
        stories = tf.gather(beams.writing, better)[:, None]
        return _Best(
            tf.tensor_scatter_nd_update(best.rows, stories, tf.gather(rows, better)),
            tf.tensor_scatter_nd_update(best.qualities, stories, tf.gather(qualities, better)),
        )

    def _longer(self, beams, chosen, position):
        """The K likeliest hypotheses that go on."""
        totals = tf.where(chosen.words == END, _NEVER, chosen.totals)
        scores, places = tf.math.top_k(totals, self.width)
        hypotheses = tf.gather(chosen.hypotheses, places, batch_dims=1)
        words = tf.gather(chosen.words, places, batch_dims=1)
        rows = tf.gather(beams.rows, hypotheses, batch_dims=1)
        rows = tf.where(tf.range(ROW_LENGTH) == position, words[:, :, None], rows)
        first = tf.range(tf.shape(scores)[0])[:, None] * self.width
        state = _take(beams.state, tf.reshape(first + hypotheses, [-1]))
        return beams._replace(rows=rows, scores=scores, state=state)

    def _length(self, words):
        """What the log probability of so many words, <END> included, is divided by."""
        return tf.cast(words, tf.float32) ** self.length_penalty


class _Best(NamedTuple):
    """Of each sentence the best hypothesis that has ended: rows [N, T], qualities [N]."""

    rows: tf.Tensor
    qualities: tf.Tensor


class _Beams(NamedTuple):
    """The hypotheses of the sentences that are still being written.

    Attributes:
        writing: [n], which sentences these are.
        rows: [n, K, T].
        scores: [n, K], log probabilities, the highest first; -inf: there is no such hypothesis.
        ended: [n], hypotheses that have.
        is_cut: bool [n], whether a hypothesis was cut off.
        state: the step's, [n K, ...].
    """

    writing: tf.Tensor
    rows: tf.Tensor
    scores: tf.Tensor
    ended: tf.Tensor
    is_cut: tf.Tensor
    state: object


class _Chosen(NamedTuple):
    """The likeliest continuations of a sentence's hypotheses, all [n, 2 K + 1].

    Attributes:
        totals: log probabilities, the highest first.
        hypotheses: which one is continued.
        words: by what.
    """

    totals: tf.Tensor
    hypotheses: tf.Tensor
    words: tf.Tensor


def _of_sentences(beams, kept):
    width = beams.rows.shape[1]
    *by_sentence, state = beams
    of_kept = tf.reshape(kept[:, None] * width + tf.range(width, dtype=kept.dtype), [-1])
    return _Beams(*_take(by_sentence, kept), _take(state, of_kept))


def _count(flags):
    """bool [n, M] -> int32 [n]."""
    return tf.reduce_sum(tf.cast(flags, tf.int32), axis=1)


def _put(rows, sentences, position, words):
    """Rows with words [n] at `position` of these sentences [n]."""
    places = tf.stack([sentences, tf.fill(tf.shape(sentences), position)], axis=1)
    return tf.tensor_scatter_nd_update(rows, places, words)


def _take(nest, places):
    return tf.nest.map_structure(lambda part: tf.gather(part, places), nest)


def _loop(goes_on, body, start):
    """`tf.while_loop` over tensors whose first axis may shrink."""
    start = tf.nest.map_structure(tf.convert_to_tensor, start)
    shapes = tf.nest.map_structure(
        lambda part: tf.TensorShape([None, *part.shape[1:]][: part.shape.rank]), start
    )
    return tf.while_loop(goes_on, body, start, shape_invariants=shapes)

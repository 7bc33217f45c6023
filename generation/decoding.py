"""Greedy decoding, sampling and beam search over a decoder step, independent of any model.

A step is a function `(words int32 [N], state) -> (logits float32 [N, V], state)` whose state is any
nest of tensors [N, ...].  A decoding is called with

    step: such a function.
    state: the state before the first word, which may have a structure of its own.
    previous_sentences: int32 [N, J, T], rows of the earlier sentences of the same stories; a row
        of <NULL> alone stands for no sentence.
    sentence_ids: int32 [N], the number of each sentence in its split, which seeds its sampling.

and returns int32 [N, T], rows <START> words <END> padded with <NULL>.  A sentence that reaches its
maximum length gets its <END> all the same.  Sentences that have ended are no longer computed.  The
`name` of a decoding is part of file names, its `width` the number of hypotheses of a sentence.
`human_previous` is for whoever calls it: whether each sentence follows the human sentence before it
instead of the generated one.

Legend of shapes: N sentences, n of them active (not yet ended), K hypotheses of each at most, m of
all active sentences, T words of a row, V vocabulary.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import tensorflow as tf

from data_reader.errors import InputError
from data_reader.vocabulary import END, ROW_LENGTH, START
from generation.constraints import DecodingConstraints

_NEVER = float("-inf")
WIDEST_BEAM = 100  # time grows faster than the width
# 21 words (<END> included) to this power still divide a float32 without its becoming 0.
_LARGEST_PENALTY = 10
_COLDEST, _HOTTEST = 1e-37, 1e37  # what float32 can divide by
_SMALLEST_SHARE = 1e-37  # of float32, above 0


def start_rows(sentences):
    """int32 [N, T]: rows of <START> alone."""
    return tf.pad(tf.fill([sentences, 1], START), [[0, 0], [0, ROW_LENGTH - 1]])


def _suffix(decoding):
    """The part of its name that all decodings share."""
    return decoding.constraints.suffix + ("_human_previous" if decoding.human_previous else "")


@dataclass(frozen=True)
class Greedy:
    """The likeliest word at each step."""

    method = "greedy"
    width = 1
    constraints: DecodingConstraints = field(default_factory=DecodingConstraints)
    human_previous: bool = False

    @property
    def name(self):
        return f"greedy{_suffix(self)}"

    def __call__(self, step, state, previous_sentences, sentence_ids):
        def likeliest(logits, *_):
            return tf.argmax(logits, axis=1, output_type=tf.int32)

        return _write(likeliest, step, state, previous_sentences, self.constraints)


@dataclass(frozen=True)
class Sampling:
    """Words drawn at random, by their probabilities.

    A sentence depends on its own id and the seed, not on the other sentences of the batch.

    Attributes:
        temperature: divides the logits; from 1e-37 to 1e37.
        top_k: sample from the `top_k` likeliest words only; 0 for all words.
        top_p: sample from the smallest set of likeliest words with this total probability only
            (nucleus sampling, Holtzman et al. 2020).
        seed: 0 or more.

    Raises:
        InputError: a number is out of range; the message names it.
    """

    method = "sampling"
    width = 1
    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 1.0
    seed: int = 1
    constraints: DecodingConstraints = field(default_factory=DecodingConstraints)
    human_previous: bool = False

    def __post_init__(self):
        if not _COLDEST <= self.temperature <= _HOTTEST:
            raise InputError(
                f"temperature is {self.temperature}; it must be from {_COLDEST} to {_HOTTEST}, "
                "the numbers of float32."
            )
        if not 0 <= self.top_k < 2**31:
            raise InputError(f"top_k is {self.top_k}; it must be a number of words, or 0 for all.")
        if not 0 < self.top_p <= 1:
            raise InputError(f"top_p is {self.top_p}; it must be above 0 and at most 1.")
        if not 0 <= self.seed < 2**31:
            raise InputError(f"seed is {self.seed}; it must be from 0 to 2^31 - 1.")

    @property
    def name(self):
        kept = f"_k{self.top_k}" if self.top_k else ""
        kept += f"_p{self.top_p:g}" if self.top_p < 1 else ""
        return f"sample_t{self.temperature:g}{kept}_s{self.seed}{_suffix(self)}"

    def __call__(self, step, state, previous_sentences, sentence_ids):
        uniform = self._uniform(sentence_ids)

        def draw(logits, active, position):
            words = None  # all, unsorted: sorting ten thousand takes as long as a layer
            if self.top_k or self.top_p < 1:
                size = tf.shape(logits)[1]
                logits, words = tf.math.top_k(
                    logits, tf.minimum(self.top_k, size) if self.top_k else size
                )
            likeliest = tf.reduce_max(logits, axis=1, keepdims=True)
            chances = tf.nn.softmax((logits - likeliest) / self.temperature)
            if self.top_p < 1:
                likelier = tf.cumsum(chances, axis=1, exclusive=True)
                chances = tf.where(likelier < max(self.top_p, _SMALLEST_SHARE), chances, 0.0)
            up_to = tf.cumsum(chances, axis=1)
            drawn = tf.gather(uniform, active)[:, position, None] * up_to[:, -1:]
            place = tf.searchsorted(up_to, drawn, side="right")[:, 0]
            return place if words is None else tf.gather(words, place, batch_dims=1)

        return _write(draw, step, state, previous_sentences, self.constraints)

    def _uniform(self, sentence_ids):
        """Return random numbers [N, T] between 0 and 1."""

        def of_sentence(sentence_id):
            return tf.random.stateless_uniform([ROW_LENGTH], [self.seed, sentence_id])

        return tf.map_fn(of_sentence, sentence_ids, fn_output_signature=tf.float32)


def _write(choose, step, state, previous_sentences, constraints):
    """Write sentences, one word per step, chosen by `choose(logits, active, position)`.

    `active` [n] are the sentences that have not ended; the loop computes nothing for the others.
    """

    def any_active(position, rows, active, *_):
        return (position <= constraints.max_words) & (tf.size(active) > 0)

    def write_word(position, rows, active, words, state):
        logits, state = step(words, state)
        previous = tf.gather(previous_sentences, active)
        logits = constraints.apply(logits, tf.gather(rows, active), previous, position)
        words = choose(logits, active, position)
        rows = _put(rows, active, position, words)
        continuing = tf.where(words != END)[:, 0]
        active, words, state = _take((active, words, state), continuing)
        return position + 1, rows, active, words, state

    rows = start_rows(tf.shape(previous_sentences)[0])
    active = tf.range(tf.shape(previous_sentences)[0])
    start = tf.constant(1), rows, active, rows[:, 0], state
    position, rows, active, *_ = _loop(any_active, write_word, start)
    return _put(rows, active, position, tf.fill(tf.shape(active), END))


@dataclass(frozen=True)
class BeamSearch:
    """The best sentence that beam search finds.

    The score of an ended hypothesis is the model's log probability of its words and its <END>,
    divided by their number to the power of `length_penalty`.  Each step keeps the `width` likeliest
    hypotheses.  A hypothesis ends where its <END> is among the `width` likeliest continuations.
    The search for a sentence stops when `width` hypotheses have ended, or when no active one can
    still exceed the best of them.  As long as no hypothesis had to be pruned, every <END> counts
    and only the second condition applies: the search is exhaustive.

    Attributes:
        width: K, from 1 to 100; with 1 the search is greedy.
        length_penalty: from 0 to 10; 0 prefers short sentences; 1 takes the mean per word.

    Raises:
        InputError: a number is out of range; the message names it.
    """

    method = "beam_search"
    width: int
    length_penalty: float = 1.0
    constraints: DecodingConstraints = field(default_factory=DecodingConstraints)
    human_previous: bool = False

    def __post_init__(self):
        if not 1 <= self.width <= WIDEST_BEAM:
            raise InputError(
                f"The beam's width is {self.width}; it must be from 1 to {WIDEST_BEAM}: time grows "
                "with it."
            )
        if not 0 <= self.length_penalty <= _LARGEST_PENALTY:
            raise InputError(
                f"length_penalty is {self.length_penalty}; it must be from 0 to {_LARGEST_PENALTY}."
            )

    @property
    def name(self):
        penalty = f"_lp{self.length_penalty:g}" if self.length_penalty != 1 else ""
        return f"beam{self.width}{penalty}{_suffix(self)}"

    def __call__(self, step, state, previous_sentences, sentence_ids):
        def any_active(position, best, beams):
            return tf.size(beams.active) > 0

        def write_word(position, best, beams):
            chosen, state = self._continuations(step, previous_sentences, beams, position)
            is_possible, is_end = chosen.totals > _NEVER, chosen.words == END
            is_pruned = beams.is_pruned | (_count(is_possible & ~is_end) > self.width)
            is_ranked_end = is_possible & is_end & (tf.range(tf.shape(is_end)[1]) < self.width)
            counts = tf.where(is_pruned[:, None], is_ranked_end, is_possible & is_end)
            best = self._with_ended(best, beams, chosen, counts, position)
            ended = beams.ended + _count(is_ranked_end)
            continuing = self._continuing(chosen)
            bound = continuing.totals[:, 0] / self._length(self.constraints.max_words + 1)
            finished = is_pruned & (ended >= self.width)
            finished |= tf.gather(best.scores, beams.active) >= bound
            beams = beams._replace(ended=ended, is_pruned=is_pruned, state=state)
            kept = tf.where(~finished)[:, 0]
            return position + 1, best, _extended(beams, continuing, kept, position)

        sentences = tf.shape(previous_sentences)[0]
        rows = start_rows(sentences)
        best = _Best(rows, tf.fill([sentences], _NEVER))
        # At first each sentence has one hypothesis, that without words.
        beams = _Beams(
            tf.range(sentences),
            tf.zeros([sentences], tf.int32),
            tf.zeros([sentences], tf.bool),
            rows,
            tf.zeros([sentences]),
            state,
        )
        return _loop(any_active, write_word, (tf.constant(1), best, beams))[1].rows

    def _continuations(self, step, previous_sentences, beams, position):
        """-> the likeliest continuations of each sentence, `_Chosen`, and the new state."""
        sentences = tf.size(beams.active)
        logits, state = step(beams.rows[:, position - 1], beams.state)
        previous = tf.gather(previous_sentences, beams.active)
        previous = tf.repeat(previous, tf.size(beams.scores) // sentences, axis=0)
        allowed = self.constraints.apply(logits, beams.rows, previous, position)
        # At most K of them are <END>s; if more than K others are possible, some are pruned.
        wanted = 2 * self.width + 1
        likeliest, words = tf.math.top_k(allowed, tf.minimum(wanted, tf.shape(allowed)[1]))
        totals = tf.gather(tf.nn.log_softmax(logits), words, batch_dims=1)
        totals = tf.where(likeliest > _NEVER, beams.scores[:, None] + totals, _NEVER)
        hypotheses = tf.broadcast_to(tf.range(tf.shape(words)[0])[:, None], tf.shape(words))
        of_all = [tf.reshape(part, [sentences, -1]) for part in (totals, hypotheses, words)]
        return _best_of(_Chosen(*of_all), wanted), state

    def _continuing(self, chosen):
        """-> the K likeliest of the continuations that do not end."""
        totals = tf.where(chosen.words == END, _NEVER, chosen.totals)
        return _best_of(chosen._replace(totals=totals), self.width)

    def _with_ended(self, best, beams, chosen, is_end, position):
        """Update the best ended hypotheses by those that end at this position."""
        scores = tf.where(is_end, chosen.totals, _NEVER) / self._length(position)
        place = tf.argmax(scores, axis=1, output_type=tf.int32)
        scores = tf.gather(scores, place, batch_dims=1)
        hypotheses = tf.gather(chosen.hypotheses, place, batch_dims=1)
        better = tf.where(scores > tf.gather(best.scores, beams.active))[:, 0]
        rows = tf.gather(beams.rows, hypotheses)
        rows = tf.where(tf.range(ROW_LENGTH) == position, END, rows)
        sentences = tf.gather(beams.active, better)[:, None]
        return _Best(
            tf.tensor_scatter_nd_update(best.rows, sentences, tf.gather(rows, better)),
            tf.tensor_scatter_nd_update(best.scores, sentences, tf.gather(scores, better)),
        )

    def _length(self, words):
        """Return the divisor of the log probability of so many words, <END> included."""
        return tf.cast(words, tf.float32) ** self.length_penalty


METHODS = {decoding.method: decoding for decoding in (Greedy, Sampling, BeamSearch)}


class _Best(NamedTuple):
    """The best ended hypothesis of each sentence: rows [N, T], scores [N]."""

    rows: tf.Tensor
    scores: tf.Tensor


class _Beams(NamedTuple):
    """The active sentences and all their hypotheses, of each sentence the same number.

    Attributes:
        active: [n], the sentences.
        ended: [n], the number of hypotheses that have ended.
        is_pruned: bool [n], whether a hypothesis had to be dropped.
        rows: [m, T], the hypotheses, those of a sentence one after the other.
        scores: [m], log probabilities, in descending order for each sentence; -inf where it has
            fewer hypotheses.
        state: the step's, [m, ...].
    """

    active: tf.Tensor
    ended: tf.Tensor
    is_pruned: tf.Tensor
    rows: tf.Tensor
    scores: tf.Tensor
    state: object


class _Chosen(NamedTuple):
    """Continuations of each sentence's hypotheses, all [n, M].

    Attributes:
        totals: log probabilities.
        hypotheses: which of all m hypotheses is continued.
        words: the next word.
    """

    totals: tf.Tensor
    hypotheses: tf.Tensor
    words: tf.Tensor


def _best_of(chosen, number):
    """The likeliest of each sentence, or all if there are fewer, in descending order."""
    totals, places = tf.math.top_k(chosen.totals, tf.minimum(number, tf.shape(chosen.totals)[1]))
    hypotheses, words = (tf.gather(part, places, batch_dims=1) for part in chosen[1:])
    return _Chosen(totals, hypotheses, words)


def _extended(beams, continuing, kept, position):
    """Keep these of the sentences [n], their hypotheses extended by a word."""
    scores, hypotheses, words = (tf.reshape(part, [-1]) for part in _take(continuing, kept))
    rows, state = _take((beams.rows, beams.state), hypotheses)
    rows = tf.where(tf.range(ROW_LENGTH) == position, words[:, None], rows)
    return _Beams(*_take(beams[:3], kept), rows, scores, state)


def _count(flags):
    """bool [n, M] -> int32 [n]."""
    return tf.reduce_sum(tf.cast(flags, tf.int32), axis=1)


def _put(rows, sentences, position, words):
    """Set the words [n] at `position` of these sentences [n]."""
    places = tf.stack([sentences, tf.fill(tf.shape(sentences), position)], axis=1)
    return tf.tensor_scatter_nd_update(rows, places, words)


def _take(nest, places):
    return tf.nest.map_structure(lambda part: tf.gather(part, places), nest)


def _loop(condition, body, start):
    """Run `tf.while_loop` over tensors whose first axis may shrink.

    The first step, which is always done, stands outside of the loop: before it the state may lack
    parts, those of layers that begin at zero.
    """
    start = tf.nest.map_structure(tf.convert_to_tensor, body(*start))
    shapes = tf.nest.map_structure(
        lambda part: tf.TensorShape([None, *part.shape[1:]][: part.shape.rank]), start
    )
    return tf.while_loop(condition, body, start, shape_invariants=shapes)

"""Decoding with scripted steps: what the 'decoder' says does not depend on any model."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from data_reader.vocabulary import END, NULL, ROW_LENGTH, START, UNKNOWN
from generation.constraints import DecodingConstraints
from generation.decoding import BeamSearch, Greedy, Sampling

VOCABULARY = 8
NOTHING_TOLD = np.zeros((1, 1, ROW_LENGTH), np.int32)


def scripted(*sentences):
    """A step that says these sentences, whatever words it is given.

    Its state is which sentence and how far it is, so that it notices a mixed-up state.
    """
    longest = max(len(sentence) for sentence in sentences)
    table = np.full((len(sentences), longest, VOCABULARY), -1.0, np.float32)
    for row, sentence in enumerate(sentences):
        for position, word in enumerate(sentence):
            table[row, position, word] = 9.0

    def step(words, state):
        sentence, position = tf.unstack(state, axis=1)
        places = tf.stack([sentence, tf.minimum(position, longest - 1)], axis=1)
        return tf.gather_nd(table, places), state + tf.constant([0, 1])

    return step, tf.constant([[sentence, 0] for sentence in range(len(sentences))])


def chain(logits):
    """A step whose logits [T, V, V] follow from the position and the word before."""
    logits = np.asarray(logits, np.float32)

    def step(words, position):
        return tf.gather_nd(logits, tf.stack([position, words], axis=1)), position + 1

    return step


def write(decoding, step, state, told=None, numbers=None):
    sentences = len(state)
    if told is None:
        told = np.repeat(NOTHING_TOLD, sentences, axis=0)
    numbers = np.arange(sentences, dtype=np.int32) if numbers is None else numbers
    rows = decoding(step, tf.constant(state), tf.constant(told), tf.constant(numbers)).numpy()
    assert rows.shape == (sentences, ROW_LENGTH)
    return rows


def row(*words):
    return [START, *words, END] + [NULL] * (ROW_LENGTH - 2 - len(words))


def tell(*sentences, **rules):
    return write(Greedy(DecodingConstraints(**rules)), *scripted(*sentences)).tolist()


def test_sentences_of_different_lengths():
    told = tell([4, 5, END], [6, END], [4, 4, 7, 6, END])
    assert told == [row(4, 5), row(6), row(4, 4, 7, 6)]


def test_a_sentence_that_does_not_end_is_cut_and_gets_its_end():
    told = tell([4, 5, 6, 7, 4, 5, 6], [4, END], max_words=4)
    assert told == [row(4, 5, 6, 7), row(4)]


def test_the_longest_sentence_fills_its_row():
    [told] = tell([4])
    assert told == [START] + [4] * 20 + [END]


def test_no_sentence_is_empty_or_shorter_than_asked_for():
    # Where <END> is not yet allowed all other words are equally likely; the first is <UNK>.
    assert tell([END]) == [row(UNKNOWN)]
    assert tell([4, END], min_words=3) == [row(4, UNKNOWN, UNKNOWN)]


def test_null_and_start_are_never_said():
    def step(words, state):
        return tf.constant([[9.0, 8, 0, 0, 7, 1, 1, 1]]), state

    for decoding in (
        Greedy(DecodingConstraints(max_words=2)),
        BeamSearch(2, rules=DecodingConstraints(max_words=2)),
    ):
        rows = write(decoding, step if decoding.name[0] == "g" else twice(step), [0])
        assert rows.tolist() == [row(4, 4)]


def twice(step):
    """The step of one sentence for the two hypotheses of a beam."""

    def step_of_both(words, state):
        logits, _ = step(words, state)
        return tf.repeat(logits, tf.shape(words)[0], axis=0), state

    return step_of_both


def test_each_word_is_fed_to_the_next_step():
    def one_more(words, state):
        return tf.one_hot(words + 3, VOCABULARY), state

    assert write(Greedy(DecodingConstraints(max_words=2)), one_more, [0]).tolist() == [row(4, 7)]


def test_unknown_words_can_be_ruled_out():
    logits = np.zeros((ROW_LENGTH, VOCABULARY, VOCABULARY))
    logits[..., UNKNOWN], logits[..., 5] = 3, 2
    step = chain(logits)
    assert write(Greedy(DecodingConstraints(max_words=2)), step, [0]).tolist() == [
        row(UNKNOWN, UNKNOWN)
    ]
    assert write(Greedy(DecodingConstraints(no_unknown=True, max_words=2)), step, [0]).tolist() == [
        row(5, 5)
    ]


def four_five():
    """4 5 4 5 ... to the end, 6 being the next best."""
    logits = np.zeros((ROW_LENGTH, VOCABULARY, VOCABULARY))
    logits[:, [START, 5, 6, 7], 4] = 3
    logits[:, 4, 5] = 3
    logits[..., 6] += 1
    return chain(logits)


def test_no_words_twice_in_a_sentence():
    def told(**rules):
        return write(Greedy(DecodingConstraints(max_words=6, **rules)), four_five(), [0]).tolist()

    assert told() == [row(4, 5, 4, 5, 4, 5)]
    # After 4 neither 5 nor 6 again; all else is equally likely, <END> the first of it.
    assert told(no_repeated_ngram=2) == [row(4, 5, 4, 6, 4)]
    assert told(no_repeated_ngram=3) == [row(4, 5, 4, 5, 6, 4)]
    assert told(no_repeated_ngram=1) == [row(4, 5, 6)]


def test_no_words_of_the_story_s_earlier_sentences():
    told = np.array([[row(6, 4, 5), row(5, 7), [NULL] * ROW_LENGTH]], np.int32)

    def say(n):
        return write(
            Greedy(DecodingConstraints(max_words=4, no_story_ngram=n)), four_five(), [0], told
        ).tolist()

    assert say(1) == [row(UNKNOWN)]
    assert say(2) == [row(4, 6, 6, 6)]
    assert say(3) == [row(4, 5, 4, 5)]


def test_no_sentence_twice_in_a_story():
    told = np.array([[row(4, 5), row(4), [NULL] * ROW_LENGTH]], np.int32)
    rules = {"no_repeated_sentence": True}
    step, state = scripted([4, 5, END])
    # It may not end after 4 5, where all other words are equally likely.
    assert write(Greedy(DecodingConstraints(**rules)), step, state, told)[0, :4].tolist() == [
        START,
        4,
        5,
        3,
    ]
    # Two words are the most, so that 5 would end it after 4 5.
    told_in_two = write(Greedy(DecodingConstraints(**rules, max_words=2)), step, state, told)
    assert told_in_two.tolist() == [row(4, 3)]
    assert write(Greedy(DecodingConstraints()), step, state, told).tolist() == [row(4, 5)]


def test_where_nothing_is_left_to_say_the_sentence_ends():
    rules = DecodingConstraints(no_unknown=True, no_repeated_ngram=1, min_words=6, max_words=10)
    step, state = scripted([4, 4, 4, 4])
    assert write(Greedy(rules), step, state).tolist() == [row(4, 5, 6, 7)]


WORDS = [UNKNOWN, 4, 5]


def best_of_all(logits, penalty, longest, allowed):
    """By trying each sentence of up to `longest` words."""
    log_probabilities = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))

    def quality(words):
        path = [START, *words, END]
        total = sum(
            log_probabilities[place, *pair] for place, pair in enumerate(itertools.pairwise(path))
        )
        return total / (len(words) + 1) ** penalty

    sentences = (
        words
        for length in range(1, longest + 1)
        for words in itertools.product(WORDS, repeat=length)
        if allowed(words)
    )
    return max(sentences, key=quality)


@pytest.mark.parametrize("penalty", [0.0, 0.7, 1.0, 2.0])
@pytest.mark.parametrize("longest", [1, 2, 3, 4])
def test_a_beam_that_holds_all_live_prefixes_finds_the_best_sentence(penalty, longest):
    rng = np.random.default_rng(longest)
    for _ in range(5):
        # Of <END>s some are likely, some hardly possible: the best is often not a likely one.
        logits = rng.normal(0, 1.5, (ROW_LENGTH, 6, 6))
        logits[..., END] += rng.normal(0, 4, (ROW_LENGTH, 6))
        beam = BeamSearch(len(WORDS) ** longest, penalty, DecodingConstraints(max_words=longest))
        found = write(beam, chain(logits), [0])
        assert found.tolist() == [row(*best_of_all(logits, penalty, longest, lambda _: True))]
        # Each of the three words at most once: 3, 6 and 6 prefixes go on.
        rules = DecodingConstraints(max_words=longest, no_repeated_ngram=1)
        found = write(BeamSearch(3 if longest == 1 else 6, penalty, rules), chain(logits), [0])
        without = best_of_all(logits, penalty, longest, lambda words: len({*words}) == len(words))
        assert found.tolist() == [row(*without)]


def test_each_hypothesis_keeps_its_own_state():
    """The step knows the word before the last from its state alone."""
    rng = np.random.default_rng(0)
    for _ in range(5):
        logits = rng.normal(0, 1.5, (6, 6, 6)).astype(np.float32)
        log_probabilities = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))

        def step(words, before, logits=logits):
            return tf.gather_nd(logits, tf.stack([before, words], axis=1)), words

        def quality(words, log_probabilities=log_probabilities):
            path = [NULL, START, *words, END]
            total = sum(log_probabilities[*path[i : i + 3]] for i in range(len(path) - 2))
            return total / (len(words) + 1)

        sentences = [w for n in (1, 2, 3) for w in itertools.product(WORDS, repeat=n)]
        found = write(BeamSearch(36, rules=DecodingConstraints(max_words=3)), step, [NULL])
        assert found.tolist() == [row(*max(sentences, key=quality))]


def test_a_beam_of_one_is_greedy():
    rng = np.random.default_rng(0)
    differs_from_three = 0
    for _ in range(20):
        step = chain(rng.normal(size=(ROW_LENGTH, VOCABULARY, VOCABULARY)))
        greedy = write(Greedy(), step, [0]).tolist()
        assert write(BeamSearch(1), step, [0]).tolist() == greedy
        differs_from_three += write(BeamSearch(3), step, [0]).tolist() != greedy
    assert differs_from_three > 5


def test_a_beam_keeps_the_states_and_the_stories_apart():
    step, state = scripted([4, 5, END], [6, END], [7, 7, 7, 5, END], [5, 4, END])
    found = write(BeamSearch(3), step, state)
    # The script goes on as written whatever is said, so that words of the script are the best.
    assert found.tolist() == [row(4, 5), row(6), row(7, 7, 7, 5), row(5, 4)]


def test_a_beam_sees_further_than_greedy():
    # 4 is likelier than 5, but after it nothing is likely; after 5 the sentence ends for sure.
    logits = np.full((ROW_LENGTH, VOCABULARY, VOCABULARY), -9.0)
    logits[0, START, [4, 5]] = np.log([0.6, 0.4])
    logits[1, 4] = 0
    logits[1, 5, END] = 9
    step, rules = chain(logits), DecodingConstraints(max_words=2)
    assert write(Greedy(rules), step, [0])[0, 1] == 4
    assert write(BeamSearch(2, rules=rules), step, [0]).tolist() == [row(5)]


def test_the_length_penalty_favours_long_sentences():
    # <END> at once: log 1/2 in one step; 4 4 and <END>: log 1/2 + log 1/2 + 0, three steps.
    logits = np.full((ROW_LENGTH, VOCABULARY, VOCABULARY), -20.0)
    logits[0, START, 5] = 0
    logits[1, 5, [END, 4]] = 0
    logits[2, 4, [4, 5]] = 0
    logits[3, [4, 5], END] = 0
    step = chain(logits)
    assert write(BeamSearch(4, 0.0), step, [0]).tolist() == [row(5)]
    assert write(BeamSearch(4, 2.0), step, [0])[0].tolist().index(END) == 4


def test_an_unlikely_end_counts_until_a_hypothesis_is_cut_off():
    logits = np.zeros((ROW_LENGTH, 6, 6))
    logits[1:, :, END] = [[-5]] + [[-50]] * (ROW_LENGTH - 2)
    rules = DecodingConstraints(max_words=2)
    # Three hypotheses of one word: each <END> is less likely than the nine that go on, and better.
    assert (write(BeamSearch(9, 1.0, rules), chain(logits), [0]) == END).argmax() == 2
    assert (write(BeamSearch(8, 1.0, rules), chain(logits), [0]) == END).argmax() == 3


def fair(*chances):
    """Words from 4 on with these probabilities, whatever was said."""
    logits = np.full((ROW_LENGTH, VOCABULARY, VOCABULARY), -np.inf)
    logits[..., 4 : 4 + len(chances)] = np.log(chances)
    return chain(logits)


def shares(sampling, step, sentences=400):
    """How often each word is said first."""
    first = write(sampling, step, np.zeros(sentences, np.int32))[:, 1]
    return np.bincount(first, minlength=VOCABULARY)[4:] / sentences


ONE_WORD = DecodingConstraints(max_words=1)


def test_words_are_drawn_by_their_probabilities():
    step = fair(0.1, 0.2, 0.7)
    np.testing.assert_allclose(
        shares(Sampling(rules=ONE_WORD), step), [0.1, 0.2, 0.7, 0], atol=0.07
    )
    # Squared: 1 : 4 : 49.
    cold = shares(Sampling(temperature=0.5, rules=ONE_WORD), step)
    np.testing.assert_allclose(cold, [1 / 54, 4 / 54, 49 / 54, 0], atol=0.05)
    # Without overflow, however cold and however far from 0 the logits are.
    far = fair(*(np.exp(100) * np.array([0.1, 0.2, 0.7])))
    assert shares(Sampling(temperature=1e-37, rules=ONE_WORD), far).tolist() == [0, 0, 1, 0]


def test_only_the_likeliest_words_are_drawn():
    step = fair(0.1, 0.2, 0.3, 0.4)
    top_2 = shares(Sampling(top_k=2, rules=ONE_WORD), step)
    np.testing.assert_allclose(top_2, [0, 0, 3 / 7, 4 / 7], atol=0.08)
    assert top_2[:2].sum() == 0
    # 0.4 and 0.3 come to less than 0.75, with 0.2 to more.
    nucleus = shares(Sampling(top_p=0.75, rules=ONE_WORD), step)
    np.testing.assert_allclose(nucleus, [0, 2 / 9, 3 / 9, 4 / 9], atol=0.08)
    assert nucleus[0] == 0
    assert shares(Sampling(top_p=0.01, rules=ONE_WORD), step).tolist() == [0, 0, 0, 1]


def test_a_sentence_is_drawn_by_its_number_and_the_seed():
    step = fair(0.25, 0.25, 0.25, 0.25)
    together = write(Sampling(seed=3), step, [0, 0, 0], numbers=np.int32([7, 8, 9]))
    alone = write(Sampling(seed=3), step, [0], numbers=np.int32([8]))
    assert alone[0].tolist() == together[1].tolist() != together[0].tolist()
    other = write(Sampling(seed=4), step, [0], numbers=np.int32([8]))
    assert other[0].tolist() != alone[0].tolist()


def test_in_a_graph_all_is_as_without():
    rng = np.random.default_rng(0)
    step = chain(rng.normal(size=(ROW_LENGTH, VOCABULARY, VOCABULARY)))
    told = np.array([[row(4, 5)], [row(6)]], np.int32)
    rules = DecodingConstraints(True, 2, 2, True, 2, 9)
    for decoding in (Greedy(rules), BeamSearch(3, rules=rules), Sampling(rules=rules)):
        compiled = tf.function(
            lambda told, decoding=decoding: decoding(
                step, tf.zeros(2, tf.int32), told, tf.range(2)
            ),
            input_signature=[tf.TensorSpec([None, None, ROW_LENGTH], tf.int32)],
        )
        expected = write(decoding, step, [0, 0], told)
        np.testing.assert_array_equal(compiled(told), expected)


@pytest.mark.parametrize(
    ("decoding", "name"),
    [
        (Greedy(), "greedy"),
        (BeamSearch(3), "beam3"),
        (BeamSearch(5, 0.6, DecodingConstraints(no_unknown=True)), "beam5_lp0.6_nounk"),
        (Sampling(0.8), "sample_t0.8_s1"),
        (Sampling(1.0, 50, 0.9, 2), "sample_t1_k50_p0.9_s2"),
        (
            Greedy(DecodingConstraints(False, 3, 4, True, 5, 12)),
            "greedy_norepeat3_nostory4_nosame_min5_max12",
        ),
    ],
)
def test_a_name_says_what_is_unusual(decoding, name):
    assert decoding.name == name


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: BeamSearch(0), "width is 0"),
        (lambda: BeamSearch(2, -1), "length_penalty is -1"),
        (lambda: Sampling(0), "temperature is 0"),
        (lambda: BeamSearch(2, float("nan")), "length_penalty is nan"),
        (lambda: Sampling(float("nan")), "temperature is nan"),
        (lambda: Sampling(float("inf")), "temperature is inf"),
        (lambda: Sampling(top_k=-1), "top_k is -1"),
        (lambda: Sampling(top_p=0), "top_p is 0"),
        (lambda: Sampling(seed=-1), "seed is -1"),
        (lambda: DecodingConstraints(min_words=5, max_words=4), "5 to 4 words"),
        (lambda: DecodingConstraints(max_words=21), "1 to 21 words"),
        (lambda: DecodingConstraints(no_repeated_ngram=-1), "no_repeated_ngram is -1"),
        (lambda: DecodingConstraints(no_story_ngram=21), "no_story_ngram is 21"),
    ],
)
def test_a_setting_without_meaning_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()

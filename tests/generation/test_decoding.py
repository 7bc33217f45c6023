"""Decoding with scripted steps, independent of any model."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from data_reader.errors import InputError
from data_reader.vocabulary import END, NULL, ROW_LENGTH, START, UNKNOWN
from generation.constraints import DecodingConstraints
from generation.decoding import BeamSearch, Greedy, Sampling

VOCABULARY = 8
NO_SENTENCES = np.zeros((1, 1, ROW_LENGTH), np.int32)


def scripted(*sentences):
    """Make a step that generates these sentences, whatever words it is given.

    Its state is the sentence and its position, so that mixed-up states give wrong words.
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
    """Make a step whose logits [T, V, V] depend on the position and the previous word."""
    logits = np.asarray(logits, np.float32)

    def step(words, position):
        return tf.gather_nd(logits, tf.stack([position, words], axis=1)), position + 1

    return step


def write(decoding, step, state, previous=None, ids=None):
    sentences = len(state)
    if previous is None:
        previous = np.repeat(NO_SENTENCES, sentences, axis=0)
    ids = np.arange(sentences, dtype=np.int32) if ids is None else ids
    rows = decoding(step, tf.constant(state), tf.constant(previous), tf.constant(ids)).numpy()
    assert rows.shape == (sentences, ROW_LENGTH)
    return rows


def row(*words):
    return [START, *words, END] + [NULL] * (ROW_LENGTH - 2 - len(words))


def generate(*sentences, **constraints):
    return write(Greedy(DecodingConstraints(**constraints)), *scripted(*sentences)).tolist()


def test_sentences_of_different_lengths():
    rows = generate([4, 5, END], [6, END], [4, 4, 7, 6, END])
    assert rows == [row(4, 5), row(6), row(4, 4, 7, 6)]


def test_a_sentence_that_does_not_end_is_cut_and_gets_its_end():
    rows = generate([4, 5, 6, 7, 4, 5, 6], [4, END], max_words=4)
    assert rows == [row(4, 5, 6, 7), row(4)]


def test_the_longest_sentence_fills_its_row():
    [longest] = generate([4])
    assert longest == [START] + [4] * 20 + [END]


def test_no_sentence_is_empty_or_shorter_than_the_minimum():
    # Where <END> is not yet allowed all other words are equally likely; the first is <UNK>.
    assert generate([END]) == [row(UNKNOWN)]
    assert generate([4, END], min_words=3) == [row(4, UNKNOWN, UNKNOWN)]


def test_null_and_start_are_never_generated():
    def step(words, state):
        return tf.constant([[9.0, 8, 0, 0, 7, 1, 1, 1]]), state

    for decoding in (
        Greedy(DecodingConstraints(max_words=2)),
        BeamSearch(2, constraints=DecodingConstraints(max_words=2)),
    ):
        rows = write(decoding, step if decoding.name[0] == "g" else twice(step), [0])
        assert rows.tolist() == [row(4, 4)]


def twice(step):
    """Make a step for the two hypotheses of a beam from that of one sentence."""

    def step_of_both(words, state):
        logits, _ = step(words, state)
        return tf.repeat(logits, tf.shape(words)[0], axis=0), state

    return step_of_both


def test_each_word_is_fed_to_the_next_step():
    def one_more(words, state):
        return tf.one_hot(words + 3, VOCABULARY), state

    assert write(Greedy(DecodingConstraints(max_words=2)), one_more, [0]).tolist() == [row(4, 7)]


def test_unknown_words_can_be_excluded():
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
    """Make a step for 4 5 4 5 ... to the end, with 6 second best."""
    logits = np.zeros((ROW_LENGTH, VOCABULARY, VOCABULARY))
    logits[:, [START, 5, 6, 7], 4] = 3
    logits[:, 4, 5] = 3
    logits[..., 6] += 1
    return chain(logits)


def test_no_ngram_twice_in_a_sentence():
    def generated(**constraints):
        decoding = Greedy(DecodingConstraints(max_words=6, **constraints))
        return write(decoding, four_five(), [0]).tolist()

    assert generated() == [row(4, 5, 4, 5, 4, 5)]
    # After 4 neither 5 nor 6 again; all else is equally likely, <END> the first of it.
    assert generated(no_repeated_ngram=2) == [row(4, 5, 4, 6, 4)]
    assert generated(no_repeated_ngram=3) == [row(4, 5, 4, 5, 6, 4)]
    assert generated(no_repeated_ngram=1) == [row(4, 5, 6)]


def test_no_ngram_of_the_story_s_earlier_sentences():
    previous = np.array([[row(6, 4, 5), row(5, 7), [NULL] * ROW_LENGTH]], np.int32)

    def generated(n):
        decoding = Greedy(DecodingConstraints(max_words=4, no_story_ngram=n))
        return write(decoding, four_five(), [0], previous).tolist()

    assert generated(1) == [row(UNKNOWN)]
    assert generated(2) == [row(4, 6, 6, 6)]
    assert generated(3) == [row(4, 5, 4, 5)]


def test_no_sentence_twice_in_a_story():
    previous = np.array([[row(4, 5), row(4), [NULL] * ROW_LENGTH]], np.int32)
    step, state = scripted([4, 5, END])

    def generated(**constraints):
        return write(Greedy(DecodingConstraints(**constraints)), step, state, previous).tolist()

    # It may not end after 4 5, where all other words are equally likely.
    assert generated(no_repeated_sentence=True)[0][:4] == [START, 4, 5, 3]
    # With at most two words, a 5 after the 4 would force the end of 4 5.
    assert generated(no_repeated_sentence=True, max_words=2) == [row(4, 3)]
    assert generated() == [row(4, 5)]


def test_where_no_word_is_left_the_sentence_ends():
    constraints = DecodingConstraints(
        no_unknown=True, no_repeated_ngram=1, min_words=6, max_words=10
    )
    step, state = scripted([4, 4, 4, 4])
    assert write(Greedy(constraints), step, state).tolist() == [row(4, 5, 6, 7)]


WORDS = [UNKNOWN, 4, 5]


def best_of_all(logits, penalty, longest, allowed):
    """Find the best sentence by trying all of up to `longest` words."""
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
        # Some <END>s are likely, some hardly possible: the best is often not a likely one.
        logits = rng.normal(0, 1.5, (ROW_LENGTH, 6, 6))
        logits[..., END] += rng.normal(0, 4, (ROW_LENGTH, 6))
        beam = BeamSearch(len(WORDS) ** longest, penalty, DecodingConstraints(max_words=longest))
        found = write(beam, chain(logits), [0])
        assert found.tolist() == [row(*best_of_all(logits, penalty, longest, lambda _: True))]
        # Each of the three words at most once: 3, 6 and 6 prefixes continue.
        once = DecodingConstraints(max_words=longest, no_repeated_ngram=1)
        found = write(BeamSearch(3 if longest == 1 else 6, penalty, once), chain(logits), [0])
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
        found = write(BeamSearch(36, constraints=DecodingConstraints(max_words=3)), step, [NULL])
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
    # The script continues whatever is generated, so that its words are the best.
    assert found.tolist() == [row(4, 5), row(6), row(7, 7, 7, 5), row(5, 4)]


def test_beam_search_finds_what_greedy_misses():
    # 4 is likelier than 5, but no word is likely after it; after 5 the sentence surely ends.
    logits = np.full((ROW_LENGTH, VOCABULARY, VOCABULARY), -9.0)
    logits[0, START, [4, 5]] = np.log([0.6, 0.4])
    logits[1, 4] = 0
    logits[1, 5, END] = 9
    step, constraints = chain(logits), DecodingConstraints(max_words=2)
    assert write(Greedy(constraints), step, [0])[0, 1] == 4
    assert write(BeamSearch(2, constraints=constraints), step, [0]).tolist() == [row(5)]


def test_no_hypothesis_is_computed_twice_and_none_of_an_ended_sentence():
    step, state = scripted([4, 5, END], [6, END])
    heights = []

    def counted(words, state):
        heights.append(len(words))
        return step(words, state)

    write(BeamSearch(3, constraints=DecodingConstraints(max_words=2)), counted, state)
    assert heights == [2, 6, 3]


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
    assert write(BeamSearch(4, 10.0), step, [0])[0].tolist().index(END) == 4


def test_an_unlikely_end_counts_until_a_hypothesis_is_pruned():
    logits = np.zeros((ROW_LENGTH, 6, 6))
    logits[1:, :, END] = [[-5]] + [[-50]] * (ROW_LENGTH - 2)
    two = DecodingConstraints(max_words=2)
    # Three hypotheses of one word: each <END> is less likely than the nine that continue, and
    # better.
    assert (write(BeamSearch(9, 1.0, two), chain(logits), [0]) == END).argmax() == 2
    assert (write(BeamSearch(8, 1.0, two), chain(logits), [0]) == END).argmax() == 3


def fair(*chances):
    """Make a step for words from 4 on with these probabilities, whatever the previous word."""
    logits = np.full((ROW_LENGTH, VOCABULARY, VOCABULARY), -np.inf)
    logits[..., 4 : 4 + len(chances)] = np.log(chances)
    return chain(logits)


def shares(sampling, step, sentences=400):
    """Return how often each word comes first."""
    first = write(sampling, step, np.zeros(sentences, np.int32))[:, 1]
    return np.bincount(first, minlength=VOCABULARY)[4:] / sentences


ONE_WORD = DecodingConstraints(max_words=1)


def test_words_are_sampled_by_their_probabilities():
    step = fair(0.1, 0.2, 0.7)
    np.testing.assert_allclose(
        shares(Sampling(constraints=ONE_WORD), step), [0.1, 0.2, 0.7, 0], atol=0.07
    )
    # Squared: 1 : 4 : 49.
    cold = shares(Sampling(temperature=0.5, constraints=ONE_WORD), step)
    np.testing.assert_allclose(cold, [1 / 54, 4 / 54, 49 / 54, 0], atol=0.05)
    # No overflow, however low the temperature and however far from 0 the logits.
    far = fair(*(np.exp(100) * np.array([0.1, 0.2, 0.7])))
    assert shares(Sampling(temperature=1e-37, constraints=ONE_WORD), far).tolist() == [0, 0, 1, 0]
    hot = shares(Sampling(temperature=1e37, constraints=ONE_WORD), far)
    np.testing.assert_allclose(hot, [1 / 3, 1 / 3, 1 / 3, 0], atol=0.08)


def test_only_the_likeliest_words_are_sampled():
    step = fair(0.1, 0.2, 0.3, 0.4)
    top_2 = shares(Sampling(top_k=2, constraints=ONE_WORD), step)
    np.testing.assert_allclose(top_2, [0, 0, 3 / 7, 4 / 7], atol=0.08)
    assert top_2[:2].sum() == 0
    # 0.4 and 0.3 come to less than 0.75, with 0.2 to more.
    nucleus = shares(Sampling(top_p=0.75, constraints=ONE_WORD), step)
    np.testing.assert_allclose(nucleus, [0, 2 / 9, 3 / 9, 4 / 9], atol=0.08)
    assert nucleus[0] == 0
    for least in (0.01, 1e-300):
        assert shares(Sampling(top_p=least, constraints=ONE_WORD), step).tolist() == [0, 0, 0, 1]


def test_a_sampled_sentence_depends_on_its_id_and_the_seed():
    step = fair(0.25, 0.25, 0.25, 0.25)
    together = write(Sampling(seed=3), step, [0, 0, 0], ids=np.int32([7, 8, 9]))
    alone = write(Sampling(seed=3), step, [0], ids=np.int32([8]))
    assert alone[0].tolist() == together[1].tolist() != together[0].tolist()
    other = write(Sampling(seed=4), step, [0], ids=np.int32([8]))
    assert other[0].tolist() != alone[0].tolist()


def test_a_compiled_graph_gives_the_same_rows():
    rng = np.random.default_rng(0)
    step = chain(rng.normal(size=(ROW_LENGTH, VOCABULARY, VOCABULARY)))
    previous = np.array([[row(4, 5)], [row(6)]], np.int32)
    constraints = DecodingConstraints(True, 2, 2, True, 2, 9)
    for decoding in (
        Greedy(constraints),
        BeamSearch(3, constraints=constraints),
        Sampling(constraints=constraints),
    ):
        compiled = tf.function(
            lambda previous, decoding=decoding: decoding(
                step, tf.zeros(2, tf.int32), previous, tf.range(2)
            ),
            input_signature=[tf.TensorSpec([None, None, ROW_LENGTH], tf.int32)],
        )
        expected = write(decoding, step, [0, 0], previous)
        np.testing.assert_array_equal(compiled(previous), expected)


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
def test_a_name_shows_what_differs_from_the_defaults(decoding, name):
    assert decoding.name == name


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: BeamSearch(0), "width is 0"),
        (lambda: BeamSearch(101), "width is 101; it must be from 1 to 100: time grows"),
        (lambda: BeamSearch(2, -1), "length_penalty is -1"),
        (lambda: BeamSearch(2, 10.5), "length_penalty is 10.5; it must be from 0 to 10"),
        (lambda: Sampling(0), "temperature is 0"),
        (lambda: BeamSearch(2, float("nan")), "length_penalty is nan"),
        (lambda: Sampling(float("nan")), "temperature is nan"),
        (lambda: Sampling(float("inf")), "temperature is inf"),
        (lambda: Sampling(1e-40), "temperature is 1e-40; it must be from 1e-37 to 1e.37, the num"),
        (lambda: Sampling(1e300), r"temperature is 1e\+300"),
        (lambda: Sampling(top_k=-1), "top_k is -1"),
        (lambda: Sampling(top_k=2**31), "top_k is 2147483648"),
        (lambda: Sampling(top_p=0), "top_p is 0"),
        (lambda: Sampling(seed=-1), "seed is -1"),
        (lambda: DecodingConstraints(min_words=5, max_words=4), "5 to 4 words"),
        (lambda: DecodingConstraints(max_words=21), "1 to 21 words"),
        (lambda: DecodingConstraints(no_repeated_ngram=-1), "no_repeated_ngram is -1"),
        (lambda: DecodingConstraints(no_story_ngram=21), "no_story_ngram is 21"),
    ],
)
def test_a_setting_out_of_range_is_named(make, message):
    with pytest.raises(InputError, match=message):
        make()

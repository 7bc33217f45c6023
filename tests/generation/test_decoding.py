"""Decoding with scripted steps: what the 'decoder' says does not depend on any model."""

import numpy as np
from keras import ops

from generation.decoding import greedy

NULL, START, END = 0, 1, 2
VOCABULARY = 8


def scripted(*sentences):
    """A step that says these sentences, whatever words it is given; its state is the position."""
    longest = max(len(sentence) for sentence in sentences)
    table = np.full((longest, len(sentences), VOCABULARY), -1.0, np.float32)
    for row, sentence in enumerate(sentences):
        for position, word in enumerate(sentence):
            table[position, row, word] = 1.0
    table = ops.convert_to_tensor(table)

    def step(words, position):
        return ops.take(table, ops.minimum(position, longest - 1), axis=0), position + 1

    return step


def tell(*sentences, max_words=4):
    rows = greedy(scripted(*sentences), ops.convert_to_tensor(0), len(sentences), max_words)
    return np.array(rows).tolist()


def test_sentences_of_different_lengths():
    assert tell([4, 5, END], [6, END]) == [
        [START, 4, 5, END, NULL, NULL],
        [START, 6, END, NULL, NULL, NULL],
    ]


def test_a_sentence_that_does_not_end_is_cut_and_gets_its_end():
    assert tell([4, 5, 6, 7, 4, 5, 6], [4, END]) == [
        [START, 4, 5, 6, 7, END],
        [START, 4, END, NULL, NULL, NULL],
    ]


def test_a_sentence_of_exactly_the_longest_length():
    assert tell([4, 5, 6, 7, END]) == [[START, 4, 5, 6, 7, END]]


def test_an_empty_sentence():
    assert tell([END]) == [[START, END, NULL, NULL, NULL, NULL]]


def test_null_and_start_are_never_said():
    def step(words, state):
        logits = ops.convert_to_tensor(np.float32([[9, 8, 0, 0, 7, 1, 1, 1]]))
        return logits, state

    rows = greedy(step, ops.convert_to_tensor(0), 1, max_words=2)
    assert np.array(rows).tolist() == [[START, 4, 4, END]]


def test_each_word_is_fed_to_the_next_step():
    def one_more(words, state):
        return ops.one_hot(words + 3, VOCABULARY), state

    rows = greedy(one_more, ops.convert_to_tensor(0), 1, max_words=2)
    assert np.array(rows).tolist() == [[START, 4, 7, END]]

import pytest

from data_reader.errors import InputError
from generation.diversity import diversity

STORIES = [
    ["the dog ran .", "the dog ran ."],
    ["the cat sat .", "a b c"],
    ["the cat sat .", "a  b c"],
]


def test_numbers_worked_out_by_hand():
    numbers = diversity(STORIES)
    # 22 words, 9 different; 16 pairs, 8 different; 10 triples, 5 different.
    assert numbers["distinct_1"] == 9 / 22
    assert numbers["distinct_2"] == 8 / 16
    assert numbers["distinct_3"] == 5 / 10
    assert numbers["vocabulary"] == 9
    assert numbers["words_per_sentence"] == pytest.approx(22 / 6)
    # Six sentences, three different; three stories, two different but for a space.
    assert numbers["duplicate_sentences"] == 0.5
    assert numbers["duplicate_stories"] == pytest.approx(1 / 3)
    # The first story repeats both its triples, the others none.
    assert numbers["repeated_trigrams_within"] == pytest.approx((1 / 2 + 0 + 0) / 3)
    # Three triples of the second story are all of the third's, too.
    assert numbers["repeated_trigrams_between"] == pytest.approx(6 / 10)
    assert numbers["unknown_share"] == 0
    # Without their last tokens: three equal words of three; then "the cat sat" and "a b", nothing.
    assert numbers["non_redundancy"] == pytest.approx(((1 - 1 / 2) + 1 + 1) / 3)


def test_unknown_words_are_counted():
    assert diversity([["a <UNK> .", "<UNK>"]])["unknown_share"] == 0.5


def test_stories_of_fewer_than_three_words():
    numbers = diversity([["a", ""]])
    assert (numbers["distinct_1"], numbers["distinct_3"]) == (1, 0)
    assert numbers["repeated_trigrams_within"] == numbers["repeated_trigrams_between"] == 0
    assert numbers["non_redundancy"] == 1


def test_stories_without_words_are_refused():
    with pytest.raises(InputError, match="no words"):
        diversity([["", ""]])

import json

import pytest

from data_reader.errors import InputError
from data_reader.vocabulary import Vocabulary, count_words

SPECIAL = ("<NULL>", "<START>", "<END>", "<UNK>")


@pytest.fixture
def vocabulary():
    return Vocabulary((*SPECIAL, "the", "dog", "."))


def test_most_frequent_first_ties_by_first_appearance():
    counts = count_words(["b a c a", "c b a"])
    assert counts == [["a", 3], ["b", 2], ["c", 2]]


def test_words_with_an_upper_case_transliteration_are_not_counted():
    assert count_words(["Mom 北京 ß café [male]"]) == [["ß", 1], ["café", 1], ["[male]", 1]]


def test_the_cut_keeps_the_most_frequent_words():
    vocabulary = Vocabulary.from_word_frequencies([["a", 3], ["b", 2], ["c", 2]], size=2)
    assert vocabulary.words == (*SPECIAL, "a", "b")


def test_a_sentence_becomes_a_row(vocabulary):
    row = vocabulary.encode("the cat , the dog .")
    assert row.tolist() == [1, 4, 3, 3, 4, 5, 6, 2] + [0] * 14


def test_a_sentence_is_cut_to_twenty_words(vocabulary):
    assert vocabulary.encode("dog " * 20).tolist() == [1] + [5] * 20 + [2]
    assert vocabulary.encode("dog " * 21).tolist() == [1] + [5] * 20 + [2]


def test_an_empty_sentence_has_start_and_end(vocabulary):
    assert vocabulary.encode("").tolist() == [1, 2] + [0] * 20


def test_a_row_becomes_a_sentence(vocabulary):
    assert vocabulary.decode([1, 4, 5, 6, 2, 0, 0]) == "the dog ."
    assert vocabulary.decode([1, 4, 3, 2, 5]) == "the <UNK>"
    assert vocabulary.decode([1, 2, 0]) == ""


def test_the_file_has_the_original_s_format(vocabulary, tmp_path):
    path = tmp_path / "vocabulary.json"
    vocabulary.write(path)
    assert json.loads(path.read_text()) == {
        "idx_to_words": [*SPECIAL, "the", "dog", "."],
        "words_to_idx": {
            "<NULL>": 0,
            "<START>": 1,
            "<END>": 2,
            "<UNK>": 3,
            "the": 4,
            "dog": 5,
            ".": 6,
        },
    }
    assert Vocabulary.read(path) == vocabulary


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        ('{"idx_to_words": ["a", "b", "c", "d"]}', "starts with a b c d, expected <NULL>"),
        ('{"idx_to_words": ["<NULL>", "<START>", "<END>", "<UNK>", "a", "a"]}', "'a' more than"),
        ('{"idx_to_words": ["<NULL>", "<START>", "<END>", "<UNK>", "\\ud83d"]}', "can't be stored"),
        ('{"idx_to_words": [1]}', "something other than words"),
        ("[1, 2]", "is not a vocabulary"),
    ],
)
def test_a_file_that_is_not_a_vocabulary_is_refused(tmp_path, contents, message):
    path = tmp_path / "v.json"
    path.write_text(contents)
    with pytest.raises(InputError, match=rf"v\.json.* {message}"):
        Vocabulary.read(path)


def test_the_checksum_depends_on_the_order():
    words = Vocabulary((*SPECIAL, "a", "b"))
    assert words.checksum != Vocabulary((*SPECIAL, "b", "a")).checksum


def test_coverage_counts_types_and_tokens(vocabulary):
    coverage = vocabulary.coverage(["the dog .", "the cat , the cat ."])
    assert (coverage.tokens, coverage.unknown_tokens) == (9, 3)
    assert (coverage.types, coverage.unknown_types) == (5, 2)
    assert str(coverage) == "9 words, 33.33 % unknown; 5 distinct words, 2 unknown"

import math
import sys

import pytest

from generation import scores
from generation.metrics import METRICS, Texts
from generation.non_redundancy import non_redundancy, split_sentences
from generation.protocols import compared, intervals, score, with_one_reference

# Without the last tokens: a b c d e a, and b b c.
# Between: b 1 x 2 and c 1 x 1 pairs of 5 different words.
# Within the first, a b c d and e a: one pair of 5 different words.
STORY = ["a b c d e a .", "b b c !"]
VALUE = 1 - (3 / 5 + 1 / 5) / 2


def test_a_story_worked_out_by_hand():
    assert non_redundancy(STORY) == pytest.approx(VALUE)


def test_all_pairs_of_sentences_and_all_neighbouring_slices_count():
    # Between: 1 of 9 different words, 1 of 1 and 1 of 9; within: a b c d and e f g h share none,
    # e f g h and i a none; the slices that are not neighbours do not count.
    story = ["a b c d e f g h i a .", "a .", "a ."]
    assert non_redundancy(story) == pytest.approx(1 - (2 / 9 + 1 + 2 / 9) / 3 / 2)


def test_words_are_those_of_nltk_s_tokeniser():
    # I, do, n't and sing; I and do, which the comma follows.
    assert non_redundancy(["I don't sing.", "I do,"]) == pytest.approx(1 - 2 / 4 / 2)


def test_a_story_that_repeats_little_else_is_below_zero():
    assert non_redundancy(["a a a .", "a a a ."]) == 1 - 9 / 2


@pytest.mark.parametrize("story", [[], ["one sentence only , however long it is ."], [".", "yes"]])
def test_a_story_without_two_sentences_has_none(story):
    assert math.isnan(non_redundancy(story))


def test_sentences_without_words_are_compared_with_those_that_have_some():
    assert non_redundancy(["a b .", "", ""]) == 1


def test_text_is_split_into_sentences():
    text = 'We met Mr. Lee at 5 p.m. on Sunday. It was fun ! "Bye," he said.'
    assert split_sentences(text) == [
        "We met Mr. Lee at 5 p.m. on Sunday.",
        "It was fun !",
        '"Bye," he said.',
    ]


def rovist_nr(texts, protocol="original-2018-story"):
    [metric] = [metric for metric in METRICS if metric.name == "RoViST-NR"]
    return score(protocol, texts, [metric])


def test_the_score_is_the_mean_over_stories_that_have_one():
    stories = ["a b c d e a . b b c !", "one sentence .", "x . y ."]
    scored = rovist_nr(with_one_reference(stories, ["a"] * 3, ["1", "1", "2"]))
    assert scored.values == {"RoViST-NR": pytest.approx((VALUE + 1) / 2)}
    assert intervals(scored)["RoViST-NR"] == pytest.approx([VALUE, 1])


def test_sentences_that_are_known_are_not_split_again():
    known = Texts(["a a b"], [["a"]], sentences=[["a x", "a b"]])
    assert rovist_nr(known).values == {"RoViST-NR": 0.5}
    assert rovist_nr(Texts(["a a b"], [["a"]])).missing == {
        "RoViST-NR": "no story has two sentences that could be compared."
    }


def test_albums_without_a_story_of_two_sentences_leave_no_draw_undefined():
    stories, albums = ["a . a .", "one .", "x . y ."], ["1", "2", "3"]
    scored = rovist_nr(with_one_reference(stories, ["a"] * 3, albums))
    assert intervals(scored)["RoViST-NR"] == [0.5, 1]
    row = compared(scored, scored)["RoViST-NR"]
    assert (row["difference"], row["interval"], row["p_value"]) == (0, [0, 0], 1)


def test_lines_are_the_sentences_of_their_story(tmp_path, monkeypatch, capsys, no_java):
    # Two stories of two lines; as text, "a b" and "a c" would be one sentence.
    (tmp_path / "generated.txt").write_text("a b\na c\nx .\ny .\n")
    (tmp_path / "human.txt").write_text("a .\nb .\nc .\nd .\n")
    files = [str(tmp_path / "generated.txt"), str(tmp_path / "human.txt")]
    options = ["--level", "story", "--sentences-per-story", "2"]
    monkeypatch.setattr(sys, "argv", ["scores", "original-2018", *files, *options])
    scores.main()
    assert "RoViST-NR = 0.75" in capsys.readouterr().out.splitlines()


def test_a_single_sentence_is_not_scored_by_it():
    assert rovist_nr(with_one_reference(["a ."], ["a ."]), "original-2018-sentence").values == {}

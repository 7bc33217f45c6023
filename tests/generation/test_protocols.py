import json
import math

import numpy as np
import pytest

from data_reader.errors import InputError
from generation import meteor
from generation.metrics import METRICS, Metric, Texts, UnavailableError, bleu, bleu_counts
from generation.protocols import (
    Scored,
    compared,
    corpus_bleu,
    intervals,
    not_compared,
    prepare,
    score,
    script_lines,
    with_all_references,
    with_one_reference,
)


def original_2018(hypotheses, references, groups=()):
    return score("original-2018-story", with_one_reference(hypotheses, references, groups))


def vist_album(predictions, references, groups=()):
    return score("vist-album", with_all_references(predictions, references, groups))


def vist_sequence(predictions, references, groups=()):
    return score("vist-sequence", with_all_references(predictions, references, groups))


def test_bleu_worked_out_by_hand():
    # 7 of 8 words, 5 of 6 pairs, 3 of 4 triples, 2 of 2 quadruples; as long as the references.
    score = corpus_bleu(["a b c d e", "f g x"], ["a b c d e", "f g h"])
    assert score == pytest.approx(100 * (7 / 8 * 5 / 6 * 3 / 4) ** 0.25)


def test_a_short_story_pays_the_brevity_penalty():
    assert corpus_bleu(["a b c d"], ["a b c d e f"]) == pytest.approx(100 * math.exp(1 - 6 / 4))


def test_the_line_of_the_original_s_script(no_java):
    # 5 of 6 words, 3 of 4 pairs, 1 of 2 triples and no quadruple.
    scored = original_2018(["a b c x", "d e"], ["a b c", "d e f g h"])
    one, two, three = 5 / 6, math.sqrt(5 / 6 * 3 / 4), (5 / 6 * 3 / 4 * 1 / 2) ** (1 / 3)
    assert [scored.values[f"BLEU-{n}"] for n in range(1, 5)] == pytest.approx([one, two, three, 0])
    assert script_lines(scored) == [
        "BLEU = 83.3/79.1/67.9/0.0 (BP=1.000, ratio=0.750, hyp_len=6, ref_len=8)",
        "BLEU = 59.7/56.6/48.6/0.0 (BP=0.717, ratio=0.750, hyp_len=6, ref_len=8)",
    ]
    penalty = math.exp(1 - 8 / 6)
    assert scored.values["BLEU-1 with brevity penalty"] == pytest.approx(one * penalty)


def test_without_java_all_but_meteor_is_computed(no_java):
    scored = vist_album({"1": "a b c d"}, {"1": ["a b c d"]})
    assert scored.values["BLEU-4"] == scored.values["ROUGE-L"] == pytest.approx(1)
    assert "METEOR" not in scored.values
    assert scored.missing["METEOR"].startswith("METEOR needs Java: no java on the PATH")


def test_a_story_is_compared_with_all_human_stories_of_its_album(no_java):
    predictions = {"1": "a b c x", "2": "d e"}
    scored = vist_album(predictions, {"1": ["a b c", "x y z"], "2": ["d", "d e f"], "3": ["q"]})
    # All words; of pairs a b, b c, d e of 4; of triples a b c of 2.
    expected = [1, math.sqrt(3 / 4), (3 / 4 * 1 / 2) ** (1 / 3), 0]
    # The closest references have 3 words and, of two as close, the shorter one, 1: no penalty.
    assert [scored.values[f"BLEU-{n}"] for n in range(1, 5)] == pytest.approx(expected)
    # ROUGE-L, album 1: 3 of 4 words in the first reference's order, all 3 of its words; album 2:
    # precision 1 in the second, recall 1 in the first.
    first = (1 + 1.2**2) * (3 / 4) / (1 + 1.2**2 * 3 / 4)
    assert scored.values["ROUGE-L"] == pytest.approx((first + 1) / 2)


def test_bleu_counts_a_word_no_more_often_than_a_reference_has_it(no_java):
    scored = vist_album({"1": "a a a a"}, {"1": ["a b", "a a c d"]})
    assert scored.values["BLEU-1"] == pytest.approx(2 / 4)


def test_empty_stories_score_nothing(no_java):
    scored = original_2018(["", "a b c d"], ["x", "a b c d"])
    assert scored.values["BLEU-4"] == 1
    assert "hyp_len=4, ref_len=5" in script_lines(scored)[0]


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        (lambda: with_one_reference(["a", "b"], ["a"]), "2 texts and 1 references"),
        (lambda: with_one_reference([], []), "0 texts"),
        (lambda: with_one_reference(["a"], [" "]), "None of the 1 texts"),
        (
            lambda: with_all_references({"1": "a", "2": "b"}, {"1": [" "], "3": ["a"]}),
            "None of the 2 texts, the first of which is 1, has a reference",
        ),
        (lambda: with_all_references({}, {"1": ["a"]}), "no predictions"),
    ],
)
def test_texts_that_can_not_be_compared_are_refused(pair, message):
    with pytest.raises(InputError, match=message):
        pair()


def test_texts_without_a_reference_are_left_out_and_named():
    texts = with_one_reference(["a", "b", ""], ["x", " ", "y"], ["A", "B", "C"], [["a"], ["b"], []])
    assert (texts.hypotheses, texts.references) == (["a", ""], [["x"], ["y"]])
    assert (texts.groups, texts.sentences) == (["A", "C"], [["a"], []])
    assert (texts.names, texts.left_out, texts.empty()) == (["1", "3"], ["2"], ["3"])
    human = {("1", "2"): ["x", " "], ("3", "4"): [""]}
    texts = with_all_references({("1", "2"): "a", ("3", "4"): "b", ("5", "6"): "c"}, human)
    assert (texts.hypotheses, texts.references, texts.groups) == (["a"], [["x"]], ())
    assert (texts.names, texts.left_out, texts.empty()) == (["1_2"], ["3_4", "5_6"], [])


# METEOR's parameters for its task hter: alpha, beta, gamma, delta, and the weight of a stem.
ALPHA, BETA, GAMMA, DELTA, STEM = 0.4, 1.5, 0.35, 0.55, 0.2


def meteor_score(content, function, generated, human, matches, chunks):
    """By the formula (Denkowski and Lavie 2014, section 2), from sums of weights.

    `generated` and `human` are the numbers of content and function words.  A text that matches from
    end to end adds no chunk.
    """
    weight = DELTA * content + (1 - DELTA) * function
    precision, recall = (weight / (DELTA * c + (1 - DELTA) * f) for c, f in (generated, human))
    f_mean = precision * recall / (ALPHA * precision + (1 - ALPHA) * recall)
    return f_mean * (1 - GAMMA * (chunks / matches) ** BETA)


def test_meteor_follows_its_formula():
    hypotheses = ["the dog ran home .", "a cat ||| ran\r é", "cats ran", ""]
    references = ["the dogs ran home .", "a cat ||| ran é", "birds ran", "x"]
    scored = original_2018(hypotheses, references)
    # "the", "." and "a" are function words; -norm makes three words of the bars.
    first = (DELTA * (2 + STEM) + (1 - DELTA) * 2) / (DELTA * 3 + (1 - DELTA) * 2)
    third = meteor_score(1, 0, (2, 0), (2, 0), 1, 1)
    assert scored.metrics["METEOR"].counted(scored.texts) == pytest.approx(
        np.array([[first, 1], [1, 1], [third, 1], [0, 1]]), abs=1e-12
    )
    all_of_them = meteor_score(2 + STEM + 6 + 1, 2 + 1, (3 + 6 + 2, 3), (12, 3), 5 + 7 + 1, 1)
    assert scored.values["METEOR"] == pytest.approx(all_of_them, abs=1e-12)
    assert script_lines(scored)[-1] == f"METEOR = {scored.values['METEOR']!r}"


def test_meteor_of_several_systems_is_computed_by_one_program(monkeypatch):
    human = {"1": ["we danced all night .", "the dogs ran home ."], "2": ["a cat sat ."]}
    stories = ["the dog ran home .", "a cat\r sat ."], ["we danced all night .", ""]
    systems = [with_all_references(dict(zip("12", each, strict=True)), human) for each in stories]
    [metric] = [m for m in METRICS if m.name == "METEOR" and "vist-album" in m.protocols]
    metric.prepare({"vist-album": systems})
    monkeypatch.setattr(meteor, "_java", None)  # it is not started again
    first, second = (score("vist-album", texts, [metric]).values["METEOR"] for texts in systems)
    # The best of several references.
    assert first == pytest.approx(
        meteor_score(2 + STEM + 2, 2 + 2, (5, 4), (5, 4), 9, 0), abs=1e-12
    )
    # "we", "all" and "." are function words, of which "a" and "." of the empty story's reference.
    assert second == pytest.approx(meteor_score(2, 3, (2, 3), (4, 5), 5, 0), abs=1e-12)
    assert metric.counted(systems[1])[:, 0].tolist() == [1, 0]


def test_the_meteors_of_all_protocols_are_computed_by_two_programs(monkeypatch):
    human, stories = {("1", "2"): ["the dogs ran home .", "x"]}, {("1", "2"): "the dog ran ."}

    def texts():
        return {
            "original-2018-story": with_one_reference(["we ' re home"], ["we 're home ."]),
            "vist-album": with_all_references(stories, human),
            "vist-sequence": with_all_references(stories, human),
        }

    one_by_one = {protocol: score(protocol, each).values for protocol, each in texts().items()}
    started = []
    monkeypatch.setattr(meteor, "_limited", counted(meteor._limited, started))
    prepared = texts()
    prepare({protocol: [each] for protocol, each in prepared.items()}, METRICS)
    assert {p: score(p, each).values for p, each in prepared.items()} == one_by_one
    assert len(started) == 2


def counted(function, calls):
    def run(*arguments, **options):
        calls.append(arguments)
        return function(*arguments, **options)

    return run


def test_the_meteor_of_sequences_is_the_mean_of_the_best():
    predictions = {"1_2": "the dog ran home .", "3_4": "a cat sat ."}
    human = {"1_2": ["we danced .", "the dogs ran home ."], "3_4": ["a cat sat ."]}
    first = (DELTA * (2 + STEM) + (1 - DELTA) * 2) / (DELTA * 3 + (1 - DELTA) * 2)
    assert vist_sequence(predictions, human).values == {"METEOR": pytest.approx((first + 1) / 2)}


def test_a_program_that_gives_no_score_is_reported(monkeypatch, tmp_path):
    monkeypatch.setattr(meteor, "_program", lambda: str(tmp_path / "nowhere.jar"))
    scored = vist_album({"1": "a b c d"}, {"1": ["a b c d"]})
    assert scored.values["BLEU-4"] == pytest.approx(1)
    assert "METEOR" not in scored.values
    assert scored.missing["METEOR"].startswith("METEOR gave no score: ")
    assert "nowhere.jar" in scored.missing["METEOR"]


def test_intervals_and_comparisons_are_over_albums(no_java):
    texts = ["a b c d"] * 50 + ["x"] * 50
    human = {str(number): ["a b c d"] for number in range(100)}
    ours = vist_album(dict(zip(human, texts, strict=True)), human, list(human))
    theirs = vist_album({key: "a b c d" for key in human}, human)
    low, high = intervals(ours)["ROUGE-L"]
    # Half of them are right: 1.96 * sqrt(1/4 / 100) to either side.
    assert (low, high) == (pytest.approx(0.40, abs=0.03), pytest.approx(0.60, abs=0.03))
    two_groups = vist_album(dict(zip(human, texts, strict=True)), human, texts)
    low, high = intervals(two_groups)["ROUGE-L"]
    assert (low, high) == (0, 1)  # both groups drawn may be right, or both wrong
    row = compared(ours, theirs)["ROUGE-L"]
    assert row["difference"] == pytest.approx(-0.5)
    assert row["p_value"] == pytest.approx(1 / 2000)
    assert row["higher_is_better"] is True
    assert compared(ours, ours)["BLEU-4"]["p_value"] == 1.0
    assert "BLEU-3" not in compared(ours, ours)
    assert np.isfinite(json.loads(json.dumps(row))["interval"]).all()


def test_intervals_are_of_the_protocol_s_own_scores(no_java):
    # Each text lacks its reference's last two words: precision 1, penalty exp(1 - 6 / 4).
    scored = original_2018(["a b c d"] * 9, ["a b c d e f"] * 9, list(range(9)))
    found = intervals(scored)
    assert found["BLEU-4"] == pytest.approx([1, 1])
    assert found["BLEU-4 with brevity penalty"] == pytest.approx([math.exp(-0.5)] * 2)
    assert intervals(vist_sequence({"1": "a"}, {"1": ["a"]}, ["1"])) == {}


def own(statistics, name="own", **fields):
    return Metric(name, statistics, **fields)


TWO = Texts(["a b", "c"], [["a b"], ["d"]], ["album 1", "album 2"])


def test_an_aggregated_score_varies_as_the_mean_does():
    # Two texts of 0.2 and 0.6: their mean is from 0.2 to 0.6, 0.2 to either side.
    aggregated = own(lambda texts: [0.2, 0.6], overall=lambda texts: 0.5)
    scored = score("vist-album", TWO, [aggregated])
    assert scored.values == {"own": 0.5}
    assert intervals(scored)["own"] == pytest.approx([0.3, 0.7])
    assert compared(scored, scored)["own"]["difference"] == 0


def test_bleu_of_many_is_that_of_their_sum():
    counts = bleu_counts(TWO)
    assert counts.tolist() == [[2, 1, 0, 0, 2, 1, 0, 0, 2, 2], [0, 0, 0, 0, 1, 0, 0, 0, 1, 1]]
    assert bleu(counts.sum(axis=0)[None])[0, 0] == pytest.approx(2 / 3)


def test_a_score_of_one_s_own_is_a_mean_or_a_value_of_sums():
    lengths = own(lambda texts: [len(text.split()) for text in texts.hypotheses], "length")
    ratio = own(
        lambda texts: [[text.count("a"), text.count("d")] for text in ("aad", "ddd")],
        "ratio",
        value=lambda sums, texts: sums[:, 0] / sums[:, 1],
    )
    scored = score("vist-album", TWO, [lengths, ratio])
    assert scored.values == {"length": 1.5, "ratio": 2 / 4}
    assert script_lines(scored) == []
    found = intervals(scored)
    assert found == {"length": [1, 2], "ratio": [0, 2]}  # each album drawn twice, or each once


def test_statistics_that_scores_share_are_computed_once():
    calls = []

    def statistics(texts):
        calls.append(texts)
        return [1.0, 2.0]

    score("vist-album", TWO, [own(statistics, "a"), own(statistics, "b")])
    assert calls == [TWO]


def test_a_score_that_is_unavailable_is_missing_and_the_others_are_computed():
    def unavailable(texts):
        raise UnavailableError("no parser")

    scored = score("vist-album", TWO, [own(unavailable), own(lambda texts: [1, 2], "other")])
    assert (scored.values, scored.missing) == ({"other": 1.5}, {"own": "no parser"})


def test_a_score_that_is_no_number_is_missing():
    scored = score("vist-album", TWO, [own(lambda texts: [1, math.nan])])
    assert (scored.values, scored.missing) == ({}, {"own": "it is nan for these texts."})


def test_a_score_that_some_systems_lack_is_named_with_them():
    def scored(**missing):
        return Scored("vist-album", TWO, {}, {}, missing)

    found = not_compared("ABC", [scored(x="no"), scored(x="no", y="off"), scored(x="no", y="out")])
    assert found == {"x": "no", "y": "B: off; C: out"}


def test_a_score_belongs_to_its_protocols():
    metric = own(lambda texts: [1, 2], protocols=("vist-album",))
    assert score("vist-album", TWO, [metric]).values
    assert not score("vist-sequence", TWO, [metric]).values
    with pytest.raises(InputError, match="own names the protocol vist_album; there are original-"):
        own(list, protocols=("vist_album",))


@pytest.mark.parametrize("statistics", [[1.0], [[[1.0]], [[2.0]]], 1.0])
def test_statistics_of_another_number_of_texts_are_refused(statistics):
    with pytest.raises(InputError, match=r"statistics of own have the shape \(.*\), .* of 2 texts"):
        score("vist-album", TWO, [own(lambda texts: statistics)])


def test_each_protocol_has_a_name_for_each_of_its_scores():
    for protocol in ("original-2018-sentence", "original-2018-story", "vist-album"):
        names = [metric.name for metric in METRICS if protocol in metric.protocols]
        assert {"BLEU-4", "METEOR"} <= set(names)
        assert len(names) == len(set(names))

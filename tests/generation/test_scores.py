import math

import pytest

from generation.scores import corpus_bleu


def test_bleu_worked_out_by_hand():
    # 7 of 8 words, 5 of 6 pairs, 3 of 4 triples, 2 of 2 quadruples; as long as the references.
    score = corpus_bleu(["a b c d e", "f g x"], ["a b c d e", "f g h"])
    assert score["precisions"] == pytest.approx([700 / 8, 500 / 6, 300 / 4, 200 / 2])
    assert score["brevity_penalty"] == 1.0
    assert score["bleu"] == pytest.approx(100 * (7 / 8 * 5 / 6 * 3 / 4) ** 0.25)


def test_a_short_story_pays_the_brevity_penalty():
    score = corpus_bleu(["a b c d"], ["a b c d e f"])
    assert score["bleu"] == pytest.approx(100 * math.exp(1 - 6 / 4))


def test_every_sentence_needs_its_reference():
    with pytest.raises(ValueError, match="2 sentences and 1 references"):
        corpus_bleu(["a", "b"], ["a"])

"""Sentences and their words, as VIST has them."""

import pytest

from dataset.tokeniser import Tokeniser


@pytest.fixture(scope="module")
def tokenise():
    return Tokeniser()


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        ("The dog ran home.", "the dog ran home ."),
        ("We didn't see Mr. Smith's dog!", "we did n't see mr. smith 's dog !"),
        ("I cannot stay; we're gonna go.", "i can not stay ; we 're gon na go ."),
        ("It's over. We left...", "it 's over . we left ..."),
        ('He said "hello." Then he left.', "he said `` hello . '' then he left ."),
        ("[Male] and [female]'s day at [location].", "[male] and [female] 's day at [location] ."),
        ("$5, 50% of 1,000 at 4:30!!!", "$ 5 , 50 % of 1,000 at 4:30 ! ! !"),
        ("J. Smith, my wife and I. We sang.", "j. smith , my wife and i . we sang ."),
        ("\u201cIt\u2019s big,\u201d she said\u2026", "`` it 's big , '' she said ..."),
        ("S'mores with co-workers (all four)", "s'mores with co-workers ( all four )"),
        ("Café Zoë war schön.", "café zoë war schön ."),
    ],
)
def test_sentences_become_vist_s_words_and_stay_so(tokenise, sentence, words):
    assert tokenise(sentence) == words
    assert tokenise(words) == words

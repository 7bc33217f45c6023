import numpy as np
import pytest

from dataset.sample.albums import EVENTS, MOMENTS, Album, Person, Photo, choose_photos, invent_album
from dataset.sample.narrators import (
    NARRATORS,
    choose_narrators,
    describe,
    narrate,
    original_text,
    wordings,
)


def album(shown, female=True):
    photos = tuple(
        Photo(moment, show) for moment, show in zip(MOMENTS["camping"], shown, strict=True)
    )
    hero = Person(female, "blue", 0, 0)
    return Album("camping", "rainy", "red", "kite", (hero,), photos)


def story_of(narrator, shown, positions=(0, 1, 2, 3, 6), female=True):
    return narrate(album(shown, female), positions, narrator, np.random.default_rng(0))


def test_a_story_by_its_words():
    shown = [False, True, False, False, False, False, False]
    sentences = story_of("friend", shown)
    assert sentences[0] == "[female] went on a camping trip on a rainy day and was excited ."
    assert (
        sentences[1] == "she wore a blue dress with her red kite and put up the tent by the pines ."
    )
    assert sentences[2] == "she lost the red kite but paddled a canoe across the lake ."
    assert sentences[3] == "she dreamed of the red kite but caught a fish for supper ."
    assert sentences[4] == "at last she counted stars beside the moon and thanked everybody ."


def test_the_hero_is_he_or_she():
    shown = [True] * 7
    assert story_of("we", shown, female=False)[2].startswith("he held the red kite while we")
    assert story_of("we", shown, female=True)[2].startswith("she held the red kite while we")


@pytest.mark.parametrize("narrator", NARRATORS)
def test_a_keepsake_is_remembered_for_two_photos(narrator):
    shown = [False, True, False, False, False, False, False]
    mentions_it = ["red kite" in sentence for sentence in story_of(narrator, shown)]
    assert mentions_it == [False, True, True, True, False]
    assert not any("kite" in sentence for sentence in story_of(narrator, [False] * 7))


@pytest.fixture(scope="module")
def many_stories():
    rng = np.random.default_rng(0)
    stories = []
    for number in range(120):
        invented = invent_album(EVENTS[number % len(EVENTS)], rng)
        for positions, narrator in zip(
            choose_photos(invented, 5, rng), choose_narrators(invented, 5, rng), strict=True
        ):
            stories.append((invented, narrate(invented, positions, narrator, rng)))
    return stories


def test_sentences_have_vist_s_form(many_stories):
    sentences = [sentence for _, story in many_stories for sentence in story]
    assert all(5 <= len(sentence.split()) <= 18 for sentence in sentences)
    assert all(sentence == sentence.lower() for sentence in sentences)
    assert all(sentence.endswith(" .") for sentence in sentences)
    assert not any("{" in sentence or "  " in sentence for sentence in sentences)
    assert 300 < len({word for sentence in sentences for word in sentence.split()}) < 1000


def test_a_human_story_names_its_own_facts_and_no_others(many_stories):
    def named(text, ways):
        return {v for v, words in ways.items() if any(f" {w} " in f" {text} " for w in words)}

    for invented, story in many_stories:
        text = " ".join(story)
        assert named(text, wordings()["event"]) == {invented.event}
        assert named(text, wordings()["weather"]) == {invented.weather}
        assert named(text, wordings()["clothes"]) == {invented.hero.clothes}
        assert named(text, wordings()["keepsake"]) <= {invented.keepsake}


def test_descriptions_and_original_texts():
    shown = album([True] + [False] * 6)
    assert describe(shown, shown.photos[0]) == (
        "a girl in blue next to a wooden sign on the trail , holding a red kite ."
    )
    assert original_text("[male] ran , fast .", {"[male]": "Tom"}) == "Tom ran, fast."

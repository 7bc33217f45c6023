import numpy as np
import pytest

from dataset.sample.albums import (
    COLOURS,
    EVENTS,
    MOMENTS,
    THINGS,
    choose_photos,
    invent_album,
    weathers,
)


def test_the_set_is_as_rich_as_it_should_be():
    assert len(EVENTS) >= 12
    assert all(len(moments) >= 7 for moments in MOMENTS.values())
    assert len(COLOURS) * len(THINGS) >= 36


@pytest.mark.parametrize("event", EVENTS)
def test_an_album_goes_through_all_moments_in_order(event):
    album = invent_album(event, np.random.default_rng(0))
    places = [MOMENTS[event].index(photo.moment) for photo in album.photos]
    assert len(places) == 10
    assert places == sorted(places)
    assert set(places) == set(range(7))
    assert album.weather in weathers(event)
    assert any(photo.shows_keepsake for photo in album.photos)
    assert not all(photo.shows_keepsake for photo in album.photos)


def test_stories_choose_different_photos_in_order():
    album = invent_album("beach", np.random.default_rng(0))
    rows = choose_photos(album, 5, np.random.default_rng(1))
    assert len(set(rows)) == 5
    for row in rows:
        assert list(row) == sorted(row)
        assert len({album.photos[position].moment for position in row}) == 5

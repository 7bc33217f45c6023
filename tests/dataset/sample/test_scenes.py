import numpy as np
import pytest

from dataset.sample.albums import COLOURS, MOMENTS, THINGS, Album, Person, Photo
from dataset.sample.props import PROPS
from dataset.sample.scenes import draw_photo, time_of_day

EVERY_MOMENT = [(event, moment) for event in MOMENTS for moment in MOMENTS[event]]


def album(event="beach", weather="cloudy", colour="red", thing="balloon", clothes="blue"):
    people = (Person(True, clothes, 0, 1), Person(False, "green", 1, 0))
    return Album(event, weather, colour, thing, people, ())


def draw(the_album, moment="sandcastle", shows_keepsake=True, seed=1):
    return draw_photo(the_album, Photo(moment, shows_keepsake), np.random.default_rng(seed))


def square(photo):
    """The central square of a photo, as floats in R, G, B order."""
    height, width = photo.shape[:2]
    left = (width - height) // 2
    return photo[:, left : left + height, ::-1].astype(float)


def share_of_red(photo):
    red, green, blue = np.moveaxis(square(photo), -1, 0)
    return np.mean((red > 150) & (green < 90) & (blue < 90))


def mean_of_sky(weather, event="beach", moment="sandcastle"):
    photo = square(draw(album(event, weather), moment, shows_keepsake=False))
    return photo[: len(photo) // 3].mean((0, 1))


@pytest.mark.parametrize(("event", "moment"), EVERY_MOMENT)
def test_every_moment_is_drawn(event, moment):
    photo = draw(album(event), moment)
    height, width, channels = photo.shape
    assert photo.dtype == np.uint8
    assert channels == 3
    assert height >= 240
    assert 320 <= width <= 440
    assert width * 3 == height * 4
    assert photo.std() > 20


def test_every_moment_has_a_prop_of_its_own():
    assert list(PROPS) == EVERY_MOMENT
    assert len(set(PROPS.values())) == len(EVERY_MOMENT)


def test_the_same_seed_gives_the_same_photo():
    np.testing.assert_array_equal(draw(album(), seed=7), draw(album(), seed=7))


def test_another_seed_gives_another_photo():
    one, other = draw(album(), seed=7), draw(album(), seed=8)
    assert one.shape != other.shape or (one != other).mean() > 0.5


def test_sizes_vary():
    assert len({draw(album(), seed=seed).shape for seed in range(10)}) > 3


@pytest.mark.parametrize("thing", THINGS)
def test_the_keepsake_is_large_and_only_there_when_shown(thing):
    carried = album(thing=thing)
    shown = share_of_red(draw(carried, "ice_cream"))
    hidden = share_of_red(draw(carried, "ice_cream", shows_keepsake=False))
    assert shown > 0.03
    assert hidden < 0.01


@pytest.mark.parametrize("colour", [colour for colour in COLOURS if colour != "red"])
def test_the_keepsakes_colour_changes_only_its_part_of_the_photo(colour):
    """A balloon of another colour: the prop's side of the photo is unchanged."""
    red, other = (square(draw(album(colour=c))) for c in ("red", colour))
    changed = np.abs(red - other).max(-1) > 30
    size = len(changed)
    assert not changed[:, size // 2 :].any()
    assert changed[: size // 2, : size // 2].mean() > 0.2


def test_the_heros_clothes_are_large():
    blue = share_of_red(draw(album(), shows_keepsake=False))
    red = share_of_red(draw(album(clothes="red"), shows_keepsake=False))
    assert red > blue + 0.04


def test_weathers_have_their_own_skies():
    sunny, cloudy, rainy = (mean_of_sky(weather) for weather in ("sunny", "cloudy", "rainy"))
    assert sunny[2] > sunny[0] + 60
    assert cloudy.min() > 150
    assert rainy.max() < 130
    foggy = mean_of_sky("foggy", "boat", "island")
    assert foggy.min() > 200


def test_a_room_shows_the_weather_through_its_window():
    sunny, rainy = (mean_of_sky(weather, "birthday", "cake") for weather in ("sunny", "rainy"))
    assert sunny[2] > sunny[0] + 20
    assert sunny.mean() > rainy.mean() + 30


@pytest.mark.parametrize(
    ("event", "moment", "time"),
    [
        ("camping", "fish", "day"),
        ("camping", "campfire", "night"),
        ("wedding", "lanterns", "night"),
        ("boat", "harbor", "dusk"),
        ("beach", "sunset", "dusk"),
        ("market", "bus", "day"),
    ],
)
def test_time_of_day(event, moment, time):
    assert time_of_day(event, moment) == time


def test_nights_are_dark():
    day = square(draw(album("camping"), "fish", shows_keepsake=False))
    night = square(draw(album("camping"), "campfire", shows_keepsake=False))
    assert night.mean() < 0.7 * day.mean()

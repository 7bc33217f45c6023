"""The albums of the sample set: the facts that their photos show and their stories mention.

An album is one event on one day: its weather, its people and a keepsake that somebody carries
along.  `scenes` draws its photos, `narrators` writes its stories.
"""

from dataclasses import dataclass

import numpy as np

from data_reader.stories_file import VIST_PHOTOS_PER_STORY

PHOTOS_PER_ALBUM = 10

# The events and their moments in natural order.
MOMENTS = {
    "beach": ("parking", "parasol", "sandcastle", "surfboard", "ice_cream", "sailboat", "sunset"),
    "birthday": ("house", "table", "presents", "pinata", "cake", "slice", "dancing"),
    "boat": ("dock", "wheel", "lighthouse", "whale", "island", "gulls", "harbor"),
    "camping": ("trail", "tent", "canoe", "fish", "campfire", "marshmallows", "moon"),
    "christmas": ("lot", "tree", "stockings", "cookies", "train", "turkey", "carols"),
    "fair": ("tickets", "carousel", "prizes", "cotton_candy", "coaster", "ferris_wheel", "lights"),
    "fireworks": ("ribbons", "drum", "grill", "watermelon", "sparklers", "rocket", "finale"),
    "football": ("stadium", "whistle", "ball", "goal", "hot_dogs", "scoreboard", "trophy"),
    "halloween": ("patch", "carving", "hat", "mansion", "ghosts", "bucket", "bats"),
    "market": ("gate", "fruit", "flowers", "bread", "cheese", "guitar", "bus"),
    "snow": ("cabin", "fort", "snowman", "sled", "skates", "cocoa", "fireplace"),
    "wedding": ("church", "bouquet", "vows", "rings", "car", "wedding_cake", "lanterns"),
}
EVENTS = tuple(MOMENTS)

_WINTER = ("sunny", "cloudy", "snowy")
_WEATHER_OF_EVENT = {
    "christmas": _WINTER,
    "snow": _WINTER,
    "boat": ("sunny", "cloudy", "foggy"),
    "halloween": ("cloudy", "rainy", "foggy"),
}

COLOURS = ("red", "blue", "green", "yellow", "purple", "white")
THINGS = ("balloon", "umbrella", "kite", "flag", "bear", "wagon")


@dataclass(frozen=True)
class Person:
    """One person of an album; `clothes` is one of COLOURS, `skin` and `hair` are numbers."""

    female: bool
    clothes: str
    skin: int
    hair: int


@dataclass(frozen=True)
class Photo:
    """One photo: its moment and whether the hero holds the keepsake in it."""

    moment: str
    shows_keepsake: bool


@dataclass(frozen=True)
class Album:
    """One event on one day; `people[0]` is the hero, who carries the keepsake."""

    event: str
    weather: str
    keepsake_colour: str
    keepsake_thing: str
    people: tuple[Person, ...]
    photos: tuple[Photo, ...]

    @property
    def hero(self):
        return self.people[0]

    @property
    def keepsake(self):
        return f"{self.keepsake_colour} {self.keepsake_thing}"


def weathers(event):
    """List the weathers that an event can have."""
    return _WEATHER_OF_EVENT.get(event, ("sunny", "cloudy", "rainy"))


def invent_album(event, rng):
    """Invent a random album of an event: ten photos that go through its seven moments in order."""
    moments = MOMENTS[event]
    repeated = rng.choice(len(moments), PHOTOS_PER_ALBUM - len(moments), replace=False)
    order = sorted([*range(len(moments)), *repeated])
    shown = _keepsake_visible(rng)
    return Album(
        event=event,
        weather=str(rng.choice(weathers(event))),
        keepsake_colour=str(rng.choice(COLOURS)),
        keepsake_thing=str(rng.choice(THINGS)),
        people=tuple(_invent_person(rng) for _ in range(rng.integers(1, 5))),
        photos=tuple(Photo(moments[m], bool(s)) for m, s in zip(order, shown, strict=True)),
    )


def choose_photos(album, stories, rng):
    """Choose the photos of an album's stories: `stories` different rows of five positions.

    Each row is in order and shows five different moments.
    """
    rows = set()
    while len(rows) < stories:
        moments = rng.choice(MOMENTS[album.event], VIST_PHOTOS_PER_STORY, replace=False)
        takes = [[i for i, p in enumerate(album.photos) if p.moment == m] for m in moments]
        rows.add(tuple(sorted(int(rng.choice(positions)) for positions in takes)))
    return sorted(rows)


def _invent_person(rng):
    return Person(
        female=bool(rng.integers(2)),
        clothes=str(rng.choice(COLOURS)),
        skin=int(rng.integers(3)),
        hair=int(rng.integers(4)),
    )


def _keepsake_visible(rng):
    """[10] bool: carried for a while, put down, carried again, so that stories must remember it."""
    visible = np.zeros(PHOTOS_PER_ALBUM, bool)
    for earliest, longest in ((0, 4), (5, 3)):
        start = earliest + rng.integers(2)
        visible[start : start + rng.integers(2, longest + 1)] = True
    return visible

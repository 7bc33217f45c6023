"""The people of the sample set's photos and the keepsakes that their heroes carry.

A person faces the camera and is drawn by a pen whose origin is at their feet and whose unit is
their height; people differ in skin, hair, dress or shirt, and its colour.  A keepsake's origin is
the hand that holds it, at the right of the hero's head, and most of it is overhead; only a wagon's
origin is on the ground.
"""

from dataset.sample.pen import (
    DARK_WOOD,
    GOLD,
    HAIRS,
    INK,
    RGB,
    SILVER,
    SKINS,
    WHITE,
    mix,
    outlined,
    shade,
)

HERO_HEIGHT, KEEPSAKE_SIZE = 118, 47  # in the frame of the photo
HAND = (0.25, 0.70)  # where the hero holds a keepsake


# People


def draw_hero(pen, album, shows_keepsake):
    """Draw the hero of an album, with the keepsake if the photo shows it."""
    thing = album.keepsake_thing if shows_keepsake else None
    if shows_keepsake:
        size = KEEPSAKE_SIZE / HERO_HEIGHT
        origin = (0.62, 0) if thing == "wagon" else HAND
        colour = RGB[album.keepsake_colour]
        outline = INK if album.keepsake_colour == "white" else shade(colour, 0.45)
        KEEPSAKES[thing](pen.at(*origin, size), colour, outline)
    lowered = (0.27, 0.34)
    right_hand = {None: lowered, "wagon": lowered, "bear": (0.2, 0.9)}.get(thing, HAND)
    left_hand = (-0.2, 0.9) if thing == "bear" else (-0.27, 0.34)
    _draw_person(pen, album.hero, left_hand, right_hand)


def draw_other(pen, person):
    """Draw one of the others, who carries nothing."""
    _draw_person(pen, person, (-0.26, 0.36), (0.26, 0.36))


def _draw_person(pen, person, left_hand, right_hand):
    """Draw a person of height 1."""
    skin, hair, clothes = SKINS[person.skin], HAIRS[person.hair], RGB[person.clothes]
    edge = (150, 150, 160) if person.clothes == "white" else shade(clothes, 0.3)
    if person.female:
        pen.ellipse(hair, 0, 0.80, 0.165, 0.19)
        pen.box(hair, -0.165, 0.60, 0.165, 0.80)
        _draw_dress(pen, clothes, edge, skin)
    else:
        _draw_shirt(pen, clothes, edge)
    for side, hand in ((-1, left_hand), (1, right_hand)):
        shoulder = (side * 0.13, 0.63)
        pen.line(edge, 0.095, shoulder, hand)
        pen.line(clothes, 0.075, shoulder, hand)
        pen.disc(skin, *hand, 0.045)
    _draw_head(pen, skin, hair, person.female)


def _draw_dress(pen, clothes, edge, skin):
    for x in (-0.07, 0.07):
        pen.line(skin, 0.07, (x, 0.04), (x, 0.3))
        pen.ellipse(INK, x * 1.2, 0.025, 0.06, 0.03)
    outline = (
        (-0.12, 0.69),
        (0.12, 0.69),
        (0.15, 0.48),
        (0.25, 0.17),
        (-0.25, 0.17),
        (-0.15, 0.48),
    )
    pen.polygon(clothes, *outline)
    pen.line(edge, 0.014, *outline, outline[0])
    pen.line(edge, 0.02, (-0.15, 0.46), (0.15, 0.46))


def _draw_shirt(pen, clothes, edge):
    for x in (-0.085, 0.085):
        pen.line((48, 52, 76), 0.13, (x, 0.07), (x, 0.34))
        pen.ellipse(INK, x * 1.15, 0.025, 0.08, 0.032)
    outline = ((-0.17, 0.68), (0.17, 0.68), (0.185, 0.3), (-0.185, 0.3))
    pen.polygon(clothes, *outline)
    pen.line(edge, 0.014, *outline, outline[0])


def _draw_head(pen, skin, hair, female):
    pen.disc(shade(skin, 0.12), 0, 0.815, 0.142)
    pen.disc(skin, 0, 0.82, 0.138)
    for side in (-1, 1):
        pen.disc(INK, side * 0.055, 0.82, 0.018)
        pen.ellipse(mix(skin, (240, 90, 90), 0.4), side * 0.09, 0.78, 0.026, 0.018)
    pen.ring((150, 50, 50), 0.016, 0, 0.785, 0.05, 0.035, 200, 340)
    pen.ellipse(hair, 0, 0.86, 0.145, 0.115, 0, 0, 180)
    if female:
        pen.polygon(hair, (-0.145, 0.87), (-0.165, 0.66), (-0.105, 0.7), (-0.1, 0.87))
        pen.polygon(hair, (0.145, 0.87), (0.165, 0.66), (0.105, 0.7), (0.1, 0.87))
    else:
        pen.polygon(hair, (-0.145, 0.86), (-0.145, 0.8), (-0.115, 0.86))
        pen.polygon(hair, (0.145, 0.86), (0.145, 0.8), (0.115, 0.86))


# Keepsakes


def _balloon(pen, colour, outline):
    x, y = -0.55, 2.1
    pen.line(INK, 0.05, (0, 0), (-0.2, 0.5), (x, y - 1))
    outlined(pen, colour, outline, (x, y - 0.98), (x - 0.16, y - 1.2), (x + 0.16, y - 1.2))
    pen.ellipse(outline, x, y, 0.90, 1.06)
    pen.ellipse(colour, x, y, 0.84, 1.0)
    pen.ellipse(mix(colour, WHITE, 0.6), x - 0.34, y + 0.42, 0.13, 0.25, -35)


def _umbrella(pen, colour, outline):
    canopy = pen.at(0, 1.45, turn=8)
    canopy.line(INK, 0.09, (0, -1.7), (-0.42, 1.3))
    canopy = canopy.at(-0.42, 0)
    canopy.dome(outline, 0, -0.06, 1.26, 1.21)
    canopy.dome(colour, 0, 0, 1.19, 1.12)
    for x in (-0.8, 0, 0.8):
        canopy.dome(shade(colour, 0.3), x, -0.05, 0.4, 0.17)
    for x in (-0.4, 0.4):
        canopy.line(shade(colour, 0.22), 0.05, (x, 0.12), (x * 0.7, 0.7), (0, 1.1))
    canopy.line(INK, 0.08, (0, 1.12), (0, 1.34))


def _kite(pen, colour, outline):
    kite = pen.at(-0.55, 2.15, 1.0, 12)
    pen.line(INK, 0.04, (0, 0), (-0.55, 2.1))
    tail = ((0, -1.15), (0.2, -1.4), (0.0, -1.6), (0.25, -1.85))
    kite.line(outline, 0.05, *tail)
    for x, y in tail[1:]:
        kite.polygon(colour, (x, y), (x - 0.18, y + 0.13), (x - 0.18, y - 0.13))
        kite.polygon(colour, (x, y), (x + 0.18, y + 0.13), (x + 0.18, y - 0.13))
    corners = ((0, 1.15), (1.0, 0.2), (0, -1.2), (-1.0, 0.2))
    outlined(kite, colour, outline, *corners)
    kite.polygon(shade(colour, 0.16), (0, 1.1), (0.95, 0.2), (0, 0.2))
    kite.polygon(shade(colour, 0.16), (-0.95, 0.2), (0, 0.2), (0, -1.12))
    kite.line(outline, 0.05, corners[0], corners[2])
    kite.line(outline, 0.05, corners[1], corners[3])


def _flag(pen, colour, outline):
    pen.line(DARK_WOOD, 0.11, (0, -0.5), (0.05, 3.1))
    pen.disc(GOLD, 0.05, 3.12, 0.1)
    top = ((0.04, 3.02), (-0.5, 3.1), (-1.05, 2.92), (-1.55, 2.98), (-1.88, 2.9))
    low = [(x, y - 1.35) for x, y in reversed(top)]
    outlined(pen, colour, outline, *top, *low)
    pen.polygon(shade(colour, 0.15), top[1], top[2], low[2], low[3])


def _bear(pen, colour, outline):
    """It rides on the hero's shoulders."""
    bear = pen.at(-0.70, 1.0, 1.04)
    dark, muzzle = shade(colour, 0.14), mix(colour, (255, 236, 206), 0.75)
    ovals = (
        (dark, -0.52, 1.72, 0.25, 0.25),
        (dark, 0.52, 1.72, 0.25, 0.25),
        (dark, -0.72, 0.62, 0.22, 0.36),
        (dark, 0.72, 0.62, 0.22, 0.36),
        (dark, -0.52, -0.12, 0.27, 0.32),
        (dark, 0.52, -0.12, 0.27, 0.32),
        (colour, 0, 0.4, 0.68, 0.66),
        (colour, 0, 1.3, 0.66, 0.58),
    )
    for oval in ovals:
        bear.ellipse(outline, *oval[1:3], oval[3] + 0.06, oval[4] + 0.06)
        bear.ellipse(*oval)
    bear.ellipse(muzzle, 0, 1.12, 0.27, 0.2)
    bear.ellipse(INK, 0, 1.2, 0.1, 0.07)
    for side in (-1, 1):
        bear.disc(INK, side * 0.26, 1.42, 0.08)


def _wagon(pen, colour, outline):
    """The origin is on the ground in front of the hero, in the middle of the wagon."""
    pen.line(INK, 0.09, (-0.82, 0.42), (-1.02, 0.95))
    for x in (-0.5, 0.62):
        pen.disc(INK, x, 0.2, 0.29)
        pen.disc(SILVER, x, 0.2, 0.13)
    corners = ((-0.95, 1.08), (1.1, 1.08), (0.95, 0.34), (-0.8, 0.34))
    outlined(pen, colour, outline, *corners)
    pen.line(shade(colour, 0.2), 0.07, (-0.9, 0.86), (1.02, 0.86))
    for x in (-0.5, 0.62):
        pen.ring(outline, 0.08, x, 0.3, 0.32, 0.3, 0, 180)


KEEPSAKES = {
    "balloon": _balloon,
    "umbrella": _umbrella,
    "kite": _kite,
    "flag": _flag,
    "bear": _bear,
    "wagon": _wagon,
}

"""The props of the sample set: one thing for each moment of each event, by which it is recognised.

`PROPS` holds them all.  Each is a function that takes only a pen, whose origin is on the ground; a
prop is about 2 wide and 2 high, stands on that origin (or floats above it, like the bats) and
keeps its colours in any light and weather.
"""

import math

import numpy as np

from dataset.sample.pen import (
    BRIGHT,
    CREAM,
    DARK_WOOD,
    GOLD,
    HAIRS,
    INK,
    SILVER,
    SKINS,
    WHITE,
    around,
    mix,
    outlined,
    shade,
    star,
)

GREY, WOOD, PINK = (132, 134, 140), (164, 112, 64), (250, 158, 192)
GLASS, FLAME = (168, 216, 246), (255, 170, 40)


# Parts of several props


def draw_fir(pen, needles, snow=None):
    """A fir of height 1.84; `snow` is the colour of the snow on it, if there is any."""
    pen.box(DARK_WOOD, -0.1, 0, 0.1, 0.4)
    for level, half in enumerate((0.66, 0.52, 0.36)):
        low, high = 0.28 + level * 0.42, 1.0 + level * 0.42
        pen.polygon(needles, (-half, low), (half, low), (0, high))
        if snow:
            middle = low + 0.45 * (high - low)
            pen.polygon(snow, (-half * 0.55, middle), (half * 0.55, middle), (0, high))


def _table(pen, cloth, legs=DARK_WOOD):
    """A table of height 0.7 with a cloth."""
    for x in (-0.9, 0.9):
        pen.line(legs, 0.1, (x, 0), (x, 0.5))
    pen.box(cloth, -1.1, 0.42, 1.1, 0.7)
    pen.ellipse(mix(cloth, WHITE, 0.3), 0, 0.7, 1.1, 0.14)
    for x in (-0.82, -0.28, 0.28, 0.82):
        pen.bowl(cloth, x, 0.43, 0.28, 0.13)


def _flame(pen, x, y, height):
    for colour, share in (((238, 84, 24), 1), (FLAME, 0.7), ((255, 236, 130), 0.4)):
        size = height * share
        pen.bowl(colour, x, y + 0.3 * size, 0.32 * size, 0.3 * size)
        tip = (x + 0.06 * size, y + size)
        pen.polygon(
            colour, (x - 0.32 * size, y + 0.29 * size), (x + 0.32 * size, y + 0.29 * size), tip
        )


def _wheels(pen, places, radius):
    for x in places:
        pen.disc(INK, x, radius, radius)
        pen.disc(SILVER, x, radius, radius * 0.45)


# Beach


def _parking(pen):
    """A car with a surfboard rack next to a parking sign."""
    pen.line(GREY, 0.09, (0.95, 0), (0.95, 1.5))
    pen.box((30, 90, 200), 0.68, 1.25, 1.22, 1.9)
    pen.text(WHITE, 0.8, 1.4, 0.36, "P")
    outlined(pen, (250, 130, 50), (150, 70, 20), *_car_outline())
    for left, right in ((-0.62, -0.14), (-0.04, 0.34)):
        pen.polygon(GLASS, (left, 0.62), (right, 0.62), (right * 0.8, 0.96), (left * 0.8, 0.96))
    pen.line((60, 190, 180), 0.12, (-0.9, 1.12), (0.6, 1.12))
    _wheels(pen, (-0.65, 0.4), 0.24)


def _car_outline():
    cabin = ((0.66, 0.6), (0.36, 1.02), (-0.56, 1.02), (-0.78, 0.62))
    return ((-1.15, 0.2), (0.95, 0.2), (0.98, 0.52), *cabin, (-1.12, 0.55))


def _parasol(pen):
    pen.polygon((70, 196, 190), (-0.9, 0), (0.5, 0), (0.7, 0.2), (-0.7, 0.2))
    pen.line((240, 240, 240), 0.09, (0, 0.05), (0.1, 1.7))
    for number in range(6):
        colour = WHITE if number % 2 else (244, 96, 60)
        start = number * 30
        pen.ellipse(colour, 0.05, 1.2, 1.1, 0.95, -4, start, start + 30)
    pen.disc((244, 96, 60), 0.1, 2.16, 0.08)


def _sandcastle(pen):
    sand, dark = (220, 172, 96), (178, 130, 66)
    pen.ellipse(dark, 0, 0.04, 1.15, 0.16)
    pen.box(sand, -0.8, 0, 0.8, 0.75)
    for x, height in ((-0.82, 1.15), (0, 1.5), (0.82, 1.15)):
        pen.box(mix(sand, WHITE, 0.12), x - 0.26, 0, x + 0.26, height)
        for dx in (-0.2, 0, 0.2):
            pen.box(dark, x + dx - 0.06, height, x + dx + 0.06, height + 0.14)
        pen.box(dark, x - 0.06, height - 0.45, x + 0.06, height - 0.22)
    pen.dome(dark, 0, 0, 0.2, 0.5)
    pen.line(INK, 0.05, (0, 1.5), (0, 2.15))
    pen.polygon((240, 70, 60), (0, 2.15), (0.5, 1.98), (0, 1.8))


def _surfboard(pen):
    board = pen.at(0, 1.1, 1, -14)
    board.ellipse((176, 70, 20), 0, 0, 0.48, 1.2)
    board.ellipse((255, 140, 40), 0, 0, 0.43, 1.14)
    board.ellipse((255, 226, 90), 0, 0, 0.16, 1.06)
    board.line(WHITE, 0.07, (0, -1.02), (0, 1.02))
    board.box((40, 190, 190), -0.41, -0.2, 0.41, 0.12)
    pen.ellipse((214, 176, 104), -0.2, 0.02, 0.8, 0.12)


def _ice_cream(pen):
    outlined(pen, (222, 164, 90), (160, 106, 50), (-0.46, 0.95), (0.46, 0.95), (0, 0))
    for x in (-0.2, 0.05, 0.3):
        pen.line((176, 120, 58), 0.05, (x, 0.93), (x * 0.5 - 0.12, 0.4))
        pen.line((176, 120, 58), 0.05, (-x, 0.93), (-x * 0.5 + 0.12, 0.4))
    for x, y, colour in ((-0.32, 1.15, PINK), (0.32, 1.15, CREAM), (0, 1.62, (120, 70, 44))):
        pen.disc(shade(colour, 0.1), x, y - 0.03, 0.42)
        pen.disc(colour, x - 0.03, y + 0.02, 0.37)
    pen.disc((224, 30, 50), 0.05, 2.08, 0.13)


def _sailboat(pen):
    pen.ellipse((60, 150, 210), 0, 0.1, 1.4, 0.2)
    pen.polygon((140, 60, 40), (-1, 0.45), (1.05, 0.45), (0.7, 0.06), (-0.7, 0.06))
    pen.line(WHITE, 0.06, (-0.9, 0.36), (0.95, 0.36))
    pen.line(DARK_WOOD, 0.07, (0, 0.45), (0, 2.3))
    outlined(pen, WHITE, GREY, (0.08, 2.25), (0.08, 0.6), (0.95, 0.6))
    outlined(pen, (255, 190, 120), GREY, (-0.08, 2.05), (-0.08, 0.6), (-0.75, 0.6))


def _sunset(pen):
    """The sun sinks into the sea, which lies between 0.85 and 1.45."""
    for colour, radius in (((255, 140, 50), 1.05), ((255, 184, 66), 0.82), ((255, 226, 120), 0.56)):
        pen.dome(colour, 0, 1.45, radius, radius)
    for number in range(5):
        half = 1.0 - 0.15 * number
        y = 1.36 - 0.13 * number
        pen.line((255, 196, 104), 0.08, (-half, y), (half, y))
    pen.ellipse((255, 206, 140), 0, 0.62, 0.7, 0.1)


# Birthday


def _birthday_house(pen):
    pen.box((250, 226, 170), -0.85, 0, 0.85, 1.05)
    pen.polygon((206, 92, 70), (-1.1, 1.05), (0, 1.85), (1.1, 1.05))
    pen.box((120, 74, 50), -0.2, 0, 0.2, 0.68)
    for x in (-0.62, 0.36):
        pen.box(WHITE, x - 0.04, 0.4, x + 0.32, 0.8)
        pen.box(GLASS, x, 0.44, x + 0.28, 0.76)
    for number, x in enumerate((-0.5, -0.2, 0.15, 0.5)):
        y = 1.25 + 0.2 * (number % 2)
        pen.line(INK, 0.03, (0, 0.75), (x, y - 0.2))
        pen.ellipse(BRIGHT[number], x, y, 0.17, 0.22)


def _birthday_table(pen):
    _table(pen, (255, 150, 180))
    for x in (-0.72, 0, 0.72):
        pen.ellipse(WHITE, x, 0.74, 0.26, 0.09)
        pen.box((60, 150, 220), x + 0.12, 0.78, x + 0.3, 1.1)
        hat = ((x - 0.24, 0.78), (x + 0.06, 0.78), (x - 0.09, 1.3))
        pen.polygon((250, 206, 50), *hat)
        pen.disc((226, 50, 70), x - 0.09, 1.32, 0.06)


def _presents(pen):
    parcels = (
        (-0.55, 0, 0.45, BRIGHT[0], BRIGHT[1]),
        (0.5, 0, 0.55, BRIGHT[3], WHITE),
        (-0.4, 0.9, 0.36, BRIGHT[2], BRIGHT[0]),
        (0.45, 1.1, 0.3, BRIGHT[4], BRIGHT[1]),
    )
    for x, y, half, paper, ribbon in parcels:
        parcel = pen.at(x, y, half)
        parcel.box(paper, -1, 0, 1, 1.9)
        parcel.box(shade(paper, 0.2), 0.65, 0, 1, 1.9)
        parcel.box(ribbon, -0.15, 0, 0.15, 1.9)
        parcel.box(ribbon, -1, 0.85, 1, 1.12)
        parcel.ellipse(ribbon, -0.35, 2.05, 0.36, 0.17, -25)
        parcel.ellipse(ribbon, 0.35, 2.05, 0.36, 0.17, 25)


def _pinata(pen):
    """A striped paper donkey on a rope."""
    pen.line(INK, 0.04, (0, 1.4), (0, 2.7))
    colours = (BRIGHT[0], BRIGHT[1], BRIGHT[2], BRIGHT[3])
    for x in (-0.55, -0.3, 0.3, 0.55):
        for number, y in enumerate((0.3, 0.5)):
            pen.box(colours[number + 1], x - 0.1, y, x + 0.1, y + 0.2)
    for number in range(4):
        y = 0.7 + 0.18 * number
        pen.box(colours[number], -0.72, y, 0.72, y + 0.18)
    for number in range(3):
        y = 1.3 + 0.18 * number
        pen.box(colours[number + 1], 0.45, y, 0.78 + 0.1 * number, y + 0.18)
    pen.box(colours[0], 0.5, 1.84, 1.2, 2.1)
    pen.polygon(BRIGHT[4], (0.52, 2.1), (0.68, 2.1), (0.55, 2.45))
    pen.disc(INK, 0.86, 1.98, 0.06)
    pen.line(BRIGHT[4], 0.12, (-0.72, 1.3), (-1.0, 0.9))


def _birthday_cake(pen):
    _table(pen, (120, 200, 220))
    pen.ellipse(WHITE, 0, 0.72, 0.88, 0.14)
    pen.box((110, 62, 36), -0.72, 0.74, 0.72, 1.4)
    pen.ellipse((110, 62, 36), 0, 0.74, 0.72, 0.1)
    pen.box(PINK, -0.72, 1.2, 0.72, 1.42)
    pen.ellipse((255, 196, 216), 0, 1.42, 0.72, 0.14)
    for x in (-0.6, -0.3, 0, 0.3, 0.6):
        pen.bowl(PINK, x, 1.22, 0.14, 0.16)
    for number, x in enumerate((-0.5, -0.25, 0, 0.25, 0.5)):
        pen.line(BRIGHT[number], 0.08, (x, 1.42), (x, 1.82))
        _flame(pen, x, 1.82, 0.26)


def _slice(pen):
    """A slice of layer cake on a large plate with a fork."""
    pen.ellipse(GREY, 0, 0.18, 1.15, 0.3)
    pen.ellipse(WHITE, 0, 0.22, 1.12, 0.28)
    pen.polygon((110, 62, 36), (-0.75, 0.3), (0.6, 0.2), (0.6, 1.15), (-0.75, 1.25))
    pen.polygon(CREAM, (-0.75, 0.7), (0.6, 0.6), (0.6, 0.76), (-0.75, 0.86))
    pen.polygon(PINK, (-0.75, 1.25), (0.6, 1.15), (0.2, 1.6))
    pen.polygon(PINK, (-0.75, 1.1), (0.6, 1.0), (0.6, 1.16), (-0.75, 1.26))
    pen.disc((224, 30, 50), 0.06, 1.6, 0.2)
    pen.line(SILVER, 0.08, (0.78, 0.25), (1.05, 1.3))
    for dx in (-0.08, 0.02, 0.12):
        pen.line(SILVER, 0.04, (1.05, 1.25), (1.05 + dx, 1.55))


def _dancing(pen):
    """Two loudspeakers under a mirror ball."""
    for x in (-0.62, 0.62):
        pen.box((44, 44, 58), x - 0.45, 0, x + 0.45, 1.4)
        pen.disc(SILVER, x, 0.45, 0.34)
        pen.disc((30, 30, 40), x, 0.45, 0.26)
        pen.disc(SILVER, x, 1.05, 0.2)
        pen.disc((30, 30, 40), x, 1.05, 0.13)
    pen.line(INK, 0.04, (0, 2.2), (0, 2.7))
    pen.disc((150, 90, 200), 0, 1.85, 0.46)
    for number in range(12):
        x, y = (number % 4 - 1.5) * 0.2, (number // 4 - 1) * 0.24
        colour = (BRIGHT[number % 5], WHITE)[number % 2]
        pen.box(colour, x - 0.07, 1.77 + y, x + 0.07, 1.93 + y)
    for x, y in ((-1.0, 2.1), (1.0, 2.2)):
        pen.disc(INK, x, y - 0.3, 0.1)
        pen.line(INK, 0.05, (x + 0.09, y - 0.3), (x + 0.09, y), (x + 0.26, y - 0.1))


# Boat


def _dock(pen):
    """A white motorboat at a wooden jetty."""
    pen.polygon(WHITE, (-0.95, 0.75), (1.25, 0.75), (0.9, 0.2), (-0.7, 0.2))
    pen.line((200, 40, 50), 0.09, (-0.85, 0.6), (1.12, 0.6))
    pen.box((250, 244, 226), -0.6, 0.75, 0.45, 1.3)
    for x in (-0.45, -0.05):
        pen.box((60, 110, 150), x, 0.9, x + 0.3, 1.18)
    pen.line(GREY, 0.06, (0.1, 1.3), (0.1, 1.9))
    pen.polygon((200, 40, 50), (0.1, 1.9), (0.55, 1.78), (0.1, 1.64))
    pen.box(WOOD, -1.25, 0.1, 1.25, 0.28)
    for x in (-1.05, -0.35, 0.35, 1.05):
        pen.box(DARK_WOOD, x - 0.09, -0.15, x + 0.09, 0.5)


def _steering_wheel(pen):
    pen.box((120, 74, 40), -0.14, -0.75, 0.14, 1.1)
    pen.box((96, 58, 30), -0.4, -0.8, 0.4, -0.65)
    for x, y in around(8, 1.12, 0):
        pen.line((134, 80, 38), 0.13, (0, 1.15), (x, y + 1.15))
    pen.ring((110, 64, 30), 0.24, 0, 1.15, 0.78, 0.78)
    pen.ring((184, 116, 56), 0.13, 0, 1.15, 0.78, 0.78)
    pen.disc(GOLD, 0, 1.15, 0.22)


def _lighthouse(pen):
    pen.dome((110, 106, 104), 0, 0, 1.1, 0.42)
    for level in range(5):
        low, high = 0.42 - 0.04 * level, 0.38 - 0.04 * level
        y = 0.25 + 0.32 * level
        colour = WHITE if level % 2 else (216, 44, 44)
        pen.polygon(colour, (-low, y), (low, y), (high, y + 0.32), (-high, y + 0.32))
    pen.polygon((255, 246, 180), (0.2, 2.05), (1.25, 2.4), (1.25, 1.75))
    pen.box((255, 236, 130), -0.2, 1.85, 0.2, 2.2)
    pen.box(INK, -0.32, 1.82, 0.32, 1.9)
    pen.polygon(INK, (-0.3, 2.2), (0.3, 2.2), (0, 2.5))


def _whale(pen):
    blue = (64, 82, 116)
    pen.polygon(blue, (0.6, 0.35), (0.95, 1.15), (0.7, 1.5), (1.1, 1.35), (1.4, 1.6), (1.25, 1.1))
    pen.dome(blue, -0.1, 0.05, 1.05, 1.0)
    pen.ellipse((206, 216, 226), -0.45, 0.12, 0.6, 0.16)
    pen.disc(WHITE, -0.68, 0.5, 0.1)
    pen.disc(INK, -0.69, 0.49, 0.06)
    for dx in (-0.5, -0.2, 0.2, 0.5):
        pen.line((226, 244, 252), 0.12, (-0.2, 1.05), (-0.2 + dx * 0.6, 1.7), (-0.2 + dx, 1.85))
    pen.ellipse((190, 226, 240), 0, 0.02, 1.3, 0.1)


def _island(pen):
    pen.dome((244, 218, 146), 0, 0, 1.25, 0.5)
    for lean in (-0.45, 0.4):
        top = 1.75 if lean > 0 else 1.4
        pen.line((140, 92, 50), 0.13, (lean * 0.4, 0.4), (lean * 0.6, 1), (lean, top))
        for turn in (25, 155, 80, -25, 205):
            x, y = 0.36 * math.cos(math.radians(turn)), 0.3 * math.sin(math.radians(turn))
            pen.ellipse((34, 150, 66), lean + x, top + y, 0.4, 0.11, turn)
        pen.disc((110, 66, 36), lean, top - 0.06, 0.1)


def _gulls(pen):
    """Gulls in flight and one on a post."""
    for x, y, size in ((-0.8, 2.1, 0.5), (0.55, 2.2, 0.6), (-0.5, 1.35, 0.55), (0.8, 1.5, 0.5)):
        gull = pen.at(x, y, size)
        for side in (-1, 1):
            gull.polygon(WHITE, (0, 0), (side * 0.5, 0.42), (side * 1.05, 0.1), (side * 0.5, 0.2))
            gull.line(INK, 0.1, (side * 0.8, 0.22), (side * 1.05, 0.1))
        gull.ellipse(WHITE, 0, -0.04, 0.2, 0.14)
    pen.box(DARK_WOOD, -0.12, -0.2, 0.12, 0.5)
    pen.ellipse(WHITE, 0, 0.68, 0.4, 0.2, 15)
    pen.disc(WHITE, 0.36, 0.92, 0.15)
    pen.polygon(FLAME, (0.48, 0.96), (0.48, 0.86), (0.68, 0.88))
    pen.polygon(GREY, (-0.45, 0.62), (0.1, 0.82), (-0.05, 0.6))
    pen.disc(INK, 0.4, 0.95, 0.04)


def _harbor(pen):
    """Moored boats and the lamps of a quay."""
    pen.box((92, 72, 84), -1.25, 0.0, 1.25, 0.3)
    for number, x in enumerate((-1.0, 0, 1.0)):
        pen.line(INK, 0.06, (x, 0.3), (x, 1.25))
        pen.disc((255, 214, 110), x, 1.33, 0.22)
        pen.disc((255, 244, 190), x, 1.33, 0.13)
        if number < 2:
            pen.line((60, 40, 50), 0.05, (x + 0.5, 0.6), (x + 0.5, 2.2))
            pen.line((60, 40, 50), 0.04, (x + 0.5, 2.2), (x + 0.9, 0.65))
    for x, colour in ((-0.5, (170, 70, 80)), (0.5, (60, 96, 140))):
        pen.polygon(colour, (x - 0.46, 0.62), (x + 0.46, 0.62), (x + 0.32, 0.3), (x - 0.32, 0.3))


# Camping


def _trail(pen):
    """A signpost at a path."""
    pen.polygon((190, 156, 104), (-0.9, 0), (0.5, 0), (0.3, 0.35), (0.0, 0.35))
    pen.box(DARK_WOOD, -0.09, 0, 0.09, 2.0)
    arrow = ((-1.0, 1.2), (0.75, 1.2), (1.15, 1.52), (0.75, 1.84), (-1.0, 1.84))
    outlined(pen, (184, 124, 66), DARK_WOOD, *arrow)
    pen.text((70, 42, 18), -0.88, 1.36, 0.32, "TRAIL")
    outlined(
        pen,
        (184, 124, 66),
        DARK_WOOD,
        (0.7, 0.7),
        (-0.7, 0.7),
        (-0.95, 0.88),
        (-0.7, 1.06),
        (0.7, 1.06),
    )


def _tent(pen):
    pen.polygon((206, 100, 20), (0.2, 1.75), (1.2, 0.2), (1.0, 0), (0.3, 0))
    outlined(pen, (248, 142, 40), (150, 70, 14), (-1.15, 0), (0.75, 0), (-0.1, 1.75))
    pen.polygon((104, 48, 16), (-0.5, 0), (0.25, 0), (-0.1, 1.5))
    pen.polygon((255, 200, 120), (-0.5, 0), (-0.2, 0), (-0.1, 1.5))


def _canoe(pen):
    pen.ellipse((50, 130, 190), 0, 0.3, 1.3, 0.42)
    for x, y in ((-0.8, 0.16), (0.3, 0.08), (0.7, 0.5)):
        pen.line((190, 226, 244), 0.05, (x, y), (x + 0.35, y))
    hull = ((-1.2, 1.0), (-0.85, 0.72), (0.85, 0.72), (1.2, 1.0), (0.85, 0.3), (-0.85, 0.3))
    outlined(pen, (190, 50, 40), (110, 24, 20), *hull)
    pen.line((240, 200, 120), 0.08, (-0.9, 0.55), (0.9, 0.55))
    pen.line((222, 176, 110), 0.1, (-0.5, 1.6), (0.35, 0.2))
    pen.ellipse((222, 176, 110), -0.56, 1.72, 0.13, 0.3, 30)


def _fish(pen):
    """A fish that hangs from a line."""
    pen.line(INK, 0.04, (0, 1.9), (0.3, 2.6))
    pen.polygon((70, 130, 150), (-0.1, 0.5), (0.1, 0.5), (0.5, 0), (0, 0.15), (-0.5, 0))
    pen.ellipse((60, 116, 136), 0, 1.2, 0.52, 0.82)
    pen.ellipse((130, 186, 200), 0, 1.22, 0.46, 0.76)
    pen.ellipse((226, 234, 226), 0.2, 1.15, 0.2, 0.56)
    for y in (0.75, 1.0, 1.25):
        pen.ring((70, 130, 150), 0.05, -0.05, y, 0.3, 0.12, 200, 340)
    pen.polygon((70, 130, 150), (-0.44, 1.4), (-0.9, 1.1), (-0.44, 0.95))
    pen.disc(WHITE, -0.08, 1.64, 0.13)
    pen.disc(INK, -0.08, 1.64, 0.07)


def _campfire(pen):
    pen.ellipse((150, 84, 34), 0, 0.05, 1.25, 0.26)
    for x in (-0.9, -0.55, 0.55, 0.9):
        pen.ellipse(GREY, x, 0.05, 0.2, 0.14)
    pen.line((110, 66, 34), 0.2, (-0.7, 0.08), (0.6, 0.36))
    pen.line((96, 56, 28), 0.2, (0.7, 0.08), (-0.6, 0.36))
    for x, height in ((-0.38, 1.2), (0.4, 1.1), (0, 1.9)):
        _flame(pen, x, 0.26, height)


def _marshmallows(pen):
    """Two sticks with marshmallows over the embers."""
    pen.ellipse((130, 50, 24), 0, 0.12, 0.8, 0.2)
    for x in (-0.4, -0.1, 0.2, 0.45):
        pen.disc((255, 120, 40), x, 0.16, 0.13)
    for x in (-0.3, 0.25):
        _flame(pen, x, 0.22, 0.5)
    for side in (-1, 1):
        stick = pen.at(side * 0.3, 1.2, 1, side * 40)
        stick.line((176, 120, 66), 0.08, (0, 0), (0, -1.3))
        for y in (0, 0.42, 0.84):
            stick.box((206, 176, 140), -0.24, y - 0.05, 0.24, y + 0.32)
            stick.box((255, 250, 240), -0.2, y, 0.2, y + 0.3)


def _camp_moon(pen):
    """The full moon over a lake."""
    pen.ellipse((28, 44, 84), 0, 0.5, 1.25, 0.5)
    pen.ellipse((52, 78, 140), 0, 0.5, 1.18, 0.45)
    pen.disc((110, 116, 150), 0, 2.1, 0.92)
    pen.disc((252, 246, 210), 0, 2.1, 0.82)
    for x, y, radius in ((-0.3, 2.35, 0.17), (0.3, 2.0, 0.22), (-0.15, 1.7, 0.12)):
        pen.disc((226, 218, 180), x, y, radius)
    for half, y in ((0.6, 0.72), (0.5, 0.55), (0.35, 0.38), (0.2, 0.22)):
        pen.line((240, 236, 200), 0.08, (-half, y), (half, y))


# Christmas


def _lot(pen):
    """Christmas trees for sale, with a price tag."""
    for x, size in ((-0.75, 1.0), (0.75, 1.0), (0, 1.25)):
        draw_fir(pen.at(x, 0, size), (24, 112, 66))
    pen.box((240, 236, 220), -0.75, 0.1, 0.75, 0.58)
    pen.text((190, 30, 40), -0.66, 0.22, 0.26, "TREES")


def _christmas_tree(pen):
    pen.box((150, 40, 40), -0.25, 0, 0.25, 0.25)
    for level, half in enumerate((1.05, 0.85, 0.6)):
        y = 0.2 + 0.55 * level
        pen.polygon((16, 96 + 14 * level, 52), (-half, y), (half, y), (0, y + 1.0))
    for number in range(13):
        y = 0.32 + 0.13 * number
        x = 0.75 * (1 - y / 2.3) * math.sin(number * 2.4)
        pen.disc((GOLD, (226, 40, 50), (80, 150, 240))[number % 3], x, y, 0.1)
    star(pen, (255, 222, 60), 0, 2.3, 0.3)


def _stockings(pen):
    """Three stockings at a brick fireplace under a garland."""
    pen.box((178, 84, 66), -1.1, 0, 1.1, 1.75)
    for row in range(6):
        for x in range(3):
            left = -1.05 + 0.75 * x + 0.3 * (row % 2)
            pen.line(
                (220, 150, 130), 0.03, (left, 0.28 * row + 0.2), (left + 0.5, 0.28 * row + 0.2)
            )
    pen.dome((40, 20, 22), 0, 0, 0.6, 0.75)
    _flame(pen, 0, 0.05, 0.55)
    pen.box(CREAM, -1.25, 1.7, 1.25, 1.88)
    for x in range(-5, 6):
        pen.disc((30, 120, 60), x * 0.23, 1.94 + 0.05 * (x % 2), 0.14)
    for x in (-0.75, 0, 0.75):
        _draw_stocking(pen.at(x, 1.66, 0.9), (226, 36, 46), WHITE)


def _draw_stocking(pen, wool, cuff):
    pen.box(wool, -0.15, -0.62, 0.15, -0.1)
    pen.ellipse(wool, 0.12, -0.62, 0.28, 0.15)
    pen.box(cuff, -0.19, -0.2, 0.19, 0)


def _cookies(pen):
    """Gingerbread on a plate and a glass of milk."""
    _table(pen, (220, 60, 60))
    pen.ellipse(WHITE, -0.15, 0.78, 0.9, 0.18)
    for x, y, turn in ((-0.65, 0.85, 12), (-0.05, 0.85, -8)):
        man = pen.at(x, y, 0.9, turn)
        for ends in (((-0.26, 0.5), (0.26, 0.5)), ((-0.17, 0.05), (0, 0.4), (0.17, 0.05))):
            man.line((186, 116, 54), 0.19, *ends)
        man.disc((186, 116, 54), 0, 0.78, 0.22)
        for dx in (-0.08, 0.08):
            man.disc(WHITE, dx, 0.82, 0.04)
        man.disc((220, 30, 40), 0, 0.4, 0.05)
    pen.polygon((206, 230, 240), (0.6, 0.76), (0.98, 0.76), (1.04, 1.5), (0.54, 1.5))
    pen.polygon(WHITE, (0.62, 0.78), (0.96, 0.78), (1.0, 1.35), (0.58, 1.35))


def _train(pen):
    """A toy train on a round track."""
    pen.ring((120, 84, 60), 0.1, 0, 0.14, 1.15, 0.16)
    pen.box((40, 160, 90), -1.1, 0.3, -0.3, 0.8)
    for number, x in enumerate((-0.9, -0.7, -0.5)):
        pen.disc((GOLD, (226, 40, 50), (80, 150, 240))[number], x, 0.86, 0.14)
    pen.box((230, 60, 50), -0.15, 0.3, 1.0, 0.9)
    pen.box((40, 90, 200), -0.15, 0.9, 0.3, 1.5)
    pen.box((255, 240, 180), -0.02, 1.02, 0.2, 1.3)
    pen.box(INK, -0.25, 1.5, 0.4, 1.62)
    pen.box(INK, 0.62, 0.9, 0.82, 1.3)
    for x, y, radius in ((0.75, 1.5, 0.15), (0.9, 1.78, 0.19), (1.0, 2.1, 0.22)):
        pen.disc((236, 236, 240), x, y, radius)
    pen.polygon(GOLD, (1.0, 0.3), (1.25, 0.22), (1.0, 0.6))
    _wheels(pen, (-0.9, -0.5, 0.08, 0.45, 0.82), 0.2)


def _turkey(pen):
    _table(pen, (50, 130, 80))
    pen.ellipse(SILVER, 0, 0.76, 0.95, 0.18)
    for x in (-0.7, -0.5, 0.62, 0.8):
        pen.disc((110, 190, 80), x, 0.82, 0.12)
    pen.ellipse((150, 78, 28), 0, 1.12, 0.68, 0.46)
    pen.ellipse((206, 124, 50), -0.04, 1.18, 0.6, 0.38)
    for side in (-1, 1):
        pen.ellipse((176, 96, 36), side * 0.5, 1.05, 0.34, 0.2, side * 40)
        pen.line(WHITE, 0.1, (side * 0.66, 1.22), (side * 0.86, 1.48))
        pen.disc(WHITE, side * 0.88, 1.5, 0.09)
    for x, y in ((-0.2, 1.85), (0.15, 1.95)):
        pen.line((230, 230, 230), 0.06, (x, y - 0.25), (x - 0.06, y), (x + 0.04, y + 0.25))


def _carols(pen):
    """An open song book under a lantern, and notes in the air."""
    for x, y in ((-0.85, 1.5), (-0.2, 1.95), (0.5, 1.55)):
        pen.ellipse((255, 230, 130), x, y, 0.2, 0.14, 20)
        pen.line((255, 230, 130), 0.07, (x + 0.17, y), (x + 0.17, y + 0.6), (x + 0.42, y + 0.42))
    pen.line(INK, 0.08, (0, 0.4), (0, 0.08))
    pen.line(INK, 0.08, (-0.4, 0), (0, 0.15), (0.4, 0))
    for side in (-1, 1):
        page = ((0, 0.25), (side * 1.05, 0.45), (side * 1.05, 1.2), (0, 1.0))
        outlined(pen, (255, 252, 236), (170, 50, 50), *page)
        for y in (0.45, 0.62, 0.79):
            pen.line(GREY, 0.04, (side * 0.12, y + 0.02), (side * 0.92, y + 0.18))
    pen.line((150, 40, 40), 0.08, (0, 0.2), (0, 1.05))


# Fair


def _tickets(pen):
    pen.box((250, 214, 90), -0.85, 0, 0.85, 1.9)
    pen.box((70, 50, 60), -0.6, 0.85, 0.6, 1.5)
    pen.disc(SKINS[0], 0, 1.16, 0.2)
    pen.box((60, 140, 200), -0.25, 0.85, 0.25, 0.98)
    pen.box((170, 40, 60), -0.95, 0.72, 0.95, 0.85)
    pen.text((170, 40, 60), -0.74, 0.3, 0.27, "TICKETS")
    for number in range(6):
        colour = WHITE if number % 2 else (226, 50, 70)
        left = -1.05 + 0.35 * number
        pen.box(colour, left, 1.6, left + 0.35, 2.1)
        pen.bowl(colour, left + 0.175, 1.6, 0.175, 0.14)


def _carousel(pen):
    pen.ellipse((150, 60, 110), 0, 0.12, 1.15, 0.2)
    pen.box((250, 214, 120), -0.16, 0.15, 0.16, 1.5)
    for x, y, colour in ((-0.7, 0.7, WHITE), (0.65, 0.8, (190, 130, 80))):
        horse = pen.at(x, y, 0.85)
        horse.line(GOLD, 0.07, (0, -0.7), (0, 0.95))
        horse.ellipse(colour, 0, 0, 0.36, 0.19)
        horse.line(colour, 0.16, (0.25, 0.05), (0.4, 0.4), (0.58, 0.3))
        for dx in (-0.25, -0.12, 0.15, 0.28):
            horse.line(colour, 0.09, (dx, -0.05), (dx * 1.3, -0.45))
        horse.ellipse((220, 50, 90), 0, 0.13, 0.16, 0.09)
    for number in range(6):
        left = -1.2 + 0.4 * number
        colour = CREAM if number % 2 else (232, 70, 140)
        pen.polygon(colour, (left, 1.45), (left + 0.4, 1.45), (0, 2.3))
        pen.bowl(colour, left + 0.2, 1.46, 0.2, 0.16)
    pen.disc(GOLD, 0, 2.36, 0.1)


def _prizes(pen):
    """A shooting gallery: targets and rows of plush ducks."""
    pen.box((70, 50, 110), -1.05, 0, 1.05, 2.0)
    for x in (-0.65, 0, 0.65):
        duck = pen.at(x, 1.1, 0.8)
        duck.ellipse((255, 214, 60), 0, 0.12, 0.34, 0.22)
        duck.disc((255, 214, 60), 0.2, 0.42, 0.19)
        duck.polygon((240, 120, 30), (0.36, 0.46), (0.36, 0.34), (0.55, 0.38))
        duck.disc(INK, 0.24, 0.46, 0.04)
        for colour, radius in (((220, 40, 50), 0.28), (WHITE, 0.19), ((220, 40, 50), 0.1)):
            pen.disc(colour, x, 0.42, radius)
    pen.box((196, 140, 84), -1.12, 0.85, 1.12, 1.0)
    for number in range(6):
        left = -1.14 + 0.38 * number
        pen.box(WHITE if number % 2 else (60, 110, 220), left, 1.75, left + 0.38, 2.2)


def _cotton_candy(pen):
    for x, colour in ((-0.52, (255, 168, 208)), (0.52, (164, 208, 255))):
        pen.polygon(WHITE, (x - 0.14, 1.0), (x + 0.14, 1.0), (x, 0))
        for dx, dy in (*around(7, 0.33), (0, 0)):
            pen.disc(shade(colour, 0.07), x + dx, 1.43 + dy * 1.2, 0.28)
        for dx, dy in (*around(6, 0.24, 60), (0, 0.1)):
            pen.disc(colour, x + dx - 0.04, 1.48 + dy * 1.2, 0.22)


def _coaster(pen):
    track = [(x, 1.15 + 0.75 * math.sin(x * 2.5 + 0.6)) for x in np.linspace(-1.2, 1.2, 25)]
    pen.lines((236, 236, 242), 0.05, [((x, 0), (x, y)) for x, y in track[::2]])
    for y in (0.3, 0.7):
        pen.line((236, 236, 242), 0.04, (-1.2, y), (1.2, y))
    pen.line((214, 40, 44), 0.14, *track)
    for number, colour in ((2, BRIGHT[3]), (5, BRIGHT[1]), (8, BRIGHT[3])):
        x, y = track[number]
        slope = 1.9 * math.cos(x * 2.5 + 0.6)
        car = pen.at(x, y, 1, math.degrees(math.atan(slope)))
        car.box(colour, -0.17, 0.06, 0.17, 0.32)
        car.disc(SKINS[0], 0, 0.4, 0.11)


def _ferris_wheel(pen):
    for x in (-0.6, 0.6):
        pen.line((90, 90, 150), 0.12, (0, 1.25), (x, 0))
    spokes = around(8, 0.98, 12)
    pen.lines((130, 130, 190), 0.05, [((0, 1.25), (x, y + 1.25)) for x, y in spokes])
    pen.ring((90, 90, 160), 0.1, 0, 1.25, 0.98, 0.98)
    for number, (x, y) in enumerate(spokes):
        pen.box(BRIGHT[number % 5], x - 0.16, y + 1.02, x + 0.16, y + 1.26)
        pen.dome(BRIGHT[number % 5], x, y + 1.24, 0.16, 0.14)
    pen.disc(GOLD, 0, 1.25, 0.14)


def _fair_lights(pen):
    """A round tent that is lit up with strings of bulbs."""
    pen.box((250, 220, 160), -0.85, 0, 0.85, 0.75)
    pen.polygon((120, 30, 70), (-0.2, 0), (0.2, 0), (0, 0.7))
    for number in range(6):
        left = -1.05 + 0.35 * number
        colour = (255, 236, 190) if number % 2 else (214, 50, 96)
        pen.polygon(colour, (left, 0.75), (left + 0.35, 0.75), (0, 1.5))
    for row in range(3):
        for number in range(9):
            x = -1.12 + 0.28 * number
            y = 1.3 + 0.4 * row + 0.4 * x * x
            colour = ((255, 226, 110), (255, 120, 130), (130, 230, 255))[(number + row) % 3]
            pen.disc(colour, x, y, 0.1)


# Fireworks


def _ribbons(pen):
    """A house's porch with ribbons and bunting."""
    pen.box((240, 240, 244), -1.0, 0.25, 1.0, 1.55)
    pen.polygon((96, 106, 130), (-1.2, 1.5), (-0.8, 2.1), (0.8, 2.1), (1.2, 1.5))
    pen.box((60, 80, 130), -0.22, 0.25, 0.22, 1.1)
    for x in (-0.65, 0.65):
        pen.box((110, 150, 190), x - 0.2, 0.6, x + 0.2, 1.1)
    pen.box((190, 180, 170), -1.15, 0, 1.15, 0.25)
    for number, x in enumerate((-0.84, -0.28, 0.28, 0.84)):
        for radius, colour in ((0.28, (206, 36, 48)), (0.19, WHITE), (0.1, (36, 60, 150))):
            pen.bowl(colour, x, 1.5, radius, radius * 1.2)
        pen.line(((206, 36, 48), (36, 60, 150))[number % 2], 0.07, (x, 0.25), (x + 0.06, 0))
    for x in (-1.05, 1.05):
        pen.line(WHITE, 0.12, (x, 0.25), (x, 1.5))
        for number in range(4):
            y = 0.35 + 0.3 * number
            pen.line((206, 36, 48), 0.08, (x - 0.07, y), (x + 0.07, y + 0.14))


def _drum(pen):
    for x in (-0.95, 0.95):
        pen.line((214, 170, 110), 0.1, (x, 2.1), (x * 0.2, 1.35))
        pen.disc(CREAM, x * 0.2, 1.35, 0.1)
    pen.box((206, 36, 48), -0.9, 0.25, 0.9, 1.2)
    pen.ellipse((206, 36, 48), 0, 0.25, 0.9, 0.2)
    for start in (-0.9, -0.45, 0, 0.45):
        pen.line((255, 220, 120), 0.06, (start, 1.12), (start + 0.22, 0.2), (start + 0.45, 1.12))
    pen.ring((36, 60, 150), 0.16, 0, 0.3, 0.9, 0.2, 180, 360)
    pen.ellipse((36, 60, 150), 0, 1.2, 0.95, 0.26)
    pen.ellipse((250, 244, 228), 0, 1.23, 0.84, 0.2)


def _grill(pen):
    for x in (-0.55, 0.55):
        pen.line(GREY, 0.1, (x * 0.6, 0.7), (x, 0))
    pen.bowl((36, 36, 42), 0, 1.0, 0.95, 0.62)
    pen.ellipse(GREY, 0, 1.0, 0.98, 0.14)
    for x in (-0.5, 0, 0.5):
        pen.ellipse((150, 66, 40), x, 1.05, 0.25, 0.11)
        pen.line((90, 40, 24), 0.04, (x - 0.12, 1.06), (x + 0.12, 1.06))
    for x in (-0.45, 0.05, 0.5):
        curl = ((x, 1.3), (x + 0.14, 1.55), (x - 0.06, 1.8), (x + 0.1, 2.1))
        pen.line((226, 226, 230), 0.12, *curl)


def _watermelon(pen):
    """Slices of watermelon on a checked blanket."""
    for row in range(3):
        for column in range(7):
            left, low = -1.2 + 0.34 * column + 0.08 * row, 0.16 * row
            colour = WHITE if (row + column) % 2 else (70, 120, 210)
            pen.box(colour, left, low, left + 0.34, low + 0.16)
    for x, y, size, turn in ((-0.35, 0.95, 0.85, 10), (0.55, 0.8, 0.6, -14)):
        melon = pen.at(x, y, size, turn)
        melon.bowl((30, 120, 50), 0, 0, 1, 0.95)
        melon.bowl((226, 240, 200), 0, 0, 0.88, 0.83)
        melon.bowl((240, 64, 76), 0, 0, 0.8, 0.75)
        for dx, dy in ((-0.45, -0.2), (-0.15, -0.4), (0.15, -0.18), (0.42, -0.3), (0.1, -0.6)):
            melon.ellipse(INK, dx, dy, 0.05, 0.08)


def _sparklers(pen):
    for x, lean in ((-0.55, -0.1), (0.55, 0.1)):
        pen.line(SILVER, 0.06, (x, 0), (x + lean, 1.4))
        spark = pen.at(x + lean, 1.5)
        ends = [
            (dx, dy)
            for pair in zip(around(9, 0.62), around(9, 0.4, 110), strict=True)
            for dx, dy in pair
        ]
        spark.lines((255, 214, 90), 0.06, [((0, 0), end) for end in ends])
        for dx, dy in ends[::2]:
            spark.disc((255, 244, 190), dx, dy, 0.06)
        spark.disc(WHITE, 0, 0, 0.18)


def _rocket(pen):
    """A firework rocket that takes off."""
    for x, y, radius in ((-0.3, 0.1, 0.26), (0.3, 0.1, 0.26), (0, 0.18, 0.3)):
        pen.disc((196, 196, 206), x, y, radius)
    rocket = pen.at(0, 0.2, 1, -8)
    rocket.line((222, 176, 110), 0.07, (0.3, 0.1), (0.3, 1.4))
    rocket.polygon((255, 120, 40), (-0.2, 0.7), (0.2, 0.7), (0, 0.05))
    rocket.polygon((255, 236, 130), (-0.1, 0.7), (0.1, 0.7), (0, 0.35))
    rocket.box((40, 90, 220), -0.28, 0.7, 0.28, 1.65)
    for y in (0.85, 1.3):
        rocket.box(WHITE, -0.28, y, 0.28, y + 0.16)
    rocket.polygon((230, 40, 56), (-0.4, 1.65), (0.4, 1.65), (0, 2.3))
    for side in (-1, 1):
        rocket.polygon((230, 40, 56), (side * 0.28, 0.7), (side * 0.28, 1.1), (side * 0.6, 0.6))


def _finale(pen):
    """Many fireworks at once."""
    bursts = (
        (-0.55, 2.4, 0.62, (110, 196, 255)),
        (0.6, 2.5, 0.6, (255, 96, 110)),
        (0.05, 1.6, 0.68, (255, 226, 90)),
        (-0.85, 1.2, 0.45, (130, 255, 150)),
        (0.85, 1.3, 0.48, (240, 130, 255)),
    )
    for x, y, radius, colour in bursts:
        burst = pen.at(x, y, radius)
        ends = around(12)
        burst.lines(colour, 0.11, [((dx * 0.25, dy * 0.25), (dx, dy)) for dx, dy in ends])
        for dx, dy in ends:
            burst.disc(mix(colour, WHITE, 0.5), dx, dy, 0.1)
        burst.disc(WHITE, 0, 0, 0.14)


# Football


def _stadium(pen):
    """The stadium seen from outside, with floodlights."""
    for x in (-0.95, 0.95):
        pen.line(GREY, 0.1, (x, 0), (x, 2.0))
        pen.box((90, 94, 110), x - 0.3, 1.9, x + 0.3, 2.35)
        for dx in (-0.18, 0, 0.18):
            pen.disc((255, 250, 200), x + dx, 2.22, 0.08)
            pen.disc((255, 250, 200), x + dx, 2.03, 0.08)
    pen.ellipse((196, 60, 60), 0, 1.1, 1.15, 0.4)
    pen.ellipse((60, 170, 70), 0, 1.06, 0.85, 0.22)
    pen.polygon(
        (236, 236, 240), (-1.15, 1.1), (-1.05, 0), (1.05, 0), (1.15, 1.1), (0.7, 0.8), (-0.7, 0.8)
    )
    for x in (-0.8, -0.4, 0, 0.4, 0.8):
        pen.dome((80, 84, 110), x, 0, 0.14, 0.5)


def _whistle(pen):
    """A big referee's whistle on a ribbon."""
    pen.line((30, 60, 190), 0.12, *_whistle_ribbon())
    pen.ring(GOLD, 0.12, -0.35, 1.38, 0.17, 0.17)
    pen.disc((120, 90, 10), -0.35, 0.62, 0.67)
    pen.polygon((120, 90, 10), (-0.45, 1.3), (1.2, 1.3), (1.2, 0.7), (0.1, 0.55))
    pen.disc(GOLD, -0.35, 0.62, 0.6)
    pen.polygon(GOLD, (-0.42, 1.23), (1.14, 1.23), (1.14, 0.77), (0.1, 0.62))
    pen.box(INK, 0.2, 1.02, 0.5, 1.24)
    pen.disc((120, 90, 10), -0.35, 0.6, 0.3)
    pen.disc((240, 240, 230), -0.28, 0.54, 0.18)


def _whistle_ribbon():
    """A loop that starts and ends at the whistle's ring."""
    angles = np.linspace(-2.4, 2.4, 17) + math.pi / 2
    return [(-0.1 + 0.6 * math.cos(a), 1.95 + 0.5 * math.sin(a)) for a in angles]


def _football(pen):
    ball = pen.at(0, 1.0)
    ball.disc(INK, 0, 0, 1.0)
    ball.disc(WHITE, 0, 0, 0.94)
    ball.polygon(INK, *around(5, 0.34))
    for (x, y), (ox, oy) in zip(around(5, 0.34), around(5, 0.94), strict=True):
        ball.line(INK, 0.06, (x, y), (ox * 0.75, oy * 0.75))
    for number, (x, y) in enumerate(around(5, 0.8)):
        patch = [(x + dx, y + dy) for dx, dy in around(5, 0.24, 270 + 72 * number)]
        ball.polygon(
            INK, *[(px * 0.98, py * 0.98) for px, py in patch if math.hypot(px, py) < 0.96]
        )
    ball.ring(INK, 0.06, 0, 0, 0.97, 0.97)


def _goal(pen):
    net = (226, 228, 236)
    pen.lines(net, 0.035, [((x, 0.05), (x, 1.55)) for x in np.linspace(-1.1, 1.1, 12)])
    pen.lines(net, 0.035, [((-1.1, y), (1.1, y)) for y in np.linspace(0.1, 1.5, 8)])
    pen.line(GREY, 0.16, (-1.12, 0), (-1.12, 1.6), (1.12, 1.6), (1.12, 0))
    pen.line(WHITE, 0.12, (-1.12, 0), (-1.12, 1.6), (1.12, 1.6), (1.12, 0))
    pen.box((240, 140, 30), -0.18, 0.45, 0.18, 0.95)
    pen.disc(SKINS[1], 0, 1.13, 0.17)
    for side in (-1, 1):
        pen.line((240, 140, 30), 0.11, (side * 0.15, 0.88), (side * 0.55, 1.2))
        pen.line(INK, 0.13, (side * 0.1, 0.45), (side * 0.2, 0))


def _hot_dogs(pen):
    """Two hot dogs in paper trays."""
    for x, y, size in ((0.1, 1.15, 0.95), (-0.1, 0.3, 1.0)):
        dog = pen.at(x, y, size, 8)
        dog.ellipse((170, 110, 50), 0, 0.22, 1.05, 0.42)
        dog.ellipse((232, 178, 100), 0, 0.24, 1.0, 0.37)
        dog.line((176, 60, 40), 0.3, (-0.95, 0.42), (0.95, 0.42))
        wave = [(-0.8 + 0.2 * k, 0.42 + 0.09 * (-1) ** k) for k in range(9)]
        dog.line((255, 216, 40), 0.08, *wave)
        dog.ellipse((244, 196, 120), 0, 0.06, 0.98, 0.23)


def _scoreboard(pen):
    for x in (-0.75, 0.75):
        pen.line(GREY, 0.14, (x, 0), (x, 0.9))
    pen.box((90, 96, 110), -1.15, 0.75, 1.15, 2.2)
    pen.box((16, 26, 30), -1.05, 0.85, 1.05, 2.1)
    pen.text((240, 240, 240), -0.9, 1.74, 0.2, "HOME")
    pen.text((240, 240, 240), 0.32, 1.74, 0.2, "AWAY")
    pen.text((255, 190, 40), -0.85, 1.0, 0.58, "3:1")


def _trophy(pen):
    dark = (196, 142, 20)
    pen.box((80, 50, 34), -0.55, 0, 0.55, 0.32)
    pen.box(GOLD, -0.3, 0.14, 0.3, 0.22)
    pen.polygon(dark, (-0.3, 0.32), (0.3, 0.32), (0.1, 0.7), (-0.1, 0.7))
    for x in (-0.72, 0.72):
        pen.ring(dark, 0.14, x, 1.55, 0.32, 0.34)
    pen.bowl(dark, 0, 2.0, 0.78, 1.4)
    pen.bowl(GOLD, -0.05, 2.0, 0.7, 1.3)
    pen.ellipse((255, 236, 150), 0, 2.0, 0.78, 0.15)
    star(pen, WHITE, 0, 1.45, 0.32)


# Halloween


def _draw_pumpkin(pen):
    pen.box((80, 110, 44), -0.1, 1.3, 0.12, 1.65)
    for x, part in ((-0.62, 0.22), (0.62, 0.22), (-0.32, 0.1), (0.32, 0.1), (0, 0)):
        pen.ellipse(shade((246, 130, 24), part), x, 0.7, 0.45, 0.7)


def _patch(pen):
    """A heap of pumpkins with leaves."""
    pen.ellipse((70, 110, 40), 0, 0.06, 1.25, 0.18)
    for x, y, size in (
        (-0.62, 0.72, 0.5),
        (0.6, 0.72, 0.48),
        (-0.75, 0, 0.5),
        (0.75, 0, 0.5),
        (0, 0.1, 0.62),
    ):
        _draw_pumpkin(pen.at(x, y, size))
    for x, turn in ((-1.1, 30), (0.35, -20), (1.15, 20)):
        pen.ellipse((96, 150, 54), x, 0.1, 0.2, 0.1, turn)


def _carving(pen):
    """One big jack-o'-lantern."""
    _draw_pumpkin(pen.at(0, 0, 1.1))
    face = (255, 240, 130)
    for x in (-0.42, 0.42):
        pen.polygon(face, (x - 0.24, 0.88), (x + 0.24, 0.88), (x, 1.26))
    pen.polygon(face, (-0.1, 0.66), (0.1, 0.66), (0, 0.84))
    low = ((0.5, 0.2), (-0.5, 0.2), (-0.8, 0.6))
    pen.polygon(
        face, (-0.4, 0.42), (-0.25, 0.56), (0, 0.4), (0.25, 0.56), (0.4, 0.42), (0.8, 0.6), *low
    )


def _witch_hat(pen):
    pen.ellipse((36, 20, 54), 0, 0.3, 1.2, 0.3)
    cone = ((-0.66, 0.34), (0.66, 0.34), (0.3, 1.4), (0.62, 2.1), (-0.1, 1.75))
    pen.polygon((66, 36, 96), *cone)
    pen.bowl((66, 36, 96), 0, 0.35, 0.66, 0.16)
    pen.polygon((130, 226, 60), (-0.66, 0.36), (0.66, 0.36), (0.55, 0.68), (-0.5, 0.68))
    pen.box(GOLD, -0.2, 0.3, 0.2, 0.74)
    pen.box((130, 226, 60), -0.1, 0.41, 0.1, 0.63)


def _mansion(pen):
    wall, roof, lit = (84, 70, 110), (40, 30, 56), (255, 220, 90)
    pen.box(wall, -0.85, 0, 0.5, 1.2)
    pen.polygon(roof, (-1.05, 1.2), (-0.2, 1.9), (0.7, 1.2))
    pen.box(shade(wall, 0.2), 0.4, 0, 1.0, 1.75)
    pen.polygon(roof, (0.28, 1.75), (0.7, 2.55), (1.12, 1.75))
    pen.dome((26, 18, 30), -0.2, 0, 0.2, 0.55)
    for x, y in ((-0.68, 0.75), (0.1, 0.75), (-0.68, 0.2), (0.6, 1.25), (0.6, 0.6)):
        pen.box(lit, x, y, x + 0.22, y + 0.28)
        pen.line(roof, 0.04, (x + 0.11, y), (x + 0.11, y + 0.28))


def _ghosts(pen):
    for x, y, size in ((-0.55, 0.3, 0.85), (0.58, 0.0, 1.05)):
        ghost = pen.at(x, y, size)
        hem = ((0.52, 0.1), (0.26, 0.3), (0, 0.1), (-0.26, 0.3), (-0.52, 0.1))
        ghost.polygon((246, 246, 255), (-0.5, 1.4), (0.5, 1.4), *hem)
        ghost.dome((246, 246, 255), 0, 1.38, 0.5, 0.56)
        ghost.line((246, 246, 255), 0.2, (-0.45, 1.1), (-0.72, 1.35))
        ghost.line((246, 246, 255), 0.2, (0.45, 1.1), (0.72, 1.35))
        for side in (-0.18, 0.18):
            ghost.ellipse(INK, side, 1.45, 0.09, 0.14)
        ghost.ellipse(INK, 0, 1.12, 0.12, 0.16)


def _bucket(pen):
    """A bucket full of sweets."""
    pen.ring(GREY, 0.09, 0, 1.15, 0.8, 0.95, 0, 180)
    for number in range(8):
        x = -0.62 + 0.178 * number
        sweet = pen.at(x, 1.3 + 0.14 * (number % 2))
        colour = BRIGHT[number % 5]
        sweet.polygon(colour, (-0.3, 0.14), (-0.3, -0.14), (0.3, 0.14), (0.3, -0.14))
        sweet.disc(mix(colour, WHITE, 0.3), 0, 0, 0.15)
    pen.polygon((60, 40, 76), (-0.88, 1.2), (0.88, 1.2), (0.6, 0), (-0.6, 0))
    pen.line((246, 130, 24), 0.14, (-0.88, 1.16), (0.88, 1.16))
    pen.line((246, 130, 24), 0.12, (-0.62, 0.08), (0.62, 0.08))
    star(pen, (255, 220, 80), 0, 0.6, 0.34)


def _bats(pen):
    for x, y, size in (
        (-0.45, 2.5, 0.62),
        (0.6, 1.9, 0.68),
        (-0.5, 1.3, 0.66),
        (0.45, 0.8, 0.55),
    ):
        bat = pen.at(x, y, size)
        for side in (-1, 1):
            wing = (
                (0, 0.2),
                (0.5, 0.5),
                (1.15, 0.35),
                (0.95, -0.1),
                (0.7, 0.05),
                (0.45, -0.2),
                (0, -0.2),
            )
            edge = [(side * wx, wy) for wx, wy in wing]
            bat.polygon((66, 36, 84), *edge)
            bat.line((176, 120, 200), 0.06, *edge[:4])
            bat.polygon((66, 36, 84), (side * 0.02, 0.2), (side * 0.2, 0.2), (side * 0.16, 0.5))
        bat.ellipse((66, 36, 84), 0, 0, 0.22, 0.34)
        for side in (-0.08, 0.08):
            bat.disc((255, 226, 80), side, 0.14, 0.06)


# Market


def _market_gate(pen):
    for x in (-1.0, 1.0):
        pen.box((60, 110, 80), x - 0.14, 0, x + 0.14, 1.6)
    pen.dome((60, 110, 80), 0, 1.8, 1.1, 0.6)
    pen.box((36, 96, 66), -1.22, 1.45, 1.22, 1.98)
    pen.text((255, 244, 200), -0.95, 1.58, 0.3, "MARKET")
    for x in (-1.0, 1.0):
        pen.box((150, 80, 50), x - 0.24, 0, x + 0.24, 0.28)
        pen.disc((70, 160, 80), x, 0.44, 0.26)


def _draw_awning(pen, colour, low, high):
    for number in range(6):
        left, top = -1.15 + 0.383 * number, -0.95 + 0.317 * number
        stripe = CREAM if number % 2 else colour
        corners = ((left, low), (left + 0.383, low), (top + 0.317, high), (top, high))
        pen.polygon(stripe, *corners)
        pen.bowl(stripe, left + 0.19, low, 0.19, 0.12)


def _fruit(pen):
    """A stall with crates of fruit."""
    for x in (-0.95, 0.95):
        pen.line(DARK_WOOD, 0.1, (x, 0), (x, 1.9))
    for column, colour in enumerate(((226, 40, 44), (250, 156, 30), (126, 196, 50))):
        left = -1.0 + 0.67 * column
        for number in range(9):
            x, y = left + 0.14 + 0.19 * (number % 3), 0.72 + 0.17 * (number // 3)
            pen.disc(shade(colour, 0.15), x, y - 0.02, 0.15)
            pen.disc(colour, x, y, 0.13)
        pen.box((176, 122, 70), left, 0.2, left + 0.63, 0.7)
        pen.line(DARK_WOOD, 0.04, (left, 0.45), (left + 0.63, 0.45))
    _draw_awning(pen, (50, 160, 80), 1.6, 2.2)


def _flowers(pen):
    """Buckets of tulips."""
    colours = ((240, 60, 120), (255, 200, 50), (180, 90, 220))
    for x, colour in zip((-0.72, 0, 0.72), colours, strict=True):
        for lean in (-0.3, -0.1, 0.1, 0.3):
            height = 1.75 - abs(lean)
            pen.line((60, 140, 60), 0.06, (x, 0.6), (x + lean, height))
            pen.bowl(colour, x + lean, height + 0.16, 0.13, 0.24)
            points = ((-0.13, 0.15), (-0.13, 0.32), (0, 0.16), (0.13, 0.32), (0.13, 0.15))
            pen.polygon(colour, *[(x + lean + dx, height + dy) for dx, dy in points])
        for turn in (60, 120):
            pen.ellipse((80, 160, 70), x, 0.9, 0.32, 0.09, turn)
        pen.polygon(
            (130, 150, 166), (x - 0.32, 0.65), (x + 0.32, 0.65), (x + 0.24, 0), (x - 0.24, 0)
        )
        pen.line((170, 188, 200), 0.07, (x - 0.32, 0.62), (x + 0.32, 0.62))


def _bread(pen):
    """Loaves in a basket."""
    for x, turn in ((-0.62, 14), (-0.22, 5), (0.2, -4), (0.6, -13)):
        loaf = pen.at(x, 0.95, 1, turn)
        loaf.ellipse((160, 96, 40), 0, 0.2, 0.25, 0.85)
        loaf.ellipse((230, 168, 88), -0.02, 0.22, 0.2, 0.79)
        for y in (0.2, 0.45, 0.7):
            loaf.line((250, 214, 150), 0.07, (-0.12, y), (0.12, y + 0.12))
    pen.polygon((176, 116, 56), (-1.1, 0.85), (1.1, 0.85), (0.85, 0), (-0.85, 0))
    for row in range(4):
        y = 0.12 + 0.2 * row
        half = 0.88 + 0.06 * row
        pen.line((130, 80, 36), 0.05, (-half, y), (half, y))
    pen.line((206, 150, 84), 0.13, (-1.1, 0.85), (1.1, 0.85))


def _cheese(pen):
    """A wheel of cheese with a wedge in front."""
    pen.ellipse((200, 140, 30), 0.15, 1.1, 0.98, 0.5)
    pen.box((236, 180, 50), -0.83, 1.1, 1.13, 1.5)
    pen.ellipse((255, 222, 110), 0.15, 1.5, 0.98, 0.42)
    pen.polygon((255, 206, 66), (-1.15, 0), (0.75, 0), (0.75, 0.75), (-1.15, 0.5))
    pen.polygon((255, 232, 140), (-1.15, 0.5), (0.75, 0.75), (0.2, 1.1))
    for x, y, radius in (
        (-0.7, 0.24, 0.13),
        (-0.1, 0.32, 0.17),
        (0.45, 0.26, 0.14),
        (0.3, 0.62, 0.08),
    ):
        pen.disc((206, 150, 30), x, y, radius)


def _guitar(pen):
    """A guitar that leans on its open case."""
    pen.polygon((60, 44, 50), (-1.1, 0), (1.1, 0), (0.95, 0.3), (-0.95, 0.3))
    pen.ellipse((150, 40, 60), 0, 0.22, 0.85, 0.12)
    guitar = pen.at(-0.1, 0.15, 0.95, -14)
    guitar.box((80, 46, 24), -0.1, 1.3, 0.1, 2.3)
    guitar.box((56, 32, 18), -0.17, 2.25, 0.17, 2.6)
    for colour, bigger in (((130, 66, 20), 0.05), ((220, 136, 56), 0)):
        guitar.ellipse(colour, 0, 0.5, 0.62 + bigger, 0.5 + bigger)
        guitar.ellipse(colour, 0, 1.15, 0.46 + bigger, 0.42 + bigger)
    guitar.disc((56, 28, 14), 0, 0.95, 0.2)
    guitar.box((80, 46, 24), -0.25, 0.36, 0.25, 0.46)
    guitar.lines((240, 230, 210), 0.025, [((x, 0.4), (x, 2.4)) for x in (-0.05, 0.05)])


def _bus(pen):
    pen.box((140, 24, 30), -1.18, 0.2, 1.18, 1.95)
    pen.box((214, 44, 48), -1.14, 0.24, 1.14, 1.9)
    pen.box(CREAM, -1.14, 0.95, 1.14, 1.1)
    for y in (1.2, 0.45):
        for x in (-1.02, -0.5, 0.02):
            pen.box((196, 228, 246), x, y, x + 0.42, y + 0.45)
    pen.box((70, 60, 70), 0.58, 0.24, 1.0, 0.9)
    pen.box((196, 228, 246), 0.58, 1.2, 1.02, 1.65)
    _wheels(pen, (-0.7, 0.35), 0.24)


# Snow


def _cabin(pen):
    pen.box((150, 94, 54), -0.9, 0, 0.9, 1.0)
    for y in (0.2, 0.4, 0.6, 0.8):
        pen.line((106, 64, 34), 0.05, (-0.9, y), (0.9, y))
    pen.box((120, 110, 110), 0.42, 1.2, 0.68, 2.0)
    outlined(pen, (250, 252, 255), (150, 176, 210), (-1.15, 0.95), (0, 1.8), (1.15, 0.95))
    pen.box((80, 46, 26), -0.2, 0, 0.2, 0.68)
    for x in (-0.55, 0.55):
        pen.box((255, 224, 120), x - 0.17, 0.38, x + 0.17, 0.72)
        pen.line((80, 46, 26), 0.05, (x, 0.38), (x, 0.72))
    for x, y, radius in ((0.6, 2.15, 0.14), (0.72, 2.38, 0.18)):
        pen.disc((206, 210, 220), x, y, radius)


def _fort(pen):
    """A wall of snow blocks with battlements and a heap of snowballs."""
    edge = (98, 136, 190)
    for row in range(4):
        for column in range(5):
            left = -1.1 + 0.44 * column
            if row < 3 or column % 2 == 0:
                low = 0.4 * row
                corners = (
                    (left, low),
                    (left + 0.44, low),
                    (left + 0.44, low + 0.4),
                    (left, low + 0.4),
                )
                outlined(pen, (190, 216, 244), edge, *corners)
    pen.dome((84, 110, 156), 0, 0, 0.3, 0.62)
    for x, y in ((0.75, 0.12), (1.05, 0.12), (0.9, 0.34)):
        pen.disc(edge, x, y, 0.18)
        pen.disc(WHITE, x, y + 0.01, 0.15)


def _snowman(pen):
    for y, radius in ((0.6, 0.68), (1.45, 0.48), (2.05, 0.34)):
        pen.disc((140, 164, 200), 0, y, radius)
        pen.disc((252, 253, 255), -0.03, y + 0.02, radius - 0.06)
    for x in (-1, 1):
        pen.line(DARK_WOOD, 0.07, (x * 0.4, 1.5), (x * 1.05, 1.95))
        pen.disc(INK, x * 0.13, 2.14, 0.05)
    pen.polygon((255, 134, 24), (0, 2.1), (0, 1.98), (0.45, 2.0))
    pen.line((206, 36, 60), 0.17, (-0.36, 1.76), (0.36, 1.76))
    pen.line((206, 36, 60), 0.17, (0.22, 1.76), (0.32, 1.3))
    pen.line(INK, 0.1, (-0.42, 2.32), (0.42, 2.32))
    pen.box(INK, -0.27, 2.32, 0.27, 2.68)
    for y in (1.2, 1.45):
        pen.disc(INK, 0, y, 0.06)


def _sled(pen):
    """A wooden sled on a slope."""
    pen.polygon((206, 222, 244), (-1.25, 1.15), (1.25, 0), (-1.25, 0))
    sled = pen.at(-0.05, 0.62, 1, -24)
    sled.line((150, 40, 36), 0.11, (-1.0, 0.08), (0.75, 0.08))
    sled.ring((150, 40, 36), 0.11, 0.75, 0.34, 0.26, 0.26, 270, 450)
    for x in (-0.7, 0, 0.6):
        sled.line((150, 40, 36), 0.1, (x, 0.1), (x, 0.5))
    for y in (0.52, 0.66):
        sled.line((206, 140, 74), 0.12, (-1.0, y), (0.9, y))
    sled.line((60, 120, 70), 0.05, (0.9, 0.6), (1.2, 0.9), (0.6, 1.2))


def _skates(pen):
    """A pair of ice skates on a frozen pond."""
    pen.ellipse((130, 190, 226), 0, 0.22, 1.25, 0.36)
    pen.ellipse((186, 226, 244), 0, 0.25, 1.12, 0.28)
    for x, y, size in ((0.3, 0.45, 0.95), (-0.4, 0.2, 1.05)):
        boot = pen.at(x, y, size)
        shape = ((-0.4, 1.3), (0.08, 1.3), (0.12, 0.72), (0.62, 0.58), (0.64, 0.3), (-0.44, 0.3))
        outlined(boot, (236, 120, 150), (130, 40, 70), *shape)
        boot.line(WHITE, 0.13, (-0.42, 1.26), (0.1, 1.26))
        for dy in (0.75, 0.92, 1.08):
            boot.line(WHITE, 0.05, (-0.02, dy), (0.14, dy - 0.05))
        for dx in (-0.25, 0.4):
            boot.line(GREY, 0.08, (dx, 0.3), (dx, 0.1))
        boot.line((90, 96, 110), 0.08, (-0.5, 0.08), (0.72, 0.08), (0.8, 0.18))


def _cocoa(pen):
    """A steaming mug with marshmallows."""
    pen.ring((60, 130, 140), 0.2, 0.75, 0.75, 0.36, 0.4)
    pen.box((60, 130, 140), -0.85, 0.12, 0.75, 1.35)
    pen.bowl((60, 130, 140), -0.05, 0.14, 0.8, 0.16)
    for x in (-0.6, -0.2, 0.2, 0.6):
        star(pen, WHITE, x - 0.05, 0.7, 0.17)
    pen.ellipse((210, 226, 226), -0.05, 1.35, 0.8, 0.2)
    pen.ellipse((104, 60, 34), -0.05, 1.35, 0.7, 0.15)
    for x, turn in ((-0.35, 12), (0.05, -14), (0.35, 8)):
        pen.at(x, 1.36, 1, turn).box(WHITE, -0.14, -0.05, 0.14, 0.18)
    for x in (-0.4, 0, 0.4):
        pen.line(
            (244, 244, 248), 0.08, (x, 1.7), (x + 0.12, 1.95), (x - 0.04, 2.15), (x + 0.08, 2.4)
        )


def _stone_fireplace(pen):
    """A fireplace of grey stones with wool socks drying above it."""
    pen.box((96, 98, 108), -1.1, 0, 1.1, 1.6)
    for row in range(5):
        for column in range(5):
            x = -0.9 + 0.44 * column + 0.2 * (row % 2)
            if x < 1.0:
                pen.ellipse(
                    ((160, 162, 170), (136, 138, 150))[column % 2], x, 0.17 + 0.31 * row, 0.2, 0.13
                )
    pen.box((26, 20, 24), -0.62, 0, 0.62, 0.85)
    pen.line((110, 66, 34), 0.16, (-0.45, 0.1), (0.45, 0.1))
    for x, height in ((-0.25, 0.55), (0.25, 0.5), (0, 0.75)):
        _flame(pen, x, 0.1, height)
    pen.box((104, 66, 40), -1.25, 1.55, 1.25, 1.72)
    pen.line(INK, 0.03, (-1.1, 2.3), (0, 2.2), (1.1, 2.3))
    for x, wool in (
        (-0.75, (90, 140, 190)),
        (-0.2, (90, 140, 190)),
        (0.4, (220, 170, 80)),
        (0.9, (220, 170, 80)),
    ):
        _draw_stocking(pen.at(x, 2.26, 0.75), wool, shade(wool, 0.25))


# Wedding


def _church(pen):
    wall, roof = (246, 240, 228), (120, 96, 110)
    pen.box(wall, -0.95, 0, 0.95, 0.85)
    pen.polygon(roof, (-1.1, 0.85), (-0.75, 1.3), (0.75, 1.3), (1.1, 0.85))
    pen.box(shade(wall, 0.05), -0.32, 0, 0.32, 1.65)
    pen.polygon(roof, (-0.4, 1.65), (0, 2.3), (0.4, 1.65))
    pen.line(INK, 0.06, (0, 2.3), (0, 2.6))
    pen.line(INK, 0.06, (-0.1, 2.5), (0.1, 2.5))
    pen.box((110, 66, 40), -0.18, 0, 0.18, 0.4)
    pen.dome((110, 66, 40), 0, 0.4, 0.18, 0.2)
    pen.disc(GOLD, 0, 1.25, 0.16)
    for x in (-0.65, 0.65):
        pen.box((90, 140, 206), x - 0.12, 0.25, x + 0.12, 0.5)
        pen.dome((90, 140, 206), x, 0.5, 0.12, 0.16)


def _bouquet(pen):
    """Roses tied with a bow."""
    pen.polygon((90, 160, 90), (-0.5, 1.0), (0.5, 1.0), (0.12, 0), (-0.12, 0))
    places = (*around(7, 0.68), *around(4, 0.32, 45))
    for number, (x, y) in enumerate(places):
        colour = ((255, 130, 170), (255, 244, 246), (236, 60, 96))[number % 3]
        pen.disc(shade(colour, 0.18), x, y + 1.4, 0.29)
        pen.disc(colour, x, y + 1.42, 0.25)
        pen.ring(shade(colour, 0.18), 0.05, x, y + 1.42, 0.12, 0.12, 20, 300)
    for side in (-1, 1):
        pen.ellipse((236, 220, 255), side * 0.24, 0.42, 0.24, 0.13, side * 25)
        pen.line((236, 220, 255), 0.08, (0, 0.4), (side * 0.2, 0.05))


def _vows(pen):
    """Bride and groom under an arch of flowers."""
    for x, y in [(math.cos(t), math.sin(t)) for t in np.linspace(0, math.pi, 13)]:
        pen.disc((110, 170, 100), x * 1.05, 1.2 + y, 0.2)
        pen.disc((250, 150, 186), x * 1.05, 1.2 + y, 0.12)
    for x in (-1.05, 1.05):
        pen.line((110, 170, 100), 0.16, (x, 0), (x, 1.2))
    pen.polygon(WHITE, (-0.55, 1.1), (-0.3, 1.1), (0.0, 0), (-0.9, 0))
    pen.ellipse((236, 240, 250), -0.45, 1.32, 0.3, 0.32)
    pen.disc(SKINS[0], -0.4, 1.35, 0.2)
    pen.dome(HAIRS[3], -0.4, 1.4, 0.2, 0.18)
    pen.box((40, 42, 56), 0.15, 0, 0.65, 1.12)
    pen.polygon(WHITE, (0.3, 1.12), (0.5, 1.12), (0.4, 0.75))
    pen.disc(SKINS[1], 0.4, 1.33, 0.2)
    pen.dome(HAIRS[1], 0.4, 1.38, 0.21, 0.17)
    pen.line(SKINS[0], 0.09, (-0.3, 0.85), (0.2, 0.7))


def _rings(pen):
    """Two gold rings in a velvet box."""
    pen.box((110, 20, 60), -1.0, 0.7, 1.0, 1.9)
    pen.box((150, 40, 90), -0.9, 0.75, 0.9, 1.8)
    for x in (-0.32, 0.32):
        pen.ring((176, 120, 10), 0.2, x, 0.95, 0.46, 0.46)
        pen.ring((255, 214, 60), 0.12, x, 0.95, 0.46, 0.46)
    pen.polygon((200, 240, 255), (0.32, 1.38), (0.08, 1.6), (0.2, 1.75), (0.44, 1.75), (0.56, 1.6))
    pen.box((130, 26, 74), -1.05, 0, 1.05, 0.75)
    pen.box((250, 236, 240), -0.9, 0.6, 0.9, 0.78)


def _wedding_car(pen):
    for number, x in enumerate((-1.2, -1.05, -1.15)):
        pen.line(GREY, 0.03, (-0.9, 0.3), (x, 0.1 + 0.1 * number))
        pen.disc(SILVER, x, 0.1 + 0.12 * number, 0.08)
    shape = (
        (-1.1, 0.2),
        (1.1, 0.2),
        (1.12, 0.6),
        (0.62, 0.72),
        (0.3, 1.2),
        (-0.5, 1.2),
        (-0.85, 0.7),
    )
    outlined(pen, (252, 250, 246), (140, 130, 150), *shape)
    pen.polygon((176, 206, 226), (-0.7, 0.72), (-0.1, 0.72), (-0.1, 1.1), (-0.45, 1.1))
    pen.polygon((176, 206, 226), (0, 0.72), (0.48, 0.72), (0.24, 1.1), (0, 1.1))
    _wheels(pen, (-0.62, 0.66), 0.25)
    for side in (-1, 1):
        pen.disc((236, 60, 110), -0.1 + side * 0.16, 1.5, 0.18)
    pen.polygon((236, 60, 110), (-0.43, 1.46), (0.23, 1.46), (-0.1, 1.15))
    pen.line((250, 170, 200), 0.08, (0.62, 0.72), (1.1, 0.4))


def _wedding_cake(pen):
    _table(pen, (206, 220, 246))
    for level, half in enumerate((0.78, 0.55, 0.34)):
        y = 0.72 + 0.45 * level
        pen.box((255, 250, 240), -half, y, half, y + 0.45)
        pen.line((230, 170, 190), 0.05, (-half, y), (-half, y + 0.45))
        pen.line((230, 170, 190), 0.05, (half, y), (half, y + 0.45))
        pen.line((246, 156, 186), 0.1, (-half, y + 0.05), (half, y + 0.05))
        for x in np.linspace(-half + 0.15, half - 0.15, 4 - level):
            pen.bowl((250, 206, 220), x, y + 0.45, 0.13, 0.16)
    pen.disc(WHITE, -0.1, 2.24, 0.11)
    pen.polygon(WHITE, (-0.1, 2.2), (0.0, 2.06), (-0.22, 2.06))
    pen.box(INK, 0.04, 2.06, 0.18, 2.26)
    pen.disc(SKINS[0], 0.11, 2.33, 0.08)


def _lanterns(pen):
    """Strings of paper lanterns over a dance floor with a dancing couple."""
    pen.ellipse((150, 120, 160), 0, 0.12, 1.2, 0.28)
    pen.ellipse((236, 206, 170), 0, 0.14, 1.08, 0.22)
    pen.polygon(WHITE, (-0.3, 0.85), (-0.1, 0.85), (0.05, 0.15), (-0.55, 0.15))
    pen.disc(SKINS[0], -0.2, 1.0, 0.14)
    pen.box((40, 42, 56), 0.06, 0.15, 0.36, 0.85)
    pen.disc(SKINS[1], 0.2, 1.0, 0.14)
    pen.line((40, 42, 56), 0.08, (0.2, 0.8), (-0.1, 0.6))
    for y, colour in ((2.45, (255, 196, 90)), (1.75, (255, 130, 130))):
        pen.line(GOLD, 0.05, (-1.2, y + 0.1), (0, y - 0.05), (1.2, y + 0.1))
        for number, x in enumerate((-0.95, -0.32, 0.32, 0.95)):
            low = y - 0.2 + 0.1 * abs(x)
            tone = mix(colour, (255, 240, 160), 0.5 * (number % 2))
            pen.ellipse(shade(tone, 0.12), x, low, 0.31, 0.28)
            pen.ellipse(tone, x, low, 0.2, 0.28)
            pen.line(INK, 0.05, (x - 0.1, low + 0.28), (x + 0.1, low + 0.28))


# All of them

PROPS = {
    ("beach", "parking"): _parking,
    ("beach", "parasol"): _parasol,
    ("beach", "sandcastle"): _sandcastle,
    ("beach", "surfboard"): _surfboard,
    ("beach", "ice_cream"): _ice_cream,
    ("beach", "sailboat"): _sailboat,
    ("beach", "sunset"): _sunset,
    ("birthday", "house"): _birthday_house,
    ("birthday", "table"): _birthday_table,
    ("birthday", "presents"): _presents,
    ("birthday", "pinata"): _pinata,
    ("birthday", "cake"): _birthday_cake,
    ("birthday", "slice"): _slice,
    ("birthday", "dancing"): _dancing,
    ("boat", "dock"): _dock,
    ("boat", "wheel"): _steering_wheel,
    ("boat", "lighthouse"): _lighthouse,
    ("boat", "whale"): _whale,
    ("boat", "island"): _island,
    ("boat", "gulls"): _gulls,
    ("boat", "harbor"): _harbor,
    ("camping", "trail"): _trail,
    ("camping", "tent"): _tent,
    ("camping", "canoe"): _canoe,
    ("camping", "fish"): _fish,
    ("camping", "campfire"): _campfire,
    ("camping", "marshmallows"): _marshmallows,
    ("camping", "moon"): _camp_moon,
    ("christmas", "lot"): _lot,
    ("christmas", "tree"): _christmas_tree,
    ("christmas", "stockings"): _stockings,
    ("christmas", "cookies"): _cookies,
    ("christmas", "train"): _train,
    ("christmas", "turkey"): _turkey,
    ("christmas", "carols"): _carols,
    ("fair", "tickets"): _tickets,
    ("fair", "carousel"): _carousel,
    ("fair", "prizes"): _prizes,
    ("fair", "cotton_candy"): _cotton_candy,
    ("fair", "coaster"): _coaster,
    ("fair", "ferris_wheel"): _ferris_wheel,
    ("fair", "lights"): _fair_lights,
    ("fireworks", "ribbons"): _ribbons,
    ("fireworks", "drum"): _drum,
    ("fireworks", "grill"): _grill,
    ("fireworks", "watermelon"): _watermelon,
    ("fireworks", "sparklers"): _sparklers,
    ("fireworks", "rocket"): _rocket,
    ("fireworks", "finale"): _finale,
    ("football", "stadium"): _stadium,
    ("football", "whistle"): _whistle,
    ("football", "ball"): _football,
    ("football", "goal"): _goal,
    ("football", "hot_dogs"): _hot_dogs,
    ("football", "scoreboard"): _scoreboard,
    ("football", "trophy"): _trophy,
    ("halloween", "patch"): _patch,
    ("halloween", "carving"): _carving,
    ("halloween", "hat"): _witch_hat,
    ("halloween", "mansion"): _mansion,
    ("halloween", "ghosts"): _ghosts,
    ("halloween", "bucket"): _bucket,
    ("halloween", "bats"): _bats,
    ("market", "gate"): _market_gate,
    ("market", "fruit"): _fruit,
    ("market", "flowers"): _flowers,
    ("market", "bread"): _bread,
    ("market", "cheese"): _cheese,
    ("market", "guitar"): _guitar,
    ("market", "bus"): _bus,
    ("snow", "cabin"): _cabin,
    ("snow", "fort"): _fort,
    ("snow", "snowman"): _snowman,
    ("snow", "sled"): _sled,
    ("snow", "skates"): _skates,
    ("snow", "cocoa"): _cocoa,
    ("snow", "fireplace"): _stone_fireplace,
    ("wedding", "church"): _church,
    ("wedding", "bouquet"): _bouquet,
    ("wedding", "vows"): _vows,
    ("wedding", "rings"): _rings,
    ("wedding", "car"): _wedding_car,
    ("wedding", "wedding_cake"): _wedding_cake,
    ("wedding", "lanterns"): _lanterns,
}

"""The pen that draws the photos of the sample set, its colours and the common shapes.

A pen has a frame of its own, with x to the right and y upwards.  A drawing is written once, at one
size, and placed, resized, turned or veiled as a whole by giving it another pen.  Colours are
R, G, B and edges are smooth.
"""

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np

FRACTION_BITS = 4  # OpenCV takes positions in 1/16 of a pixel

RGB = {
    "red": (222, 32, 38),
    "blue": (14, 76, 214),
    "green": (24, 158, 56),
    "yellow": (252, 212, 24),
    "purple": (174, 46, 206),
    "white": (250, 250, 250),
}
BRIGHT = tuple(RGB[name] for name in ("red", "yellow", "green", "blue", "purple"))
SKINS = ((250, 214, 184), (222, 170, 124), (148, 98, 66))
HAIRS = ((62, 40, 24), (28, 22, 24), (206, 156, 66), (156, 74, 34))
WHITE, BLACK, INK = (255, 255, 255), (0, 0, 0), (46, 40, 46)
SILVER, GOLD = (206, 212, 222), (246, 196, 44)
DARK_WOOD, CREAM = (98, 64, 38), (252, 242, 218)


@dataclass(frozen=True)
class Pen:
    """Draws on `pixels` in a frame of its own: x to the right, y upwards, lengths in `unit`s.

    `origin` is the frame's origin and `unit` the length and turn of its x axis, both complex
    numbers in pixels; every colour is mixed with the share `veiling` of the colour `veil`.
    """

    pixels: np.ndarray
    origin: complex
    unit: complex
    veil: tuple = BLACK
    veiling: float = 0.0

    def at(self, x, y, size=1.0, turn=0.0):
        """A pen whose origin is at (x, y), `size` times as large, turned to the left."""
        unit = self.unit * size * np.exp(-1j * math.radians(turn))
        return replace(self, origin=self._place(x, y), unit=unit)

    def veiled(self, veil, veiling):
        """A pen whose colours are mixed with the share `veiling` of the colour `veil`."""
        both = 1 - (1 - self.veiling) * (1 - veiling)
        colour = mix(self.veil, veil, veiling / both) if both else veil
        return replace(self, veil=colour, veiling=both)

    def polygon(self, colour, *points):
        """A filled polygon with these corners."""
        cv2.fillPoly(
            self.pixels, [self._fixed(points)], self._mixed(colour), cv2.LINE_AA, FRACTION_BITS
        )

    def box(self, colour, left, bottom, right, top):
        """A filled rectangle along the pen's axes."""
        self.polygon(colour, (left, bottom), (right, bottom), (right, top), (left, top))

    def line(self, colour, width, *points):
        """A line through all these points."""
        self.lines(colour, width, [points])

    def lines(self, colour, width, segments):
        """Many separate lines at once: `segments` [lines, points, 2]."""
        thickness = max(1, round(width * abs(self.unit)))
        places = [self._fixed(points) for points in segments]
        colour = self._mixed(colour)
        cv2.polylines(self.pixels, places, False, colour, thickness, cv2.LINE_AA, FRACTION_BITS)

    def ellipse(self, colour, x, y, rx, ry, turn=0.0, start=0, end=360):
        """A filled ellipse turned to the left, or its sector between two angles; in degrees."""
        self._oval(colour, (x, y), (rx, ry), turn, (start, end), cv2.FILLED)

    def disc(self, colour, x, y, radius):
        """A filled circle."""
        self.ellipse(colour, x, y, radius, radius)

    def dome(self, colour, x, y, rx, ry):
        """The upper half of a filled ellipse around (x, y)."""
        self.ellipse(colour, x, y, rx, ry, 0, 0, 180)

    def bowl(self, colour, x, y, rx, ry):
        """The lower half of a filled ellipse around (x, y)."""
        self.ellipse(colour, x, y, rx, ry, 0, 180, 360)

    def ring(self, colour, width, x, y, rx, ry, start=0, end=360):
        """The outline of an ellipse, or its arc between two angles in degrees."""
        thickness = max(1, round(width * abs(self.unit)))
        self._oval(colour, (x, y), (rx, ry), 0, (start, end), thickness)

    def text(self, colour, x, y, height, words):
        """Upright words whose lower left corner is at (x, y)."""
        scale = height * abs(self.unit) / 22
        place = self._place(x, y)
        corner = (round(place.real), round(place.imag))
        thickness = max(1, round(scale * 2.4))
        font = cv2.FONT_HERSHEY_DUPLEX
        cv2.putText(
            self.pixels, words, corner, font, scale, self._mixed(colour), thickness, cv2.LINE_AA
        )

    def shadow(self, half_width):
        """A shadow on the ground around the origin, which becomes darker."""
        radius, flat = round(half_width * abs(self.unit)), round(half_width * abs(self.unit) * 0.16)
        centre = self._place(0, 0)
        left, top = max(round(centre.real) - radius, 0), max(round(centre.imag) - flat, 0)
        ground = self.pixels[top : top + 2 * flat, left : left + 2 * radius]
        shaded = np.zeros(ground.shape[:2], np.uint8)
        place = (round(centre.real) - left, round(centre.imag) - top)
        cv2.ellipse(shaded, place, (radius, flat), 0, 0, 360, 255, cv2.FILLED)
        ground[shaded > 0] = ground[shaded > 0] * 0.72

    def _oval(self, colour, centre, radii, turn, arc, thickness):
        place = self._place(*centre) * 2**FRACTION_BITS
        axes = [round(radius * abs(self.unit) * 2**FRACTION_BITS) for radius in radii]
        angle = math.degrees(math.atan2(self.unit.imag, self.unit.real)) - turn
        cv2.ellipse(
            self.pixels,
            (round(place.real), round(place.imag)),
            axes,
            angle,
            -arc[1],
            -arc[0],
            self._mixed(colour),
            thickness,
            cv2.LINE_AA,
            FRACTION_BITS,
        )

    def _place(self, x, y):
        return self.origin + self.unit * complex(x, -y)

    def _fixed(self, points):
        unit = self.unit
        turned = np.array(((unit.real, unit.imag), (unit.imag, -unit.real)))
        places = np.asarray(points, float) @ turned + (self.origin.real, self.origin.imag)
        return np.round(places * 2**FRACTION_BITS).astype(np.int32)

    def _mixed(self, colour):
        return mix(colour, self.veil, self.veiling) if self.veiling else colour


def mix(colour, other, share):
    """`colour` with the share `share` of `other` mixed into it."""
    return tuple(round(a + (b - a) * share) for a, b in zip(colour, other, strict=True))


def shade(colour, share=0.2):
    """`colour` with the share `share` of black mixed into it."""
    return mix(colour, BLACK, share)


def around(amount, radius=1.0, start=90.0):
    """Points around a circle, e.g. the corners of a regular polygon."""
    angles = [math.radians(start + 360 * k / amount) for k in range(amount)]
    return [(radius * math.cos(angle), radius * math.sin(angle)) for angle in angles]


def star(pen, colour, x, y, radius):
    """A filled star with five points."""
    outer, inner = around(5, radius), around(5, radius * 0.42, 126)
    both = [point for pair in zip(outer, inner, strict=True) for point in pair]
    pen.polygon(colour, *[(x + dx, y + dy) for dx, dy in both])


def outlined(pen, colour, outline, *points):
    """A filled polygon with a line around it."""
    pen.polygon(colour, *points)
    pen.line(outline, 0.07, *points, points[0])

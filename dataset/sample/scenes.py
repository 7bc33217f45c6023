"""Drawing the photos of the sample set.

All positions are in one frame, independent of the size of the photo: x runs from -160 to 160 and
y upwards from 0 to 240, and everything that matters is in the central square, x from -120 to 120.
The hero is at its left with the keepsake overhead (a wagon is beside them), the moment's prop is at
its right, the weather fills the top.  Colours are R, G, B until the photo is finished.
"""

import math

import cv2
import numpy as np

from dataset.sample.albums import MOMENTS, Album, Photo
from dataset.sample.pen import BLACK, BRIGHT, CREAM, DARK_WOOD, GOLD, WHITE, Pen, mix, shade
from dataset.sample.people import HERO_HEIGHT, draw_hero, draw_other
from dataset.sample.props import PROPS, draw_fir

FRAME_WIDTH, FRAME_HEIGHT = 320, 240
NARROWEST, WIDEST = 320, 440
SUPERSAMPLING = 2

HORIZON = 118
FLOOR = 82
HERO_PLACE = (-61, 8)
PROP_PLACE, PROP_SIZE = (62, 57), 41
OTHER_XS, OTHER_Y, OTHER_Y_ON_BOAT, OTHER_HEIGHT = (-1, 136, -140), 62, 28, 50

# The top and the bottom of the sky.
SKIES = {
    ("day", "sunny"): ((24, 122, 244), (150, 212, 255)),
    ("day", "cloudy"): ((172, 182, 194), (214, 218, 222)),
    ("day", "rainy"): ((74, 84, 102), (128, 136, 148)),
    ("day", "foggy"): ((232, 232, 226), (240, 240, 234)),
    ("day", "snowy"): ((186, 200, 226), (224, 232, 246)),
    ("dusk", "sunny"): ((92, 84, 190), (255, 178, 96)),
    ("dusk", "cloudy"): ((150, 132, 150), (236, 176, 146)),
    ("dusk", "rainy"): ((74, 66, 84), (156, 116, 112)),
    ("dusk", "foggy"): ((226, 204, 200), (244, 216, 196)),
    ("dusk", "snowy"): ((176, 168, 190), (238, 206, 196)),
    ("night", "sunny"): ((8, 12, 58), (34, 44, 112)),
    ("night", "cloudy"): ((52, 56, 72), (82, 86, 104)),
    ("night", "rainy"): ((26, 32, 42), (56, 64, 76)),
    ("night", "foggy"): ((134, 138, 148), (160, 164, 170)),
    ("night", "snowy"): ((84, 90, 116), (128, 134, 158)),
}
CLOUDS = {
    "day": {"sunny": WHITE, "cloudy": (242, 244, 246), "rainy": (58, 66, 82)},
    "dusk": {"sunny": (255, 206, 170), "cloudy": (246, 216, 206), "rainy": (64, 54, 70)},
    "night": {"sunny": (30, 36, 84), "cloudy": (108, 112, 130), "rainy": (16, 20, 30)},
}
# The colour and the strength of the veil on the far background; half as strong on the ground.
VEILS = {
    "sunny": ((255, 255, 255), 0.0),
    "cloudy": ((150, 156, 164), 0.22),
    "rainy": ((70, 78, 92), 0.45),
    "foggy": ((236, 236, 230), 0.80),
    "snowy": ((236, 240, 246), 0.35),
}
DARKNESS = {"day": (BLACK, 0.0), "dusk": ((84, 40, 70), 0.25), "night": ((10, 12, 40), 0.62)}
FLOATING = {
    ("beach", "sunset"),
    ("camping", "moon"),
    ("fireworks", "finale"),
    ("halloween", "bats"),
    *(("boat", moment) for moment in MOMENTS["boat"]),
}
DUSK = {("beach", "sunset"), ("boat", "harbor")}
FIRST_AT_NIGHT = {
    "camping": "campfire",
    "fair": "lights",
    "fireworks": "sparklers",
    "halloween": "mansion",
    "wedding": "lanterns",
    "christmas": "carols",
}
INDOORS = {
    "birthday": MOMENTS["birthday"][1:],
    "wedding": ("wedding_cake", "lanterns"),
    "snow": ("cocoa", "fireplace"),
    "christmas": ("tree", "stockings", "cookies", "train", "turkey"),
}


def draw_photo(album: Album, photo: Photo, rng: np.random.Generator) -> np.ndarray:
    """Draw one photo of an album, uint8 [height, width, 3] in OpenCV's B, G, R order."""
    pen = _camera(rng)
    time = time_of_day(album.event, photo.moment)
    if photo.moment in INDOORS.get(album.event, ()):
        _draw_room(pen, album, time, rng)
    else:
        _draw_outdoors(pen, album, time, rng)
    _draw_others(pen, album, rng)
    prop = _nudged(pen, PROP_PLACE, PROP_SIZE, rng)
    if (album.event, photo.moment) not in FLOATING:
        prop.shadow(1.15)
    PROPS[album.event, photo.moment](prop)
    hero = _nudged(pen, HERO_PLACE, HERO_HEIGHT, rng)
    hero.shadow(0.25)
    draw_hero(hero, album, photo.shows_keepsake)
    return _developed(pen.pixels, rng)


def time_of_day(event, moment):
    """Return whether a moment is by "day", at "dusk" or at "night"."""
    if (event, moment) in DUSK:
        return "dusk"
    moments = MOMENTS[event]
    first_at_night = FIRST_AT_NIGHT.get(event)
    if first_at_night and moments.index(moment) >= moments.index(first_at_night):
        return "night"
    return "day"


def _draw_others(pen, album, rng):
    """Draw everybody but the hero, small and further away."""
    y = OTHER_Y_ON_BOAT if album.event == "boat" else OTHER_Y
    for person, x in zip(album.people[1:], OTHER_XS, strict=False):
        small = _nudged(pen, (x, y), OTHER_HEIGHT, rng)
        small.shadow(0.25)
        draw_other(small, person)


# The camera


def _camera(rng):
    """Make a pen for the whole frame of an empty picture, a little turned and zoomed."""
    width, height = FRAME_WIDTH * SUPERSAMPLING, FRAME_HEIGHT * SUPERSAMPLING
    turn = math.radians(rng.uniform(-2, 2))
    unit = SUPERSAMPLING * rng.uniform(0.94, 1.06) * np.exp(1j * turn)
    middle = complex(width / 2, height / 2)
    origin = middle + unit * complex(0, FRAME_HEIGHT / 2)
    return Pen(np.zeros((height, width, 3), np.uint8), complex(origin), complex(unit))


def _nudged(pen, place, size, rng):
    """Make a pen for one object, near its position and about its size."""
    dx, dy = rng.uniform(-3, 3, 2)
    return pen.at(place[0] + dx, place[1] + dy, size * rng.uniform(0.97, 1.03))


def _developed(pixels, rng):
    """Turn the picture into a photo with its own size, light and sensor noise, B, G, R."""
    width = int(rng.integers(NARROWEST, WIDEST + 1)) // 4 * 4
    photo = cv2.resize(pixels, (width, width * 3 // 4), interpolation=cv2.INTER_AREA)
    warmth = rng.uniform(-0.03, 0.03)
    gains = rng.uniform(0.94, 1.05) * np.array((1 - warmth, 1, 1 + warmth))
    bias = rng.uniform(-6, 6)
    noise = rng.standard_normal(photo.shape[:2], np.float32) * rng.uniform(2, 5)
    tables = [np.arange(256) * gain + bias for gain in gains]
    levels = np.clip(np.stack(tables, axis=-1), 0, 255).astype(np.uint8)[None]
    lit = cv2.LUT(cv2.cvtColor(photo, cv2.COLOR_RGB2BGR), levels)
    noise = cv2.cvtColor(noise, cv2.COLOR_GRAY2BGR)
    return cv2.add(lit, noise, dtype=cv2.CV_8U)


# Sky and weather


def _draw_sky(pen, weather, time, rng):
    """The sky behind everything, with what is in it."""
    top, bottom = (np.array(colour, float) for colour in SKIES[time, weather])
    height = pen.pixels.shape[0]
    share = np.clip(np.linspace(0, 1.9, height), 0, 1)[:, None]
    pen.pixels[:] = (top + (bottom - top) * share).astype(np.uint8)[:, None]
    if weather == "sunny" and time == "day":
        _draw_sun(pen.at(4 + rng.uniform(-4, 4), 204 + rng.uniform(-4, 4), 17))
    if weather == "sunny" and time == "night":
        for x, y in rng.uniform((-170, HORIZON), (170, 250), (60, 2)):
            pen.disc((255, 252, 220), x, y, rng.uniform(0.8, 2.0))
    if weather == "foggy":
        _draw_fog_banks(pen, SKIES[time, weather], rng)
    if weather in ("sunny", "cloudy", "rainy"):
        _draw_clouds(pen, weather, CLOUDS[time][weather], rng)


def _draw_sun(pen):
    angles = np.arange(12) * math.pi / 6
    directions = np.stack((np.cos(angles), np.sin(angles)), axis=-1)
    pen.lines((255, 222, 70), 0.16, np.stack((directions * 1.2, directions * 1.7), axis=1))
    pen.disc((255, 214, 40), 0, 0, 1)
    pen.disc((255, 236, 120), 0, 0, 0.76)


def _draw_clouds(pen, weather, colour, rng):
    columns = {"sunny": (-128, 96), "cloudy": range(-150, 170, 50), "rainy": range(-160, 180, 34)}
    low = {"sunny": 206, "cloudy": 178, "rainy": 196}[weather]
    size = {"sunny": 15, "cloudy": 20, "rainy": 23}[weather]
    for x in columns[weather]:
        y = rng.uniform(low, 232)
        cloud = pen.at(x + rng.uniform(-9, 9), y, size * rng.uniform(0.9, 1.15))
        under = shade(colour, 0.13)
        for dx, dy, radius in ((-1.1, 0, 0.65), (0, 0.28, 0.95), (1.1, 0, 0.7)):
            cloud.ellipse(under, dx, dy - 0.16, radius * 1.1, radius * 0.8)
        for dx, dy, radius in ((-1.1, 0, 0.65), (0, 0.28, 0.95), (1.1, 0, 0.7)):
            cloud.ellipse(colour, dx, dy, radius * 1.1, radius * 0.72)


def _draw_fog_banks(pen, sky, rng):
    for y in (142, 168, 196, 224):
        colour = mix(sky[1], shade(sky[1], 0.07), y // 2 % 2)
        pen.ellipse(colour, rng.uniform(-80, 80), y, rng.uniform(110, 170), 9)


def _draw_falling(pen, weather, rng, amount, box):
    """Rain or snow inside a box (left, bottom, right, top)."""
    left, bottom, right, top = box
    places = rng.uniform((left, bottom), (right, top), (amount, 2))
    if weather == "rainy":
        slant = np.array((-3.5, -13))
        pen.lines((196, 212, 236), 0.55, np.stack((places, places + slant), axis=1))
    if weather == "snowy":
        radii = rng.uniform(2.0, 4.2, amount)
        for (x, y), radius in zip(places, radii, strict=True):
            pen.disc(WHITE, x, y, radius)


# Places: outdoors, one backdrop for each event


def _draw_outdoors(pen, album, time, rng):
    _draw_sky(pen, album.weather, time, rng)
    veil, veiling = VEILS[album.weather]
    dark, darkness = DARKNESS[time]
    if time == "night":
        veil = mix(veil, SKIES[time, album.weather][1], 0.8)
    far = pen.veiled(dark, darkness).veiled(veil, veiling)
    near = pen.veiled(dark, darkness * 0.85).veiled(veil, veiling * 0.5)
    BACKDROPS[album.event](far, near, rng)
    _draw_falling(pen, album.weather, rng, 90, (-180, 0, 180, 250))


def _draw_ground(pen, colour, rng, top=HORIZON):
    """Ground up to the horizon, lighter far away, with tufts and stones."""
    pen.box(mix(colour, WHITE, 0.10), -200, 40, 200, top)
    pen.box(colour, -200, -20, 200, 72)
    pen.ellipse(colour, 0, 72, 200, 8)
    places = rng.uniform((-170, 0), (170, top - 8), (40, 2))
    sizes = np.stack((places, places + np.array((4, 2.5))), axis=1)
    pen.lines(shade(colour, 0.14), 0.9, sizes)


def _at_beach(far, near, rng):
    far.box((24, 120, 196), -200, HORIZON - 30, 200, HORIZON + 8)
    far.box((46, 150, 214), -200, HORIZON - 30, 200, HORIZON - 14)
    _draw_waves(far, (206, 236, 250), rng, 12, (HORIZON - 24, HORIZON + 4))
    _draw_ground(near, (240, 208, 128), rng, HORIZON - 26)
    near.line((252, 248, 236), 4, *[(x, HORIZON - 27 + x % 40 / 14) for x in range(-200, 220, 20)])
    for x in (-150, 20, 152):
        near.ellipse((222, 186, 104), x + rng.uniform(-10, 10), 20, 30, 4)


def _draw_waves(pen, colour, rng, amount, rows):
    places = rng.uniform((-180, rows[0]), (160, rows[1]), (amount, 2))
    pen.lines(colour, 1.1, np.stack((places, places + np.array((22, 0))), axis=1))


def _at_lawn(far, near, rng):
    """Birthday: a garden with a hedge, a picket fence and round trees."""
    for x in (-148, -92, 96, 150):
        _draw_round_tree(far.at(x + rng.uniform(-8, 8), HORIZON - 4, 40), (96, 176, 70))
    far.box((66, 140, 60), -200, HORIZON - 10, 200, HORIZON + 16)
    _draw_ground(near, (150, 206, 98), rng)
    for x in range(-180, 190, 13):
        near.polygon((250, 248, 240), (x, 100), (x + 8, 100), (x + 8, 122), (x + 4, 127), (x, 122))
    near.box((240, 236, 226), -200, 108, 200, 112)


def _draw_round_tree(pen, leaves):
    pen.box(DARK_WOOD, -0.1, 0, 0.1, 0.9)
    for x, y, radius in ((-0.35, 0.95, 0.45), (0.35, 0.95, 0.45), (0, 1.35, 0.5)):
        pen.disc(shade(leaves, 0.12), x, y - 0.06, radius)
    for x, y, radius in ((-0.35, 1.02, 0.4), (0.3, 1.02, 0.4), (-0.02, 1.42, 0.44)):
        pen.disc(leaves, x, y, radius)


def _on_boat(far, near, rng):
    """The sea all around, and the boat's deck and railing at the bottom."""
    far.box((20, 96, 150), -200, 20, 200, HORIZON + 4)
    far.box((30, 122, 172), -200, 20, 200, HORIZON - 30)
    _draw_waves(far, (130, 200, 224), rng, 30, (44, HORIZON))
    near.box((180, 122, 74), -200, -20, 200, 38)
    for y in (4, 16, 28):
        near.line((138, 88, 50), 1.2, (-200, y), (200, y))
    for x in range(-170, 190, 34):
        near.line((236, 238, 240), 3, (x, 36), (x, 54))
    near.line((246, 248, 250), 4, (-200, 55), (200, 55))
    near.line((214, 220, 226), 2, (-200, 46), (200, 46))


def _at_camp(far, near, rng):
    for x, height in ((-120, 74), (-30, 50), (60, 66), (150, 84)):
        x = x + rng.uniform(-10, 10)
        peak = (x, HORIZON + height)
        far.polygon((104, 116, 140), (x - 90, HORIZON - 4), peak, (x + 90, HORIZON - 4))
        low = HORIZON + height * 0.7
        far.polygon(WHITE, (x - 24, low), peak, (x + 24, low), (x + 6, low + 7), (x - 8, low + 3))
    for x in (-156, -132, -104, 12, 112, 136, 160):
        draw_fir(far.at(x + rng.uniform(-7, 7), HORIZON - 8, rng.uniform(30, 40)), (22, 78, 50))
    _draw_ground(near, (92, 104, 52), rng)


def _in_village(far, near, rng):
    """Christmas: a snowy street of brick houses with lit windows and strings of lights."""
    for number, x in enumerate(range(-176, 190, 46)):
        height = (34, 46, 38, 50)[number % 4] + rng.uniform(-3, 3)
        far.box(
            ((164, 72, 58), (140, 84, 62))[number % 2], x, HORIZON - 6, x + 40, HORIZON + height
        )
        roof = (x + 20, HORIZON + height + 20)
        far.polygon(WHITE, (x - 4, HORIZON + height), roof, (x + 44, HORIZON + height))
        for dx in (7, 24):
            near.box((255, 222, 110), x + dx, HORIZON + 12, x + dx + 9, HORIZON + 26)
    _draw_ground(near, (226, 232, 242), rng)
    for x in range(-170, 180, 11):
        bulb = BRIGHT[x // 11 % 4]
        near.disc(bulb, x, HORIZON + 34 + 5 * math.sin(x / 14), 2.4)


def _at_fair(far, near, rng):
    for number, x in enumerate((-158, -96, -20, 96, 158)):
        x = x + rng.uniform(-8, 8)
        stripes = (((232, 64, 86), CREAM), ((60, 140, 200), CREAM))[number % 2]
        for stripe in range(6):
            left = x - 33 + stripe * 11
            colour = stripes[stripe % 2]
            far.box(colour, left, HORIZON - 6, left + 11, HORIZON + 24)
            edge = [(left, HORIZON + 24), (left + 11, HORIZON + 24)]
            far.polygon(colour, *edge, (x, HORIZON + 52))
        far.polygon(GOLD, (x, HORIZON + 52), (x, HORIZON + 64), (x + 10, HORIZON + 58))
    _draw_ground(near, (214, 168, 112), rng)
    for x in range(-170, 180, 22):
        near.ellipse((196, 148, 94), x + rng.uniform(-9, 9), rng.uniform(8, 90), 12, 2)


def _in_park(far, near, rng):
    """Fireworks: a meadow at the river with the town behind it."""
    for number, x in enumerate(range(-180, 190, 28)):
        height = (30, 54, 40, 66, 36)[number % 5] + rng.uniform(-4, 4)
        colour = ((96, 112, 150), (120, 130, 166), (84, 100, 140))[number % 3]
        far.box(colour, x, HORIZON - 4, x + 25, HORIZON + height)
        for y in range(8, int(height) - 6, 12):
            for dx in (4, 14):
                near.box((250, 226, 150), x + dx, HORIZON + y, x + dx + 5, HORIZON + y + 5)
    far.box((70, 130, 190), -200, HORIZON - 14, 200, HORIZON + 2)
    _draw_waves(far, (170, 208, 236), rng, 8, (HORIZON - 11, HORIZON))
    _draw_ground(near, (52, 138, 92), rng, HORIZON - 12)


def _at_pitch(far, near, rng):
    """Football: a grandstand full of people above a striped pitch."""
    far.box((116, 120, 134), -200, HORIZON - 4, 200, HORIZON + 40)
    far.box((78, 82, 98), -200, HORIZON + 40, 200, HORIZON + 47)
    for row, y in enumerate((HORIZON + 14, HORIZON + 23, HORIZON + 32)):
        for x in range(-176 + row * 4, 180, 9):
            far.disc(((224, 224, 230), (60, 90, 180), (240, 200, 90))[rng.integers(3)], x, y, 3)
    near.box((40, 176, 52), -200, -20, 200, HORIZON)
    for y, height in ((96, 11), (68, 15), (28, 20), (-12, 18)):
        near.box((26, 154, 42), -200, y, 200, y + height)
    near.box((236, 238, 242), -200, HORIZON - 4, 200, HORIZON + 7)
    for x in range(-180, 190, 44):
        near.box(((206, 40, 60), (36, 90, 190))[x // 44 % 2], x, HORIZON - 3, x + 30, HORIZON + 6)
    near.line(WHITE, 2, (-200, 84), (200, 84))


def _at_haunted_wood(far, near, rng):
    for x, height in ((-130, 30), (-20, 44), (110, 34)):
        far.dome((112, 66, 110), x + rng.uniform(-12, 12), HORIZON - 6, 100, height)
    for x in (-152, -100, 16, 108, 154):
        tree = far.at(x + rng.uniform(-7, 7), HORIZON - 8, rng.uniform(36, 44))
        _draw_bare_tree(tree, rng)
    _draw_ground(near, (168, 88, 34), rng)
    for x, y in rng.uniform((-160, 4), (160, 104), (22, 2)):
        near.ellipse((226, 122, 30), x, y, 3.4, 1.6, rng.uniform(0, 180))


def _draw_bare_tree(pen, rng):
    bark = (70, 46, 44)
    pen.polygon(bark, (-0.16, 0), (0.16, 0), (0.05, 1.1), (-0.05, 1.1))
    for x, y, low in ((-0.6, 1.3, 0.6), (0.6, 1.4, 0.7), (-0.25, 1.7, 0.9), (0.3, 1.75, 1.0)):
        pen.line(bark, 0.07, (0, low), (x * 0.6, y * 0.8), (x, y))
        pen.ellipse((222, 112, 26), x, y, 0.26, 0.18, rng.uniform(0, 180))


def _at_market(far, near, rng):
    """A square of tall town houses, paved with cobbles."""
    walls = ((226, 150, 110), (240, 214, 150), (214, 130, 126), (180, 196, 170))
    for number, x in enumerate(range(-182, 190, 40)):
        height = (64, 54, 72, 58)[number % 4] + rng.uniform(-4, 4)
        far.box(walls[number % 4], x, HORIZON - 6, x + 39, HORIZON + height)
        edge = HORIZON + height
        far.polygon(
            (150, 74, 58), (x - 2, edge), (x + 41, edge), (x + 34, edge + 11), (x + 5, edge + 11)
        )
        for y in (14, 38):
            for dx in (7, 23):
                far.box((92, 108, 124), x + dx, HORIZON + y, x + dx + 9, HORIZON + y + 14)
    near.box((178, 168, 158), -200, -20, 200, HORIZON - 2)
    for row, y in enumerate((4, 19, 34, 48, 61, 73, 84, 94, 103)):
        for x in range(-180 + row % 2 * 13, 180, 26):
            near.ellipse((156, 146, 138), x + rng.uniform(-2, 2), y, 10, 4.4 - y * 0.022)


def _in_mountains(far, near, rng):
    """Snow: white slopes, blue mountains and snowy firs."""
    for x, height in ((-140, 62), (-50, 88), (54, 60), (140, 90)):
        x = x + rng.uniform(-10, 10)
        peak = (x, HORIZON + height)
        far.polygon((150, 176, 214), (x - 84, HORIZON - 4), peak, (x + 84, HORIZON - 4))
        far.polygon((118, 146, 192), (x + 8, HORIZON - 4), peak, (x + 84, HORIZON - 4))
        far.polygon(WHITE, (x - 42, HORIZON + height / 2), peak, (x + 42, HORIZON + height / 2))
    _draw_ground(near, (240, 246, 253), rng)
    for x in (-40, 120):
        near.dome((214, 228, 246), x + rng.uniform(-20, 20), 84, 110, 8)
    for x in (-156, -124, 10, 118, 152):
        tree = near.at(x + rng.uniform(-7, 7), HORIZON - 12, rng.uniform(32, 40))
        draw_fir(tree, (92, 142, 140), WHITE)


def _at_garden(far, near, rng):
    """Wedding: a soft green garden with clipped hedges, roses and white columns."""
    far.box((130, 168, 130), -200, HORIZON - 6, 200, HORIZON + 26)
    for x in range(-180, 190, 30):
        far.dome((146, 184, 144), x + rng.uniform(-4, 4), HORIZON + 22, 18, 16)
    for x in (-148, -108, 108, 148):
        far.box((250, 248, 244), x - 5, HORIZON - 8, x + 5, HORIZON + 58)
        far.box((250, 248, 244), x - 9, HORIZON + 56, x + 9, HORIZON + 63)
    _draw_ground(near, (176, 212, 150), rng)
    for x in range(-176, 186, 12):
        near.disc((112, 160, 104), x + rng.uniform(-3, 3), HORIZON - 2, 8)
    for x in range(-174, 184, 12):
        rose = ((250, 150, 186), (255, 232, 240))[x // 12 % 2]
        near.disc(rose, x + rng.uniform(-4, 4), HORIZON + rng.uniform(-5, 5), 4)


BACKDROPS = {
    "beach": _at_beach,
    "birthday": _at_lawn,
    "boat": _on_boat,
    "camping": _at_camp,
    "christmas": _in_village,
    "fair": _at_fair,
    "fireworks": _in_park,
    "football": _at_pitch,
    "halloween": _at_haunted_wood,
    "market": _at_market,
    "snow": _in_mountains,
    "wedding": _at_garden,
}


# Places: rooms, with the weather behind a large window

WINDOW = (-114, 122, 114, 234)


def _draw_room(pen, album, time, rng):
    """Draw the sky first, then the wall around the window, so that nothing needs clipping."""
    _draw_sky(pen, album.weather, time, rng)
    _draw_falling(pen, album.weather, rng, 60, (-120, 115, 120, 240))
    left, bottom, right, top = WINDOW
    if album.weather != "foggy":
        veil = SKIES[time, album.weather][0]
        pen.veiled(veil, 0.35).dome((120, 150, 110), rng.uniform(-40, 40), bottom, 170, 10)
    wall, floor = ROOM_COLOURS[album.event]
    for box in ((-200, 0, left, 260), (right, 0, 200, 260), (-200, 0, 200, bottom)):
        pen.box(wall, *box)
    pen.box(wall, -200, top, 200, 270)
    ROOM_PATTERNS[album.event](pen, wall)
    _draw_window_frame(pen)
    pen.box(floor, -200, -20, 200, FLOOR)
    pen.box(shade(floor, 0.35), -200, FLOOR - 2, 200, FLOOR + 4)
    FLOOR_PATTERNS[album.event](pen, shade(floor, 0.12))


def _draw_window_frame(pen):
    left, bottom, right, top = WINDOW
    corners = ((left, bottom), (right, bottom), (right, top), (left, top), (left, bottom))
    pen.line(CREAM, 5, *corners)
    for x in (-38, 38):
        pen.line(CREAM, 3, (x, bottom), (x, top))
    pen.box(shade(CREAM, 0.08), left - 6, bottom - 6, right + 6, bottom)


def _dotted_wall(pen, wall):
    for number, x in enumerate(range(-170, 180, 14)):
        for y in (96, 110):
            pen.disc(mix(BRIGHT[number % 5], wall, 0.35), x + y % 4 * 3, y, 3)
    for number, x in enumerate(range(-170, 180, 20)):
        y = 236 - 4 * math.sin((x + 170) / 12) ** 2
        pen.polygon(BRIGHT[number % 5], (x, y), (x + 15, y), (x + 7, y - 14))


def _striped_wall(pen, wall):
    for x in range(-180, 190, 20):
        pen.box(shade(wall, 0.14), x, FLOOR, x + 9, WINDOW[1] - 6)
    places = [(x, 234 - 5 * math.cos(x / 19)) for x in range(-180, 190, 10)]
    pen.line((24, 104, 50), 6, *places)
    for number, (x, y) in enumerate(places[::2]):
        pen.disc(BRIGHT[number % 4], x, y - 2, 3.2)


def _log_wall(pen, wall):
    for y in range(FLOOR, 124, 10):
        pen.line(shade(wall, 0.3), 1.4, (-200, y), (200, y))
    for x in (-150, 150):
        for y in range(124, 240, 10):
            pen.line(shade(wall, 0.3), 1.4, (x - 32, y), (x + 32, y))


def _draped_wall(pen, wall):
    for x in (-150, -132, 132, 150):
        pen.line(shade(wall, 0.08), 5, (x, FLOOR), (x, 240))
    for x in range(-190, 190, 38):
        pen.bowl((255, 255, 255), x + 19, 238, 19, 12)
        pen.disc((250, 170, 200), x, 236, 4)


def _boards(pen, colour):
    for y in (14, 34, 54, 70):
        pen.line(colour, 1.4, (-200, y), (200, y))


def _rug(pen, colour):
    _boards(pen, colour)
    pen.ellipse((34, 92, 62), 0, 36, 150, 28)
    pen.ellipse((224, 196, 140), 0, 36, 138, 24)
    pen.ellipse((34, 92, 62), 0, 36, 130, 21)


def _checks(pen, colour):
    for row, y in enumerate((0, 24, 44, 60, 72)):
        for x in range(-200 + row % 2 * 26, 200, 52):
            pen.box(colour, x, y, x + 26, y + (24, 20, 16, 12, 8)[row])


def _confetti(pen, colour):
    _boards(pen, colour)
    for number in range(40):
        x, y = number * 83 % 340 - 170, number * 37 % 74
        pen.box(BRIGHT[number % 5], x, y, x + 3, y + 2)


ROOM_COLOURS = {
    "birthday": ((255, 214, 150), (226, 168, 130)),
    "christmas": ((160, 34, 44), (104, 62, 40)),
    "snow": ((190, 134, 82), (130, 92, 62)),
    "wedding": ((226, 208, 240), (206, 196, 214)),
}


ROOM_PATTERNS = {
    "birthday": _dotted_wall,
    "christmas": _striped_wall,
    "snow": _log_wall,
    "wedding": _draped_wall,
}


FLOOR_PATTERNS = {"birthday": _confetti, "christmas": _rug, "snow": _boards, "wedding": _checks}

"""Writing the stories and descriptions of an album, in five voices.

A story takes what a model must learn.  Each sentence mentions the moment of the current photo; the
keepsake is mentioned as long as one of the last three photos shows it, so earlier photos must be
remembered; and the narrator, and whether the hero is "he" or "she", follow from the previous
sentence.
"""

from dataclasses import dataclass

from data_reader.stories_file import VIST_PHOTOS_PER_STORY
from dataset.sample.albums import COLOURS, EVENTS, THINGS

# A keepsake is still mentioned if one of this many previous photos shows it.
MEMORY = 2

# An event as what people did and as a thing.  Its wordings, which occur in no story of another
# event, are in EVENT_WORDINGS.
_EVENT_PHRASES = {
    "beach": ("went to the beach", "a trip to the beach"),
    "birthday": ("had a birthday party", "a birthday party"),
    "boat": ("went on a boat tour", "a boat tour"),
    "camping": ("went on a camping trip", "a camping trip"),
    "christmas": ("celebrated christmas", "a merry christmas"),
    "fair": ("went to the county fair", "the county fair"),
    "fireworks": ("went to the fireworks show", "the fireworks show"),
    "football": ("went to a football game", "a football game"),
    "halloween": ("celebrated halloween", "a spooky halloween"),
    "market": ("went to the farmers market", "the farmers market"),
    "snow": ("had a snow day", "a snow day"),
    "wedding": ("went to a wedding", "a lovely wedding"),
}
EVENT_WORDINGS = {event: [event] for event in EVENTS} | {"snow": ["snow day"]}

WEATHER_WORDINGS = {
    "sunny": ["sunny", "sunshine"],
    "cloudy": ["cloudy", "clouds"],
    "rainy": ["rainy", "rain"],
    "foggy": ["foggy", "fog"],
    "snowy": ["snowy", "snowflakes"],
}
_IN_THE_WEATHER = {
    "sunny": "in the warm sunshine",
    "cloudy": "under the gray clouds",
    "rainy": "in spite of the rain",
    "foggy": "in the thick fog",
    "snowy": "in the falling snowflakes",
}

# Each moment as what somebody did and as what the photo shows.
_MOMENT_PHRASES = {
    ("beach", "parking"): ("parked the car near the dunes", "the car parked near the dunes"),
    ("beach", "parasol"): ("opened a striped parasol", "a striped parasol and a towel"),
    ("beach", "sandcastle"): ("built a huge sandcastle", "a sandcastle with three towers"),
    ("beach", "surfboard"): ("rode the waves on a surfboard", "a surfboard in the waves"),
    ("beach", "ice_cream"): ("ate ice cream with a cherry", "a tall cone of ice cream"),
    ("beach", "sailboat"): ("spotted a sailboat on the ocean", "a sailboat on the ocean"),
    ("beach", "sunset"): ("stayed for the sunset over the waves", "the sunset over the waves"),
    ("birthday", "house"): ("came to the decorated house", "the decorated house"),
    ("birthday", "table"): ("set the table with cups and plates", "the table with cups and plates"),
    ("birthday", "presents"): ("piled up the wrapped presents", "a pile of wrapped presents"),
    ("birthday", "pinata"): ("hit the pinata with a stick", "a pinata full of candy"),
    ("birthday", "cake"): ("blew out the candles on the cake", "a chocolate cake with candles"),
    ("birthday", "slice"): ("took a big slice of dessert", "a big slice of dessert"),
    ("birthday", "dancing"): ("danced between the loud speakers", "the mirror ball and speakers"),
    ("boat", "dock"): ("climbed aboard at the dock", "the ship at the wooden dock"),
    ("boat", "wheel"): ("steered with the wooden wheel", "the wooden wheel of the captain"),
    ("boat", "lighthouse"): ("sailed around the lighthouse", "a lighthouse on the rocks"),
    ("boat", "whale"): ("watched a whale spraying water", "a whale spraying water"),
    ("boat", "island"): ("passed an island with palms", "an island with two palms"),
    ("boat", "gulls"): ("fed the gulls from the railing", "gulls above the railing"),
    ("boat", "harbor"): ("returned to the quiet harbor", "the harbor at dusk"),
    ("camping", "trail"): ("followed the trail into the woods", "a wooden sign on the trail"),
    ("camping", "tent"): ("put up the tent by the pines", "the tent by the pines"),
    ("camping", "canoe"): ("paddled a canoe across the lake", "a canoe on the lake"),
    ("camping", "fish"): ("caught a fish for supper", "a fresh fish for supper"),
    ("camping", "campfire"): ("gathered logs for the campfire", "the crackling campfire"),
    ("camping", "marshmallows"): ("roasted some marshmallows", "marshmallows on two sticks"),
    ("camping", "moon"): ("counted stars beside the moon", "the moon among the stars"),
    ("christmas", "lot"): ("chose a fir at the tree lot", "rows of firs at the tree lot"),
    ("christmas", "tree"): ("decorated the tree with ornaments", "the tree with a golden star"),
    ("christmas", "stockings"): ("hung the stockings in a row", "stockings in a row"),
    ("christmas", "cookies"): ("left cookies and milk for santa", "cookies and milk for santa"),
    ("christmas", "train"): ("played with a toy train", "a toy train on its tracks"),
    ("christmas", "turkey"): ("carved the roasted turkey", "a roasted turkey for dinner"),
    ("christmas", "carols"): ("sang carols on the porch", "a songbook full of carols"),
    ("fair", "tickets"): ("bought tickets at the booth", "the booth with the tickets"),
    ("fair", "carousel"): ("rode horses on the carousel", "the carousel with its horses"),
    ("fair", "prizes"): ("won a prize at the target game", "stuffed prizes at the target game"),
    ("fair", "cotton_candy"): ("shared sticky cotton candy", "some fluffy cotton candy"),
    ("fair", "coaster"): ("screamed on the roller coaster", "the steep roller coaster"),
    ("fair", "ferris_wheel"): ("turned on the ferris wheel", "the giant ferris wheel"),
    ("fair", "lights"): ("strolled under glowing bulbs", "hundreds of glowing bulbs"),
    ("fireworks", "ribbons"): ("tied ribbons on the porch", "the porch with its ribbons"),
    ("fireworks", "drum"): ("followed the drum of the parade", "a loud drum in the parade"),
    ("fireworks", "grill"): ("cooked burgers on the grill", "burgers on the smoking grill"),
    ("fireworks", "watermelon"): ("cut a watermelon for the picnic", "a juicy watermelon"),
    ("fireworks", "sparklers"): ("wrote names with sparklers", "two bright sparklers"),
    ("fireworks", "rocket"): ("watched the first rocket burst", "the first rocket of the show"),
    ("fireworks", "finale"): ("gasped at the grand finale", "the grand finale over the city"),
    ("football", "stadium"): ("found seats in the stadium", "the crowd in the stadium"),
    ("football", "whistle"): ("heard the whistle of the referee", "the whistle of the referee"),
    ("football", "ball"): ("waited for the kick of the ball", "the ball before the kick"),
    ("football", "goal"): ("cheered for the winning goal", "the net behind the goal"),
    ("football", "hot_dogs"): ("ate hot dogs at half time", "hot dogs with mustard"),
    ("football", "scoreboard"): ("checked the final score", "the final score on the board"),
    ("football", "trophy"): ("saw the captain lift the trophy", "the trophy of the champions"),
    ("halloween", "patch"): ("searched the patch for pumpkins", "a patch full of pumpkins"),
    ("halloween", "carving"): ("carved a scary face", "a lantern with a scary face"),
    ("halloween", "hat"): ("dressed up as a witch", "the pointed hat of a witch"),
    ("halloween", "mansion"): ("knocked at the haunted mansion", "the haunted mansion"),
    ("halloween", "ghosts"): ("ran away from two ghosts", "two pale ghosts"),
    ("halloween", "bucket"): ("filled the bucket with sweets", "a bucket full of sweets"),
    ("halloween", "bats"): ("heard the bats in the dark", "a swarm of bats"),
    ("market", "gate"): ("passed through the iron gate", "the iron gate at the entrance"),
    ("market", "fruit"): ("picked apples and pears", "crates of apples and pears"),
    ("market", "flowers"): ("smelled tulips at the stall", "tulips at the stall"),
    ("market", "bread"): ("bought loaves from the baker", "fresh loaves from the baker"),
    ("market", "cheese"): ("tasted cheese with holes", "a wedge of cheese with holes"),
    ("market", "guitar"): ("clapped for the guitar player", "the guitar of a musician"),
    ("market", "bus"): ("took the crowded bus back", "the crowded bus"),
    ("snow", "cabin"): ("reached the log cabin", "a log cabin with a chimney"),
    ("snow", "fort"): ("dug a fort out of ice", "an icy fort"),
    ("snow", "snowman"): ("made a snowman with a scarf", "a snowman with a carrot nose"),
    ("snow", "sled"): ("raced a sled down the slope", "a sled on the slope"),
    ("snow", "skates"): ("skated on the frozen pond", "skates on the frozen pond"),
    ("snow", "cocoa"): ("drank a mug of hot cocoa", "a mug of hot cocoa"),
    ("snow", "fireplace"): ("dried socks at the fireplace", "wool socks at the fireplace"),
    ("wedding", "church"): ("walked up to the old church", "the old church on the hill"),
    ("wedding", "bouquet"): ("picked roses for the bouquet", "a bouquet of roses"),
    ("wedding", "vows"): ("heard the vows under the arch", "the bride and groom under an arch"),
    ("wedding", "rings"): ("admired the golden rings", "the golden rings on a pillow"),
    ("wedding", "car"): ("waved at the couple in the car", "the car of the newlyweds"),
    ("wedding", "wedding_cake"): ("tried the cake with three layers", "a cake with three layers"),
    ("wedding", "lanterns"): ("waltzed below paper lanterns", "paper lanterns at the dance"),
}


@dataclass(frozen=True)
class Narrator:
    """One voice: templates for the five sentences of a story.

    The opening comes first, then the hero, then the middle, then the closing; all but the
    opening have a form for a keepsake in the photo (`_carries`), for one that an earlier photo
    showed (`_lacks`), and for no keepsake.  The two sentences of the middle have a form each, so
    that the previous sentence determines the form.  The fields of a template: {weather};
    {event_did} and {event}; {did} and {seen}, the moment; {keepsake}; {feeling}; and the hero as
    {name}, {he}, {his}, {boy}, {son}, {brother}, {colour} and {garment}.
    """

    opening: str
    hero: str
    hero_carries: str
    hero_lacks: str
    middle: str
    middle_carries: tuple[str, str]
    middle_lacks: tuple[str, str]
    feelings: tuple[str, ...]
    closing: str
    closing_keeps: str


NARRATORS = {
    "we": Narrator(
        opening="it was a {weather} day and we {event_did}",
        hero="our {son} in {colour} {did}",
        hero_carries="our {son} in {colour} had our {keepsake} and {did}",
        hero_lacks="our {son} in {colour} missed our {keepsake} and {did}",
        middle="we {did} {feeling}",
        middle_carries=(
            "{he} held the {keepsake} while we {did}",
            "{he} still had the {keepsake} when we {did}",
        ),
        middle_lacks=(
            "{he} left the {keepsake} behind but we {did}",
            "{he} missed the {keepsake} when we {did}",
        ),
        feelings=("and had a great time", "and loved every minute", "and it was so much fun"),
        closing="at the end we {did} and went home happy",
        closing_keeps="we kept the {keepsake} and {did} at the end",
    ),
    "i": Narrator(
        opening="i {event_did} on this {weather} day",
        hero="my {brother} in {colour} {did}",
        hero_carries="my {brother} in {colour} took my {keepsake} and {did}",
        hero_lacks="my {brother} in {colour} forgot my {keepsake} and {did}",
        middle="i {did} {feeling}",
        middle_carries=(
            "{he} carried the {keepsake} when i {did}",
            "{he} kept the {keepsake} close while i {did}",
        ),
        middle_lacks=(
            "{he} put the {keepsake} away and i {did}",
            "{he} looked for the {keepsake} while i {did}",
        ),
        feelings=("and was very happy", "and could not stop smiling", "and will remember it"),
        closing="finally i {did} and fell asleep quickly",
        closing_keeps="i took the {keepsake} home after i {did}",
    ),
    "family": Narrator(
        opening="the whole family {event_did} on a {weather} day",
        hero="their {son} in {colour} {did}",
        hero_carries="their {son} in {colour} brought their {keepsake} and {did}",
        hero_lacks="their {son} in {colour} wanted their {keepsake} and {did}",
        middle="they {did} {feeling}",
        middle_carries=(
            "{he} showed off the {keepsake} as they {did}",
            "{he} played with the {keepsake} until they {did}",
        ),
        middle_lacks=(
            "{he} asked for the {keepsake} as they {did}",
            "{he} talked about the {keepsake} when they {did}",
        ),
        feelings=("and everyone enjoyed it", "and nobody wanted to leave", "and laughed a lot"),
        closing="in the end they {did} and drove home together",
        closing_keeps="they packed the {keepsake} and in the end they {did}",
    ),
    "friend": Narrator(
        opening="{name} {event_did} on a {weather} day and was excited",
        hero="{he} wore a {colour} {garment} and {did}",
        hero_carries="{he} wore a {colour} {garment} with {his} {keepsake} and {did}",
        hero_lacks="{he} wore a {colour} {garment} without {his} {keepsake} and {did}",
        middle="{he} {did} {feeling}",
        middle_carries=(
            "{he} waved the {keepsake} and {did}",
            "{he} held on to the {keepsake} and {did}",
        ),
        middle_lacks=(
            "{he} lost the {keepsake} but {did}",
            "{he} dreamed of the {keepsake} but {did}",
        ),
        feelings=("and was very proud", "and felt wonderful", "with a big grin"),
        closing="at last {he} {did} and thanked everybody",
        closing_keeps="{he} hugged the {keepsake} and at last {he} {did}",
    ),
    "visitor": Narrator(
        opening="these are photos of {event} on a {weather} day",
        hero="the {boy} in {colour} is near {seen}",
        hero_carries="the {boy} in {colour} with a {keepsake} is near {seen}",
        hero_lacks="the {boy} in {colour} without a {keepsake} is near {seen}",
        middle="the next photo shows {seen} {feeling}",
        middle_carries=(
            "the {keepsake} is in this photo of {seen}",
            "the {keepsake} shows up again with {seen}",
        ),
        middle_lacks=(
            "the {keepsake} is gone in this photo of {seen}",
            "the {keepsake} is nowhere near {seen}",
        ),
        feelings=("which looks amazing", "and it is really pretty", "and many happy faces"),
        closing="the last photo shows {seen} and that was all",
        closing_keeps="the {keepsake} is still in the last photo of {seen}",
    ),
}
# The narrator, by the number of an album's people, who is three times as likely as any other.
_FAVOURITE = {1: "friend", 2: "i", 3: "we", 4: "family"}

_MENTIONS_WEATHER = 0.4


def choose_narrators(album, stories, rng):
    """Choose the narrators of an album's stories -> their names."""
    names = list(NARRATORS)
    weights = [3 if name == _FAVOURITE[len(album.people)] else 1 for name in names]
    probabilities = [weight / sum(weights) for weight in weights]
    return [str(name) for name in rng.choice(names, stories, p=probabilities)]


def narrate(album, positions, narrator, rng):
    """Write a sentence about each photo at these positions of an album, tokenised as in VIST."""
    places = range(len(positions))
    return [f"{_sentence(album, positions, place, narrator, rng)} ." for place in places]


def describe(album, photo):
    """Write one sentence about one photo, without any story."""
    words = _words(album, photo)
    carried = ", holding a {keepsake}" if photo.shows_keepsake else ""
    text = ("a {boy} in {colour} next to {seen}" + carried + " .").format(**words)
    return text.replace(",", " ,")


def original_text(text, names):
    """Turn a tokenised sentence into one as somebody would type it."""
    for tag, name in names.items():
        text = text.replace(tag, name)
    text = text.replace(" ,", ",").replace(" .", ".")
    return text[0].upper() + text[1:]


def wordings():
    """Return the wordings of each fact in a story, `{fact: {value: [wordings]}}`."""
    return {
        "event": EVENT_WORDINGS,
        "weather": WEATHER_WORDINGS,
        "clothes": {c: [f"in {c}", f"{c} shirt", f"{c} dress"] for c in COLOURS},
        "keepsake": {f"{c} {t}": [f"{c} {t}"] for c in COLOURS for t in THINGS},
    }


def _sentence(album, positions, place, narrator, rng):
    photo = album.photos[positions[place]]
    recent = [album.photos[p].shows_keepsake for p in positions[max(0, place - MEMORY) : place]]
    now, before = photo.shows_keepsake, any(recent)
    voice = NARRATORS[narrator]
    if place == 0:
        template = voice.opening
    elif place == 1:
        template = _choose(now, before, voice.hero_carries, voice.hero_lacks, voice.hero)
    elif place < VIST_PHOTOS_PER_STORY - 1:
        carries, lacks = voice.middle_carries[place - 2], voice.middle_lacks[place - 2]
        template = _choose(now, before, carries, lacks, voice.middle)
    else:
        template = voice.closing_keeps if now or before else voice.closing
    return template.format(**_words(album, photo), feeling=_feeling(album, voice, rng))


def _choose(now, before, carries, lacks, without):
    if now:
        return carries
    return lacks if before else without


def _feeling(album, voice, rng):
    if rng.random() < _MENTIONS_WEATHER:
        return _IN_THE_WEATHER[album.weather]
    return str(rng.choice(voice.feelings))


def _words(album, photo):
    did, seen = _MOMENT_PHRASES[album.event, photo.moment]
    event_did, event = _EVENT_PHRASES[album.event]
    return {
        "weather": album.weather,
        "event_did": event_did,
        "event": event,
        "did": did,
        "seen": seen,
        "keepsake": album.keepsake,
        "colour": album.hero.clothes,
    } | (_SHE if album.hero.female else _HE)


_SHE = {
    "name": "[female]",
    "he": "she",
    "his": "her",
    "boy": "girl",
    "son": "daughter",
    "brother": "sister",
    "garment": "dress",
}
_HE = {
    "name": "[male]",
    "he": "he",
    "his": "his",
    "boy": "boy",
    "son": "son",
    "brother": "brother",
    "garment": "shirt",
}

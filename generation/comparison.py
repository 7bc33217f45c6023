"""Comparing systems on the stories that all of them have, and with human stories.

Human stories are scored against the other human stories of the same photos.  Systems are scored
against the same reduced references: where photos have three human stories, each is left out in
turn, and a system's story is scored three times, each time against the other two.
"""

from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from data_reader.errors import InputError
from data_reader.run_files import Share
from generation.diversity import diversity
from generation.generated_stories import HUMAN
from generation.metrics import METRICS, VIST_ALBUM, VIST_SEQUENCE, Texts
from generation.non_redundancy import split_sentences
from generation.protocols import compared, intervals, not_compared, prepare, score
from generation.references import UNITS, text_of
from generation.story_files import stories_by

LEFT_OUT = "one human story left out"
DIVERSITY = "diversity"
_NUMBERS = ("vocabulary", "words_per_sentence")  # of diversity; all others are shares


@dataclass(frozen=True)
class Common:
    """The stories that all systems have.

    Attributes:
        protocol: the one for whose keys the stories stand.
        keys: those that all systems and the references have, in the order of the references.
        systems: `{name: {key: story}}`.
        human: `{key: [stories]}`, of the references.
        albums: `{sequence: album}`; empty where albums are not known, or are the keys.
        human_by_album: `{album: [stories]}`, of the references, for these albums.
    """

    protocol: str
    keys: list[str]
    systems: dict[str, dict]
    human: dict[str, list]
    albums: dict[str, str]
    human_by_album: dict[str, list]

    @property
    def groups(self):
        """The group of each key, within which stories are not independent."""
        return [self.albums.get(key, key) for key in self.keys]

    def sentences(self, story):
        """The sentences of a story: as they are known of all stories, or found alike in all."""
        return story if self.have_sentences else _split(text_of(story))

    @cached_property
    def have_sentences(self):
        """Whether the sentences of all stories are known."""
        stories = [of_system[key] for of_system in self.systems.values() for key in self.keys]
        human = [story for of_key in self.human.values() for story in of_key]
        return all(isinstance(story, list) for story in stories + human)


@dataclass(frozen=True)
class Result:
    """A score of one system.

    Attributes:
        value: a `Share` where it is shown in percent.
        interval: [low, high], 95 %; None where there is none.
        difference, p_value: beside the system that the others are compared with, if there is one.
    """

    value: float
    interval: list[float] | None = None
    difference: float | None = None
    p_value: float | None = None


@dataclass(frozen=True)
class Section:
    """Scores that were computed in the same way.

    Attributes:
        title: the protocol, and whether human stories were left out.
        basis: what was scored.
        results: `{score: {system: Result}}`.
        lower_is_better: the names of such scores.
        missing: `{score: reason}`.
    """

    title: str
    basis: str
    results: dict[str, dict[str, Result]]
    lower_is_better: list[str] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)


def in_common(systems, references):
    """Find the stories that all systems have -> `Common`.

    Where one system has stories by album, the first story of an album is that of the others.

    Args:
        systems: `{name: System}`.
        references: `References`.

    Raises:
        InputError: there are none, or the albums of a system's sequences are not known.
    """
    by_album = any(system.protocol == VIST_ALBUM for system in systems.values())
    protocol = VIST_ALBUM if by_album else VIST_SEQUENCE
    human = references.of(protocol)
    stories = {name: stories_by(protocol, system, references) for name, system in systems.items()}
    keys = [key for key in human if all(key in of_system for of_system in stories.values())]
    if not keys:
        raise InputError(
            f"There are no {UNITS[protocol]} of which all systems have a story; compare fewer of "
            f"{', '.join(systems)}."
        )
    albums = {} if by_album else references.albums
    of_albums = references.of(VIST_ALBUM) if albums else {}
    return Common(protocol, keys, stories, human, albums, of_albums)


def compare(common, metrics=METRICS, against=None):
    """Score all systems -> a list of `Section`.

    Args:
        common: the stories, see `in_common`.
        against: the system, or HUMAN, that the others are compared with.
    """
    parts = _parts(common)
    several = {}
    for part in parts:
        several.setdefault(part.protocol, []).extend(part.systems.values())
    prepare(several, metrics)
    return [*(_section(part, metrics, against) for part in parts), _diversity(common)]


@dataclass(frozen=True)
class _Part:
    """`{system: Texts}` that are scored by a protocol."""

    protocol: str
    title: str
    basis: str
    systems: dict[str, Texts]


def _parts(common):
    groups = "albums" if common.albums else UNITS[common.protocol]
    parts = [_whole(common, groups), _left_out(common, groups), _of_albums(common)]
    return [part for part in parts if part and part.systems]


def _whole(common, groups):
    """All systems against all human stories."""
    human = [common.human[key] for key in common.keys]
    systems = {
        name: _texts(common, [stories[key] for key in common.keys], human, common.groups)
        for name, stories in common.systems.items()
    }
    basis = f"{len(common.keys)} {UNITS[common.protocol]}, intervals over {groups}"
    return _Part(common.protocol, common.protocol, basis, systems)


def _left_out(common, groups):
    """Human stories against the others of their key, and systems against the same ones."""
    places = [
        (key, group, number)
        for key, group in zip(common.keys, common.groups, strict=True)
        for number in range(len(common.human[key]))
        if len(common.human[key]) > 1
    ]
    if not places:
        return None
    others = [
        [s for n, s in enumerate(common.human[key]) if n != number] for key, _, number in places
    ]
    of_places = [group for _, group, _ in places]
    human = [common.human[key][number] for key, _, number in places]
    systems = {HUMAN: human} | {
        name: [stories[key] for key, _, _ in places] for name, stories in common.systems.items()
    }
    texts = {name: _texts(common, each, others, of_places) for name, each in systems.items()}
    keys = len({key for key, _, _ in places})
    basis = (
        f"{len(places)} human stories of {keys} {UNITS[common.protocol]} that have several, each "
        f"left out in turn, intervals over {groups}"
    )
    return _Part(common.protocol, f"{common.protocol}, {LEFT_OUT}", basis, texts)


def _of_albums(common):
    """The first story of each album against all human stories of the album."""
    first = {}
    for key in common.keys:
        if common.albums.get(key) in common.human_by_album:
            first.setdefault(common.albums[key], key)
    if not first:
        return None
    human = [common.human_by_album[album] for album in first]
    systems = {
        name: _texts(common, [stories[key] for key in first.values()], human, list(first))
        for name, stories in common.systems.items()
    }
    basis = f"{len(first)} albums, the first photo sequence of each, intervals over albums"
    return _Part(VIST_ALBUM, VIST_ALBUM, basis, systems)


@lru_cache(maxsize=2**16)  # a story is part of several sections
def _split(text):
    return split_sentences(text)


def _texts(common, stories, human, groups):
    return Texts(
        [text_of(story) for story in stories],
        [[text_of(story) for story in of_key] for of_key in human],
        groups,
        [common.sentences(story) for story in stories],
    )


def _section(part, metrics, against):
    scored = {name: score(part.protocol, texts, metrics) for name, texts in part.systems.items()}
    results, lower = {}, []
    for name, of_system in scored.items():
        between = intervals(of_system)
        beside = compared(of_system, scored[against]) if against in scored else {}
        for title, metric in of_system.metrics.items():
            if metric.in_summary:
                value = (Share if metric.is_share else float)(of_system.values[title])
                paired = beside.get(title, {}) if name != against else {}
                results.setdefault(title, {})[name] = Result(
                    value, between[title], paired.get("difference"), paired.get("p_value")
                )
                lower += [title] if metric.higher_is_better is False else []
    return Section(
        part.title,
        part.basis,
        results,
        list(dict.fromkeys(lower)),
        not_compared(scored, scored.values()),
    )


def _diversity(common):
    """The diversity of the systems' stories and of the first human story of each key."""
    stories = {HUMAN: {key: common.human[key][0] for key in common.keys}, **common.systems}
    results = {}
    for name, of_system in stories.items():
        sentences = [common.sentences(of_system[key]) for key in common.keys]
        for measure, value in diversity(sentences).items():
            number = float if measure in _NUMBERS else Share
            results.setdefault(measure, {})[name] = Result(number(value))
    basis = f"one story for each of {len(common.keys)} {UNITS[common.protocol]}"
    return Section(DIVERSITY, basis, results)

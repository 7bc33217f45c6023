"""Files of generated stories in the forms of the field, read by the keys of references.

A file whose name ends in .json is one of

    {"output_stories": [{"album_id": ..., "photo_sequence": [...], "story_text_normalized": ...}]}
    {album: {photo ids: story}}
    {photo ids: story}
    {album and photo ids: story}
    {album: story}
    {story id: story}

the first being the form of the 2018 challenge.  Photo ids are joined by _; a story is a text, or a
list of sentences.  A name in the last four is of the kind in which the references have most of
them.  Of story ids, which are those of human stories, only VIST's annotations know the photos.

Any other file is a text of one story, or of the same number of sentences, per line, in the order of
the references or of a stories file.
"""

from dataclasses import dataclass
from pathlib import Path

from data_reader.errors import InputError, abbreviated
from data_reader.files import read_json, write_json
from data_reader.hdf5_files import read_strings
from data_reader.stories_file import open_stories, read_story_ids
from dataset.tokeniser import Tokeniser
from generation.generated_stories import read_hypotheses
from generation.metrics import VIST_ALBUM, VIST_SEQUENCE, check_length
from generation.references import UNITS, is_empty, is_story, text_of
from generation.scored_files import read_lines

_FORMS = (
    "the 2018 challenge's form, {album: {photo ids: story}}, {photo ids joined by _: story}, "
    "{album and photo ids joined by _: story}, {album: story} and {story id: story}"
)
_CHALLENGE = ("album_id", "photo_sequence", "story_text_normalized")
# The protocol for whose keys each kind of name stands.
_KINDS = {
    "photo ids": VIST_SEQUENCE,
    "album and photo ids": VIST_SEQUENCE,
    "story id": VIST_SEQUENCE,
    "album": VIST_ALBUM,
}


@dataclass(frozen=True)
class NamedStory:
    """A generated story and what its source says of it; None for what it does not say.

    Attributes:
        story: a text, or a list of sentences.
        album: the album's id.
        photos: the ids of the photos; where a source has them joined by _, one text.
        name: the human story's id, or a name of which the kind is not known.
    """

    story: str | list[str]
    album: str | None = None
    photos: tuple[str, ...] | None = None
    name: str | None = None

    @property
    def sequence(self):
        return None if self.photos is None else "_".join(self.photos)

    @property
    def shown(self):
        return self.name if self.photos is None else self.sequence

    def possible_keys(self, references):
        """`{kind: key}`: the key for which the name stands if it is of that kind."""
        name = "" if self.name is None else self.name
        return {
            "photo ids": self.sequence or name,
            "album and photo ids": name.partition("_")[2],
            "story id": references.sequences.get(name),
            "album": self.album or name,
        }


@dataclass(frozen=True)
class System:
    """Generated stories by the keys of references.

    Attributes:
        source: where they come from.
        protocol: the one whose keys they have.
        stories: `{key: story}`, the first one of each key.
        read: the number of stories in the source.
        unknown: the names of those whose keys the references do not have.
    """

    source: str
    protocol: str
    stories: dict[str, str | list[str]]
    read: int
    unknown: list[str]

    def empty(self):
        """The keys of empty stories."""
        return [key for key, story in self.stories.items() if is_empty(story)]


def read_system(path, references, order=None):
    """Read a file of generated stories -> `System`.

    Args:
        references: `References`.
        order: the key of each story in a text file (default: the order of the references).

    Raises:
        FileNotFoundError: there is no such file.
        InputError: it has another form, or names nothing that the references have.
    """
    path = Path(path)
    if path.suffix == ".json":
        return by_keys(str(path), read_named_stories(path), references)
    return by_keys(str(path), _read_text(path, references, order or references.order), references)


def read_run(run, split, decoding, layout):
    """Read the stories that a run has generated for a split -> a list of `NamedStory`.

    Raises:
        FileNotFoundError: the stories were not generated, or there is no stories file.
        InputError: the stories file does not record which photos a story has, or has other stories.
    """
    generated = read_hypotheses(run, decoding, split)
    with open_stories(layout, split, also=("album_ids", "image_ids")) as file:
        names = read_story_ids(file)
        albums, photos = read_strings(file["album_ids"]), read_strings(file["image_ids"])
    if len(generated) != len(albums):
        raise InputError(
            f"{run.path} has {len(generated)} {split} stories, {layout.stories(split)} holds "
            f"{len(albums)}; generate them again with: python -m generation --run {run.path} "
            f"--split {split}"
        )
    return [
        NamedStory(*each) for each in zip(generated, albums, map(tuple, photos), names, strict=True)
    ]


def read_order(layout, split):
    """Read the key of each story of a stories file: its photo ids joined by _.

    Raises:
        FileNotFoundError, InputError: there is no such file, or it does not record the photos.
    """
    with open_stories(layout, split, also=("image_ids",)) as file:
        return ["_".join(photos) for photos in read_strings(file["image_ids"])]


def tokenised(stories):
    """`{key: story}` with VIST's tokens in place of raw text."""
    tokeniser = Tokeniser()
    return {
        key: [tokeniser(part) for part in story] if isinstance(story, list) else tokeniser(story)
        for key, story in stories.items()
    }


def stories_by(protocol, system, references):
    """`{key: story}` of a `System` by the keys of a protocol; an album has its first story.

    Raises:
        InputError: the photos of a system's stories, or their albums, are not known.
    """
    if system.protocol == protocol:
        return system.stories
    if protocol == VIST_SEQUENCE or not references.albums:
        raise InputError(
            f"{system.source} has stories by {UNITS[system.protocol]} such as "
            f"{next(iter(system.stories)):.60}, expected {UNITS[protocol]}, of which "
            f"{references.path} does not say which are theirs."
        )
    stories = {}
    for key, story in system.stories.items():
        stories.setdefault(references.albums[key], story)
    return stories


def by_keys(source, stories, references):
    """Find the references' keys of `NamedStory`s -> `System`.

    Raises:
        InputError: the references have none of them.
    """
    possible = [story.possible_keys(references) for story in stories]
    keys = {
        kind: [
            each[kind] if each[kind] in references.stories.get(protocol, {}) else None
            for each in possible
        ]
        for kind, protocol in _KINDS.items()
    }
    known = {kind: sum(key is not None for key in of_kind) for kind, of_kind in keys.items()}
    kind = "photo ids" if known["photo ids"] else max(known, key=known.get)
    if not known[kind]:
        first = stories[0].shown if stories else "none"
        raise InputError(
            f"{source}: none of its {len(stories)} stories, the first of which is {first:.60}, is "
            f"in {references.path}, which names {_units(references)} such as "
            f"{references.order[0]:.60}."
        )
    found = {}
    for key, story in zip(keys[kind], stories, strict=True):
        if key is not None:
            found.setdefault(key, story.story)
    unknown = [s.shown for key, s in zip(keys[kind], stories, strict=True) if key is None]
    return System(source, _KINDS[kind], found, len(stories), unknown)


def _units(references):
    return " and ".join(UNITS[protocol] for protocol in references.stories)


def read_named_stories(path):
    """Read a JSON file -> a list of `NamedStory`.

    Raises:
        FileNotFoundError: there is no such file.
        InputError: it has another form.
    """
    contents = read_json(path)
    if not isinstance(contents, dict) or not contents:
        raise InputError(f"{path} holds {abbreviated(contents)}; JSON is read in {_FORMS}.")
    if "output_stories" in contents:
        return _of_challenge(path, contents["output_stories"])
    if all(isinstance(value, dict) for value in contents.values()):
        return [
            NamedStory(_story(path, f"{album}, {sequence}", story), album, (sequence,))
            for album, of_album in contents.items()
            for sequence, story in of_album.items()
        ]
    return [NamedStory(_story(path, key, story), name=key) for key, story in contents.items()]


def _of_challenge(path, entries):
    if not isinstance(entries, list):
        raise InputError(f"{path}: output_stories is {abbreviated(entries)}, expected a list.")
    stories = []
    for number, entry in enumerate(entries):
        where = f"output_stories[{number}]"
        for field in _CHALLENGE:
            if not isinstance(entry, dict) or field not in entry:
                raise InputError(f"{path}: {where} has no {field!r}: {abbreviated(entry)}")
        album, photos, story = (entry[field] for field in _CHALLENGE)
        if not isinstance(photos, list) or not all(map(_is_id, (album, *photos))):
            raise InputError(
                f"{path}: {where} has the album_id {abbreviated(album)} and the photo_sequence "
                f"{abbreviated(photos)}, expected an id and a list of ids."
            )
        story = _story(path, where, story)
        stories.append(NamedStory(story, str(album), tuple(map(str, photos))))
    return stories


def _story(path, key, value):
    """A story, or the only one of a list."""
    if not is_story(value):
        raise InputError(
            f"{path}: {key:.60} has {abbreviated(value)}, expected a story (a text, or a list of "
            f"sentences); JSON is read in {_FORMS}."
        )
    check_length(f"{path}: the story of {key:.60}", text_of(value))
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _is_id(value):
    return isinstance(value, str) or type(value) is int


def _read_text(path, references, order):
    """Stories of one line each, or of as many sentences as there are lines for each."""
    lines = read_lines(path)
    per_story, rest = divmod(len(lines), len(order))
    if rest or not per_story:
        raise InputError(
            f"{path} has {len(lines)} lines for the {len(order)} stories of {references.path}; "
            "expected one line, or the same number, for each (a JSON file's name ends in .json)."
        )
    stories = [lines[start : start + per_story] for start in range(0, len(lines), per_story)]
    for key, story in zip(order, stories, strict=True):
        check_length(f"{path}: the story of {key:.60}", text_of(story))
    if per_story == 1:
        stories = [story for [story] in stories]
    if VIST_SEQUENCE in references.stories:
        return [NamedStory(story, photos=(key,)) for key, story in zip(order, stories, strict=True)]
    return [NamedStory(story, name=key) for key, story in zip(order, stories, strict=True)]


def _challenge(stories, team):
    first = _first_of_each(stories, lambda story: story.sequence)
    entries = [
        dict(zip(_CHALLENGE, (story.album, list(story.photos), text_of(story.story)), strict=True))
        for story in first.values()
    ]
    return {
        "team_name": team,
        "evaluation_info": {"additional_description": ""},
        "output_stories": entries,
    }


def _by_album_and_sequence(stories, team):
    albums = {}
    for sequence, story in _first_of_each(stories, lambda story: story.sequence).items():
        albums.setdefault(story.album, {})[sequence] = text_of(story.story)
    return albums


def _by(key_of):
    return lambda stories, team: {
        key: text_of(story.story) for key, story in _first_of_each(stories, key_of).items()
    }


def _first_of_each(stories, key_of):
    """`{key: the first story that has it}`."""
    first = {}
    for story in stories:
        first.setdefault(key_of(story), story)
    return first


FORMATS = {
    "challenge": _challenge,
    "albums-and-sequences": _by_album_and_sequence,
    "sequences": _by(lambda story: story.sequence),
    "albums": _by(lambda story: story.album),
    "stories": _by(lambda story: story.name),
}


def write_stories(path, form, stories, team):
    """Write `NamedStory`s whose album, photos and story id are known, the first of each key.

    Args:
        form: a name of FORMATS.
        team: the challenge's `team_name`.
    """
    write_json(path, FORMATS[form](stories, team))

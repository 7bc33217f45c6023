"""Human stories to compare with, from files of several forms.

| form of a JSON file | what it knows |
|---|---|
| VIST's story-in-sequence annotations | photos, albums and ids of stories, their sentences |
| `{album: {photo ids: [stories]}}` | photos and albums |
| `{photo ids: [stories]}` | photos |
| `{album and photo ids: [stories]}`: an album and VIST's five photos | photos and albums |
| `{album: [stories]}` | albums |

Photo ids are joined by _.  A key with a _ is taken for photo ids if all keys have as many of them;
albums whose ids are like that need one of the first two forms.  A story is a text or a list of
sentences.
"""

from dataclasses import dataclass, field
from pathlib import Path

from data_reader.errors import InputError, abbreviated
from data_reader.files import read_json
from data_reader.sis_datareader import read_stories, why_unusable
from data_reader.stories_file import VIST_PHOTOS_PER_STORY
from generation.metrics import VIST_ALBUM, VIST_SEQUENCE, check_length
from generation.scored_files import check_keys

UNITS = {VIST_SEQUENCE: "photo sequences", VIST_ALBUM: "albums"}  # what the protocols' keys name


def text_of(story):
    """A story, a text or a list of sentences, as one text."""
    return " ".join(story if isinstance(story, list) else [story])


def is_empty(story):
    return not text_of(story).strip()


@dataclass(frozen=True, eq=False)
class References:
    """Human stories by key: the photo ids of a sequence joined by _, or an album's id.

    Attributes:
        path: the file.
        stories: `{protocol: {key: [stories]}}`, without empty ones; a key may have none left, and
            a protocol whose keys are not known is missing.
        albums: `{sequence: album}`, where they are known.
        sequences: `{story id: sequence}`, where they are known.
        order: the key of each story in the file's order, which a text file's lines have.
        empty: the keys of empty human stories, which are left out.
    """

    path: Path
    stories: dict[str, dict[str, list]] = field(default_factory=dict)
    albums: dict[str, str] = field(default_factory=dict)
    sequences: dict[str, str] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)

    def of(self, protocol):
        """`{key: [stories]}` of a protocol, without keys that have none.

        Raises:
            InputError: the file does not know its keys.
        """
        if protocol not in self.stories:
            known = UNITS[next(iter(self.stories))]
            raise InputError(
                f"{protocol} needs references by {UNITS[protocol]}, {self.path} has {known} "
                f"such as {self.order[0]:.60}."
            )
        return {key: stories for key, stories in self.stories[protocol].items() if stories}

    def add(self, sequence, album, stories):
        """Add human stories; the sequence or the album is None where it is not known."""
        self.order.append(sequence or album)
        kept = [story for story in stories if not is_empty(story)]
        self.empty.extend([sequence or album] * (len(stories) - len(kept)))
        if sequence is not None and album is not None:
            self.albums.setdefault(sequence, album)
        for protocol, key in ((VIST_SEQUENCE, sequence), (VIST_ALBUM, album)):
            if key is not None:
                self.stories.setdefault(protocol, {}).setdefault(key, []).extend(kept)


def read_references(path, protocol=None):
    """Read human stories from a JSON file of one of the forms above.

    Args:
        protocol: the one that the keys of `{key: [stories]}` are for, if that is known.

    Raises:
        FileNotFoundError: there is no such file.
        InputError: it has another form.
    """
    contents = read_json(path)
    references = References(Path(path))
    if not isinstance(contents, dict) or not contents:
        raise _of_no_form(path, contents)
    if "annotations" in contents:
        _add_annotated(references)
    elif all(isinstance(value, dict) for value in contents.values()):
        for album, of_album in contents.items():
            for sequence, stories in of_album.items():
                references.add(sequence, album, _checked(path, sequence, stories))
    else:
        if protocol:
            check_keys(path, protocol, contents)
        protocol = protocol or _protocol_of(contents)
        for key, stories in contents.items():
            references.add(*_names(key, protocol), _checked(path, key, stories))
    if not references.order:
        raise _of_no_form(path, contents)
    return references


def _of_no_form(path, contents):
    return InputError(
        f"{path} holds {abbreviated(contents)}, expected references: VIST's annotations, "
        "{photo ids joined by _: [stories]}, {album: [stories]} or "
        "{album: {photo ids: [stories]}}."
    )


def _add_annotated(references):
    human = read_stories(references.path)
    for story in human:
        if not why_unusable(story, human.photos_per_story):
            sequence = "_".join(story.photo_ids)
            references.sequences[story.story_id] = sequence
            stories = _checked(references.path, f"the story {story.story_id}", [list(story.texts)])
            references.add(sequence, story.album_id, stories)
    if not references.stories:
        raise InputError(f"{references.path} holds no story that can be used.")


def _protocol_of(keys):
    numbers = {key.count("_") for key in keys}
    return VIST_SEQUENCE if len(numbers) == 1 and 0 not in numbers else VIST_ALBUM


def _names(key, protocol):
    """The sequence and the album that a key names, None for what it does not."""
    if protocol == VIST_ALBUM:
        return None, key
    album, _, sequence = key.partition("_")
    return (sequence, album) if key.count("_") == VIST_PHOTOS_PER_STORY else (key, None)


def _checked(path, key, stories):
    """A key's human stories."""
    if not isinstance(stories, list) or not all(map(is_story, stories)):
        raise InputError(
            f"{path}: {key:.60} has {abbreviated(stories)}, expected a list of stories."
        )
    for story in stories:
        check_length(f"{path}: a story of {key:.60}", text_of(story))
    return stories


def is_story(value):
    """Whether it is a text or a list of sentences, in Unicode."""
    sentences = value if isinstance(value, list) else [value]
    return all(isinstance(sentence, str) and is_unicode(sentence) for sentence in sentences)


def is_unicode(text):
    return not any("\ud800" <= character <= "\udfff" for character in text)

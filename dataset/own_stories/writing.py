"""Writing imported stories in VIST's format, in place of those of an earlier import only."""

import filecmp
import json
from contextlib import ExitStack

from tqdm import tqdm

from data_reader.errors import InputError
from data_reader.files import atomic_write
from data_reader.layout import SPLITS
from dataset.own_stories.outdated import remove_outdated

_TIER = "story-in-sequence"
_LONGEST_INFO = 1 << 16


def check_replaceable(layout):
    """Refuse a data folder with annotations that are no import; list the files of the imports.

    Raises:
        InputError: a split's annotations, such as VIST's, were not written by an import.
    """
    sources = set()
    for split in SPLITS:
        path = layout.annotations(split)
        if path.is_file():
            source = _imported_from(path)
            if source is None:
                raise InputError(
                    f"{path} is no import of stories and would be replaced; give another --data "
                    "folder."
                )
            sources.add(source)
    return sorted(sources)


def _imported_from(path):
    """Read which file the annotations were imported from, or None of any others."""
    with path.open("rb") as file:
        first_line = file.readline(_LONGEST_INFO)
    try:
        return json.loads(first_line.rstrip(b",\n") + b"}")["info"]["imported_from"]
    except (ValueError, TypeError, KeyError):
        return None


def write_annotations(layout, info, stories, tokenise):
    """Write the annotations of all splits, or change none; remove those of a split without stories.

    If they differ from those of an earlier import, what the reader made of these is removed.

    Args:
        info: what the files say of themselves; the key "imported_from" marks them as imported.
        stories: `{split: stories}`, whose photos are ids.
        tokenise: the function that makes a sentence's words.

    Returns:
        the paths of the files of the earlier import that were removed, None if nothing differs.
    """
    removed, written = None, {}
    with ExitStack() as renamed_at_the_end:
        for split in SPLITS:
            if stories[split]:
                path = renamed_at_the_end.enter_context(atomic_write(layout.annotations(split)))
                with path.open("w", encoding="utf-8") as file:
                    file.writelines(_lines(info, stories[split], tokenise))
                written[split] = path
        if any(_differs(layout.annotations(split), written.get(split)) for split in SPLITS):
            removed = remove_outdated(layout)
    for split in SPLITS:
        if not stories[split]:
            layout.annotations(split).unlink(missing_ok=True)
    return removed


def _differs(earlier, written):
    """Return whether a split's new annotations are others than its earlier ones, if it had any."""
    if not earlier.is_file():
        return False
    return written is None or not filecmp.cmp(earlier, written, shallow=False)


def _lines(info, stories, tokenise):
    """Yield the file in pieces, since the objects of all sentences would fill the memory."""
    albums = dict.fromkeys(story.album_id for story in stories)
    album_of = {photo: story.album_id for story in stories for photo in story.photos}
    yield f'{{"info": {_json(info)},\n"type": "{_TIER}",\n"albums": [\n'
    yield from _separated({"id": album} for album in albums)
    yield '],\n"images": [\n'
    yield from _separated({"id": id_, "album_id": album} for id_, album in album_of.items())
    yield '],\n"annotations": [\n'
    bar = tqdm(stories, desc="writing", unit="story", disable=None)
    yield from _separated([row] for story in bar for row in _annotations(story, tokenise))
    yield "]}\n"


def _annotations(story, tokenise):
    for order, (photo, text) in enumerate(zip(story.photos, story.sentences, strict=True)):
        yield {
            "original_text": text,
            "album_id": story.album_id,
            "photo_flickr_id": photo,
            "story_id": story.story_id,
            "tier": _TIER,
            "worker_arranged_photo_order": order,
            "text": tokenise(text),
        }


def _separated(objects):
    separator = ""
    for thing in objects:
        yield separator + _json(thing)
        separator = ",\n"
    yield "\n"


def _json(thing):
    return json.dumps(thing, ensure_ascii=False)

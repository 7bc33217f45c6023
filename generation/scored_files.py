"""Texts in lines, and the keys of the protocols."""

import re
from pathlib import Path

from data_reader.errors import InputError
from data_reader.stories_file import VIST_PHOTOS_PER_STORY
from generation.metrics import VIST_SEQUENCE, check_length

_SHOWN = 5
_OF_VIST = re.compile(r"\d+(_\d+){4}")  # a sequence of VIST's photos
_SEQUENCE = re.compile(r".+_.+", re.DOTALL)


def read_lines(path):
    """Read the lines of a text file; only a line feed ends one.

    Raises:
        FileNotFoundError: there is no such file.
        InputError: it is empty, not UTF-8, or JSON, or a line is too long.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"There is no file {path}.")
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 ({error}); convert it.") from error
    if not text.strip():
        raise InputError(f"{path} holds no text.")
    if path.suffix == ".json":
        raise InputError(
            f"{path} is JSON, expected a text file with one sentence or story per line."
        )
    lines = text.removesuffix("\n").split("\n")
    for number, line in enumerate(lines, 1):
        check_length(f"{path}: line {number}", line)
    return lines


def pair_lines(hypotheses, references, level, sentences_per_story=VIST_PHOTOS_PER_STORY):
    """Prepare lines for a level: as they are, or the sentences of each story joined.

    At the level "story" the hypotheses may already be one story per line.

    Raises:
        InputError: the numbers of lines do not match.
    """
    generated, human = len(hypotheses), len(references)
    if level == "sentence" and generated != human:
        raise InputError(
            f"There are {generated} hypotheses for {human} references; each needs its own line."
        )
    if level == "story":
        stories, rest = divmod(human, sentences_per_story)
        if rest or generated not in (human, stories):
            raise InputError(
                f"There are {generated} lines of hypotheses for {human} references; a story needs "
                f"{sentences_per_story} lines of references and one or as many of hypotheses "
                "(--sentences-per-story)."
            )
        references = _join(references, sentences_per_story)
        if generated == human:
            hypotheses = _join(hypotheses, sentences_per_story)
    return hypotheses, references


def in_stories(sentences, per_story):
    """The sentences of each story."""
    return [sentences[start : start + per_story] for start in range(0, len(sentences), per_story)]


def _join(sentences, per_story):
    return [" ".join(story) for story in in_stories(sentences, per_story)]


def check_keys(path, protocol, keys):
    """Refuse a file's keys of one of the two protocols if the other was asked for.

    An album's id may be any text: only sequences of VIST's photos are told from it.

    Raises:
        InputError: a key is of the other protocol; the message names the first one.
    """
    for key in keys:
        if protocol == VIST_SEQUENCE and not _SEQUENCE.fullmatch(key):
            raise InputError(
                f"{path}: {protocol} takes photo ids joined by _ as key, got {key:.60}."
            )
        if protocol != VIST_SEQUENCE and _OF_VIST.fullmatch(key):
            raise InputError(f"{path}: {protocol} takes an album's id as key, got {key:.60}.")


def shortened(names):
    """The first names of a list, in one line."""
    return ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")

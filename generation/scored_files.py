"""The files of texts that are scored by `python -m generation.scores PROTOCOL FILE FILE`."""

import re
from pathlib import Path

from data_reader.errors import InputError
from data_reader.files import read_json
from data_reader.vocabulary import SENTENCES_PER_STORY
from generation.metrics import VIST_SEQUENCE

_SEQUENCE = re.compile(r"\d+(_\d+){4}")


def read_lines(path):
    """Read the lines of a text file; only a line feed ends one.

    Raises:
        FileNotFoundError: there is no such file.
        InputError: it is empty, not UTF-8, or JSON.
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
    return text.removesuffix("\n").split("\n")


def pair_lines(hypotheses, references, level):
    """Prepare lines for a level: as they are, or each five sentences joined to a story.

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
        if human % SENTENCES_PER_STORY or generated not in (human, human // SENTENCES_PER_STORY):
            raise InputError(
                f"There are {generated} lines of hypotheses for {human} references; a story needs "
                f"{SENTENCES_PER_STORY} lines of references and one or as many of hypotheses."
            )
        references = _join(references)
        hypotheses = _join(hypotheses) if generated == human else hypotheses
    return hypotheses, references


def _join(sentences):
    return [
        " ".join(sentences[start : start + SENTENCES_PER_STORY])
        for start in range(0, len(sentences), SENTENCES_PER_STORY)
    ]


def read_predictions(path):
    """Read `{key: story}` from a JSON file whose values are stories or lists of one story.

    Raises:
        FileNotFoundError, InputError: there is no such file, or it is something else.
    """
    predictions = {
        key: value[0] if isinstance(value, list) and len(value) == 1 else value
        for key, value in _read_dictionary(path).items()
    }
    for key, story in predictions.items():
        if not isinstance(story, str):
            raise InputError(f"{path}: {key} has {story!r:.60}, expected one story.")
    return predictions


def read_references(path):
    """Read `{key: [stories]}` from a JSON file.

    Raises:
        FileNotFoundError, InputError: there is no such file, or it is something else.
    """
    references = _read_dictionary(path)
    for key, stories in references.items():
        if not isinstance(stories, list) or not all(isinstance(story, str) for story in stories):
            raise InputError(f"{path}: {key} has {stories!r:.60}, expected a list of stories.")
    return references


def _read_dictionary(path):
    contents = read_json(path)
    if not isinstance(contents, dict):
        raise InputError(f"{path} holds a {type(contents).__name__}, expected a dictionary.")
    return contents


def check_keys(protocol, keys):
    """Refuse the keys of one of the two protocols if the other was asked for.

    Raises:
        InputError: a key is of the other protocol; the message names the first one.
    """
    for key in keys:
        is_sequence = _SEQUENCE.fullmatch(key) is not None
        if is_sequence != (protocol == VIST_SEQUENCE):
            wanted = "an album's id" if is_sequence else "five photo ids joined by _"
            raise InputError(f"{protocol} takes {wanted} as key, got {key}.")

"""What a data folder holds, and all that is wrong with it.

A file that is broken is a finding, not the end: its reason is kept and the survey goes on.  What
is merely not made or not fetched yet is missing, but no problem; a part of VIST will do.
"""

import os
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import h5py
from tqdm import tqdm

from data_reader.errors import InputError
from data_reader.files import open_hdf5, write_csv
from data_reader.image_data_reader import find_photo_files, read_photo
from data_reader.image_mean_calculation import IMAGE_SIZE, read_means
from data_reader.layout import ALEXNET_WEIGHTS, SPLITS, WORD_VECTORS, DataLayout
from data_reader.sis_datareader import (
    features_command,
    read_descriptions,
    read_stories,
    why_unusable,
)
from data_reader.stories_file import check_features, feature_attributes, open_stories
from data_reader.vocabulary import Vocabulary
from dataset.models.alexnet.weights import read_weights

PROBLEMS_FILE = "problems.csv"
_PHOTOS_AT_A_TIME = 256


@dataclass(frozen=True)
class File:
    """A file that was looked for: `contents` if it is there and sound, `reason` if it is broken."""

    path: Path
    contents: Any = None
    reason: str = ""

    @property
    def sound(self):
        return self.contents is not None

    @property
    def missing(self):
        return not self.sound and not self.reason


class Problem(NamedTuple):
    """A row of the list of all that is wrong."""

    split: str
    kind: str
    id: str
    reason: str
    path: str


@dataclass(frozen=True)
class Split:
    """What is there of one split.

    Attributes:
        annotations: contents are the stories.
        descriptions: contents are `{photo id: text}`.
        photos: `{photo id: paths}`; of several paths the first counts.
        unreadable: `{photo id: reason}`, or None if the photos were not decoded.
        features: contents are the ids of the photos with features.
        stories_file: contents are its number of stories.
    """

    name: str
    photo_folder: Path
    annotations: File
    descriptions: File
    photos: dict[str, list[str]]
    unreadable: dict[str, str] | None
    features: File
    stories_file: File

    @cached_property
    def uses(self):
        """`Counter` of the photos that stories use."""
        return Counter(id_ for story in self.annotations.contents or () for id_ in story.photo_ids)

    @property
    def has_readable_photos(self):
        return len(self.photos) > len(self.unreadable or ())

    @property
    def has_usable_stories(self):
        """Whether some story has all that a stories file needs."""
        features, described = self.features.contents or (), self.descriptions.contents
        return any(
            not why_unusable(story)
            and all(id_ in features for id_ in story.photo_ids)
            and (described is None or all(id_ in described for id_ in story.photo_ids))
            for story in self.annotations.contents or ()
        )

    def used_but_not_in(self, ids):
        """The photos that stories use and `ids` lacks, in order of id."""
        return sorted(id_ for id_ in self.uses if id_ not in ids)


@dataclass(frozen=True)
class Survey:
    """What is there of a data folder; `weights` and `means` are None where none are needed."""

    layout: DataLayout
    extractor: str
    splits: list[Split]
    weights: File | None
    means: File | None
    vocabulary: File
    word_vectors: list[Path]


def survey(layout, extractor="alexnet", check_photos=False):
    """Look at all that a data folder should hold.

    Args:
        extractor: whose features are looked for.
        check_photos: decode every photo, too.

    Raises:
        ValueError: the data folder is a file, or the extractor's name can't be one.
    """
    if layout.root.exists() and not layout.root.is_dir():
        raise InputError(f"{layout} is no folder; --data takes the folder that holds the data.")
    if not re.fullmatch(r"\w+", extractor):
        raise InputError(
            f"There is no extractor {extractor!r}; it is alexnet or a model of keras.applications."
        )
    vocabulary = _look(layout.vocabulary, Vocabulary.read)
    alexnet = extractor == "alexnet"
    return Survey(
        layout=layout,
        extractor=extractor,
        splits=[
            _look_at_split(layout, name, extractor, vocabulary.contents, check_photos)
            for name in SPLITS
        ],
        weights=_look(ALEXNET_WEIGHTS, _count_layers) if _weights_needed(layout, alexnet) else None,
        means=_look(layout.means, lambda _: read_means(layout)) if alexnet else None,
        vocabulary=vocabulary,
        word_vectors=sorted(WORD_VECTORS.parent.glob("glove*.txt")),
    )


def _weights_needed(layout, alexnet):
    return alexnet and not layout.facts.exists()


def _count_layers(weights_path):
    return len(read_weights(weights_path))


def _look_at_split(layout, name, extractor, vocabulary, check_photos):
    photos = find_photo_files(layout.photos(name))
    return Split(
        name=name,
        photo_folder=layout.photos(name),
        annotations=_look(layout.annotations(name), read_stories),
        descriptions=_look(layout.annotations(name, "description-in-isolation"), read_descriptions),
        photos=photos,
        unreadable=find_unreadable(photos, name) if check_photos else None,
        features=_look(
            layout.features(name, extractor),
            lambda path: _read_feature_ids(path, layout, extractor),
        ),
        stories_file=_look(
            layout.stories(name), lambda _: _count_stories(layout, name, vocabulary, extractor)
        ),
    )


def _look(path, read):
    if not path.is_file():
        return File(path)
    try:
        return File(path, contents=read(path))
    except Exception as error:  # a survey survives whatever a file holds
        return File(path, reason=_explain(error, path))


def _explain(error, path):
    """The error in one line, without the path that it is shown with."""
    text = " ".join(str(error).split()).removeprefix(f"{path}").removeprefix(":").strip()
    return text if isinstance(error, ValueError | OSError) else f"{type(error).__name__}: {text}"


def _read_feature_ids(path, layout, extractor):
    made_by = features_command(layout, extractor)
    with open_hdf5(path, ("embeddings", "image_ids"), made_by) as file:
        ids = {id_.decode() for id_ in file["image_ids"][:]}
        rows, network = len(file["embeddings"]), file.attrs.get("extractor", extractor)
        means = feature_attributes(file).get("channel_means")
    if rows != len(ids):
        raise InputError(f"it holds {rows} rows of features for {len(ids)} photos.")
    if network != extractor:
        raise InputError(f"its extractor is {network}, expected {extractor}.")
    if extractor == "alexnet" and means is not None and tuple(means) != read_means(layout):
        raise InputError(f"its channel means are {means}, now they are {read_means(layout)}.")
    return ids


def _count_stories(layout, split, vocabulary, extractor):
    with open_stories(layout, split, vocabulary) as file:
        if layout.features(split, extractor).is_file():
            with h5py.File(layout.features(split, extractor)) as features:
                check_features(file, feature_attributes(features))
        count, network = len(file["story_ids"]), file.attrs.get("extractor", extractor)
    if network != extractor:
        raise InputError(f"its extractor is {network}, expected {extractor}.")
    if not count:
        raise InputError("it holds no story.")
    return count


def find_unreadable(photos, description):
    """Decode the photos as an extraction would -> `{photo id: reason}` of those that can't be."""
    ids, unreadable = sorted(photos), {}
    with (
        ThreadPoolExecutor(os.cpu_count()) as decoders,
        tqdm(total=len(ids), desc=description, unit="photo", disable=None) as bar,
    ):
        for start in range(0, len(ids), _PHOTOS_AT_A_TIME):
            part = ids[start : start + _PHOTOS_AT_A_TIME]
            reasons = decoders.map(_why_unreadable, (photos[id_][0] for id_ in part))
            for id_, reason in zip(part, reasons, strict=True):
                bar.update()
                if reason:
                    unreadable[id_] = reason
    return unreadable


def _why_unreadable(path):
    try:
        read_photo(path, short_side=IMAGE_SIZE)
    except Exception as error:  # a survey survives whatever a file holds
        return _explain(error, path) or type(error).__name__
    return ""


def write_problems(found):
    """Write the list of all that is wrong into the data folder, empty or not -> (path, problems).

    A data folder that is not there is not made.
    """
    path = found.layout.root / PROBLEMS_FILE
    problems = find_problems(found)
    if found.layout.root.is_dir():
        write_csv(path, Problem._fields, problems)
    return path, problems


def find_problems(found):
    """All that is wrong, split by split."""
    problems = [problem for split in found.splits for problem in _split_problems(split)]
    for kind, file in (
        ("AlexNet weights", found.weights),
        ("channel means", found.means),
        ("vocabulary", found.vocabulary),
    ):
        if file and file.reason:
            problems.append(Problem("", f"broken {kind}", "", file.reason, file.path))
    return problems


def _split_problems(split):
    for kind, file in (
        ("annotations", split.annotations),
        ("descriptions", split.descriptions),
        ("features", split.features),
        ("stories file", split.stories_file),
    ):
        if file.reason:
            yield Problem(split.name, f"broken {kind}", "", file.reason, file.path)
    yield from _story_problems(split)
    yield from _photo_problems(split)
    if split.descriptions.sound:
        for id_ in split.used_but_not_in(split.descriptions.contents):
            reason = "a story uses it, but it has no description"
            yield Problem(
                split.name, "photo without description", id_, reason, split.descriptions.path
            )
    if split.features.sound:
        yield from _feature_problems(split)


def _story_problems(split):
    for story in split.annotations.contents or ():
        if flaw := why_unusable(story):
            yield Problem(
                split.name, "unusable story", story.story_id, flaw, split.annotations.path
            )


def _photo_problems(split):
    if split.photos:
        for id_ in split.used_but_not_in(split.photos):
            reason = f"no file; uses in stories: {split.uses[id_]}"
            yield Problem(split.name, "missing photo", id_, reason, split.photo_folder)
    elif split.uses and not split.features.sound:  # features may have come without the photos
        reason = f"no photo at all; the stories use {len(split.uses)}"
        yield Problem(split.name, "no photos", "", reason, split.photo_folder)
    for id_, (first, *others) in sorted(split.photos.items()):
        for path in others:
            reason = f"another file has this id and is the one used: {first}"
            yield Problem(split.name, "duplicate photo", id_, reason, path)
    for id_, reason in (split.unreadable or {}).items():
        yield Problem(split.name, "unreadable photo", id_, reason, split.photos[id_][0])


def _feature_problems(split):
    """Photos that could have features; of a missing or unreadable one that is said already."""
    for id_ in split.used_but_not_in(split.features.contents):
        if id_ in split.photos and id_ not in (split.unreadable or ()):
            reason = "a story uses it, but it is not in the features file"
            yield Problem(split.name, "photo without features", id_, reason, split.photos[id_][0])

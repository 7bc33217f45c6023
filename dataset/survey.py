"""A survey of a data folder: its contents and all problems with them.

A broken file does not end the survey: the reason is recorded.  A file that has not been made or
downloaded yet is missing, which is not a problem: a part of VIST is enough.
"""

import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any, NamedTuple

from data_reader.errors import InputError
from data_reader.features_file import feature_attributes, open_features
from data_reader.files import write_csv
from data_reader.hdf5_files import read_strings
from data_reader.image_data_reader import (
    ALEXNET_IMAGE_SIZE,
    decoded_photo,
    find_photo_files,
    process_photos,
)
from data_reader.image_mean_calculation import read_means
from data_reader.layout import ALEXNET_WEIGHTS, SPLITS, WORD_VECTORS, DataLayout
from data_reader.photo_header import MAX_MEGAPIXELS
from data_reader.sis_datareader import (
    features_command,
    read_descriptions,
    read_stories,
    why_unusable,
)
from data_reader.stories_file import (
    check_features,
    open_stories,
    photos_per_story,
)
from data_reader.vocabulary import Vocabulary
from dataset.download.failures import is_temporary, read_failures
from dataset.models.alexnet.weights import read_weights

PROBLEMS_FILE = "problems.csv"


@dataclass(frozen=True)
class File:
    """An expected file: `contents` if it exists and is sound, `reason` if it is broken."""

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
    """A row of the list of all problems."""

    split: str
    kind: str
    id: str
    reason: str
    path: str


@dataclass(frozen=True)
class Split:
    """The files of one split.

    Attributes:
        annotations: its contents are the `AnnotatedStories`.
        descriptions: its contents are `{photo id: text}`.
        photos: `{photo id: paths}`; of several paths the first is used.
        failed_downloads: its contents are `{photo id: (address, reason)}`.
        unreadable: `{photo id: reason}`, or None if the photos were not decoded.
        features: its contents are the ids of the photos with features.
        stories_file: its contents are the number of stories.
    """

    name: str
    photo_folder: Path
    annotations: File
    descriptions: File
    photos: dict[str, list[str]]
    failed_downloads: File
    unreadable: dict[str, str] | None
    features: File
    stories_file: File

    @cached_property
    def uses(self):
        """The number of stories that use each photo, a `Counter`."""
        return Counter(id_ for story in self.annotations.contents or () for id_ in story.photo_ids)

    @property
    def has_readable_photos(self):
        return len(self.photos) > len(self.unreadable or ())

    @property
    def has_used_photos(self):
        """Whether a story uses one of the photos; also if there are no stories yet."""
        return not self.uses or any(id_ in self.photos for id_ in self.uses)

    @property
    def has_photos_to_download(self):
        """Whether a photo that a story uses is neither there nor known to be gone for good."""
        failed = self.failed_downloads.contents or {}
        return any(
            id_ not in failed or is_temporary(failed[id_][1])
            for id_ in self.used_but_not_in(self.photos)
        )

    @property
    def has_usable_stories(self):
        """Whether at least one story has everything that a stories file needs."""
        features, described = self.features.contents or (), self.descriptions.contents
        return any(
            not why_unusable(story, self.annotations.contents.photos_per_story)
            and all(id_ in features for id_ in story.photo_ids)
            and (described is None or all(id_ in described for id_ in story.photo_ids))
            for story in self.annotations.contents or ()
        )

    def used_but_not_in(self, ids):
        """List the photos that stories use and that are not in `ids`, in order of id."""
        return sorted(id_ for id_ in self.uses if id_ not in ids)


@dataclass(frozen=True)
class Survey:
    """The contents of a data folder; `weights` and `means` are None if none are needed.

    Attributes:
        other_features: the names of the features that are there besides those of the extractor.
    """

    layout: DataLayout
    extractor: str
    other_features: list[str]
    splits: list[Split]
    weights: File | None
    means: File | None
    vocabulary: File
    word_vectors: list[Path]


def survey(layout, extractor="alexnet", check_photos=False, max_megapixels=MAX_MEGAPIXELS):
    """Check everything that a data folder should contain.

    Args:
        extractor: the name of the extractor whose features are checked.
        check_photos: also decode every photo.
        max_megapixels: see `read_photo`.

    Raises:
        InputError: the data folder is a file, or the extractor's name can't be one.
    """
    if layout.root.exists() and not layout.root.is_dir():
        raise InputError(
            f"{layout} is not a folder; --data takes the folder that contains the data."
        )
    if not re.fullmatch(r"\w[\w.-]*", extractor):
        raise InputError(
            f"There is no extractor {extractor!r}; give alexnet, a model of keras.applications, or "
            "the name of ready-made features."
        )
    vocabulary = _look(layout.vocabulary, Vocabulary.read)
    check = partial(find_unreadable, max_megapixels=max_megapixels) if check_photos else None
    alexnet = extractor == "alexnet"
    return Survey(
        layout=layout,
        extractor=extractor,
        other_features=_find_other_features(layout, extractor),
        splits=[
            _look_at_split(layout, name, extractor, vocabulary.contents, check) for name in SPLITS
        ],
        weights=_look(ALEXNET_WEIGHTS, _count_layers) if _weights_needed(layout, alexnet) else None,
        means=_look(layout.means, lambda _: read_means(layout)) if alexnet else None,
        vocabulary=vocabulary,
        word_vectors=sorted(WORD_VECTORS.parent.glob("glove*.txt")),
    )


def _find_other_features(layout, extractor):
    folders = layout.features(SPLITS[0]).parents[1].glob("*/")
    return sorted(
        folder.name
        for folder in folders
        if folder.name != extractor
        and any(layout.features(split, folder.name).is_file() for split in SPLITS)
    )


def _weights_needed(layout, alexnet):
    return alexnet and not layout.facts.exists()


def _count_layers(weights_path):
    return len(read_weights(weights_path))


def _look_at_split(layout, name, extractor, vocabulary, check):
    photos = find_photo_files(layout.photos(name))
    annotations = _look(layout.annotations(name), read_stories)
    return Split(
        name=name,
        photo_folder=layout.photos(name),
        annotations=annotations,
        descriptions=_look(layout.annotations(name, "description-in-isolation"), read_descriptions),
        photos=photos,
        failed_downloads=_look(layout.failed_downloads(name), read_failures),
        unreadable=check(photos, name) if check else None,
        features=_look(
            layout.features(name, extractor),
            lambda path: _read_feature_ids(path, layout, extractor),
        ),
        stories_file=_look(
            layout.stories(name),
            lambda _: _count_stories(layout, name, vocabulary, extractor, annotations.contents),
        ),
    )


def _look(path, read):
    if not path.is_file():
        return File(path)
    try:
        return File(path, contents=read(path))
    except Exception as error:  # a survey survives any contents of a file
        return File(path, reason=_explain(error, path))


def _explain(error, path):
    """Return the error in one line, without the path, which is shown beside it."""
    text = " ".join(str(error).split()).removeprefix(f"{path}").removeprefix(":").strip()
    return text if isinstance(error, InputError | OSError) else f"{type(error).__name__}: {text}"


def _read_feature_ids(path, layout, extractor):
    made_by = features_command(layout, extractor)
    with open_features(path, made_by) as file:
        ids = set(read_strings(file["image_ids"]))
        rows, network = len(file["embeddings"]), file.attrs.get("extractor", extractor)
        means = feature_attributes(file).get("channel_means")
    if rows != len(ids):
        raise InputError(f"it has {rows} rows of features for {len(ids)} different photos.")
    if network != extractor:
        raise InputError(f"its extractor is {network}, expected {extractor}.")
    if extractor == "alexnet" and means is not None and tuple(means) != read_means(layout):
        raise InputError(f"its channel means are {means}, but now they are {read_means(layout)}.")
    return ids


def _count_stories(layout, split, vocabulary, extractor, annotated):
    with open_stories(layout, split, vocabulary) as file:
        photos = photos_per_story(file)
        if layout.features(split, extractor).is_file():
            made_by = features_command(layout, extractor)
            with open_features(layout.features(split, extractor), made_by) as features:
                check_features(file, feature_attributes(features))
        count, network = len(file["story_ids"]), file.attrs.get("extractor", extractor)
    if network != extractor:
        raise InputError(f"its extractor is {network}, expected {extractor}.")
    if annotated and photos != annotated.photos_per_story:
        raise InputError(
            f"its stories have {photos} photos, those of the annotations "
            f"{annotated.photos_per_story}."
        )
    return count


def find_unreadable(photos, description, max_megapixels=MAX_MEGAPIXELS):
    """Decode the photos as an extraction would -> `{photo id: reason}` of the unreadable ones."""
    ids = sorted(photos)
    check = partial(_why_unreadable, max_megapixels=max_megapixels)
    reasons = process_photos(check, [photos[id_][0] for id_ in ids], description)
    return {id_: reason for id_, reason in zip(ids, reasons, strict=True) if reason}


def _why_unreadable(path, max_megapixels):
    try:
        with decoded_photo(path, ALEXNET_IMAGE_SIZE, max_megapixels):
            return ""
    except Exception as error:  # a survey survives any contents of a file
        return _explain(error, path) or type(error).__name__


def write_problems(found):
    """Write the list of all problems, empty or not, into the data folder -> (path, problems).

    A missing data folder is not created.  The path is None if the folder can't be written to.
    """
    path = found.layout.root / PROBLEMS_FILE
    problems = find_problems(found)
    try:
        if found.layout.root.is_dir():
            write_csv(path, Problem._fields, problems)
    except OSError:
        path = None
    return path, problems


def find_problems(found):
    """List all problems, split by split."""
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
        ("list of failed downloads", split.failed_downloads),
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
        if flaw := why_unusable(story, split.annotations.contents.photos_per_story):
            yield Problem(
                split.name, "unusable story", story.story_id, flaw, split.annotations.path
            )


def _photo_problems(split):
    if split.photos:
        failed = split.failed_downloads.contents or {}
        for id_ in split.used_but_not_in(split.photos):
            reason = f"no file; uses in stories: {split.uses[id_]}"
            if id_ in failed:
                reason += f"; its download failed: {failed[id_][1]}"
            yield Problem(split.name, "missing photo", id_, reason, split.photo_folder)
    elif split.uses and not split.features.sound:  # features may be there without the photos
        reason = f"no photo at all; the stories use {len(split.uses)}"
        yield Problem(split.name, "no photos", "", reason, split.photo_folder)
    for id_, (first, *others) in sorted(split.photos.items()):
        for path in others:
            reason = f"another file has this id and is the one used: {first}"
            yield Problem(split.name, "duplicate photo", id_, reason, path)
    for id_, reason in (split.unreadable or {}).items():
        yield Problem(split.name, "unreadable photo", id_, reason, split.photos[id_][0])


def _feature_problems(split):
    """Yield photos that should have features; missing and unreadable ones are already listed."""
    reason = "a story uses it, but it is not in the features file"
    for id_ in split.used_but_not_in(split.features.contents):
        if not split.photos:
            yield Problem(split.name, "photo without features", id_, reason, split.features.path)
        elif id_ in split.photos and id_ not in (split.unreadable or ()):
            yield Problem(split.name, "photo without features", id_, reason, split.photos[id_][0])

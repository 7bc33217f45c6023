"""The next step that follows from a survey, and the commands that make what is missing."""

import shlex
from pathlib import Path
from typing import NamedTuple

from data_reader.layout import REPOSITORY

AREL = "arel"  # the name of the features that python -m dataset.download features brings


class NextStep(NamedTuple):
    """The next step in words; `can_run` if it is a command that has everything it needs."""

    text: str
    can_run: bool


def next_step(found):
    """Return the next step on the way from an empty folder to an experiment."""
    return (
        _step_to_data(found)
        or _step_to_features(found)
        or _step_to_stories(found)
        or _step_to_training(found)
    )


def _step_to_data(found):
    """Return the step to a split with stories and photos, or None if there is one already."""
    if any(
        (split.annotations.sound and (split.features.sound or _has_source(found, split)))
        or split.stories_file.sound
        for split in found.splits
    ):
        return None
    if other := _other_extractor(found):
        return NextStep(_command(found.layout, f"dataset --extractor {other}"), True)
    for split in found.splits:
        if split.photos or not split.annotations.missing:
            return _to_complete(found, split)
    sample = "python -m dataset.sample"
    if _is_default(found.layout) or found.layout.vist.exists():
        sample += ", then: python -m dataset --data dataset/sample_data"
    else:
        sample = _command(found.layout, "dataset.sample")
    return NextStep(
        f"download VIST: {download_command(found.layout, 'annotations photos')}; or import stories "
        f"of your own (docs/data.md); or make the sample set: {sample}",
        False,
    )


def _other_extractor(found):
    """Return the name of features that are there, or could be, if none are asked for."""
    if found.extractor != "alexnet":
        return ""
    if found.other_features:
        return found.other_features[0]
    return AREL if found.layout.arel_features.is_file() else ""


def _to_complete(found, split):
    """Return the step that completes a split's annotations and photos."""
    layout = found.layout
    download = download_command(layout, "annotations")
    if split.annotations.reason:
        return _after(f"delete {split.annotations.path}, which is broken", download)
    if stories_are_imported(found):
        if split.annotations.missing:
            return NextStep(f"import stories of the {split.name} split as well", False)
        return NextStep(
            f"put the photos of the stories in place, or: {features_command(found)}", False
        )
    if split.annotations.missing:
        return NextStep(download, True)
    if found.extractor == AREL:
        return NextStep(download_command(layout, "features"), True)
    photos = download_command(layout, "photos")
    if not split.photos:
        return NextStep(photos, True)
    if not split.has_used_photos:
        return NextStep(
            f"rename the {split.name} photos: their ids are such as {min(split.photos)}, those in "
            f"the stories such as {min(split.uses)}",
            False,
        )
    return _after(f"delete the {split.name} photos, none of which can be read", photos)


def _step_to_features(found):
    if any(split.failed_downloads.sound for split in found.splits) and any(
        split.features.missing and split.has_photos_to_download for split in found.splits
    ):
        return NextStep(download_command(found.layout, "photos"), True)  # it was interrupted
    waiting = [
        split
        for split in found.splits
        if split.features.reason or (split.features.missing and _has_source(found, split))
    ]
    if not waiting:
        return None
    command = features_command(found)
    if found.means and found.means.reason:
        return _after(f"delete {found.means.path}", command)
    if found.weights and found.weights.reason:
        command = f"{download_command(found.layout, 'alexnet')}, then: {command}"
        return _after(f"delete {found.weights.path}, which is broken", command)
    if found.weights and found.weights.missing:
        return NextStep(f"{download_command(found.layout, 'alexnet')}, then: {command}", True)
    return NextStep(command, True)


def _has_source(found, split):
    """Return whether there is something to make a split's features of."""
    return (split.has_readable_photos and split.has_used_photos) or (
        found.extractor == AREL and split.annotations.sound and found.layout.arel_features.is_file()
    )


def _step_to_stories(found):
    ready = [split for split in found.splits if split.features.sound and split.annotations.sound]
    if not ready or (found.vocabulary.sound and all(split.stories_file.sound for split in ready)):
        return None
    command = stories_command(found, any(split.descriptions.missing for split in ready))
    broken = [
        str(file.path)
        for split in found.splits
        for file in (split.annotations, split.descriptions)
        if file.reason and split.features.sound
    ]
    if broken:
        again = f"{download_command(found.layout, 'annotations')}, then: {command}"
        return _after(f"delete {', '.join(broken)}, which can't be read", again)
    if found.vocabulary.reason:
        return _after(f"delete {found.vocabulary.path}", command)
    train = found.splits[0]
    if found.vocabulary.missing and not train.annotations.sound:
        return _after(f"for the vocabulary, {_to_complete(found, train).text}", command)
    for split in ready:
        if not split.has_usable_stories:
            return _to_usable_stories(found, split, command)
    return NextStep(command, True)


def _to_usable_stories(found, split, command):
    """Return the step to features of the photos that a split's stories use."""
    lacking = split.used_but_not_in(split.features.contents)
    if any(id_ in split.photos for id_ in lacking):
        return NextStep(f"{features_command(found)}, then: {command}", True)
    return _after(
        f"complete the {split.name} stories, none of which can be used (see the list), and delete "
        f"{split.features.path}",
        command,
    )


# By the data folder that they use.
_EXPERIMENTS = {"dataset/sample_data": "image_grouping", "dataset": "vist_image_grouping"}


def _step_to_training(found):
    train, valid, _ = found.splits
    for split in (train, valid):
        if not split.stories_file.sound:
            needed = _to_complete(found, split).text
            return NextStep(f"training needs train and valid stories: {needed}", False)
    if not found.vocabulary.sound:
        return NextStep(
            f"put the vocabulary of the stories files at {found.vocabulary.path}", False
        )
    is_alexnet = found.extractor == "alexnet"
    for folder, experiment in _EXPERIMENTS.items():
        if found.layout.root == REPOSITORY / folder:
            setting = "" if is_alexnet else f" --set extractor={found.extractor}"
            return NextStep(f"python -m training.experiments.{experiment}{setting}", True)
    root = found.layout.root
    data = root.relative_to(REPOSITORY) if root.is_relative_to(REPOSITORY) else root
    settings = f'data="{data}"' + ("" if is_alexnet else f' and extractor="{found.extractor}"')
    return NextStep(
        "copy training/experiments/image_grouping.py to training/experiments/mine.py, "
        f"set {settings} in it, then: python -m training.experiments.mine",
        True,
    )


def _after(preparation, command):
    return NextStep(f"{preparation}, then: {command}", False)


def stories_are_imported(found):
    """Return whether the stories are the user's own, so that no download completes them."""
    return any(
        split.annotations.sound and split.annotations.contents.imported_from
        for split in found.splits
    )


def download_command(layout, what):
    return _command(layout, f"dataset.download {what}")


def features_command(found):
    """Return the command that computes the features, or imports them where there is no photo."""
    if found.extractor == AREL:
        source = f" --from-npy {shlex.quote(str(found.layout.arel_vectors))}"
        return _command(found.layout, f"dataset.image_features{source} --extractor {AREL}")
    is_alexnet = found.extractor == "alexnet"
    if stories_are_imported(found) and not any(split.photos for split in found.splits):
        name = "NAME" if is_alexnet else found.extractor
        return _command(found.layout, f"dataset.image_features --from-npy PATH --extractor {name}")
    if is_alexnet:
        return _command(found.layout, "dataset.models.alexnet")
    return _command(found.layout, f"dataset.image_features --extractor {found.extractor}")


def stories_command(found, without_descriptions=False):
    options = [f" --extractor {found.extractor}"] if found.extractor != "alexnet" else []
    if without_descriptions:
        options.append(" --no-descriptions")
    return _command(found.layout, "data_reader" + "".join(options))


def _command(layout, module):
    data = "" if _is_default(layout) else f" --data {shlex.quote(_shown_folder(layout))}"
    return f"python -m {module}{data}"


def _is_default(layout):
    return layout.root == REPOSITORY / "dataset"


def _shown_folder(layout):
    here = Path.cwd()
    return str(layout.root.relative_to(here) if layout.root.is_relative_to(here) else layout.root)

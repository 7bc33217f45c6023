"""The report of a survey as text for a terminal, and the next step that follows from it."""

import shlex
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from data_reader.layout import ALEXNET_WEIGHTS, REPOSITORY, WORD_VECTORS
from dataset.survey import PROBLEMS_FILE

VIST_SOURCE = "https://visionandlanguage.net/VIST"
WEIGHTS_SOURCE = "https://www.cs.toronto.edu/~guerzhoy/tf_alexnet"
GLOVE_SOURCE = "https://nlp.stanford.edu/projects/glove"
_NARROWEST_COLUMN = len("unchecked")


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
        (split.annotations.sound and (split.has_readable_photos or split.features.sound))
        or split.stories_file.sound
        for split in found.splits
    ):
        return None
    for split in found.splits:
        if split.photos or not split.annotations.missing:
            return NextStep(_to_complete(split), False)
    sample = "python -m dataset.sample"
    if _is_default(found.layout) or found.layout.vist.exists():
        sample += ", then: python -m dataset --data dataset/sample_data"
    else:
        sample = _command(found.layout, "dataset.sample")
    return NextStep(
        f"put VIST under {found.layout.vist} (see above), or make the sample set: {sample}", False
    )


def _to_complete(split):
    """Return in words how to complete a split's annotations and photos."""
    if split.annotations.reason:
        return f"download {split.annotations.path} again from {VIST_SOURCE}; it is broken"
    if split.annotations.missing:
        return f"put the {split.name} annotations from {VIST_SOURCE} at {split.annotations.path}"
    if not split.photos:
        return f"put the {split.name} photos from {VIST_SOURCE} under {split.photo_folder}"
    return f"download the {split.name} photos again from {VIST_SOURCE}; none can be read"


def _step_to_features(found):
    waiting = [
        split
        for split in found.splits
        if split.features.reason or (split.features.missing and split.has_readable_photos)
    ]
    if not waiting:
        return None
    command = _extraction_command(found.layout, found.extractor)
    if found.means and found.means.reason:
        return _after(f"delete {found.means.path}", command)
    if found.weights and not found.weights.sound:
        return _after(
            f"put bvlc_alexnet.npy from {WEIGHTS_SOURCE} into {ALEXNET_WEIGHTS.parent}", command
        )
    return NextStep(command, True)


def _step_to_stories(found):
    ready = [split for split in found.splits if split.features.sound and split.annotations.sound]
    if not ready or (found.vocabulary.sound and all(split.stories_file.sound for split in ready)):
        return None
    command = _stories_command(
        found.layout, found.extractor, any(split.descriptions.missing for split in ready)
    )
    broken = [
        file
        for split in found.splits
        for file in (split.annotations, split.descriptions)
        if file.reason and split.features.sound
    ]
    if broken:
        return _after(f"download {_listed(broken)} again from {VIST_SOURCE}", command)
    if found.vocabulary.reason:
        return _after(f"delete {found.vocabulary.path}", command)
    train = found.splits[0]
    if found.vocabulary.missing and not train.annotations.sound:
        return _after(f"for the vocabulary, {_to_complete(train)}", command)
    for split in ready:
        if not split.has_usable_stories:
            return _after(
                f"complete the {split.name} stories, none of which can be used (see the list), "
                f"and delete {split.features.path}",
                command,
            )
    return NextStep(command, True)


# By the data folder that they use.
_EXPERIMENTS = {"dataset/sample_data": "image_grouping", "dataset": "vist_image_grouping"}


def _step_to_training(found):
    train, valid, _ = found.splits
    for split in (train, valid):
        if not split.stories_file.sound:
            return NextStep(f"training needs train and valid stories: {_to_complete(split)}", False)
    if not found.vocabulary.sound:
        return NextStep(
            f"put the vocabulary of the stories files at {found.vocabulary.path}", False
        )
    for folder, experiment in _EXPERIMENTS.items():
        if found.layout.root == REPOSITORY / folder:
            return NextStep(f"python -m training.experiments.{experiment}", True)
    root = found.layout.root
    data = root.relative_to(REPOSITORY) if root.is_relative_to(REPOSITORY) else root
    return NextStep(
        "copy training/experiments/image_grouping.py to training/experiments/mine.py, "
        f'set data="{data}" in it, '
        "then: python -m training.experiments.mine",
        True,
    )


def _after(preparation, command):
    return NextStep(f"{preparation}, then: {command}", False)


def _listed(files):
    return ", ".join(str(file.path) for file in files)


def _extraction_command(layout, extractor):
    alexnet = extractor == "alexnet"
    module = "models.alexnet" if alexnet else f"image_features --extractor {extractor}"
    return _command(layout, f"dataset.{module}")


def _stories_command(layout, extractor, without_descriptions=False):
    options = [f" --extractor {extractor}"] if extractor != "alexnet" else []
    if without_descriptions:
        options.append(" --no-descriptions")
    return _command(layout, "data_reader" + "".join(options))


def _command(layout, module):
    data = "" if _is_default(layout) else f" --data {shlex.quote(_shown_folder(layout))}"
    return f"python -m {module}{data}"


def _is_default(layout):
    return layout.root == REPOSITORY / "dataset"


def _shown_folder(layout):
    here = Path.cwd()
    return str(layout.root.relative_to(here) if layout.root.is_relative_to(here) else layout.root)


def report(found, problems_path, problems):
    """Format the survey as text for a terminal."""
    there = "" if found.layout.root.is_dir() else " (does not exist)"
    sections = [
        f"Data folder: {found.layout}{there}",
        _table_of_splits(found),
        _table_of_the_rest(found),
        _section("Unreadable photos", _unreadable_lines(found)),
        _section("Broken", _broken_lines(found)),
        _section("Missing (paths are below the data folder)", _missing_lines(found)),
        _problems_text(problems_path, problems),
    ]
    return "\n\n".join(section for section in sections if section)


def _table_of_splits(found):
    rows = [("", *(split.name for split in found.splits))]
    for title, cell in (
        ("stories", lambda split: _count(split.annotations)),
        ("  albums", _albums),
        ("  photos they use", lambda split: _number(split.annotations, len(split.uses))),
        ("photos found", lambda split: f"{len(split.photos):,}" if split.photos else "missing"),
        ("  used, but not found", _photos_lacking),
        ("  unreadable", _unreadable),
        ("photos described", lambda split: _count(split.descriptions)),
        ("  used, but not described", lambda split: _lacking_in(split, split.descriptions)),
        (f"photos with {found.extractor} features", lambda split: _count(split.features)),
        ("  used, but without features", lambda split: _lacking_in(split, split.features)),
        ("stories ready for training", lambda split: _count(split.stories_file)),
    ):
        rows.append((title, *map(cell, found.splits)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(_aligned(row, widths) for row in rows)


def _aligned(row, widths):
    """Align the title to the left and the numbers to the right."""
    title, *cells = row
    numbers = [
        cell.rjust(max(width, _NARROWEST_COLUMN))
        for cell, width in zip(cells, widths[1:], strict=True)
    ]
    return "  ".join([title.ljust(widths[0]), *numbers])


def _count(file):
    return f"{_size(file.contents):,}" if file.sound else _state(file)


def _size(contents):
    return contents if isinstance(contents, int) else len(contents)


def _state(file):
    return "broken" if file.reason else "missing"


def _number(file, number):
    return f"{number:,}" if file.sound else "-"


def _albums(split):
    return _number(split.annotations, len({s.album_id for s in split.annotations.contents or ()}))


def _photos_lacking(split):
    if not split.photos:
        return "-"
    return _number(split.annotations, len(split.used_but_not_in(split.photos)))


def _unreadable(split):
    if not split.photos:
        return "-"
    return "unchecked" if split.unreadable is None else f"{len(split.unreadable):,}"


def _lacking_in(split, file):
    if not file.sound:
        return "-"
    return _number(split.annotations, len(split.used_but_not_in(file.contents)))


def _table_of_the_rest(found):
    rows = [
        ("AlexNet weights", _weights_text(found)),
        ("channel means", _means_text(found)),
        ("vocabulary", _vocabulary_text(found.vocabulary)),
        ("word vectors", ", ".join(path.name for path in found.word_vectors) or "none (optional)"),
    ]
    return "\n".join(f"{title:<15}  {text}" for title, text in rows)


def _weights_text(found):
    if found.weights is None:
        owner = "the sample set" if found.layout.facts.exists() else found.extractor
        return f"not needed for {owner}"
    return "found" if found.weights.sound else _state(found.weights)


def _means_text(found):
    if found.means is None:
        return f"not needed for {found.extractor}"
    if found.means.missing:
        return "AlexNet's own"
    if found.means.reason:
        return "broken"
    return "blue {:.1f}, green {:.1f}, red {:.1f}".format(*found.means.contents)


def _vocabulary_text(vocabulary):
    return f"{len(vocabulary.contents):,} words" if vocabulary.sound else _state(vocabulary)


def _section(title, lines):
    return "\n".join([title, *(f"  {line}" for line in lines)]) if lines else ""


def _unreadable_lines(found):
    reasons = Counter(
        (split.name, reason)
        for split in found.splits
        for reason in (split.unreadable or {}).values()
    )
    return [f"{split:<5} {n:>7,}  {reason}" for (split, reason), n in reasons.most_common()]


def _files(found):
    """Yield each expected file with its title."""
    for split in found.splits:
        yield f"{split.name} annotations", split.annotations
        yield f"{split.name} descriptions", split.descriptions
        yield f"{split.name} features", split.features
        yield f"{split.name} stories file", split.stories_file
    yield "AlexNet weights", found.weights
    yield "channel means", found.means
    yield "vocabulary", found.vocabulary


def _broken_lines(found):
    return [
        f"{title}: {file.path}\n    {file.reason}"
        for title, file in _files(found)
        if file and file.reason
    ]


def _missing_lines(found):
    """List what is missing by source."""
    lines = []
    for source, paths in _missing(found):
        if paths:
            lines.append(source)
            lines.extend(f"  {path}" for path in paths)
    return lines


def _missing(found):
    layout, splits = found.layout, found.splits
    annotations = _missing_paths(
        layout, *(f for s in splits for f in (s.annotations, s.descriptions))
    )
    photos = [_shown_photos(split, layout) for split in splits if not split.photos]
    photos += [
        f"photos of the {split.name} stories: {number:,}, listed in {PROBLEMS_FILE}"
        for split in splits
        if split.photos and (number := len(split.used_but_not_in(split.photos)))
    ]
    weights = _missing_paths(layout, found.weights) if found.weights else []
    features = _missing_paths(layout, *(split.features for split in splits))
    stories = _missing_paths(layout, found.vocabulary, *(split.stories_file for split in splits))
    glove = [] if found.word_vectors else [WORD_VECTORS]
    yield f"annotations and photos, from {VIST_SOURCE}:", annotations + photos
    yield f"AlexNet weights, from {WEIGHTS_SOURCE}:", weights
    yield f"features, made by {_extraction_command(layout, found.extractor)}:", features
    yield f"stories, made by {_stories_command(layout, found.extractor)}:", stories
    yield f"word vectors (optional), from {GLOVE_SOURCE}:", glove


def _missing_paths(layout, *files):
    return [_shown_path(file.path, layout) for file in files if file.missing]


def _shown_path(path, layout):
    """Shorten a path below the data folder to its part below it."""
    return path.relative_to(layout.root) if path.is_relative_to(layout.root) else path


def _shown_photos(split, layout):
    folder = _shown_path(split.photo_folder, layout)
    return f"{folder}/  (photos in any subfolders, named <photo id>.<extension>)"


def _problems_text(path, problems):
    rows = f"{len(problems):,} {'row' if len(problems) == 1 else 'rows'} in {path}"
    if not problems:
        return f"Problems with existing files: none{f' ({rows})' if path.exists() else ''}"
    kinds = Counter(problem.kind for problem in problems)
    counts = [f"{number:>7,}  {kind}" for kind, number in sorted(kinds.items())]
    return _section("Problems with existing files", [*counts, rows])

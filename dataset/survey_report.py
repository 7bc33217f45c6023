"""The report of a survey as text for a terminal."""

from collections import Counter

from data_reader.layout import WORD_VECTORS
from dataset.next_step import (
    download_command,
    features_command,
    stories_are_imported,
    stories_command,
)
from dataset.survey import PROBLEMS_FILE

_NARROWEST_COLUMN = len("unchecked")


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
        ("  photos in each", _photos_per_story),
        ("  photos they use", lambda split: _number(split.annotations, len(split.uses))),
        ("photos found", lambda split: f"{len(split.photos):,}" if split.photos else "missing"),
        ("  used, but not found", _photos_lacking),
        ("  of these, failed downloads", _failed_downloads),
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


def _photos_per_story(split):
    stories = split.annotations.contents
    return f"{stories.photos_per_story:,}" if stories else "-"


def _failed_downloads(split):
    failed = split.failed_downloads.contents or {}
    lacking = split.used_but_not_in(split.photos)
    return _number(split.annotations, sum(id_ in failed for id_ in lacking))


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
        ("other features", ", ".join(found.other_features) or "none"),
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
    annotations = _missing_paths(layout, *(split.annotations for split in splits))
    if not stories_are_imported(found):
        annotations += _missing_paths(layout, *(split.descriptions for split in splits))
    photos = [
        _shown_photos(split, layout)
        for split in splits
        if not (split.photos or split.features.sound)
    ]
    photos += [
        f"photos of the {split.name} stories: {number:,}, listed in {PROBLEMS_FILE}"
        for split in splits
        if split.photos and (number := len(split.used_but_not_in(split.photos)))
    ]
    weights = _missing_paths(layout, found.weights) if found.weights else []
    features = _missing_paths(layout, *(split.features for split in splits))
    stories = _missing_paths(layout, found.vocabulary, *(split.stories_file for split in splits))
    glove = [] if found.word_vectors else [WORD_VECTORS]
    yield f"annotations, of VIST by {download_command(layout, 'annotations')}:", annotations
    yield f"photos, of VIST by {download_command(layout, 'photos')}:", photos
    yield f"AlexNet weights, by {download_command(layout, 'alexnet')}:", weights
    yield f"features, by {features_command(found)}:", features
    yield f"stories, by {stories_command(found, stories_are_imported(found))}:", stories
    yield f"word vectors (optional), by {download_command(layout, 'glove')}:", glove


def _missing_paths(layout, *files):
    return [_shown_path(file.path, layout) for file in files if file.missing]


def _shown_path(path, layout):
    """Shorten a path below the data folder to its part below it."""
    return path.relative_to(layout.root) if path.is_relative_to(layout.root) else path


def _shown_photos(split, layout):
    folder = _shown_path(split.photo_folder, layout)
    return f"{folder}/  (photos in any subfolders, named <photo id>.<extension>)"


def _problems_text(path, problems):
    rows = f"{len(problems):,} {'row' if len(problems) == 1 else 'rows'}"
    rows += f" in {path}" if path else f", not listed: {PROBLEMS_FILE} can't be written there"
    if not problems:
        is_written = path is not None and path.exists()
        return f"Problems with existing files: none{f' ({rows})' if is_written else ''}"
    kinds = Counter(problem.kind for problem in problems)
    counts = [f"{number:>7,}  {kind}" for kind, number in sorted(kinds.items())]
    return _section("Problems with existing files", [*counts, rows])

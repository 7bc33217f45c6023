"""Ready-made features: vectors of photos that others computed -> features files.

A vector goes to the split that its folder tells, otherwise to each split with a story of its photo.
"""

import hashlib
import re
from collections import Counter
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np
from tqdm import tqdm

from data_reader.errors import InputError
from data_reader.features_file import feature_attributes
from data_reader.files import SKIPPED_COLUMNS, write_csv
from data_reader.hdf5_files import create_hdf5, open_hdf5
from data_reader.layout import SPLITS
from data_reader.sis_datareader import read_stories
from data_reader.vocabulary import can_be_stored
from dataset.vector_files import FORMATS, open_vectors

_IMPORTED = "imported-"  # the beginning of the weights_checksum
_HEADERS_READ = 100
_ROWS_AT_A_TIME = 256


def add_import_options(parser):
    """Add `--from-npy PATH` and the like, all of which put (format, path) into `ready_made`."""
    options = parser.add_argument_group(
        "ready-made features",
        "Import vectors that others computed instead; --extractor gives them a name.",
    ).add_mutually_exclusive_group()
    for name, contents in FORMATS.items():
        options.add_argument(
            f"--from-{name}",
            dest="ready_made",
            type=lambda path, name=name: (name, Path(path)),
            metavar="PATH",
            help=contents,
        )


def is_imported(features):
    """Return whether features were imported; `features` are their attributes."""
    return str(features.get("weights_checksum")).startswith(_IMPORTED)


def refuse_imported(layout, name):
    """Refuse to compute features where imported ones are.

    Raises:
        InputError: a split's features of that name were imported.
    """
    for split in SPLITS:
        path = layout.features(split, name)
        if is_imported(_recorded(path) or {}):
            raise InputError(
                f"{path} holds ready-made features, imported under the name {name}; delete it to "
                "compute features under that name."
            )


def _recorded(features_path):
    """Read the attributes of a features file; None if it is missing or broken."""
    try:
        with open_hdf5(features_path, {}) as file:
            return feature_attributes(file)
    except (FileNotFoundError, InputError):
        return None


def import_features(layout, name, file_format, path):
    """Write the features of all splits that have annotations and vectors; print a report.

    Features that an earlier import wrote are replaced.  The vectors that can't be used, and the
    photos without one, are listed.

    Args:
        name: what commands and experiments call the features, as they call an extractor.
        file_format: one of `vector_files.FORMATS`.

    Raises:
        FileNotFoundError: the path is missing, or no split has annotations.
        InputError: no vector can be used, a photo has several, or features are there that were not
            imported.
    """
    if not re.fullmatch(r"[a-z0-9][a-z0-9_.-]*", name):
        raise InputError(
            f"The extractor's name is {name!r}; it may have letters, digits, '-', '_' and '.'."
        )
    _refuse_computed(layout, name)
    photos = _photos_of_stories(layout)
    with open_vectors(file_format, path) as source:
        plan = _plan(source.entries, photos)
        length = _usual_length(source, plan)
        with ExitStack() as stack:
            written = _write(source, plan, length, layout, name, stack)
            for split, missing in plan.missing.items():
                # The list of features that stay is that of their own import.
                if split in plan.listed or not layout.features(split, name).is_file():
                    rows = plan.skipped[split] + missing
                    write_csv(layout.skipped_photos(split, name), SKIPPED_COLUMNS, rows)
    _print_report(layout, name, plan, written, length)


def _refuse_computed(layout, name):
    for split in SPLITS:
        path = layout.features(split, name)
        recorded = _recorded(path)
        if recorded is not None and not is_imported(recorded):
            raise InputError(
                f"{path} holds features that were not imported "
                f"({recorded or 'it does not record what computed them'}); delete it, or import "
                "under another name."
            )


def _photos_of_stories(layout):
    """Read which photos the stories use -> `{split: ids}` of the splits with annotations."""
    photos = {}
    for split in SPLITS:
        path = layout.annotations(split)
        if path.is_file():
            ids = {id_ for story in read_stories(path) for id_ in story.photo_ids}
            photos[split] = set(filter(can_be_stored, ids))
    if not photos:
        raise FileNotFoundError(
            "No split has annotations, which tell the photos whose features are needed; expected: "
            + ", ".join(str(layout.annotations(split)) for split in SPLITS)
        )
    return photos


class _Plan(NamedTuple):
    """The use of each vector of a source.

    Attributes:
        targets: for each entry the splits that get its vector.
        listed: the splits that vectors are for, usable or not.
        skipped: `{split: [(id, reason, path), ...]}`, the vectors that can't be used.
        missing: the same for the photos of stories without a vector.
    """

    targets: list[list[str]]
    listed: list[str]
    skipped: dict[str, list]
    missing: dict[str, list]


def _plan(entries, photos):
    targets, skipped, rivals = [], {split: [] for split in SPLITS}, set()
    taken = {split: {} for split in photos}
    for entry in entries:
        splits = [split for split in photos if _is_wanted(entry, split, photos)]
        first = next((taken[s][entry.id] for s in splits if entry.id in taken[s]), None)
        if first and first.group != entry.group:
            rivals |= {first.group, entry.group}
        if first or not splits:
            reason = f"another one is used: {first.path}" if first else "no story uses this photo"
            skipped[entry.split or next(iter(photos))].append((entry.id, reason, entry.path))
        targets.append([] if first else splits)
        for split in targets[-1]:
            taken[split][entry.id] = entry
    _refuse_rivals(rivals)
    missing = {
        split: [(id_, "no vector of this photo", "") for id_ in sorted(ids - set(taken[split]))]
        for split, ids in photos.items()
    }
    listed = [split for split in photos if taken[split] or skipped[split]]
    return _Plan(targets, listed, skipped, missing)


def _is_wanted(entry, split, photos):
    return entry.split in (None, split) and entry.id in photos[split]


def _refuse_rivals(groups):
    """Refuse vectors of the same photo in several folders, such as `fc` and `conv`."""
    if groups:
        raise InputError(
            "There are several vectors of the same photo; give one of these folders or files: "
            + ", ".join(sorted(groups))
        )


def _usual_length(source, plan):
    """Return the most frequent length of some vectors, spread over those that are wanted."""
    wanted = [e for e, splits in zip(source.entries, plan.targets, strict=True) if splits]
    lengths = Counter(source.lengths(wanted[:: len(wanted) // _HEADERS_READ + 1]))
    return max(lengths, key=lengths.get, default=0)


def _write(source, plan, length, layout, name, stack):
    """Write the vectors into features files that appear when the stack closes.

    The vectors that can't be used are added to the plan's skipped ones.  The checksum is that of
    all vectors, of whatever split and order, so that it stays the same when annotations are added.

    Returns:
        `{split: vectors written}`.
    """
    files, digests = {}, []
    bar = tqdm(source.vectors(length), name, len(source.entries), unit="vector", disable=None)
    for entry, splits, vector in zip(source.entries, plan.targets, bar, strict=True):
        if isinstance(vector, str):
            for split in splits:
                plan.skipped[split].append((entry.id, vector, entry.path))
            continue
        id_ = entry.id.encode("utf-8", "backslashreplace")
        digests.append(hashlib.sha256(id_ + b"\0" + vector.tobytes()).digest())
        for split in splits:
            if split not in files:
                path = layout.features(split, name)
                files[split] = stack.enter_context(_features_file(path, length))
            files[split].add(entry.id, vector)
    if not files:
        raise InputError(_why_none(source, plan))
    checksum = _IMPORTED + hashlib.sha256(b"".join(sorted(digests))).hexdigest()[:16]
    for file in files.values():
        file.finish({"extractor": name, "weights_checksum": checksum})
    return {split: file.rows for split, file in files.items()}


def _why_none(source, plan):
    skipped = [row for rows in plan.skipped.values() for row in rows]
    reasons = Counter(reason for _, reason, _ in skipped)
    [(most, count)] = reasons.most_common(1)
    example = next(path for _, reason, path in skipped if reason == most)
    total = len(source.entries)
    return f"None of the {total:,} vectors can be used; {count:,} of them: {most}, as {example}."


@contextmanager
def _features_file(path, length):
    with create_hdf5(path) as file:
        yield _FeaturesFile(file, length)


class _FeaturesFile:
    """A features file that grows; a row is a chunk, so that the reader reads no other one."""

    def __init__(self, file, length):
        self._file, self.rows, self._waiting = file, 0, []
        rows = {"maxshape": (None, length), "chunks": (1, length)}
        self._embeddings = file.create_dataset("embeddings", (0, length), np.float32, **rows)
        self._ids = []

    def add(self, id_, vector):
        self._ids.append(id_)
        self._waiting.append(vector)
        if len(self._waiting) == _ROWS_AT_A_TIME:
            self._flush()

    def _flush(self):
        if self._waiting:
            start, self.rows = self.rows, self.rows + len(self._waiting)
            self._embeddings.resize(self.rows, axis=0)
            self._embeddings[start:] = np.stack(self._waiting)
            self._waiting = []

    def finish(self, attributes):
        self._flush()
        self._file.create_dataset("image_ids", data=self._ids, dtype=h5py.string_dtype("utf-8"))
        self._file.attrs.update(attributes)


def _print_report(layout, name, plan, written, length):
    for split in SPLITS:
        rows = plan.skipped[split] + plan.missing.get(split, [])
        reasons = Counter(reason.partition(":")[0] for _, reason, _ in rows).most_common()
        counted = [f"{count:,} skipped: {reason}" for reason, count in reasons]
        if split not in plan.missing:
            print(f"{split}: skipped, missing: {layout.annotations(split)}", *counted, sep="; ")
        elif split not in written:
            print(f"{split}: no usable vectors", *counted, sep="; ")
        else:
            count = f"{written[split]:,} vectors of {length:,} numbers imported"
            print(f"{split}: {count}", *counted, sep="; ")
            print(f"  {layout.features(split, name)}")

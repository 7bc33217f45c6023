"""python -m dataset.image_features: extract features of photos, or import ready-made ones.

Features are computed in parts of a few hundred photos.  Each part is a file of its own; they are
joined at the end.  An interrupted extraction resumes with the missing parts, and `--shard` shares
the parts among processes, on one machine or several.  The unreadable photos are listed.
"""

import os
import re
import sys
from argparse import ArgumentTypeError
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, islice, tee
from typing import NamedTuple

import cv2
import h5py
import numpy as np
from tqdm import tqdm

from data_reader.cli import add_data_option, add_photo_limit_option, command_line, run_command
from data_reader.errors import InputError
from data_reader.features_file import UNRECORDED, open_features
from data_reader.files import SKIPPED_COLUMNS, write_csv
from data_reader.hdf5_files import attributes_of, create_hdf5
from data_reader.image_data_reader import decoded_photo, find_photo_files
from data_reader.layout import SPLITS, DataLayout
from data_reader.photo_header import MAX_MEGAPIXELS
from data_reader.sis_datareader import features_command
from dataset.extractor import PRECISIONS
from dataset.extractors import load_extractor
from dataset.feature_parts import WHOLE, PartsFolder, Shard
from dataset.photo_files import (
    checksum_of_contents,
    fingerprint,
    fingerprint_of,
    have_contents,
    note_on_ambiguous_ids,
    record_of_files,
)
from dataset.ready_made_features import add_import_options, import_features, refuse_imported

BATCH_SIZE = 32
PHOTOS_PER_PART = 8 * BATCH_SIZE
_BATCHES_DECODED_AHEAD = 2


class Unfinished(NamedTuple):
    """The state after a shard of an extraction to which other shards have not contributed yet."""

    parts: int
    missing: int
    of_shard: int


def extract(
    photos, extractor, features_path, skipped_path, shard=WHOLE, max_megapixels=MAX_MEGAPIXELS
):
    """Write a features file and the list of the photos that can't be read.

    Shards may work at once and on several machines; the last one writes both files.

    Args:
        photos: `{photo id: path}`.
        extractor: an `Extractor`.
        shard: the share of the photos to compute.
        max_megapixels: see `read_photo`.

    Returns:
        (photos extracted, photos skipped), or an `Unfinished` if parts of other shards are missing.

    Raises:
        InputError: no photo can be read, or another process works on the same or other features.
        FileNotFoundError: the parts were removed meanwhile.
    """
    photos = list(photos.items())
    manifest = _manifest(photos, extractor, max_megapixels)
    folder = PartsFolder(_parts_folder(features_path), manifest, photos)
    try:
        with folder.joined(shard) as show_life:
            # Another process may have written the file just before this one joined.
            if not _is_current(features_path, manifest):
                _compute(folder, shard, extractor, max_megapixels, show_life)
                missing = folder.missing()
                show_life()  # an error if they are missing because the file has been written
                if missing:
                    return Unfinished(len(folder.parts), len(missing), len(folder.of(shard)))
                _assemble(folder, manifest, extractor, features_path, skipped_path, show_life)
    except OSError:  # another process may have written the file, and removed the parts
        if not _is_current(features_path, manifest):
            raise
    folder.remove()
    with open_features(features_path) as file:
        extracted = len(file["image_ids"])
    return extracted, len(photos) - extracted


def _parts_folder(features_path):
    return features_path.with_suffix(".parts")


def _manifest(photos, extractor, max_megapixels):
    """What parts must have in common to be put together, and a features file to be kept."""
    return {
        "extractor": extractor.name,
        "weights_checksum": extractor.weights_checksum,
        "channel_means": list(extractor.channel_means),
        "precision": extractor.precision,
        **record_of_files(photos),
        "photos_per_part": PHOTOS_PER_PART,
        "max_megapixels": max_megapixels,
    }


def _is_current(features_path, manifest, photos=None):
    """Return whether a features file is complete and of these photos and weights.

    A file that does not record its photos or weights, such as the original's, is accepted.

    Args:
        photos: `[(id, path), ...]`, to be read if only their times of change are others, as those
            of copies are; without them, such a file is not current.
    """
    try:
        with open_features(features_path) as file:
            found = UNRECORDED | attributes_of(file)
    except (FileNotFoundError, InputError):
        return False
    different = [name for name in manifest if name in found and not _fits(name, found, manifest)]
    if different == ["photo_times"] and photos:
        different = [] if have_contents(photos, found.get("photo_contents")) else different
    return not different


def _fits(name, found, manifest):
    if name == "max_megapixels":  # with a higher limit no photo was left out that is wanted now
        return found[name] >= manifest[name]
    return np.array_equal(found[name], manifest[name])


def _compute(folder, shard, extractor, max_megapixels, show_life):
    """Compute the parts of a shard that are not there yet."""
    own = folder.of(shard)
    missing = [part for part in own if not part.is_there()]
    photos = _count_photos(own)
    description = folder.path.stem.removesuffix("_features")
    if shard != WHOLE:
        description += f" {shard}"

    def compute(inputs):
        show_life()
        return extractor.compute(np.stack(inputs))

    def decode(path):
        return _decode(path, extractor, max_megapixels)

    with (
        tqdm(
            total=photos,
            initial=photos - _count_photos(missing),
            desc=description,
            unit="photo",
            disable=None,
        ) as bar,
        ThreadPoolExecutor(os.cpu_count()) as decoders,
    ):
        # Looked for again when its turn comes: another process may have computed it meanwhile.
        begun, coming = tee(part for part in missing if not part.is_there())
        coming_photos = chain.from_iterable(part.photos for part in coming)
        decoded = _decoded_ahead(coming_photos, decode, decoders)
        for part in begun:
            part_photos = islice(decoded, len(part.photos))
            part.write(_compute_part(part_photos, extractor.feature_size, compute, bar))


def _count_photos(parts):
    return sum(len(part.photos) for part in parts)


def _compute_part(decoded_photos, feature_size, compute, bar):
    """Compute one part.

    Returns:
        embeddings float32 [m, F], image_ids [m], skipped [s, 3], fingerprints uint64 [m + s].
    """
    ids, inputs, features, skipped, fingerprints = [], [], [], [], []
    for photo_id, path, decoded, of_contents in decoded_photos:
        bar.update()
        fingerprints.append(of_contents)
        if isinstance(decoded, str):
            skipped.append((photo_id, decoded, path))
            continue
        ids.append(photo_id)
        inputs.append(decoded)
        if len(inputs) == BATCH_SIZE:
            features.append(compute(inputs))
            inputs = []
    if inputs:
        features.append(compute(inputs))
    empty = np.zeros((0, feature_size), np.float32)
    return {
        "embeddings": np.concatenate([empty, *features]),
        "image_ids": np.array(ids, np.str_),
        "skipped": np.array(skipped, np.str_).reshape(-1, len(SKIPPED_COLUMNS)),
        "fingerprints": np.array(fingerprints, np.uint64),
    }


def _decoded_ahead(photos, decode, decoders):
    """Decode an iterator of (id, path) ahead -> (id, path, *result of `decode`)."""
    waiting = deque()

    def submit(count):
        for photo_id, path in islice(photos, count):
            waiting.append((photo_id, path, decoders.submit(decode, path)))

    submit(_BATCHES_DECODED_AHEAD * BATCH_SIZE)
    while waiting:
        photo_id, path, decoded = waiting.popleft()
        yield photo_id, path, *decoded.result()
        submit(1)


def _decode(path, extractor, max_megapixels):
    """Return the network's input, or the reason why there is none, and the file's fingerprint."""
    seen = []

    def inspect(contents):
        seen.append(fingerprint_of(contents))

    try:
        with decoded_photo(path, extractor.image_size, max_megapixels, inspect) as photo:
            result = extractor.preprocess(photo)
    except (InputError, OSError, cv2.error) as error:
        result = str(error)
    return result, seen[0] if seen else fingerprint(path)


def _assemble(folder, manifest, extractor, features_path, skipped_path, show_life):
    """Join the parts into the features file, one part at a time, after the list of the skipped."""
    photos = _count_photos(folder.parts)
    skipped, fingerprints = [], []
    for part in _read(folder, show_life):
        skipped += map(tuple, part["skipped"].tolist())
        fingerprints += part["fingerprints"].tolist()
    if len(skipped) == photos:
        folder.remove()
        raise InputError(
            f"None of the {photos} photos can be read; "
            f"the first one: {skipped[0][2]}: {skipped[0][1]}."
        )
    write_csv(skipped_path, SKIPPED_COLUMNS, skipped)
    rows = photos - len(skipped)
    with create_hdf5(features_path) as file:
        file.attrs.update(manifest, photo_contents=checksum_of_contents(fingerprints))
        embeddings = file.create_dataset("embeddings", (rows, extractor.feature_size), np.float32)
        image_ids = file.create_dataset("image_ids", (rows,), h5py.string_dtype("utf-8"))
        start = 0
        for part in _read(folder, show_life):
            end = start + len(part["image_ids"])
            if end > start:
                embeddings[start:end] = part["embeddings"]
                image_ids[start:end] = part["image_ids"].astype(object)
            start = end


def _read(folder, show_life):
    for part in folder.parts:
        show_life()
        yield part.read()
    show_life()  # what was made of parts that have been removed meanwhile must not be kept


def extract_all(
    layout,
    extractor_name="alexnet",
    shard=WHOLE,
    max_megapixels=MAX_MEGAPIXELS,
    precision="float32",
):
    """Write the features of all splits that have photos and print a report.

    An existing features file of the same photos and weights is kept.

    Args:
        shard: the share of each split's photos to compute.
        max_megapixels, precision: see `read_photo` and `load_extractor`.

    Raises:
        FileNotFoundError: no split has photos.
        InputError: the features of a split were imported.
    """
    refuse_imported(layout, extractor_name)
    photos = {split: find_photo_files(layout.photos(split)) for split in SPLITS}
    if not any(photos.values()):
        folders = ", ".join(str(layout.photos(split)) for split in SPLITS)
        raise FileNotFoundError(f"No split has photos; they are expected under {folders}.")
    extractor = load_extractor(extractor_name, layout, precision)
    for split in SPLITS:
        if not photos[split]:
            print(f"{split}: no photos under {layout.photos(split)}")
            continue
        if note := note_on_ambiguous_ids(photos[split]):
            print(f"warning: {split}: {note}", file=sys.stderr)
        first_files = {id_: paths[0] for id_, paths in photos[split].items()}
        path = layout.features(split, extractor_name)
        if _is_finished(path, first_files, extractor, max_megapixels):
            print(f"{split}: already there\n  {path}")
            continue
        skipped = layout.skipped_photos(split, extractor_name)
        outcome = extract(first_files, extractor, path, skipped, shard, max_megapixels)
        command = features_command(layout, extractor_name, precision)
        print(f"{split}: {_outcome_text(outcome, shard, command, path)}")


def _is_finished(features_path, photos, extractor, max_megapixels):
    """Return whether there is nothing to do, not even to remove the parts."""
    if not features_path.exists() or _parts_folder(features_path).exists():
        return False
    photos = list(photos.items())
    return _is_current(features_path, _manifest(photos, extractor, max_megapixels), photos)


def _outcome_text(outcome, shard, command, path):
    if isinstance(outcome, Unfinished):
        return _unfinished_text(outcome, shard, command)
    extracted, skipped = outcome
    return f"{extracted} photos extracted, {skipped} unreadable\n  {path}"


def _unfinished_text(outcome, shard, command):
    done = "is done" if outcome.of_shard else "has no part to compute"
    return (
        f"shard {shard} {done}; {outcome.parts - outcome.missing} of {outcome.parts} parts are "
        f"there; the last shard assembles them, or: {command}"
    )


def main(extractor=None):
    """Run the command, for a fixed extractor if one is given."""
    parser = command_line("Extract features of all photos; an interrupted extraction resumes.")
    add_data_option(parser)
    if extractor is None:
        parser.add_argument(
            "--extractor",
            metavar="NAME",
            help="alexnet or an image model of keras.applications (default: alexnet)",
        )
        add_import_options(parser)
    parser.add_argument(
        "--shard",
        type=_shard,
        default=WHOLE,
        metavar="I/N",
        help="compute only the I-th of N shares; the last one assembles the file (default: all)",
    )
    parser.add_argument(
        "--precision",
        choices=PRECISIONS,
        default="float32",
        help="of the network's products (default: %(default)s)",
    )
    add_photo_limit_option(parser)
    parser.set_defaults(ready_made=None)
    arguments = parser.parse_args()
    layout = DataLayout(arguments.data)
    if arguments.ready_made:
        _import(layout, arguments)
    else:
        if extractor is None:
            extractor = "alexnet" if arguments.extractor is None else arguments.extractor.lower()
        extract_all(
            layout, extractor, arguments.shard, arguments.max_megapixels, arguments.precision
        )


def _import(layout, arguments):
    file_format, path = arguments.ready_made
    if not arguments.extractor:
        raise InputError(
            f"--from-{file_format} needs --extractor NAME, the name of the features in commands "
            "and experiments."
        )
    options = {"--shard": arguments.shard != WHOLE, "--precision": arguments.precision != "float32"}
    if given := [option for option, is_given in options.items() if is_given]:
        raise InputError(f"{given[0]} is for computing features, not for --from-{file_format}.")
    import_features(layout, arguments.extractor.lower(), file_format, path)


def _shard(text):
    found = re.fullmatch(r"(\d+)/(\d+)", text, re.ASCII)
    if not found or not 1 <= int(found[1]) <= int(found[2]):
        raise ArgumentTypeError(f"{text!r} is not I/N with I from 1 to N, such as 3/8")
    return Shard(int(found[1]), int(found[2]))


if __name__ == "__main__":
    run_command(main)

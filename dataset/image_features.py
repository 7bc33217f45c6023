"""python -m dataset.image_features: extract features of photos, or import ready-made ones.

Features are computed in parts of a few hundred photos.  Each part is a file of its own; they are
joined at the end.  An interrupted extraction resumes with the missing parts, and `--shard` shares
the parts among processes, on one machine or several.  The unreadable photos are listed.
"""

import hashlib
import os
import re
from argparse import ArgumentTypeError
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, islice, tee
from pathlib import Path
from typing import NamedTuple

import cv2
import h5py
import numpy as np
from tqdm import tqdm

from data_reader.cli import add_data_option, command_line, run_command
from data_reader.errors import InputError
from data_reader.files import SKIPPED_COLUMNS, atomic_write, write_csv
from data_reader.image_data_reader import index_photos, read_photo
from data_reader.layout import SPLITS, DataLayout
from data_reader.sis_datareader import features_command
from dataset.extractors import load_extractor
from dataset.feature_parts import WHOLE, PartsFolder, Shard
from dataset.ready_made_features import import_features, refuse_imported
from dataset.vector_files import FORMATS

BATCH_SIZE = 32
PHOTOS_PER_PART = 8 * BATCH_SIZE
_BATCHES_DECODED_AHEAD = 2


class Unfinished(NamedTuple):
    """The state after a shard of an extraction to which other shards have not contributed yet."""

    parts: int
    missing: int
    of_shard: int


def extract(photos, extractor, features_path, skipped_path, shard=WHOLE):
    """Write a features file and the list of the photos that can't be read.

    Shards may work at once and on several machines; the last one writes both files.

    Args:
        photos: `{photo id: path}`.
        extractor: an `Extractor`.
        shard: the share of the photos to compute.

    Returns:
        (photos extracted, photos skipped), or an `Unfinished` if parts of other shards are missing.

    Raises:
        InputError: no photo can be read, or another process does the same work or works in the
            same folder with other photos or weights.
        FileNotFoundError: the folder of the parts was removed meanwhile.
    """
    photos = list(photos.items())
    manifest = _manifest(photos, extractor)
    folder = PartsFolder(_parts_folder(features_path), manifest, photos)
    try:
        with folder.joined(shard) as show_life:
            # Another process may have written the file just before this one joined.
            if not _is_current(features_path, manifest):
                _compute(folder, shard, extractor, show_life)
                missing = folder.missing()
                show_life()  # an error if they are missing because the file has been written
                if missing:
                    return Unfinished(len(folder.parts), len(missing), len(folder.of(shard)))
                _assemble(folder, manifest, extractor, features_path, skipped_path, show_life)
    except OSError:
        # Another process may have written the file meanwhile, and removed the parts.
        if not _is_current(features_path, manifest):
            raise
    folder.remove()
    with h5py.File(features_path) as file:
        extracted = len(file["image_ids"])
    return extracted, len(photos) - extracted


def _parts_folder(features_path):
    return features_path.with_suffix(".parts")


def _manifest(photos, extractor):
    """What parts must have in common to be put together, and a features file to be kept."""
    listing = "\n".join(f"{id_} {_size(path)}" for id_, path in photos)
    return {
        "extractor": extractor.name,
        "weights_checksum": extractor.weights_checksum,
        "channel_means": list(extractor.channel_means),
        "photos": hashlib.sha256(listing.encode("utf-8", "surrogateescape")).hexdigest()[:16],
        "photos_per_part": PHOTOS_PER_PART,
    }


def _size(path):
    try:
        return os.stat(path).st_size
    except OSError:  # such as a broken link; decoding it will report that
        return -1


def _is_current(features_path, manifest):
    """Return whether a features file is complete and of these photos and weights.

    A file that does not record its photos or weights, such as the original's, is accepted.
    """
    try:
        with h5py.File(features_path) as file:
            complete = len(file["embeddings"]) == len(file["image_ids"])
            found = dict(file.attrs)
    except (OSError, KeyError):
        return False
    return complete and all(
        np.array_equal(found[name], manifest[name]) for name in manifest if name in found
    )


def _compute(folder, shard, extractor, show_life):
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
        decoded = _decoded_ahead(coming_photos, extractor, decoders)
        for part in begun:
            part_photos = islice(decoded, len(part.photos))
            part.write(_compute_part(part_photos, extractor.feature_size, compute, bar))


def _count_photos(parts):
    return sum(len(part.photos) for part in parts)


def _compute_part(decoded_photos, feature_size, compute, bar):
    """Compute one part -> embeddings float32 [m, F], image_ids [m], skipped [s, 3]."""
    ids, inputs, features, skipped = [], [], [], []
    for photo_id, path, decoded in decoded_photos:
        bar.update()
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
    }


def _decoded_ahead(photos, extractor, decoders):
    """Decode an iterator of (id, path) ahead -> (id, path, network input or reason for none)."""
    waiting = deque()

    def submit(count):
        for photo_id, path in islice(photos, count):
            waiting.append((photo_id, path, decoders.submit(_decode, path, extractor)))

    submit(_BATCHES_DECODED_AHEAD * BATCH_SIZE)
    while waiting:
        photo_id, path, decoded = waiting.popleft()
        yield photo_id, path, decoded.result()
        submit(1)


def _decode(path, extractor):
    try:
        return extractor.preprocess(read_photo(path, short_side=extractor.image_size))
    except (InputError, OSError, cv2.error) as error:
        return str(error)


def _assemble(folder, manifest, extractor, features_path, skipped_path, show_life):
    """Join the parts into the features file, one part at a time, after the list of the skipped."""
    photos = _count_photos(folder.parts)
    skipped = [tuple(row) for part in _read(folder, show_life) for row in part["skipped"].tolist()]
    if len(skipped) == photos:
        folder.remove()
        raise InputError(
            f"None of the {photos} photos can be read; "
            f"the first one: {skipped[0][2]}: {skipped[0][1]}."
        )
    write_csv(skipped_path, SKIPPED_COLUMNS, skipped)
    rows = photos - len(skipped)
    with atomic_write(features_path) as partial, h5py.File(partial, "w") as file:
        file.attrs.update(manifest)
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


def extract_all(layout, extractor_name="alexnet", shard=WHOLE):
    """Write the features of all splits that have photos and print a report.

    An existing features file of the same photos and weights is kept.

    Args:
        shard: the share of each split's photos to compute.

    Raises:
        FileNotFoundError: no split has photos.
        InputError: the features of a split were imported.
    """
    refuse_imported(layout, extractor_name)
    photos = {split: index_photos(layout.photos(split)) for split in SPLITS}
    if not any(photos.values()):
        folders = ", ".join(str(layout.photos(split)) for split in SPLITS)
        raise FileNotFoundError(f"No split has photos; they are expected under {folders}.")
    extractor = load_extractor(extractor_name, layout)
    for split in SPLITS:
        path = layout.features(split, extractor_name)
        if not photos[split]:
            print(f"{split}: no photos under {layout.photos(split)}")
        elif _is_finished(path, photos[split], extractor):
            print(f"{split}: already there\n  {path}")
        else:
            skipped_path = layout.skipped_photos(split, extractor_name)
            outcome = extract(photos[split], extractor, path, skipped_path, shard)
            if isinstance(outcome, Unfinished):
                command = features_command(layout, extractor_name)
                print(f"{split}: {_unfinished_text(outcome, shard, command)}")
            else:
                extracted, skipped = outcome
                print(f"{split}: {extracted} photos extracted, {skipped} unreadable\n  {path}")


def _is_finished(features_path, photos, extractor):
    """Return whether there is nothing to do, not even to remove the parts."""
    return (
        features_path.exists()
        and not _parts_folder(features_path).exists()
        and _is_current(features_path, _manifest(list(photos.items()), extractor))
    )


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
        _add_import_options(parser)
    parser.add_argument(
        "--shard",
        type=_shard,
        default=WHOLE,
        metavar="I/N",
        help="compute only the I-th of N shares; the last one assembles the file (default: all)",
    )
    parser.set_defaults(ready_made=None)
    arguments = parser.parse_args()
    layout = DataLayout(arguments.data)
    if arguments.ready_made:
        _import(layout, arguments)
    else:
        name = extractor or (arguments.extractor or "alexnet").lower()
        extract_all(layout, name, arguments.shard)


def _add_import_options(parser):
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


def _import(layout, arguments):
    file_format, path = arguments.ready_made
    if not arguments.extractor:
        raise InputError(
            f"--from-{file_format} needs --extractor NAME, the name of the features in commands "
            "and experiments."
        )
    if arguments.shard != WHOLE:
        raise InputError(f"--shard is for computing features, not for --from-{file_format}.")
    import_features(layout, arguments.extractor.lower(), file_format, path)


def _shard(text):
    found = re.fullmatch(r"(\d+)/(\d+)", text, re.ASCII)
    if not found or not 1 <= int(found[1]) <= int(found[2]):
        raise ArgumentTypeError(f"{text!r} is not I/N with I from 1 to N, such as 3/8")
    return Shard(int(found[1]), int(found[2]))


if __name__ == "__main__":
    run_command(main)

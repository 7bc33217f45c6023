"""python -m dataset.image_features: extract features of photos, listing the unreadable photos.

Features are computed in parts of a few hundred photos.  Each part is a file of its own; they are
joined at the end.  An interrupted extraction resumes with the first missing part.
"""

import hashlib
import os
import shutil
import zipfile
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, islice

import cv2
import h5py
import numpy as np
from tqdm import tqdm

from data_reader.cli import add_data_option, command_line, run_command
from data_reader.errors import InputError
from data_reader.files import (
    SKIPPED_COLUMNS,
    atomic_write,
    exclusive_lock,
    read_json,
    write_csv,
    write_json,
)
from data_reader.image_data_reader import index_photos, read_photo
from data_reader.layout import SPLITS, DataLayout
from dataset.extractors import load_extractor

BATCH_SIZE = 32
PHOTOS_PER_PART = 8 * BATCH_SIZE
_BATCHES_DECODED_AHEAD = 2


def extract(photos, extractor, features_path, skipped_path):
    """Write a features file and the list of the photos that can't be read.

    Args:
        photos: `{photo id: path}`.
        extractor: an `Extractor`.

    Returns:
        (photos extracted, photos skipped).

    Raises:
        InputError: no photo can be read, or another process writes the same file.
    """
    parts_folder = features_path.with_suffix(".parts")
    photos = list(photos.items())
    manifest = _manifest(photos, extractor)
    refusal = f"Another process is extracting into {parts_folder}; wait until it has finished."
    with exclusive_lock(parts_folder, refusal):
        _check_manifest(parts_folder, manifest)
        parts = _extract_parts(photos, extractor, parts_folder)
        skipped = [tuple(row) for part in parts for row in _load(part)["skipped"].tolist()]
        if len(skipped) == len(photos):
            shutil.rmtree(parts_folder)
            raise InputError(
                f"None of the {len(photos)} photos can be read; "
                f"the first one: {skipped[0][2]}: {skipped[0][1]}."
            )
        write_csv(skipped_path, SKIPPED_COLUMNS, skipped)
        _assemble(parts, len(photos) - len(skipped), manifest, extractor, features_path)
        shutil.rmtree(parts_folder)
    return len(photos) - len(skipped), len(skipped)


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


def _is_current(features_path, photos, extractor):
    """Return whether a features file is complete and of these photos and weights.

    A file that does not record its photos or weights, such as the original's, is accepted.
    """
    try:
        with h5py.File(features_path) as file:
            complete = len(file["embeddings"]) == len(file["image_ids"])
            found = dict(file.attrs)
    except (OSError, KeyError):
        return False
    manifest = _manifest(list(photos.items()), extractor)
    return complete and all(
        np.array_equal(found[name], manifest[name]) for name in manifest if name in found
    )


def _check_manifest(folder, manifest):
    """Delete the parts of an interrupted extraction unless they belong to this one."""
    path = folder / "manifest.json"
    try:
        fits = read_json(path) == manifest
    except (FileNotFoundError, InputError):
        fits = False
    if not fits:
        for leftover in folder.iterdir():
            leftover.unlink()
        write_json(path, manifest)


def _extract_parts(photos, extractor, folder):
    """Compute the missing parts -> the paths of all parts."""
    ranges = [photos[i : i + PHOTOS_PER_PART] for i in range(0, len(photos), PHOTOS_PER_PART)]
    paths = [folder / f"{number:06}.npz" for number in range(len(ranges))]
    # A part that a power failure left broken is computed again.
    missing = [
        (part, path)
        for part, path in zip(ranges, paths, strict=True)
        if not zipfile.is_zipfile(path)
    ]
    done = len(photos) - sum(len(part) for part, _ in missing)
    description = folder.stem.removesuffix("_features")
    with (
        tqdm(total=len(photos), initial=done, desc=description, unit="photo", disable=None) as bar,
        ThreadPoolExecutor(os.cpu_count()) as decoders,
    ):
        coming = chain.from_iterable(part for part, _ in missing)
        decoded = _decoded_ahead(coming, extractor, decoders)
        for part, path in missing:
            arrays = _extract_part(islice(decoded, len(part)), extractor, bar)
            with atomic_write(path) as partial:
                np.savez(partial, **arrays)
    return paths


def _extract_part(decoded_photos, extractor, bar):
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
            features.append(extractor.compute(np.stack(inputs)))
            inputs = []
    if inputs:
        features.append(extractor.compute(np.stack(inputs)))
    empty = np.zeros((0, extractor.feature_size), np.float32)
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


def _load(part):
    try:
        with np.load(part) as arrays:
            return dict(arrays)
    except (ValueError, zipfile.BadZipFile) as error:
        raise InputError(f"{part} is broken ({error}); delete it and start again.") from error


def _assemble(parts, rows, manifest, extractor, path):
    """Join the parts into the features file, one part at a time."""
    with atomic_write(path) as partial, h5py.File(partial, "w") as file:
        file.attrs.update(manifest)
        embeddings = file.create_dataset("embeddings", (rows, extractor.feature_size), np.float32)
        image_ids = file.create_dataset("image_ids", (rows,), h5py.string_dtype("utf-8"))
        start = 0
        for part in map(_load, parts):
            end = start + len(part["image_ids"])
            if end > start:
                embeddings[start:end] = part["embeddings"]
                image_ids[start:end] = part["image_ids"].astype(object)
            start = end


def extract_all(layout, extractor_name="alexnet"):
    """Write the features of all splits that have photos and print a report.

    An existing features file of the same photos and weights is kept.

    Raises:
        FileNotFoundError: no split has photos.
    """
    photos = {split: index_photos(layout.photos(split)) for split in SPLITS}
    if not any(photos.values()):
        folders = ", ".join(str(layout.photos(split)) for split in SPLITS)
        raise FileNotFoundError(f"No split has photos; they are expected under {folders}.")
    extractor = load_extractor(extractor_name, layout)
    for split in SPLITS:
        path = layout.features(split, extractor_name)
        if not photos[split]:
            print(f"{split}: no photos under {layout.photos(split)}")
        elif path.exists() and _is_current(path, photos[split], extractor):
            print(f"{split}: already there\n  {path}")
        else:
            skipped_path = layout.skipped_photos(split, extractor_name)
            extracted, skipped = extract(photos[split], extractor, path, skipped_path)
            print(f"{split}: {extracted} photos extracted, {skipped} unreadable\n  {path}")


def main(extractor=None):
    """Run the command, for a fixed extractor if one is given."""
    parser = command_line("Extract features of all photos; an interrupted extraction resumes.")
    add_data_option(parser)
    if extractor is None:
        parser.add_argument(
            "--extractor",
            default="alexnet",
            metavar="NAME",
            help="alexnet or an image model of keras.applications (default: %(default)s)",
        )
    arguments = parser.parse_args()
    extract_all(DataLayout(arguments.data), extractor or arguments.extractor.lower())


if __name__ == "__main__":
    run_command(main)

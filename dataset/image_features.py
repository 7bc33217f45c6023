"""python -m dataset.image_features: photos -> features files, streamed, broken photos listed."""

import argparse
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import h5py
import numpy as np
from tqdm import tqdm

from data_reader.commands import add_data_option, import_tensorflow, run_command
from data_reader.files import SKIPPED_COLUMNS, write_csv, written_beside
from data_reader.image_data_reader import find_photos, read_photo
from data_reader.layout import SPLITS, DataLayout

EXTRACTORS = ("alexnet",)
BATCH_SIZE = 32


@dataclass(frozen=True)
class Extractor:
    """What turns photos into features.

    `preprocess` takes a photo, uint8 [height, width, 3] in B,G,R, to the network's input;
    `compute` takes a batch of inputs to features [B, feature_size]; `weights_checksum` tells
    features of different weights apart.
    """

    name: str
    feature_size: int
    preprocess: Callable[[np.ndarray], np.ndarray]
    compute: Callable[[np.ndarray], np.ndarray]
    weights_checksum: str
    channel_means: tuple[float, float, float]


def load_extractor(name, layout):
    """The extractor of that name, with the weights that the data folder calls for."""
    if name != "alexnet":
        raise ValueError(f"There is no extractor {name!r}; there is: {', '.join(EXTRACTORS)}.")
    import_tensorflow()
    from dataset.models.alexnet.extractor import alexnet_extractor

    return alexnet_extractor(seeded=layout.facts.exists())


def extract(layout, split, extractor):
    """Write a split's features file and the list of the photos that could not be read.

    Returns:
        (photos extracted, photos skipped).

    Raises:
        FileNotFoundError: the photo folder is missing or empty.
        ValueError: none of its photos can be read.
    """
    photos = list(find_photos(layout.photos(split)).items())
    skipped = []
    with written_beside(layout.features(split, extractor.name)) as partial:
        with h5py.File(partial, "w") as file:
            embeddings, image_ids = _create_datasets(file, len(photos), extractor)
            rows = 0
            for ids, features in _features(photos, extractor, skipped, split):
                embeddings[rows : rows + len(ids)] = features
                image_ids[rows : rows + len(ids)] = ids
                rows += len(ids)
            if not rows:
                raise ValueError(
                    f"None of the {len(photos)} photos under {layout.photos(split)} can be read; "
                    f"the first one: {skipped[0][2]}: {skipped[0][1]}."
                )
            embeddings.resize(rows, axis=0)
            image_ids.resize(rows, axis=0)
        write_csv(layout.skipped_photos(split, extractor.name), SKIPPED_COLUMNS, skipped)
    return rows, len(skipped)


def _create_datasets(file, photos, extractor):
    file.attrs["extractor"] = extractor.name
    file.attrs["weights_checksum"] = extractor.weights_checksum
    file.attrs["channel_means"] = extractor.channel_means
    embeddings = file.create_dataset(
        "embeddings",
        (photos, extractor.feature_size),
        np.float32,
        chunks=(1, extractor.feature_size),
        maxshape=(photos, extractor.feature_size),
    )
    image_ids = file.create_dataset(
        "image_ids", (photos,), h5py.string_dtype("utf-8"), maxshape=(photos,)
    )
    return embeddings, image_ids


def _features(photos, extractor, skipped, split):
    """Yield (photo ids, features [b, F]); the next batch is decoded while the network runs."""
    batches = [photos[i : i + BATCH_SIZE] for i in range(0, len(photos), BATCH_SIZE)]
    bar = tqdm(total=len(photos), desc=f"{split} photos", unit="photo", disable=None)
    with bar, ThreadPoolExecutor(1) as decoder:
        decoded = decoder.submit(_decode, batches[0], extractor)
        for following in [*batches[1:], None]:
            ids, inputs, unreadable = decoded.result()
            if following:
                decoded = decoder.submit(_decode, following, extractor)
            skipped.extend(unreadable)
            if ids:
                yield ids, extractor.compute(np.stack(inputs))
            bar.update(len(ids) + len(unreadable))


def _decode(photos, extractor):
    """-> ids, network inputs, and (id, reason, path) of each photo that can't be read."""
    ids, inputs, unreadable = [], [], []
    for photo_id, path in photos:
        try:
            inputs.append(extractor.preprocess(read_photo(path)))
            ids.append(photo_id)
        except (ValueError, OSError) as error:
            unreadable.append((photo_id, str(error), path))
    return ids, inputs, unreadable


def extract_all(layout, extractor_name="alexnet"):
    """Write the features of all splits, saying what was done.

    A features file that is already there is kept.
    """
    wanted = [s for s in SPLITS if not layout.features(s, extractor_name).exists()]
    for split in wanted:
        find_photos(layout.photos(split))  # a wrong path shows before the network is loaded
    extractor = load_extractor(extractor_name, layout) if wanted else None
    for split in SPLITS:
        path = layout.features(split, extractor_name)
        if split in wanted:
            extracted, skipped = extract(layout, split, extractor)
            print(f"{split}: {extracted} photos extracted, {skipped} unreadable\n  {path}")
        else:
            print(f"{split}: already there; delete it to extract anew\n  {path}")


def main(extractor=None):
    parser = argparse.ArgumentParser(description="Photos -> features files.")
    add_data_option(parser)
    if extractor is None:
        parser.add_argument("--extractor", default="alexnet", choices=EXTRACTORS)
    arguments = parser.parse_args()
    extract_all(DataLayout(arguments.data), extractor or arguments.extractor)


if __name__ == "__main__":
    run_command(main)

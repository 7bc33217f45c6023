"""python -m data_reader.benchmark: how long the reader takes, and with how much memory.

It writes annotations of 40,000 stories with VIST's sentence lengths and the features of their
photos to a temporary folder, then indexes them in a process of its own.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import h5py
import numpy as np

from data_reader.cli import command_line
from data_reader.files import write_json
from data_reader.layout import DataLayout

# Sentences of the validation split with 1, 2, ... 20 words, per mille; longer ones count as 20.
SENTENCE_LENGTHS = (0, 0, 3, 11, 34, 56, 81, 100, 105, 100, 92, 81, 70, 57, 44, 37, 28, 22, 17, 62)
WORDS = 12_000
FEATURE_SIZE = 4096
PHOTOS_OF_TWO_STORIES = 0.5  # in VIST most photos serve several stories


def write_inputs(layout, stories, rng):
    """Annotations, descriptions and features of `stories` stories of five photos."""
    photos = round(stories * 5 * PHOTOS_OF_TWO_STORIES)
    words = np.array([f"word{number}" for number in range(WORDS)])
    frequencies = 1 / np.arange(1, WORDS + 1)
    share = np.array(SENTENCE_LENGTHS) / sum(SENTENCE_LENGTHS)
    lengths = rng.choice(np.arange(1, 21), stories * 5, p=share)
    drawn = rng.choice(words, lengths.sum(), p=frequencies / frequencies.sum())
    texts = [" ".join(text) for text in np.split(drawn, lengths.cumsum()[:-1])]
    annotations = [
        [
            {
                "original_text": text,
                "album_id": str(number // 25),
                "photo_flickr_id": str(number % photos),
                "setting": "first-2-pick-and-tell",
                "worker_id": "W",
                "story_id": str(number // 5),
                "tier": "story-in-sequence",
                "worker_arranged_photo_order": number % 5,
                "text": text,
                "storylet_id": str(number),
            }
        ]
        for number, text in enumerate(texts)
    ]
    write_json(layout.annotations("train"), {"annotations": annotations})
    descriptions = [[{"photo_flickr_id": str(n), "text": texts[n]}] for n in range(photos)]
    write_json(
        layout.annotations("train", "description-in-isolation"), {"annotations": descriptions}
    )
    path = layout.features("train")
    path.parent.mkdir(parents=True)
    with h5py.File(path, "w") as file:
        embeddings = file.create_dataset("embeddings", (photos, FEATURE_SIZE), np.float32)
        for start in range(0, photos, 1000):
            size = min(1000, photos - start)
            embeddings[start : start + size] = rng.random((size, FEATURE_SIZE), np.float32)
        ids = [str(number) for number in range(photos)]
        file.create_dataset("image_ids", data=ids, dtype=h5py.string_dtype())


def measure(stories):
    """-> seconds and peak memory (GB) of indexing `stories` stories."""
    with tempfile.TemporaryDirectory() as folder:
        write_inputs(DataLayout(Path(folder)), stories, np.random.default_rng(1))
        start = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "data_reader", "--data", folder],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return {"stories": stories, "seconds": seconds, "peak_memory_gb": peak / 1e6}


def main():
    parser = command_line(__doc__)
    parser.add_argument("--stories", type=int, default=40_000)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    arguments = parser.parse_args()
    figures = measure(arguments.stories)
    if arguments.json:
        print(json.dumps(figures))
    else:
        print(
            f"{figures['stories']:,} stories indexed in {figures['seconds']:.1f} s, "
            f"peak memory {figures['peak_memory_gb']:.2f} GB"
        )


if __name__ == "__main__":
    main()

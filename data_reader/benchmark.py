"""python -m data_reader.benchmark: time and memory that the reader needs.

It writes annotations of 40,000 stories with VIST's sentence lengths and the features of their
photos to a temporary folder, then indexes them, each in a process of its own.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import h5py
import numpy as np

from data_reader.cli import command_line, run_command, whole_number
from data_reader.files import write_json
from data_reader.layout import DataLayout
from data_reader.stories_file import VIST_PHOTOS_PER_STORY
from data_reader.vocabulary import MAX_WORDS

# Sentences of the validation split with 1, 2, ... 20 words, per mille; longer ones count as 20.
SENTENCE_LENGTHS = (0, 0, 3, 11, 34, 56, 81, 100, 105, 100, 92, 81, 70, 57, 44, 37, 28, 22, 17, 62)
WORDS = 12_000
FEATURE_SIZE = 4096
PHOTOS_OF_TWO_STORIES = 0.5  # in VIST most photos serve several stories


def write_inputs(layout, stories, rng):
    """Write annotations, descriptions and features of so many stories."""
    sentences = stories * VIST_PHOTOS_PER_STORY
    photos = round(sentences * PHOTOS_OF_TWO_STORIES)
    words = np.array([f"word{number}" for number in range(WORDS)])
    frequencies = 1 / np.arange(1, WORDS + 1)
    share = np.array(SENTENCE_LENGTHS) / sum(SENTENCE_LENGTHS)
    lengths = rng.choice(np.arange(1, MAX_WORDS + 1), sentences, p=share)
    drawn = rng.choice(words, lengths.sum(), p=frequencies / frequencies.sum())
    texts = [" ".join(text) for text in np.split(drawn, lengths.cumsum()[:-1])]
    annotations = [
        [
            {
                "original_text": text,
                "album_id": str(number // (5 * VIST_PHOTOS_PER_STORY)),
                "photo_flickr_id": str(number % photos),
                "setting": "first-2-pick-and-tell",
                "worker_id": "W",
                "story_id": str(number // VIST_PHOTOS_PER_STORY),
                "tier": "story-in-sequence",
                "worker_arranged_photo_order": number % VIST_PHOTOS_PER_STORY,
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
    _write_features(layout.features("train"), photos, rng)


def _write_features(path, photos, rng):
    path.parent.mkdir(parents=True)
    with h5py.File(path, "w") as file:
        embeddings = file.create_dataset("embeddings", (photos, FEATURE_SIZE), np.float32)
        for start in range(0, photos, 1000):
            size = min(1000, photos - start)
            embeddings[start : start + size] = rng.random((size, FEATURE_SIZE), np.float32)
        ids = [str(number) for number in range(photos)]
        file.create_dataset("image_ids", data=ids, dtype=h5py.string_dtype())


def measure(stories):
    """Measure the seconds and the peak memory (GB) of indexing so many stories."""
    with tempfile.TemporaryDirectory() as folder:
        # A child's peak memory starts at that of its parent, so this process must stay small.
        own = [sys.executable, "-m", "data_reader.benchmark", "--stories", str(stories)]
        subprocess.run([*own, "--write", folder], check=True)
        start = time.perf_counter()
        reader = subprocess.Popen(
            [sys.executable, "-m", "data_reader", "--data", folder], stdout=subprocess.DEVNULL
        )
        _, status, used = os.wait4(reader.pid, 0)
        seconds = time.perf_counter() - start
    reader.returncode = os.waitstatus_to_exitcode(status)
    if reader.returncode:
        raise subprocess.CalledProcessError(reader.returncode, reader.args)
    return {"stories": stories, "seconds": seconds, "peak_memory_gb": used.ru_maxrss / 1e6}


def main():
    parser = command_line(__doc__)
    parser.add_argument("--stories", type=whole_number(1), default=40_000)
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    parser.add_argument("--write", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.write:
        write_inputs(DataLayout(arguments.write), arguments.stories, np.random.default_rng(1))
        return
    results = measure(arguments.stories)
    if arguments.json:
        print(json.dumps(results))
    else:
        print(
            f"{results['stories']:,} stories indexed in {results['seconds']:.1f} s, "
            f"peak memory {results['peak_memory_gb']:.2f} GB"
        )


if __name__ == "__main__":
    run_command(main)

"""Damage valid data files many times and open each with the project's own reader.

python tests/fuzz_data.py --mutations 2000 --seed 1

Each file must be opened, or refused by an `InputError` or `OSError`, which commands show in one
line: anything else, a crash and more than 4 GB or 60 seconds included, is a failure.
--only stories:123 shows the traceback of one.
"""

import argparse
import contextlib
import json
import multiprocessing
import os
import pickle
import resource
import sys
import tempfile
import warnings
import zlib
from collections import Counter
from copy import deepcopy
from pathlib import Path

import h5py
import numpy as np
from tqdm import tqdm

from data_reader.errors import InputError
from data_reader.features_file import feature_attributes, open_features, read_features
from data_reader.hdf5_files import read_strings
from data_reader.layout import DataLayout
from data_reader.sis_datareader import index_stories, read_descriptions, read_word_frequencies
from data_reader.stories_file import (
    StoryFeatures,
    check_features,
    open_stories,
    read_image_paths,
    read_story_ids,
)
from data_reader.vocabulary import Vocabulary
from dataset.download.photo_addresses import read_all_addresses
from dataset.feature_parts import Part
from dataset.models.alexnet.weights import read_weights
from dataset.vector_files import open_vectors

SECONDS, MEMORY = 60, 4 * 2**30  # of a core; and bytes
PATIENCE = 10 * SECONDS  # where other processes have the cores
WORDS = Vocabulary(("<NULL>", "<START>", "<END>", "<UNK>", "the", "dog", "ran"))
PHOTOS = [f"photo{number}" for number in range(15)]
TEXTS = h5py.string_dtype("utf-8")


# Valid files, and how they are read.


def write_annotations(path):
    annotations = [
        [
            {
                "story_id": f"{story}",
                "album_id": f"album{story // 2}",
                "photo_flickr_id": PHOTOS[5 * story + place],
                "worker_arranged_photo_order": place,
                "text": "the dog ran .",
            }
        ]
        for story in range(3)
        for place in range(5)
    ]
    images = [{"id": id_, "url_o": f"https://example.org/{id_}.jpg"} for id_ in PHOTOS]
    contents = {
        "info": {"photos_per_story": 5},
        "images": images,
        "annotations": annotations,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(contents))


def read_annotations(path):
    for read in (read_all_addresses, read_descriptions, lambda _: index_split(path)):
        with contextlib.suppress(InputError):
            read(path)
    index_split(path)


def index_split(path):
    """Run the reader on the annotations, with sound features and vocabulary."""
    layout = layout_of(path)
    layout.annotations("train").write_bytes(path.read_bytes())
    if not layout.features("train").exists():
        write_features(layout.features("train"))
    index_stories(layout, "train", WORDS, descriptions_needed=False)


def layout_of(path):
    layout = DataLayout(path.parent)
    for file in (layout.annotations("train"), layout.stories("train"), layout.features("train")):
        file.parent.mkdir(parents=True, exist_ok=True)
    return layout


def write_features(path):
    rng = np.random.default_rng(0)
    with h5py.File(path, "w") as file:
        file["embeddings"] = rng.random((len(PHOTOS), 6), np.float32)
        file.create_dataset("image_ids", data=PHOTOS, dtype=TEXTS)
        file.attrs.update(extractor="alexnet", weights_checksum="seeded-1", channel_means=[1.0, 2])


def read_features_file(path):
    with open_features(path) as file:
        ids = read_strings(file["image_ids"])
        feature_attributes(file)
        read_features(file["embeddings"], slice(None), lambda place: ids[place])


def write_stories(path):
    rng = np.random.default_rng(0)
    with h5py.File(path, "w") as file:
        file.create_dataset("story_ids", data=["1", "2", "3"], dtype=TEXTS)
        file.create_dataset("album_ids", data=["a", "a", "b"], dtype=TEXTS)
        names = np.array(PHOTOS, object).reshape(3, 5)
        for name in ("image_ids", "image_paths", "texts"):
            file.create_dataset(name, data=names, dtype=TEXTS)
        sentences = [[WORDS.encode("the dog ran " * n) for n in range(5)]] * 3
        file.create_dataset("story_sentences", data=sentences, compression="gzip")
        file["image_embeddings"] = rng.random((3, 5, 6))
        file.attrs.update(extractor="alexnet", weights_checksum="seeded-1", channel_means=[1.0, 2])
        file.attrs.update(vocabulary_size=len(WORDS), vocabulary_checksum=WORDS.checksum)


def read_stories_file(path):
    layout = layout_of(path)
    layout.stories("train").unlink(missing_ok=True)
    os.link(path, layout.stories("train"))
    also = ("album_ids", "image_ids", "image_paths", "texts")
    with open_stories(layout, "train", WORDS, also) as file:
        read_story_ids(file)
        read_image_paths(file)
        for name in ("album_ids", "image_ids", "texts"):
            read_strings(file[name])
        check_features(file, {"extractor": "alexnet", "channel_means": [1, 2]})
        StoryFeatures(file)[:]
        [[[WORDS.decode(row) for row in story] for story in file["story_sentences"][:]]]


def write_vocabulary(path):
    WORDS.write(path)


def read_vocabulary(path):
    words = Vocabulary.read(path)
    words.checksum, words.decode(words.encode("the dog"))


def write_frequencies(path):
    path.write_text(json.dumps([["the", 9], ["dog", 5], ["ran", 5], [".", 1]]))


def read_frequencies(path):
    Vocabulary.from_word_frequencies(read_word_frequencies(path))


def write_weights(path):
    values = {"fc6": [np.ones((3, 2), np.float32), np.ones(2, np.float32)]}
    array = np.array(values, dtype=object)
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, np.lib.format.header_data_from_array_1_0(array))
        pickle.dump(array, file, protocol=2)


def write_part(path):
    part = {
        "embeddings": np.ones((14, 6), np.float32),
        "image_ids": np.array(PHOTOS[:14]),
        "skipped": np.array([["x", "broken", "x.jpg"]]),
        "fingerprints": np.arange(len(PHOTOS), dtype=np.uint64),
    }
    with path.open("wb") as file:
        np.savez(file, **part)


def read_part(path):
    Part([(id_, id_) for id_ in PHOTOS], path).read()


def write_vectors(path):
    with path.open("wb") as file:
        np.savez_compressed(file, ids=np.array(PHOTOS), vectors=np.ones((15, 6)))


def read_vectors(file_format):
    def read(path):
        with open_vectors(file_format, path) as source:
            list(source.lengths(source.entries))
            list(source.vectors(6))

    return read


# Damage.


def damage_bytes(path, rng):
    """Change, remove, add or repeat some bytes."""
    contents = bytearray(path.read_bytes())
    for _ in range(rng.integers(1, 5)):
        start = int(rng.integers(len(contents) + 1))
        end = start + int(rng.choice([1, 1, 2, 4, 8, 64]))
        noise = rng.bytes(end - start)
        new = [noise, b"\xff" * len(noise), bytes(len(noise)), b"", contents[start:end] + noise]
        contents[start:end] = new[rng.integers(len(new))]
    if rng.random() < 0.1:
        del contents[int(rng.integers(len(contents) + 1)) :]
    path.write_bytes(contents)


ODD_VALUES = (
    *(None, True, False, 0, -1, 1.5, 10**18, 10**30, float("nan"), float("inf")),
    *("", "x" * 10_000, "9" * 5_000, "\0", "\ud800", "\n", "../..", "café", [], {}, [[]]),
    *([None], {"": None}, [[[1]]], ["a"] * 100, {"id": 1}, {"photo_flickr_id": []}),
)
BARE_VALUES = ("9" * 5_000, "[" * 50_000, '{"a":' * 50_000, "NaN", "1e999", "-")


def damage_json(path, rng):
    """Put odd values into odd places, or take values away."""
    contents = json.loads(path.read_bytes())
    for _ in range(rng.integers(1, 4)):
        holder, key = random_place(contents, rng)
        action = rng.random()
        if action < 0.2:
            del holder[key]
        elif action < 0.3:
            holder[key] = [holder[key]] * 3
        else:
            holder[key] = deepcopy(ODD_VALUES[rng.integers(len(ODD_VALUES))])
        if not contents:
            break
    text = json.dumps(contents, ensure_ascii=bool(rng.integers(2)))
    if rng.random() < 0.1:
        text = text.replace('"the', BARE_VALUES[rng.integers(len(BARE_VALUES))], 1)
    path.write_text(text, encoding="utf-8", errors="surrogatepass")


def random_place(contents, rng):
    """Return (list or dictionary, key), at any depth."""
    holder = contents
    while True:
        keys = list(holder) if isinstance(holder, dict) else range(len(holder))
        key = keys[rng.integers(len(keys))]
        inner = holder[key]
        if not isinstance(inner, list | dict) or not inner or rng.random() < 0.1:
            return holder, key
        holder = inner


def damage_hdf5(path, rng):
    """Replace an array or an attribute by something odd."""
    with h5py.File(path, "r+") as file:
        for _ in range(rng.integers(1, 3)):
            if rng.random() < 0.2:
                name = rng.choice(list(file.attrs))
                file.attrs[name] = ODD_ATTRIBUTES[rng.integers(len(ODD_ATTRIBUTES))]
            elif names := [name for name in file if is_array(file, name)]:
                name = str(rng.choice(names))
                old = file[name][()]
                damage = ODD_ARRAYS[rng.integers(len(ODD_ARRAYS))]
                del file[name]
                damage(file, name, old, rng)


def is_array(file, name):
    link = file.get(name, getlink=True)
    if not isinstance(link, h5py.HardLink) or not isinstance(file[name], h5py.Dataset):
        return False
    return bool(file[name].shape) and 0 < file[name].size < 10_000 and not file[name].external


ODD_ATTRIBUTES = (
    *(-1, 1.5, float("nan"), "", "x" * 1000, b"\xff", [1, 2], ["a", "b"], h5py.Empty("f")),
    *(np.zeros((2, 2)), [np.inf, 1], "\ud800".encode("utf-8", "surrogatepass"), True, 10**18),
)


def sparse(file, name, old, rng):
    shape = list(old.shape)
    shape[rng.integers(len(shape))] = 10**9
    dtype = TEXTS if old.dtype == object else old.dtype
    chunks = (1, *old.shape[1:]) if rng.random() < 0.5 else None
    file.create_dataset(name, shape, dtype, chunks=chunks)


def packed(file, name, old, rng):
    """One chunk for all, as it is for zeros, or garbage."""
    shape = (int(rng.choice([1000, 2 * 10**6])), *old.shape[1:])
    dtype = old.dtype if old.dtype != object else "S100"
    array = file.create_dataset(name, shape, dtype, chunks=shape, compression="gzip")
    size = min(array.size * array.dtype.itemsize, 10**6)
    contents = zlib.compress(bytes(size)) if rng.random() < 0.5 else rng.bytes(100)
    array.id.write_direct_chunk((0,) * len(shape), contents)


def elsewhere(file, name, old, rng):
    dtype = np.dtype("S8") if old.dtype == object else old.dtype
    file.create_dataset(name, old.shape, dtype, external=[("/etc/passwd", 0, 10**9)])


def virtual(file, name, old, rng):
    layout = h5py.VirtualLayout(old.shape, old.dtype if old.dtype != object else "S8")
    layout[...] = h5py.VirtualSource("/dev/zero", "x", shape=old.shape)
    file.create_virtual_dataset(name, layout)


def other_kind(file, name, old, rng):
    kinds = ("i8", "u1", "f2", "f8", "S3", "c8", "?", [("a", "i4")], h5py.vlen_dtype("i4"))
    file.create_dataset(name, old.shape, kinds[rng.integers(len(kinds))])


def other_shape(file, name, old, rng):
    shapes = ((), (0,), (0, *old.shape[1:]), old.shape[1:], (1, *old.shape), (*old.shape[:-1], 0))
    shape = shapes[rng.integers(len(shapes))]
    file.create_dataset(name, data=np.resize(old, shape), dtype=TEXTS if old.dtype == "O" else None)


def other_numbers(file, name, old, rng):
    new = old.copy()
    odd = [b"\xff", b"", b"../x", b"x\ny"] if old.dtype == object else [-1, 0, 7, 10**6]
    odd += [] if old.dtype.kind != "f" else [np.nan, np.inf, 1e300]
    new.flat[rng.integers(new.size)] = odd[rng.integers(len(odd))]
    file.create_dataset(name, data=new, dtype=TEXTS if old.dtype == object else None)


def long_texts(file, name, old, rng):
    file.create_dataset(name, data=np.full(old.shape, "x" * 10**4, object), dtype=TEXTS)


def make_group(file, name, *_):
    file.create_group(name)


def link_softly(file, name, _, rng):
    file[name] = h5py.SoftLink(str(rng.choice(["/", f"/{name}", "/nowhere", "/texts"])))


def link_outside(file, name, _, rng):
    files = [file.filename, "/etc/passwd", "/dev/zero", "nowhere.h5"]
    file[name] = h5py.ExternalLink(str(rng.choice(files)), "/")


def link_in_a_circle(file, name, *_):
    file[name] = file["/"]


def link_another(file, name, *_):
    others = [other for other in file if is_array(file, other)]
    if others:
        file[name] = file[others[0]]


ODD_ARRAYS = (
    *(sparse, packed, elsewhere, virtual, other_kind, other_shape, other_numbers),
    *(long_texts, make_group, link_softly, link_outside, link_in_a_circle, link_another),
    lambda *_: None,
)

# The name of the kind, how to write a valid file, how to read it, its damage besides that of bytes.
KINDS = {
    "stories": (write_stories, read_stories_file, damage_hdf5),
    "features": (write_features, read_features_file, damage_hdf5),
    "hdf5 vectors": (write_features, read_vectors("hdf5"), damage_hdf5),
    "npz vectors": (write_vectors, read_vectors("npz"), damage_bytes),
    "annotations": (write_annotations, read_annotations, damage_json),
    "vocabulary": (write_vocabulary, read_vocabulary, damage_json),
    "word frequencies": (write_frequencies, read_frequencies, damage_json),
    "weights": (write_weights, read_weights, damage_bytes),
    "part": (write_part, read_part, damage_bytes),
}


# Running it.


def open_mutation(kind, number, seed, folder):
    """Write, damage and read one file; the first one is whole."""
    rng = np.random.default_rng([seed, list(KINDS).index(kind), number])
    write, read, damage = KINDS[kind]
    path = Path(folder) / "file"
    path.unlink(missing_ok=True)
    write(path)
    if number:
        (damage if rng.random() < 0.6 else damage_bytes)(path, rng)
    read(path)


def outcome_of(kind, number, seed, folder):
    try:
        open_mutation(kind, number, seed, folder)
    except (InputError, OSError) as error:
        return "refused" if number else "failed", str(error)
    except Exception as error:
        return "failed", f"{type(error).__name__}: {error}"
    return "opened", ""


def work(connection, kind, numbers, seed, folder):
    """In a process of its own: send the outcome of each mutation."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # HDF5's own notices
    warnings.simplefilter("ignore")
    for number in numbers:
        used = sum(os.times()[:2])
        resource.setrlimit(resource.RLIMIT_CPU, (int(used) + SECONDS, resource.RLIM_INFINITY))
        connection.send(outcome_of(kind, number, seed, folder))


def outcomes(kind, mutations, seed):
    """Yield (number, outcome, text) of each mutation; a process that dies is replaced."""
    number = 0
    fork = multiprocessing.get_context("fork")
    with tempfile.TemporaryDirectory() as folder:
        while number < mutations:
            ours, theirs = fork.Pipe()
            rest = range(number, mutations)
            process = fork.Process(target=work, args=(theirs, kind, rest, seed, folder))
            process.start()
            theirs.close()
            for number in rest:
                if not ours.poll(PATIENCE):
                    process.kill()
                try:
                    yield number, *ours.recv()
                except EOFError:
                    process.join()
                    yield number, "failed", f"ended with {process.exitcode}"
                    break
            number += 1
            process.join()


def fuzz(mutations, seed, kinds=tuple(KINDS)):
    """Fuzz the kinds -> `{kind: Counter of opened, refused, failed}`, lines about the failures."""
    counts, failures = {kind: Counter() for kind in kinds}, []
    with tqdm(total=mutations * len(kinds), unit="file", disable=None) as bar:
        for kind in kinds:
            bar.set_description(kind)
            for number, outcome, text in outcomes(kind, mutations, seed):
                counts[kind][outcome] += 1
                bar.update()
                if outcome == "failed":
                    failures.append(f"{kind}:{number}  {' '.join(text.split()):.300}")
    return counts, failures


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mutations", type=int, default=2000, help="of each kind of file")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kind", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--only", metavar="KIND:NUMBER", help="one mutation, with its traceback")
    arguments = parser.parse_args()
    if arguments.only:
        kind, number = arguments.only.split(":")
        with tempfile.TemporaryDirectory() as folder:
            open_mutation(kind, int(number), arguments.seed, folder)
        return
    counts, failures = fuzz(arguments.mutations, arguments.seed, arguments.kind)
    print(f"{'file':<18}{'opened':>8}{'refused':>9}{'failed':>8}")
    for kind, found in counts.items():
        print(f"{kind:<18}{found['opened']:>8}{found['refused']:>9}{found['failed']:>8}")
    print(*failures, sep="\n")
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()

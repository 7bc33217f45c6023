"""Stories and features files that are not what they say."""

import os
import zlib

import h5py
import numpy as np

from drill_cases.case import (
    SECRET,
    TEXTS,
    Case,
    all_of,
    changed_bytes,
    cut,
    edited_hdf5,
    features,
    path_of,
    removed,
    stories,
    written,
)

SPARSE = 10**9
BEGINS_AS_HDF5 = b"\x89HDF\r\n\x1a\n" + bytes(2000)
READER = "python -m data_reader --data data"
SURVEY = "python -m dataset --data data"
PAGE = "python -m generation.story_page results/first"
GENERATE = "python -m generation --run results/first --strips 0"
TRAIN = "python -m training --smoke-test --results new --set data=$PWD/data epochs=1"


def replaced(name, make):
    """A change of an open file: remove an array and make another."""

    def change(file):
        old = file[name][()]
        del file[name]
        make(file, name, old)

    return change


def huge(file, name, old):
    dtype = TEXTS if old.dtype == object else old.dtype
    file.create_dataset(name, (SPARSE, *old.shape[1:]), dtype, chunks=(1, *old.shape[1:]))


def without_data(file, name, old):
    dtype = TEXTS if old.dtype == object else old.dtype
    file.create_dataset(name, old.shape, dtype)


def packed(file, name, old):
    """One chunk of zeros, 8 GB, in a few kB."""
    shape = (10**9, *[1] * (old.ndim - 1))
    array = file.create_dataset(name, shape, "f8", chunks=(2**28, *shape[1:]), compression="gzip")
    array.id.write_direct_chunk((0,) * old.ndim, zlib.compress(bytes(10**6)))


def in_another_file(file, name, old):
    dtype = np.dtype(f"S{len(SECRET)}") if old.dtype == object else old.dtype
    size = int(np.prod(old.shape)) * dtype.itemsize
    file.create_dataset(name, old.shape, dtype, external=[("../secret.txt", 0, size)])


def in_a_device(file, name, old):
    dtype = np.dtype("S8") if old.dtype == object else old.dtype
    file.create_dataset(name, old.shape, dtype, external=[("/dev/zero", 0, 10**12)])


def virtual(file, name, old):
    layout = h5py.VirtualLayout(old.shape, TEXTS if old.dtype == object else old.dtype)
    layout[...] = h5py.VirtualSource("../secret.hdf5", "texts", shape=old.shape)
    file.create_virtual_dataset(name, layout)


def linked_outside(file, name, old):
    file[name] = h5py.ExternalLink("../../secret.hdf5", "/texts")


def linked_in_a_circle(file, name, old):
    file[name] = h5py.SoftLink("/again")
    file["again"] = h5py.SoftLink(f"/{name}")


def made_group(file, name, old):
    file.create_group(name)["itself"] = file["/"]


def of_dimensions(count):
    def make(file, name, old):
        dtype = TEXTS if old.dtype == object else None
        file.create_dataset(name, data=np.resize(old, (3,) * count), dtype=dtype)

    return make


def of_kind(kind):
    def make(file, name, old):
        file.create_dataset(name, old.shape, kind)

    return make


def only_rows(rows):
    def make(file, name, old):
        dtype = TEXTS if old.dtype == object else None
        file.create_dataset(name, data=old[:rows], dtype=dtype)

    return make


def with_value(value):
    def make(file, name, old):
        old.flat[1::7] = value
        file.create_dataset(name, data=old, dtype=TEXTS if old.dtype == object else None)

    return make


def without_start(file):
    rows = file["story_sentences"][:]
    rows[2, 1, 0] = 5
    file["story_sentences"][:] = rows


ARRAYS = {
    "of a milliard rows without data": huge,
    "whose data were never written": without_data,
    "that unpacks a few kB to 8 GB": packed,
    "that lies in another file": in_another_file,
    "that lies in a device": in_a_device,
    "put together from another file": virtual,
    "linked to another file": linked_outside,
    "linked in a circle": linked_in_a_circle,
    "that is a group": made_group,
    "of no dimension": of_dimensions(0),
    "of four dimensions": of_dimensions(4),
    "of another type": of_kind("c8"),
    "without rows": only_rows(0),
    "with fewer rows": only_rows(4),
}
STORY_ARRAYS = ("image_embeddings", "texts", "story_sentences", "story_ids")


def story_array(name, what, make, command=PAGE, file=stories, **expected):
    damage = edited_hdf5(file, replaced(name, make))
    expected = {"says": r"\.hdf5"} | expected
    return Case(f"{name} {what}", command, damage, **expected)


def file_cases(place, command, if_missing=2, **expected):
    """A file that is none, cut, empty, or no file, which counts as missing."""
    return [
        Case("empty", command, written(place, b""), **expected),
        Case("a text", command, written(place, "this is no data\n"), **expected),
        Case("a beginning without a rest", command, written(place, BEGINS_AS_HDF5), **expected),
        Case("cut short", command, cut(place), **expected),
        Case("other bytes everywhere", command, changed_bytes(place), **expected),
        *(
            Case(what, command, exchanged(place, make), **expected | {"status": if_missing})
            for what, make in (
                ("a folder", os.mkdir),
                ("a pipe", os.mkfifo),
                ("a device", lambda path: path.symlink_to("/dev/zero")),
                ("a link to itself", lambda path: path.symlink_to(path.name)),
            )
        ),
    ]


def exchanged(place, make):
    """A damage: remove a file and make something else of its name."""
    return all_of(removed(place), lambda folder: make(path_of(place, folder)))


def with_attribute(name, value):
    return lambda file: file.attrs.__setitem__(name, value)


STORIES_FILE = [
    *(
        story_array(name, what, make)
        for number, (what, make) in enumerate(ARRAYS.items())
        for name in (STORY_ARRAYS if number in (0, 3, 6) else [STORY_ARRAYS[number % 4]])
    ),
    story_array("story_sentences", "outside of the vocabulary", with_value(10**6)),
    story_array("story_sentences", "below zero", with_value(-1)),
    Case("a row without <START>", PAGE, edited_hdf5(stories, without_start), says="START"),
    story_array(
        "story_ids", "with an id of 5,000 digits", with_value("9" * 5000), status=0, says=""
    ),
    story_array("texts", "that are not UTF-8", with_value(b"\xff\xfe"), says="UTF-8"),
    story_array(
        "image_paths", "that lead outside", with_value("../../secret.txt"), says="leads out"
    ),
    Case(
        "made with another vocabulary",
        PAGE,
        edited_hdf5(stories, with_attribute("vocabulary_checksum", "0" * 16)),
        status=0,
    ),
    Case(
        "a vocabulary's size that is a text",
        PAGE,
        edited_hdf5(stories, with_attribute("vocabulary_size", "many")),
        says="vocabulary_size",
    ),
    *file_cases(stories, PAGE, says=r"stories_to_index_test\.hdf5"),
]
IN_TRAINING_AND_GENERATION = [
    story_array("image_embeddings", "of a milliard rows", huge, GENERATE),
    story_array("image_embeddings", "with nan", with_value(np.nan), GENERATE, says="nan"),
    story_array("image_embeddings", "with fewer photos", of_dimensions(3), GENERATE),
    story_array("story_sentences", "linked outside", linked_outside, GENERATE),
    story_array(
        "story_sentences", "of a milliard rows", huge, TRAIN, lambda f: stories(f, "train")
    ),
    story_array(
        "image_embeddings", "infinite", with_value(np.inf), TRAIN, lambda f: stories(f, "train")
    ),
    story_array(
        "story_sentences",
        "outside of the vocabulary",
        with_value(10**6),
        TRAIN,
        lambda f: stories(f, "valid"),
    ),
]
FEATURES_FILE = [
    *(
        story_array(("embeddings", "image_ids")[number % 2], what, make, READER, features)
        for number, (what, make) in enumerate(ARRAYS.items())
    ),
    story_array(
        "embeddings",
        "of no columns",
        lambda f, n, old: f.create_dataset(n, (30, 0)),
        READER,
        features,
    ),
    story_array("embeddings", "with nan", with_value(np.nan), READER, features, says="nan"),
    story_array("embeddings", "linked outside", linked_outside, READER, features),
    story_array("image_ids", "that are numbers", of_kind("i8"), READER, features),
    Case(
        "an extractor with a line break",
        READER,
        edited_hdf5(features, with_attribute("extractor", "alexnet\nerror: x")),
        says="extractor",
    ),
    *file_cases(features, READER, 0, says=r"alexnet_image_train_features\.hdf5"),
]
IN_THE_SURVEY = [
    story_array("embeddings", "of a milliard rows", huge, SURVEY, features, status=0),
    story_array("embeddings", "linked outside", linked_outside, SURVEY, features, status=0),
    story_array("story_ids", "of a milliard rows", huge, SURVEY, stories, status=0),
    *file_cases(stories, SURVEY, 0, status=0, says=r"stories_to_index_test\.hdf5"),
]
GROUPS = {
    "stories files": STORIES_FILE,
    "stories files: training, generation": IN_TRAINING_AND_GENERATION,
    "features files": FEATURES_FILE,
    "HDF5 files in the survey": IN_THE_SURVEY,
}

"""HDF5 files that are not what they say."""

import h5py
import pytest

from data_reader.errors import InputError
from data_reader.hdf5_files import open_hdf5, read_strings

ARRAYS = {"embeddings": ("numbers", ("M", 2)), "image_ids": ("strings", ("M",))}


def test_a_missing_hdf5_file_names_the_command_that_makes_it(tmp_path):
    with pytest.raises(FileNotFoundError, match="is missing; make it with: make features"):
        open_hdf5(tmp_path / "f.hdf5", ARRAYS, "make features")


def test_an_hdf5_file_cut_short_is_named(tmp_path):
    path = tmp_path / "f.hdf5"
    with h5py.File(path, "w") as file:
        file["embeddings"] = [1.0] * 1000
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(InputError, match=r"f\.hdf5 is not a readable HDF5 file"):
        open_hdf5(path, ARRAYS, "make features")


def write_hdf5(path, **arrays):
    with h5py.File(path, "w") as file:
        for name, values in arrays.items():
            if values is None:
                file.create_group(name)
            else:
                file[name] = values
    return path


def test_arrays_of_the_right_shapes_and_kinds_are_opened(tmp_path):
    for ids in (["1", "2", "caf\u00e9"], [b"1", b"2", "caf\u00e9".encode()]):
        path = write_hdf5(tmp_path / "f.hdf5", embeddings=[[1.0, 2.0]] * 3, image_ids=ids)
        with open_hdf5(path, ARRAYS, "make features") as file:
            assert read_strings(file["image_ids"]) == ["1", "2", "caf\u00e9"]


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"embeddings": [[1.0, 2.0]]}, r"lacks image_ids \(it holds embeddings\)"),
        ({}, r"lacks embeddings, image_ids \(it holds nothing\)"),
        ({"embeddings": [[1.0]]}, r"has embeddings of shape \[1, 1\], expected \[1, 2\]"),
        ({"embeddings": [1.0]}, r"has embeddings of shape \[1\], expected \[1, 2\]"),
        ({"embeddings": [[[1.0]]]}, r"has embeddings of shape \[1, 1, 1\], expected \[1, 2\]"),
        ({"embeddings": 1.0}, r"has embeddings of shape \[\], expected \[M, 2\]"),
        ({"embeddings": None}, "has embeddings, which is no array"),
        ({"embeddings": [["a", "b"]]}, "has embeddings of type object, expected numbers"),
        ({"image_ids": ["1", "2"]}, r"has image_ids of shape \[2\], expected \[1\]"),
        ({"image_ids": [1]}, "has image_ids of type int64, expected strings"),
    ],
)
def test_a_file_of_other_arrays_is_refused(tmp_path, arrays, message):
    both = {"embeddings": [[1.0, 2.0]], "image_ids": ["1"]}
    lacking = {} if "lacks" in message else both
    path = write_hdf5(tmp_path / "f.hdf5", **lacking | arrays)
    with pytest.raises(InputError, match=rf"f\.hdf5 {message}.*; make it again with: make feat"):
        open_hdf5(path, ARRAYS, "make features")


def test_strings_that_are_not_utf_8_are_refused(tmp_path):
    path = write_hdf5(tmp_path / "f.hdf5", image_ids=[b"caf\xe9"])
    with (
        h5py.File(path) as file,
        pytest.raises(InputError, match=r"f\.hdf5: /image_ids is not UTF-8"),
    ):
        read_strings(file["image_ids"])

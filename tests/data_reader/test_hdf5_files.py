"""HDF5 files that are not what they say."""

import re
import subprocess
import sys

import h5py
import numpy as np
import pytest

from data_reader.errors import InputError
from data_reader.hdf5_files import open_hdf5, read_array, read_strings

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


def sparse(file):
    file.create_dataset("embeddings", (10**9, 2), np.float32)


def sparse_in_chunks(file):
    file.create_dataset("embeddings", (10**9, 2), np.float32, chunks=(1000, 2))


def in_part(file):
    array = file.create_dataset("embeddings", (4, 2), np.float32, chunks=(2, 2), compression="gzip")
    array[:2] = 1


def packed_to_nothing(file):
    options = {"chunks": (10**8, 2), "compression": "gzip"}
    array = file.create_dataset("embeddings", (10**8, 2), np.float32, **options)
    array.id.write_direct_chunk((0, 0), b"800 megabytes of zeros")


def in_another_file(file):
    file.create_dataset("embeddings", (3, 2), np.float32, external=[("/etc/passwd", 0, 24)])


def virtual(file):
    layout = h5py.VirtualLayout((3, 2), np.float32)
    layout[:] = h5py.VirtualSource("other.hdf5", "embeddings", (3, 2))
    file.create_virtual_dataset("embeddings", layout)


def link_to_a_file(file):
    file["embeddings"] = h5py.ExternalLink("other.hdf5", "embeddings")


def link_to_itself(file):
    file["embeddings"] = h5py.SoftLink("embeddings")


def circle(file):
    file["embeddings"] = file["/"]


def array_without_a_shape(file):
    file["embeddings"] = h5py.Empty("f4")


def type_of_numbers(file):
    file["embeddings"] = np.dtype("f4")


@pytest.mark.parametrize(
    ("write", "flaw"),
    [
        (sparse, r"of whose data, \[1000000000, 2\], the file holds a part or nothing"),
        (sparse_in_chunks, r"of whose data, \[1000000000, 2\], the file holds a part or nothing"),
        (in_part, r"of whose data, \[4, 2\], the file holds a part or nothing"),
        (packed_to_nothing, "which unpacks 22 bytes to 800,000,000"),
        (in_another_file, "whose data lie in other files"),
        (virtual, "whose data lie in other files"),
        (link_to_a_file, "a link to elsewhere"),
        (link_to_itself, "a link to elsewhere"),
        (circle, "which is no array"),
        (array_without_a_shape, "which is no array"),
        (type_of_numbers, "which is no array"),
    ],
)
def test_only_data_that_the_file_holds_are_read(tmp_path, write, flaw):
    path = write_hdf5(tmp_path / "f.hdf5", image_ids=["1", "2", "3"])
    write_hdf5(tmp_path / "other.hdf5", embeddings=np.ones((3, 2)))
    with h5py.File(path, "r+") as file:
        write(file)
    with pytest.raises(InputError, match=rf"f\.hdf5 has embeddings, {flaw}; get it again"):
        open_hdf5(path, ARRAYS)


def test_compressed_arrays_and_arrays_in_chunks_are_read(tmp_path):
    for options in ({"compression": "gzip"}, {"chunks": (2, 2)}, {"compression": "lzf"}):
        path = write_hdf5(tmp_path / "f.hdf5", image_ids=["1", "2", "3"])
        with h5py.File(path, "r+") as file:
            file.create_dataset("embeddings", data=np.zeros((3, 2)), **options)
        with open_hdf5(path, ARRAYS) as file:
            assert read_array(file["embeddings"]).tolist() == [[0, 0]] * 3


def test_an_array_without_columns_is_refused(tmp_path):
    path = write_hdf5(tmp_path / "f.hdf5", embeddings=np.zeros((3, 0)))
    with pytest.raises(InputError, match=r"embeddings of shape \[3, 0\], which holds nothing"):
        open_hdf5(path, {"embeddings": ("numbers", ("M", "F"))})


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("extractor", 7),
        ("extractor", b"alex\xff"),
        ("weights_checksum", ["a", "b"]),
        ("channel_means", "104"),
        ("channel_means", [1.0, np.nan, 3.0]),
        ("vocabulary_size", 1.5),
        ("vocabulary_checksum", h5py.Empty("f4")),
    ],
)
def test_attributes_of_another_kind_are_refused(tmp_path, attribute, value):
    path = write_hdf5(tmp_path / "f.hdf5")
    with h5py.File(path, "r+") as file:
        file.attrs[attribute] = value
    with pytest.raises(InputError, match=rf"has the attribute {attribute} .*, expected"):
        open_hdf5(path, {})


def test_many_strings_in_one_place_are_not_read_as_many(tmp_path):
    path = write_hdf5(tmp_path / "f.hdf5", image_ids=["x" * 10_000] + ["y"] * 999)
    with h5py.File(path) as file:
        start, size = file["image_ids"].id.get_offset(), file["image_ids"].id.get_storage_size()
    contents = bytearray(path.read_bytes())
    contents[start : start + size] = contents[start : start + size // 1000] * 1000
    path.write_bytes(contents)
    with (
        open_hdf5(path, {"image_ids": ("strings", ("M",))}) as file,
        pytest.raises(InputError, match="its strings are longer than the file"),
    ):
        read_strings(file["image_ids"])


def test_damaged_numbers_are_named(tmp_path):
    path = tmp_path / "f.hdf5"
    with h5py.File(path, "w") as file:
        array = file.create_dataset("embeddings", (3, 2), np.float32, chunks=(3, 2), compression=4)
        array.id.write_direct_chunk((0, 0), b"not packed by gzip")
    with (
        open_hdf5(path, {"embeddings": ("numbers", ("M", 2))}) as file,
        pytest.raises(InputError, match=r"f\.hdf5: /embeddings is damaged"),
    ):
        read_array(file["embeddings"])


def test_strings_in_a_damaged_heap_are_not_looked_for_in_circles(tmp_path):
    path = write_hdf5(tmp_path / "f.hdf5", image_ids=["a", "b"])
    contents = bytearray(path.read_bytes())
    free = contents.index(b"GCOL") + 16 + 2 * (16 + 8)  # after two strings
    assert contents[free : free + 2] == bytes(2)
    contents[free + 8 : free + 16] = bytes(8)  # its size
    path.write_bytes(contents)
    with pytest.raises(InputError, match=r"is damaged \(where its strings are\)"):
        open_hdf5(path, {"image_ids": ("strings", ("M",))})


def test_an_attribute_of_a_type_that_is_none_is_not_read(tmp_path):
    path = write_hdf5(tmp_path / "f.hdf5")
    with h5py.File(path, "r+") as file:
        file.attrs["extractor"] = "alexnet"
    contents = bytearray(path.read_bytes())
    strings = contents.index(b"\x19\x01\x01\x00\x10")  # variable length; text; UTF-8; 16 bytes
    contents[strings + 1] = 0x67
    path.write_bytes(contents)
    with pytest.raises(InputError, match="attribute extractor 'of another type', expected str"):
        open_hdf5(path, {})


@pytest.mark.parametrize(("size", "said"), [(0, ""), (9000, r" \(9,000 bytes\)")])
def test_a_file_larger_than_is_allowed_is_said_in_one_line(tmp_path, size, said):
    """While it is written, and before if its size is known."""
    code = f"""
import resource
import numpy as np
from data_reader.cli import run_command
from data_reader.hdf5_files import create_hdf5
resource.setrlimit(resource.RLIMIT_FSIZE, (6000, 6000))
def main():
    with create_hdf5("new/f.hdf5", {size}) as file:
        file["a"] = np.ones((1000, 2))
run_command(main)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    line = rf"error: new/f\.hdf5 can't be written: File too large{said}\n"
    assert re.fullmatch(line, done.stderr)
    assert list((tmp_path / "new").iterdir()) == []

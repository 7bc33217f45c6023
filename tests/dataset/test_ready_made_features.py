"""Vectors that others computed, in the forms in which they are published."""

import csv
import io
import sys
import zipfile

import h5py
import numpy as np
import pytest

from data_reader.errors import InputError
from data_reader.files import write_json
from data_reader.layout import DataLayout
from data_reader.sis_datareader import index_stories, make_vocabulary
from data_reader.stories_file import check_features, features_of, open_stories
from dataset.extractors import load_extractor_of
from dataset.image_features import extract_all, main
from dataset.ready_made_features import import_features

PHOTOS = {"train": ["101", "102", "103", "104", "105"], "val": ["201", "202", "203", "204", "205"]}


def vector(photo):
    """101 -> 101, 0.5"""
    return np.array([int(photo), 0.5], np.float32)


def npy(array):
    contents = io.BytesIO()
    np.save(contents, array)
    return contents.getvalue()


@pytest.fixture
def layout(tmp_path):
    """A story for training and one for validation."""
    layout = DataLayout(tmp_path / "data")
    for split, name in (("train", "train"), ("valid", "val")):
        annotations = [
            [
                {
                    "story_id": "1",
                    "album_id": "7",
                    "photo_flickr_id": photo,
                    "worker_arranged_photo_order": place,
                    "text": "a photo .",
                }
            ]
            for place, photo in enumerate(PHOTOS[name])
        ]
        write_json(layout.annotations(split), {"annotations": annotations})
    return layout


@pytest.fixture
def folder(tmp_path):
    """`{train,val}/<photo id>.npy`; those of the training photos are [1, 2]."""
    folder = tmp_path / "vectors"
    for split, photos in PHOTOS.items():
        (folder / split).mkdir(parents=True)
        for photo in photos:
            array = vector(photo)
            np.save(folder / split / photo, array[None] if split == "train" else array)
    return folder


def make_zip(path, members):
    """`members`: {name: contents}"""
    with zipfile.ZipFile(path, "w") as archive:
        for name, contents in members.items():
            archive.writestr(name, contents)
    return path


def published_zip(tmp_path):
    """As AREL's: `fc`, the vectors, beside `conv`, the maps that they are the means of."""
    members = {}
    for split, photos in PHOTOS.items():
        for photo in photos:
            members[f"features/fc/{split}/{photo}.npy"] = npy(vector(photo))
            members[f"features/conv/{split}/{photo}.npy"] = npy(np.zeros((7, 7, 2)))
    return make_zip(tmp_path / "published.zip", members)


def read(layout, split):
    with h5py.File(layout.features(split, "resnet")) as file:
        ids = file["image_ids"].asstr()[:].tolist()
        return dict(zip(ids, file["embeddings"][:].tolist(), strict=True)), dict(file.attrs)


def skipped(layout, split="train"):
    with layout.skipped_photos(split, "resnet").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["id", "reason", "path"]
    return rows[1:]


def assert_imported(layout):
    """All vectors are there, and nothing else."""
    train, attributes = read(layout, "train")
    valid, others = read(layout, "valid")
    assert train == {photo: vector(photo).tolist() for photo in PHOTOS["train"]}
    assert valid == {photo: vector(photo).tolist() for photo in PHOTOS["val"]}
    assert attributes == others
    assert attributes["extractor"] == "resnet"
    assert skipped(layout, "train") == skipped(layout, "valid") == []
    return attributes["weights_checksum"]


def test_a_folder_is_imported(layout, folder, capsys):
    import_features(layout, "resnet", "npy", folder)
    assert assert_imported(layout).startswith("imported-")
    assert capsys.readouterr().out.splitlines() == [
        "train: 5 vectors of 2 numbers imported",
        f"  {layout.features('train', 'resnet')}",
        "valid: 5 vectors of 2 numbers imported",
        f"  {layout.features('valid', 'resnet')}",
        f"test: skipped, missing: {layout.annotations('test')}",
    ]


def test_a_zip_of_several_kinds_of_features_needs_the_folder_in_it(layout, folder, tmp_path):
    path = published_zip(tmp_path)
    with pytest.raises(InputError, match=f"{path}/features/conv, {path}/features/fc$"):
        import_features(layout, "resnet", "npy", path)
    assert not layout.features("train", "resnet").exists()
    with pytest.raises(InputError, match=f"nope holds no .npy files; they are in {path}/feature"):
        import_features(layout, "resnet", "npy", path / "nope")
    import_features(layout, "resnet", "npy", path / "features" / "fc")
    checksum = assert_imported(layout)
    import_features(layout, "resnet", "npy", folder)  # the same vectors, packed otherwise
    assert assert_imported(layout) == checksum


def test_vectors_without_a_split_go_where_their_photo_is_used(layout, tmp_path):
    photos = [*PHOTOS["train"], *PHOTOS["val"]]
    flat = {f"{photo}_0a1b2c3d4e_o.npy": npy(vector(photo)) for photo in photos}
    import_features(layout, "resnet", "npy", make_zip(tmp_path / "flat.zip", flat))
    assert_imported(layout)


@pytest.mark.parametrize("kind", ["npz", "hdf5"])
def test_arrays_are_imported_from_one_file_or_one_per_split(layout, folder, tmp_path, kind):
    import_features(layout, "resnet", "npy", folder)
    checksum = assert_imported(layout)
    tables = {
        split: {"ids": np.array(photos, np.int64), "fc": np.stack([*map(vector, photos)])}
        for split, photos in PHOTOS.items()
    }
    one = {name: np.concatenate([t[name] for t in tables.values()]) for name in ("ids", "fc")}
    named = {
        "image_ids": one["ids"].astype("S3"),
        "embeddings": one["fc"].astype(np.float64),
        "more": one["fc"],
    }
    for place, arrays in (
        *((f"several/resnet_{split}", table) for split, table in tables.items()),
        ("one", one),
        ("named", named),
    ):
        (tmp_path / "several").mkdir(exist_ok=True)
        write_arrays(tmp_path / f"{place}.{kind}", arrays)
    for source in ("several", f"one.{kind}", f"named.{kind}"):
        import_features(layout, "resnet", kind, tmp_path / source)
        assert assert_imported(layout) == checksum


def write_arrays(path, arrays):
    if path.suffix == ".npz":
        np.savez(path, **arrays)
        return
    with h5py.File(path, "w") as file:
        for name, array in arrays.items():
            file[name] = array


class Unpickled:
    """Fails the test where it is unpickled."""

    def __reduce__(self):
        return pytest.fail, ("unpickled",)


def test_what_can_not_be_used_is_listed_with_the_reason(layout, folder, capsys):
    train = folder / "train"
    np.save(train / "101", np.zeros(3, np.float32))
    np.save(train / "102", np.array([1, np.nan]))
    np.save(train / "103", np.array([1, 1e300]))  # infinite in float32
    np.save(train / "104", np.array([Unpickled(), 1], object))
    (train / "105.npy").unlink()
    np.save(train / "106", vector("106"))
    valid = folder / "val"
    (valid / "201.npy").write_bytes(npy(vector("201"))[:-1])
    (valid / "202.npy").write_bytes(b"")
    np.save(valid / "203", np.zeros((7, 7, 2)))
    np.save(valid / "204_o", vector("204"))
    import_features(layout, "resnet", "npy", folder)
    assert skipped(layout, "train") == [
        ["106", "no story uses this photo", str(train / "106.npy")],
        ["101", "3 numbers, most have 2", str(train / "101.npy")],
        ["102", "nan or infinite", str(train / "102.npy")],
        ["103", "nan or infinite", str(train / "103.npy")],
        ["104", "values of type object instead of numbers", str(train / "104.npy")],
        ["105", "no vector of this photo", ""],
    ]
    assert [reason for _, reason, _ in skipped(layout, "valid")] == [
        f"another one is used: {valid / '204.npy'}",
        "unreadable: cut short",
        "unreadable: EOF: reading magic string, expected 8 bytes got 0",
        "shape [7, 7, 2] instead of [F] or [1, F]",
    ]
    assert list(read(layout, "valid")[0]) == ["204", "205"]
    out = capsys.readouterr().out.splitlines()
    assert out[0] == (
        "train: no usable vectors; 2 skipped: nan or infinite; 1 skipped: no story uses this photo;"
        " 1 skipped: 3 numbers, most have 2; 1 skipped: values of type object instead of numbers;"
        " 1 skipped: no vector of this photo"
    )
    assert not layout.features("train", "resnet").exists()


def test_a_split_without_any_vector_has_a_list_unless_it_keeps_its_features(layout, folder):
    missing = [[photo, "no vector of this photo", ""] for photo in PHOTOS["val"]]
    import_features(layout, "resnet", "npy", folder / "train")
    assert skipped(layout, "valid") == missing
    import_features(layout, "resnet", "npy", folder)
    import_features(layout, "resnet", "npy", folder / "train")
    assert skipped(layout, "valid") == []
    assert set(read(layout, "valid")[0]) == set(PHOTOS["val"])


def test_of_a_damaged_zip_the_sound_vectors_are_imported(layout, tmp_path):
    path = make_zip(tmp_path / "a.zip", {f"{id_}.npy": npy(vector(id_)) for id_ in PHOTOS["train"]})
    contents = path.read_bytes()
    path.write_bytes(contents.replace(vector("103").tobytes(), vector("909").tobytes()))
    import_features(layout, "resnet", "npy", path)
    assert list(read(layout, "train")[0]) == ["101", "102", "104", "105"]
    [[id_, reason, where]] = skipped(layout)
    assert (id_, where) == ("103", f"{path}/103.npy")
    assert reason == "unreadable: Bad CRC-32 for file '103.npy'"

    path.write_bytes(contents[:-30])
    with pytest.raises(InputError, match=r"a\.zip is cut short or no zip file"):
        import_features(layout, "resnet", "npy", path)


WRONG_ARRAYS = [
    (
        {"ids": np.arange(3), "v": np.zeros((2, 4))},
        r"ids \[3\] of kind i, v \[2, 4\] of kind f; exp",
    ),
    ({"a": np.arange(3), "b": np.arange(3), "v": np.zeros((3, 2))}, "expected one array of ids"),
    ({"ids": np.array([Unpickled()], object), "v": np.zeros((1, 2))}, "no Python objects"),
    ({"ids": np.arange(2), "v": np.zeros((2, 2), order="F")}, "Fortran order"),
    ({}, "holds no arrays"),
]


@pytest.mark.parametrize(("arrays", "message"), WRONG_ARRAYS)
def test_arrays_that_may_mean_anything_are_refused(layout, tmp_path, arrays, message):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(InputError, match=message):
        import_features(layout, "resnet", "npz", tmp_path / "a.npz")


def test_vectors_that_lie_elsewhere_or_are_packed_to_nothing_are_refused(layout, tmp_path):
    with h5py.File(tmp_path / "a.hdf5", "w") as file:
        file["ids"] = np.arange(2)
        file.create_dataset("v", (2, 4), "f4", external=[("/etc/passwd", 0, 32)])
    with pytest.raises(InputError, match="has v, whose data lie in other files"):
        import_features(layout, "resnet", "hdf5", tmp_path / "a.hdf5")
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("ids.npy", npy(np.arange(2)))
        header = npy(np.zeros((2, 4), np.float32))[:-32]
        file.writestr("v.npy", header.replace(b"(2, 4)", b"(2, 900000)", 1))
    with pytest.raises(InputError, match=r"v\.npy is cut short"):
        import_features(layout, "resnet", "npz", tmp_path / "a.npz")


@pytest.mark.parametrize("file_format", ["npy", "npz", "hdf5"])
def test_a_source_without_anything_usable_is_refused(layout, tmp_path, file_format):
    with pytest.raises(FileNotFoundError, match="nowhere is missing"):
        import_features(layout, "resnet", file_format, tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds no"):
        import_features(layout, "resnet", file_format, tmp_path / "empty")
    (tmp_path / "text").write_text("no vectors")
    with pytest.raises(InputError, match=r"text is (cut short|damaged|not a readable HDF5 file)"):
        import_features(layout, "resnet", file_format, tmp_path / "text")


def test_vectors_of_other_photos_leave_the_features_as_they_are(layout, folder, tmp_path):
    import_features(layout, "resnet", "npy", folder)
    other = make_zip(tmp_path / "other.zip", {"train/7.npy": npy(vector("7"))})
    with pytest.raises(InputError, match=r"None of the 1 vectors .* no story uses this photo, as"):
        import_features(layout, "resnet", "npy", other)
    assert_imported(layout)


def test_an_interrupted_import_leaves_the_features_as_they_are(layout, folder, monkeypatch):
    import_features(layout, "resnet", "npy", folder)
    np.save(folder / "train" / "101", vector("900"))

    def interrupted(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("dataset.ready_made_features.write_csv", interrupted)
        import_features(layout, "resnet", "npy", folder)
    checksum = assert_imported(layout)
    assert len(list(layout.features("train", "resnet").parent.iterdir())) == 4
    import_features(layout, "resnet", "npy", folder)
    features, attributes = read(layout, "train")
    assert features["101"] == [900, 0.5]
    assert attributes["weights_checksum"] != checksum


def test_computed_and_imported_features_do_not_replace_each_other(layout, folder):
    path = layout.features("valid", "resnet")
    path.parent.mkdir(parents=True)
    with h5py.File(path, "w") as file:
        file.attrs["weights_checksum"] = "0123456789abcdef"
    with pytest.raises(InputError, match=r"not imported \(.*0123456789abcdef.*\); delete it, or"):
        import_features(layout, "resnet", "npy", folder)
    path.unlink()
    import_features(layout, "resnet", "npy", folder)
    with pytest.raises(InputError, match="ready-made features, imported under the name resnet"):
        extract_all(layout, "resnet")
    assert_imported(layout)


def test_imported_features_serve_as_computed_ones_except_for_new_photos(layout, folder):
    import_features(layout, "resnet", "npy", folder)
    vocabulary = make_vocabulary(layout)
    for split in ("train", "valid"):
        index_stories(layout, split, vocabulary, "resnet", descriptions_needed=False)
    with open_stories(layout, "train", vocabulary) as train:
        features = features_of(train)
        assert train["image_embeddings"][0, :, 0].tolist() == [101, 102, 103, 104, 105]
        check_features(train, {"extractor": "resnet"})
    with open_stories(layout, "valid", vocabulary) as valid:
        check_features(valid, features)
    with pytest.raises(InputError, match="imported under the name resnet: no network here"):
        load_extractor_of(features)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "--from-npy needs --extractor NAME"),
        (("--extractor", "x", "--shard", "1/2"), "--shard is for computing features"),
        (("--extractor", "x", "--precision", "bfloat16"), "--precision is for computing features"),
        (("--extractor", "../x"), r"name is '\.\./x'"),
        (("--extractor", "x"), "No split has annotations"),
    ],
)
def test_options_that_do_not_fit_are_refused(tmp_path, monkeypatch, options, message):
    arguments = ["image_features", "--data", str(tmp_path), "--from-npy", str(tmp_path), *options]
    monkeypatch.setattr(sys, "argv", arguments)
    with pytest.raises((InputError, FileNotFoundError), match=message):
        main()


def test_the_command_imports(layout, folder, monkeypatch):
    arguments = ["--data", str(layout), "--from-npy", str(folder), "--extractor", "ResNet"]
    monkeypatch.setattr(sys, "argv", ["image_features", *arguments])
    main()
    assert_imported(layout)

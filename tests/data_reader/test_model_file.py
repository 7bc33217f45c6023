"""What a model file may not be, seen without Keras."""

import io
import json
import os
import zipfile
from collections import Counter

import h5py
import numpy as np
import pytest

from data_reader.errors import InputError
from data_reader.model_file import check_model_file, read_model_settings, weight_shapes

CONFIG = {"config": {"vocabulary_size": 7, "image_group_size": 3, "cell_type": "gru"}}


def write(path, add=lambda file: None, config=CONFIG, how=zipfile.ZIP_STORED, others=()):
    """A model file of two weights; `add` adds others."""
    weights = io.BytesIO()
    with h5py.File(weights, "w") as file:
        file["layers/a/vars/0"] = np.ones((2, 3), np.float32)
        file["layers/b/vars/0"] = np.ones(3, np.float32)
        add(file)
    with zipfile.ZipFile(path, "w", how) as archive:
        archive.writestr("config.json", json.dumps(config))
        archive.writestr("model.weights.h5", weights.getvalue())
        for name in others:
            archive.writestr(name, "")
    return path


def refusal(path):
    with pytest.raises(InputError) as refused:
        check_model_file(path)
    assert str(path) in str(refused.value)
    return str(refused.value)


def test_settings_and_shapes_are_read(tmp_path):
    path = write(tmp_path / "model.keras")
    assert read_model_settings(path) == CONFIG["config"]
    assert weight_shapes(path) == Counter([(2, 3), (3,)])
    check_model_file(path)


@pytest.mark.parametrize(
    ("add", "message"),
    [
        (lambda f: f.create_dataset("x", (10**9, 10**6), "f4"), "claim more numbers than it holds"),
        (lambda f: f.create_dataset("x", (5,), "f4", chunks=(5,)), "claim more numbers than"),
        (lambda f: f.create_dataset("x", (5,), "f4", external=[("/etc/passwd", 0, 20)]), "claim"),
        (lambda f: f.create_dataset("x", data="text"), "claim more numbers than it holds"),
        (
            lambda f: f.__setitem__("x", h5py.ExternalLink("/etc/passwd", "/")),
            "hold a ExternalLink",
        ),
        (lambda f: f.__setitem__("x", h5py.SoftLink("/layers")), "hold a SoftLink, x"),
        (lambda f: f.__setitem__("x", np.dtype("f4")), "hold a Datatype, x"),
    ],
)
def test_weights_that_are_not_in_the_file_are_refused(tmp_path, add, message):
    assert message in refusal(write(tmp_path / "model.keras", add))


def test_groups_in_a_circle_end(tmp_path):
    path = write(tmp_path / "model.keras", lambda file: file.__setitem__("layers/x", file["/"]))
    assert weight_shapes(path) == Counter([(2, 3), (3,)])


@pytest.mark.parametrize("config", [[], {}, {"config": []}, {"config": {"vocabulary_size": "7"}}])
def test_other_settings_are_refused(tmp_path, config):
    assert "config" in refusal(write(tmp_path / "model.keras", config=config))


def test_what_is_packed_or_twice_there_or_damaged_is_refused(tmp_path):
    path = tmp_path / "model.keras"
    assert "is not stored as it is" in refusal(write(path, how=zipfile.ZIP_DEFLATED))
    with pytest.warns(UserWarning, match="Duplicate name"):
        write(path, others=["config.json"])
    assert "it holds config.json, model.weights.h5, config.json" in refusal(path)
    whole = bytearray(write(path).read_bytes())
    whole[len(whole) // 2] ^= 1
    path.write_bytes(whole)
    assert "Bad CRC-32" in refusal(path)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(FileNotFoundError):
        check_model_file(path)

"""Model files and shared models that are forged or damaged."""

import hashlib
import io
import json
import stat
import zipfile
from pathlib import Path

import h5py
import numpy as np

from drill_cases.case import Case, changed_bytes, cut, removed, written

MODEL = "results/first/model.keras"
DESCRIBE = "python -m training.describe results/first"
SHARE = "python -m models.share results/first shared"
GENERATE = "python -m generation --run results/first --strips 0"
SHARED = "python -m generation --run shared.zip photos"


def read_zip(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write_zip(path, members, packed=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", packed) as archive:
        for name, contents in members.items():
            archive.writestr(name, contents)


def with_config(change):
    """A damage: change the model's config in its file."""

    def damage(folder):
        members = read_zip(folder / MODEL)
        contents = json.loads(members["config.json"])
        replaced = change(contents)
        members["config.json"] = json.dumps(contents if replaced is None else replaced).encode()
        write_zip(folder / MODEL, members)

    return damage


def with_setting(name, value):
    return with_config(lambda contents: contents["config"].update({name: value}))


def with_weights(change):
    """A damage: change the HDF5 file of the weights."""

    def damage(folder):
        members = read_zip(folder / MODEL)
        contents = io.BytesIO(members["model.weights.h5"])
        with h5py.File(contents, "r+") as file:
            change(file)
        members["model.weights.h5"] = contents.getvalue()
        write_zip(folder / MODEL, members)

    return damage


def first_array(file):
    names = []
    file.visititems(
        lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None
    )
    return names[0]


def exchanged(make):
    def change(file):
        name = first_array(file)
        old = file[name]
        shape, dtype = old.shape, old.dtype
        del file[name]
        make(file, name, shape, dtype)

    return with_weights(change)


def huge(file, name, shape, dtype):
    file.create_dataset(name, (10**6, 10**6), dtype, chunks=(1, 10**6))


def outside(file, name, shape, dtype):
    file.create_dataset(
        name, shape, dtype, external=[("../secret.txt", 0, int(np.prod(shape)) * 4)]
    )


def linked(file, name, shape, dtype):
    file[name] = h5py.ExternalLink("../secret.hdf5", "/numbers")


def smaller(file, name, shape, dtype):
    file.create_dataset(name, data=np.zeros([*shape[:-1], 1], dtype))


def bomb(folder):
    write_zip(
        folder / MODEL,
        {"config.json": b"{}", "model.weights.h5": bytes(10**9), "metadata.json": b"{}"},
        zipfile.ZIP_DEFLATED,
    )


LAMBDA = {
    "module": "keras.layers",
    "class_name": "Lambda",
    "config": {"function": {"class_name": "__lambda__", "config": {"code": "4wEAAAA="}}},
}
SYSTEM = {"module": "os", "class_name": "system", "config": "touch ran", "registered_name": None}
ANY_COMMAND = {
    "cut short": cut(MODEL),
    "empty": written(MODEL, b""),
    "a text": written(MODEL, "no model"),
    "other bytes": changed_bytes(MODEL, 9973),
    "a bomb": bomb,
    "a config that is a list": with_config(lambda contents: [contents]),
    "a config nested deeply": lambda folder: write_zip(
        folder / MODEL, read_zip(folder / MODEL) | {"config.json": b"[" * 10**5}
    ),
    "a vocabulary of a text": with_setting("vocabulary_size", "many"),
    "a million million photos in a group": with_setting("image_group_size", 10**30),
}
IN_GENERATION = {
    "other bytes": changed_bytes(MODEL, 9973),
    "10^9 units": with_setting("image_encoder_latent_dim", 10**9),
    "10^6 layers": with_setting("num_layers", 10**6),
    "an unknown setting": with_setting("secret_setting", 1),
    "a cell that runs a command": with_setting("cell_type", "os:system"),
    "a Lambda layer": with_setting("cell_type", LAMBDA),
    "a vocabulary of 10^9 words": with_setting("vocabulary_size", 10**9),
    "a dropout of nan": with_setting("input_dropout", float("nan")),
    "weights of a million times a million": exchanged(huge),
    "weights in another file": exchanged(outside),
    "weights linked to another file": exchanged(linked),
    "a smaller weight": exchanged(smaller),
}
MODELS = [
    *(
        Case(f"{what}: {command[10:26]}", command, damage, says="model.keras")
        for number, (what, damage) in enumerate(ANY_COMMAND.items())
        for command in ((DESCRIBE, SHARE)[number % 2],)
    ),
    *(
        Case(what, GENERATE, damage, says="model.keras|vocabulary")
        for what, damage in IN_GENERATION.items()
    ),
    Case(  # a model that is loaded needs none
        "an initialiser that runs a command",
        GENERATE,
        with_setting("recurrent_initializer", SYSTEM),
        status=0,
    ),
]


def shared(change, checksums=True):
    """A damage: change the files of the shared zip, by default with their new checksums."""

    def damage(folder):
        members = {Path(name).name: data for name, data in read_zip(folder / "shared.zip").items()}
        change(members)
        if checksums:
            rows = [
                f"{hashlib.sha256(data).hexdigest()}  {name}\n"
                for name, data in members.items()
                if name != "SHA256SUMS" and "/" not in name
            ]
            members["SHA256SUMS"] = "".join(rows).encode()
        write_zip(folder / "shared.zip", members, zipfile.ZIP_DEFLATED)

    return damage


def with_member(name, contents):
    return lambda members: members.__setitem__(name, contents)


def of_experiment(**fields):
    def change(members):
        contents = json.loads(members["experiment.json"]) | fields
        members["experiment.json"] = json.dumps(contents).encode()

    return change


def with_link(folder):
    link = zipfile.ZipInfo("shared/link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(folder / "shared.zip", "a") as archive:
        archive.writestr(link, "../../secret.txt")


def member_twice(folder):
    with zipfile.ZipFile(folder / "shared.zip", "a") as archive:
        archive.writestr("shared/model.keras", b"other")


SHARED_MODELS = [
    Case(what, SHARED, damage, says="shared.zip")
    for what, damage in {
        "cut short": cut("shared.zip"),
        "empty": written("shared.zip", b""),
        "other bytes": changed_bytes("shared.zip", 9973),
        "a text": written("shared.zip", "no zip"),
        "a path outside": shared(with_member("../../outside", b"x")),
        "an absolute path": shared(with_member("/outside_of_the_drill", b"x")),
        "a link": with_link,
        "a file twice": member_twice,
        "a bomb": lambda folder: shared(with_member("README.md", bytes(10**9)))(folder),
        "a file that is not listed": shared(with_member("more.py", b"x"), checksums=False),
        "another experiment": shared(of_experiment(notes="x"), checksums=False),
        "no checksums": shared(lambda members: members.pop("SHA256SUMS"), checksums=False),
        "no vocabulary": shared(lambda members: members.pop("vocabulary.json")),
        "a class of another module": shared(of_experiment(model="os:system")),
        "a checksum of a path": shared(
            with_member("SHA256SUMS", b"0" * 64 + b"  ../secret.txt\n"), checksums=False
        ),
    }.items()
] + [
    Case("nowhere", SHARED.replace("shared.zip", "nowhere.zip"), says="nowhere.zip"),
    Case("a pipe", "mkfifo pipe && " + SHARED.replace("shared.zip", "pipe"), says="pipe"),
    Case("into itself", "python -m models.share results/first results/first", says="there already"),
    Case(
        "of no run", "python -m models.share photos shared", removed("photos/0.jpg"), says="photos"
    ),
    Case("as it was made", f"{SHARED} && test -d shared_stories", status=0, says="3 photos"),
]
GROUPS = {"model files": MODELS, "shared models": SHARED_MODELS}

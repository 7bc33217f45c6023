"""A model file of Keras, model.keras, looked at without Keras: its settings and its weights.

It may come from a stranger, so nothing is believed that the file does not hold: its parts are
stored as they are, as Keras writes them, and each weight has all of its bytes in the file.
"""

import io
import json
import zipfile
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import h5py

from data_reader.errors import InputError
from data_reader.fields import FLAG, TEXT, check_fields, check_unicode, whole
from data_reader.safe_zip import check_stored

_CONFIG, _WEIGHTS = "config.json", "model.weights.h5"
_LARGEST_CONFIG = 10**6  # bytes
# What is read without Keras; a model checks all of its arguments itself.
_SETTINGS = {
    "vocabulary_size": whole(),
    "feature_size": whole(),
    "image_group_size": whole(),
    "num_layers": whole(),
    "image_encoder_latent_dim": whole(),
    "cell_type": TEXT,
    "reverse": FLAG,
}


def read_model_settings(path):
    """Read the model's arguments, defaults included.

    Raises:
        FileNotFoundError: there is no such file.
        InputError: it is broken.
    """
    with _opened(path) as archive:
        if archive.getinfo(_CONFIG).file_size > _LARGEST_CONFIG:
            raise ValueError(f"its {_CONFIG} has more than {_LARGEST_CONFIG:,} bytes")
        contents = json.loads(archive.read(_CONFIG))
    where = f"{path}, {_CONFIG}"
    check_unicode(where, contents)
    check_fields(where, {"contents": contents}, {"contents": {"config": _SETTINGS}})
    settings = contents.get("config", {})
    if missing := [
        name for name in ("vocabulary_size", "image_group_size") if name not in settings
    ]:
        raise InputError(f"{where} lacks {', '.join(missing)}.")
    return settings


def weight_shapes(path):
    """Count the weights of each shape -> `Counter` of tuples; all bytes of the file are read.

    Raises:
        FileNotFoundError: there is no such file.
        InputError: it is broken, or claims more than it holds.
    """
    with _opened(path) as archive, _open_weights(archive) as file:
        arrays = _arrays_of(file)
        held = archive.getinfo(_WEIGHTS).file_size
        if sum(array.nbytes for array in arrays) > held or not all(map(_is_whole, arrays)):
            raise ValueError("its weights claim more numbers than it holds")
        return Counter(array.shape for array in arrays)


def check_model_file(path):
    """Refuse a model file that is cut short, damaged or something else.

    Raises:
        FileNotFoundError, InputError: see `weight_shapes`.
    """
    read_model_settings(path)
    weight_shapes(path)


@contextmanager
def _opened(path):
    if not Path(path).is_file():
        raise FileNotFoundError(f"{path} is missing.")
    try:
        with zipfile.ZipFile(path) as archive:
            check_stored(archive)
            _check_parts(archive)
            yield archive
    except Exception as error:  # a broken archive raises anything
        raise InputError(
            f"{path} is broken or not a .keras file ({error}); train again, or get it again."
        ) from error


def _check_parts(archive):
    names = archive.namelist()
    if len(set(names)) != len(names) or not {_CONFIG, _WEIGHTS} <= set(names):
        raise ValueError(f"it holds {', '.join(names[:5]) or 'nothing'}")


@contextmanager
def _open_weights(archive):
    # Read whole, the part is compared with its checksum.
    with h5py.File(io.BytesIO(archive.read(_WEIGHTS)), "r") as file:
        yield file


def _arrays_of(file):
    """List an HDF5 file's arrays; anything but groups and arrays of its own is refused."""
    links = {}
    file.visititems_links(links.__setitem__)  # h5py lets no error out of it
    arrays = []
    for name, link in links.items():
        held = file[name] if isinstance(link, h5py.HardLink) else link
        if isinstance(held, h5py.Dataset):
            arrays.append(held)
        elif not isinstance(held, h5py.Group):
            raise ValueError(f"its weights hold a {type(held).__name__}, {name}")
    return arrays


def _is_whole(array):
    """Whether an array's numbers lie in its file, in one piece."""
    layout = array.id.get_create_plist().get_layout()
    is_own = layout == h5py.h5d.CONTIGUOUS and not array.external
    return is_own and array.dtype.kind in "fiu" and array.id.get_storage_size() == array.nbytes

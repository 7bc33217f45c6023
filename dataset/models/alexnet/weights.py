"""Loading bvlc_alexnet.npy without running any code that its pickle may contain."""

import hashlib
import pickle

import numpy as np

from data_reader.errors import InputError

# The functions that unpickling arrays in dictionaries calls, by NumPy 1's and 2's names.
_ADMITTED = {(f"numpy.{core}.multiarray", "_reconstruct") for core in ("core", "_core")} | {
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
}


class _ArrayUnpickler(pickle.Unpickler):
    """An unpickler that admits only NumPy arrays and plain containers."""

    def find_class(self, module, name):
        if (module, name) == ("_codecs", "encode"):
            return _latin1_bytes
        if (module, name) not in _ADMITTED:
            raise InputError(f"it calls {module}.{name}, which no file of arrays needs")
        return super().find_class(module.replace("numpy.core.", "numpy._core."), name)


def _latin1_bytes(text, encoding):
    """Decode an array's bytes as Python 3 writes them in Python 2's protocol."""
    if encoding != "latin1":
        raise InputError(f"it encodes text as {encoding}")
    return text.encode("latin1")


def read_weights(path):
    """Read `bvlc_alexnet.npy`, a 0-d object array pickled by Python 2 -> `{layer: [kernel, bias]}`.

    Raises:
        InputError: the file is cut short, holds something else, or tries to run code.
    """
    try:
        with open(path, "rb") as file:
            version = np.lib.format.read_magic(file)
            if version != (1, 0):
                raise InputError(f"its NumPy format version is {version}, not (1, 0)")
            np.lib.format.read_array_header_1_0(file)
            array = _ArrayUnpickler(file, encoding="latin1").load()
    except Exception as error:  # a broken pickle may raise any exception
        raise InputError(f"{path} is not bvlc_alexnet.npy: {error}.") from error
    contents = array.item() if isinstance(array, np.ndarray) and array.ndim == 0 else array
    if not isinstance(contents, dict):
        raise InputError(f"{path} holds a {type(contents).__name__}, expected a dictionary.")
    return contents


def load_weights(network, path):
    """Load the file's weights into the network's layers of the same names.

    Raises:
        InputError: a layer is missing or has another shape; the message names the first one.
    """
    weights = read_weights(path)
    for layer in network.layers:
        expected = [tuple(variable.shape) for variable in layer.weights]
        if not expected:
            continue
        if layer.name not in weights:
            raise InputError(f"{path} has no weights for the layer {layer.name}.")
        arrays = _sequence(weights[layer.name])
        found = [getattr(array, "shape", "no array") for array in arrays]
        if found != expected:
            raise InputError(f"{path}: {layer.name} has shapes {found}, expected {expected}.")
        if not all(array.dtype.kind == "f" and np.isfinite(array).all() for array in arrays):
            raise InputError(f"{path}: {layer.name} holds something other than finite numbers.")
        layer.set_weights(arrays)


def _sequence(weights):
    return weights if isinstance(weights, list | tuple) else [weights]


def checksum(path):
    """Return a digest of the weights file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]

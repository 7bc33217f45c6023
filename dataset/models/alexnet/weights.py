"""Loading bvlc_alexnet.npy without running any code that its pickle may contain."""

import hashlib
import io
import pickle

import numpy as np

from data_reader.errors import InputError

_TYPES = ("f2", "f4", "f8")


class _Type:
    """Stands for NumPy's type of numbers in a pickle: keeps what it is told."""

    def __init__(self, name, *_):
        self.name, self.order = name, "="

    def __setstate__(self, state):
        self.order = state[1]


class _Array:
    """Stands for an array in a pickle, of which `value` is made: floats, or Python objects."""

    value = None

    def __setstate__(self, state):
        _, shape, dtype, in_columns, contents = state
        if isinstance(contents, list):
            self.value = contents
            return
        if dtype.name not in _TYPES or dtype.order not in "<>=":
            raise InputError(f"it holds numbers of the type {dtype.name!r:.20}")
        numbers = np.frombuffer(_as_bytes(contents), dtype.order + dtype.name)
        self.value = numbers.reshape(shape, order="F" if in_columns else "C")


def _as_bytes(contents):
    """Python 2's texts are read as Latin-1."""
    return contents.encode("latin1") if isinstance(contents, str) else contents


def _encode(text, encoding):
    """Encode an array's bytes, which Python 3 writes as text in Python 2's protocol."""
    if encoding != "latin1":
        raise InputError(f"it encodes text as {encoding}")
    return text.encode("latin1")


# The functions that unpickling arrays in dictionaries calls, by NumPy 1's and 2's names.
_ADMITTED = {
    ("numpy.core.multiarray", "_reconstruct"): lambda *_: _Array(),
    ("numpy._core.multiarray", "_reconstruct"): lambda *_: _Array(),
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Type,
    ("_codecs", "encode"): _encode,
}


class _ArrayUnpickler(pickle._Unpickler):
    """An unpickler that admits only arrays of floats and plain containers.

    It is the one in Python, since that in C takes as much memory as a number in the file says.
    """

    def find_class(self, module, name):
        if (module, name) not in _ADMITTED:
            raise InputError(f"it calls {module}.{name}, which no file of arrays needs")
        return _ADMITTED[module, name]


def read_weights(path):
    """Read `bvlc_alexnet.npy`, a 0-d object array pickled by Python 2 -> `{layer: [kernel, bias]}`.

    Only arrays of floats are made, of the bytes that the file holds.

    Raises:
        InputError: the file is cut short, holds something else, or tries to run code.
    """
    try:
        with open(path, "rb") as file:
            version = np.lib.format.read_magic(file)
            if version != (1, 0):
                raise InputError(f"its NumPy format version is {version}, not (1, 0)")
            np.lib.format.read_array_header_1_0(file)
            contents = _ArrayUnpickler(io.BytesIO(file.read()), encoding="latin1").load()
            contents = _values_of(contents)
    except Exception as error:  # a broken pickle may raise any exception
        raise InputError(f"{path} is not bvlc_alexnet.npy: {error}.") from error
    return contents


def _values_of(contents):
    """The unpickled dictionary, or the only item of an array -> `{layer: [arrays]}`."""
    if isinstance(contents, _Array) and isinstance(contents.value, list):
        contents = contents.value[0] if len(contents.value) == 1 else contents.value
    if not isinstance(contents, dict):
        raise InputError("it holds no dictionary of arrays")
    return {
        layer: [getattr(array, "value", None) for array in _sequence(arrays)]
        for layer, arrays in contents.items()
    }


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
        arrays = weights[layer.name]
        found = [getattr(array, "shape", "no array") for array in arrays]
        if found != expected:
            raise InputError(f"{path}: {layer.name} has shapes {found}, expected {expected}.")
        if not all(np.isfinite(array).all() for array in arrays):
            raise InputError(f"{path}: {layer.name} holds something other than finite numbers.")
        layer.set_weights(arrays)


def _sequence(weights):
    return weights if isinstance(weights, list | tuple) else [weights]


def checksum(path):
    """Return a digest of the weights file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]

from types import SimpleNamespace

import pytest

from data_reader.errors import InputError
from data_reader.measuring import available_cores, choose_device


def test_a_cpu_is_measured_on_one_core_and_a_gpu_with_all():
    arguments = SimpleNamespace(device="cpu", cores=None)
    choose_device(arguments)
    assert arguments.cores == 1
    arguments = SimpleNamespace(device="gpu", cores=None)
    choose_device(arguments)
    assert arguments.cores == len(available_cores())


def test_more_cores_than_there_are_are_refused():
    with pytest.raises(InputError, match="--cores is 9999; this process may use"):
        choose_device(SimpleNamespace(device="cpu", cores=9999))


def test_tensorflow_says_whether_there_is_a_gpu():
    import tensorflow as tf

    arguments = SimpleNamespace(device="auto", cores=1)
    choose_device(arguments)
    assert arguments.device == ("gpu" if tf.config.list_physical_devices("GPU") else "cpu")

"""The parts that benchmarks share: choosing cores and devices, peak memory, subprocesses."""

import json
import os
import resource
import subprocess
import sys

from data_reader.cli import import_tensorflow
from data_reader.errors import InputError


def available_cores():
    """List the numbers of the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count()))


def use_device(device, cores):
    """Restrict this process to a device, "cpu" or "gpu", and a number of cores -> device name.

    Raises:
        InputError: there is no GPU.
    """
    # XLA and Eigen have thread pools of their own, which TensorFlow's settings do not limit.
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, available_cores()[:cores])
    import_tensorflow()
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(cores)
    tf.config.threading.set_inter_op_parallelism_threads(cores)
    if device == "cpu":
        tf.config.set_visible_devices([], "GPU")
        return _processor_name()
    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        raise InputError("TensorFlow finds no GPU here; leave out --device gpu.")
    tf.config.set_visible_devices(gpus[:1], "GPU")
    return tf.config.experimental.get_device_details(gpus[0])["device_name"]


def _processor_name():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            named = [line.partition(":")[2].strip() for line in lines if "model name" in line]
    except OSError:
        named = []
    return named[0] if named else "unknown processor"


def peak_memory_gb(device="cpu"):
    """Return the peak memory of this process so far, or with "gpu" that on the GPU."""
    if device == "gpu":
        import tensorflow as tf

        return tf.config.experimental.get_memory_info("GPU:0")["peak"] / 1e9
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def in_its_own_process(module, *arguments):
    """Run `python -m module` as a subprocess -> the last line that it prints, read as JSON.

    The calling process must stay small: a child's peak memory starts at that of its parent.
    """
    command = [sys.executable, "-m", module, *map(str, arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode == 2:
        sys.exit(2)  # it has printed the reason
    done.check_returncode()
    return json.loads(done.stdout.splitlines()[-1])

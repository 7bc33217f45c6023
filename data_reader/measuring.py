"""The parts that benchmarks share: choosing devices and cores, peak memory, subprocesses."""

import json
import os
import resource
import subprocess
import sys

from data_reader.cli import import_tensorflow, whole_number
from data_reader.errors import InputError

_COUNT_GPUS = "import tensorflow as tf; print(len(tf.config.list_physical_devices('GPU')))"


def add_device_options(parser):
    """Add `--device` and `--cores`; `choose_device` says what the user leaves open."""
    parser.add_argument(
        "--device",
        choices=("auto", "cpu", "gpu"),
        default="auto",
        help="default: auto, a GPU if TensorFlow finds one",
    )
    parser.add_argument("--cores", type=whole_number(1), help="default: 1; with a GPU all")


def choose_device(arguments):
    """Put the device, "cpu" or "gpu", and the number of cores in the place of their defaults.

    Raises:
        InputError: there are fewer cores.
    """
    there = len(available_cores())
    if arguments.device == "auto":
        arguments.device = _find_device()
    arguments.cores = arguments.cores or (1 if arguments.device == "cpu" else there)
    if arguments.cores > there:
        raise InputError(f"--cores is {arguments.cores}; this process may use {there}.")


def _find_device():
    """Ask TensorFlow in another process: the calling one must stay small."""
    command = [sys.executable, "-c", _COUNT_GPUS]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return "gpu" if int(done.stdout) else "cpu"


def available_cores():
    """List the numbers of the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count()))


def use_device(device, cores):
    """Restrict this process to a device, "cpu" or "gpu", and a number of cores -> device name.

    A GPU's comes with whether TensorFlow multiplies float32 matrices in TF32 there.

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
    name = tf.config.experimental.get_device_details(gpus[0])["device_name"]
    tf32 = "on" if tf.config.experimental.tensor_float_32_execution_enabled() else "off"
    return f"{name}, TF32 {tf32}"


def _processor_name():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            named = [line.partition(":")[2].strip() for line in lines if "model name" in line]
    except OSError:
        named = []
    return named[0] if named else "unknown processor"


def peak_memory_gb():
    """Return the peak memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def with_gpu_memory(work):
    """Call a function -> what it returns, and the most memory (GB) that it took of the GPU."""
    import tensorflow as tf

    before = tf.config.experimental.get_memory_info("GPU:0")["current"]
    tf.config.experimental.reset_memory_stats("GPU:0")
    result = work()
    peak = tf.config.experimental.get_memory_info("GPU:0")["peak"]
    return result, (peak - before) / 1e9


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

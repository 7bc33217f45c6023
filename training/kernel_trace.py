"""What a GPU does in training steps: its kernels and copies, traced by TensorFlow's profiler."""

import re
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

KINDS = ("cuDNN RNN", "matmul", "other")


@dataclass
class Trace:
    """What has been counted.

    Attributes:
        seconds: of kernels, `{(kind, operation): seconds}`; an operation is TensorFlow's.
        copies: from the GPU to the host.
        copied_bytes: by these.
    """

    seconds: Counter = field(default_factory=Counter)
    copies: int = 0
    copied_bytes: int = 0


def trace(steps, batches):
    """Trace a call of `steps(batches)` -> `Trace`."""
    import tensorflow as tf
    from tensorflow.tsl.profiler.protobuf.xplane_pb2 import XSpace

    with tempfile.TemporaryDirectory() as folder:
        with tf.profiler.experimental.Profile(folder):
            steps(batches)
        [path] = Path(folder).rglob("*.xplane.pb")
        return count(XSpace.FromString(path.read_bytes()))


def count(space):
    """The profiler's `XSpace` -> `Trace`."""
    found = Trace()
    for plane in space.planes:
        if plane.name.startswith("/device:GPU:"):
            for line in plane.lines:
                for event in line.events:
                    _count_event(event, plane, found)
    return found


def _count_event(event, plane, found):
    """Only kernels and copies have these details; spans that were derived from them have none."""
    details = {plane.stat_metadata[s.metadata_id].name: _text(s, plane) for s in event.stats}
    if "kernel_details" in details:
        operation = details.get("tf_op", "").rpartition(":")[2]  # it reads "name:operation"
        kind = _kind(operation, plane.event_metadata[event.metadata_id].name)
        found.seconds[kind, operation] += event.duration_ps / 1e12
    copied = re.match(
        r"kind_src:device kind_dst:(?:pageable|pinned) size:(\d+)",
        details.get("memcpy_details", ""),
    )
    if copied:
        found.copies += 1
        found.copied_bytes += int(copied[1])


def _text(stat, plane):
    """Texts are kept once per plane, and referred to by number."""
    if stat.WhichOneof("value") == "ref_value":
        return plane.stat_metadata[stat.ref_value].name
    return stat.str_value


def _kind(operation, kernel):
    """cuDNN multiplies with the kernels of other matrix products, so the operation comes first."""
    if operation.startswith("CudnnRNN") or re.search("rnn|gru|lstm", kernel, re.IGNORECASE):
        return "cuDNN RNN"
    if "MatMul" in operation or re.search("gemm|cutlass", kernel, re.IGNORECASE):
        return "matmul"
    return "other"


def describe(found, steps):
    """A line about a `Trace` of so many steps."""
    total = sum(found.seconds.values())
    if not total:
        return "no kernel was traced; TensorFlow's profiler needs CUPTI"
    shares = Counter()
    for (kind, _), seconds in found.seconds.items():
        shares[kind] += seconds / total
    others = [(s, name) for (kind, name), s in found.seconds.items() if kind == "other"]
    seconds, largest = max(others, default=(0.0, "none"))
    return (
        f"kernels {total / steps * 1e3:.2f} ms a step: "
        + ", ".join(f"{kind} {shares[kind]:.0%}" for kind in KINDS)
        + f" (most of it {largest}, {seconds / total:.0%}); copies to the host: "
        f"{found.copies / steps:g} a step, {found.copied_bytes / steps:g} bytes"
    )

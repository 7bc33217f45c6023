import pytest
import tensorflow as tf
from tensorflow.tsl.profiler.protobuf.xplane_pb2 import XSpace

from models.recurrent_cells import has_gpu
from training.kernel_trace import Trace, count, describe, trace


def add_event(plane, name, microseconds, **details):
    """An event on the plane's last line; the details' texts are the plane's, as in real traces."""

    def number_of(table, text):
        number = len(table) + 1
        table[number].id, table[number].name = number, text
        return number

    event = plane.lines[-1].events.add(
        metadata_id=number_of(plane.event_metadata, name), duration_ps=microseconds * 10**6
    )
    for key, text in details.items():
        event.stats.add(
            metadata_id=number_of(plane.stat_metadata, key),
            ref_value=number_of(plane.stat_metadata, text),
        )


@pytest.fixture
def space():
    """Two steps: 100 microseconds of kernels, a copy each way, what the host did besides."""
    space = XSpace()
    host = space.planes.add(name="/host:CPU")
    host.lines.add(name="python")
    add_event(host, "a kernel's launch", 1000, kernel_details="regs:1", tf_op="a:MatMul")
    gpu = space.planes.add(name="/device:GPU:0")
    gpu.lines.add(name="Stream #1(Kernel)")
    kernel = {"kernel_details": "regs:32 grid:1,1,1"}
    # cuDNN multiplies matrices, too.
    add_event(gpu, "sm90_xmma_gemm_f32", 40, **kernel, tf_op="model/gru/CudnnRNNV3:CudnnRNNV3")
    add_event(gpu, "GRU_elementWise_bp1", 10, **kernel)
    add_event(gpu, "sm90_xmma_gemm_f32", 20, **kernel, tf_op="logits/MatMul:MatMul")
    add_event(gpu, "cutlass_80_tensorop", 10, **kernel)
    add_event(gpu, "an_update", 15, **kernel, tf_op="adam/Mul:Mul")
    add_event(gpu, "a_softmax", 5, **kernel, tf_op="loss/Softmax:Softmax")
    gpu.lines.add(name="Stream #2(MemcpyD2H,MemcpyH2D)")
    copy = "kind_src:{} kind_dst:{} size:{} dest:0 async:1"
    add_event(gpu, "MemcpyD2H", 2, memcpy_details=copy.format("device", "pinned", 4))
    add_event(gpu, "MemcpyD2H", 2, memcpy_details=copy.format("device", "pageable", 12))
    add_event(gpu, "MemcpyH2D", 2, memcpy_details=copy.format("pinned", "device", 1000))
    add_event(gpu, "MemcpyD2D", 2, memcpy_details=copy.format("device", "device", 1000))
    gpu.lines.add(name="TensorFlow Ops")
    add_event(gpu, "MatMul", 500, tf_op="logits/MatMul:MatMul")
    return XSpace.FromString(space.SerializeToString())


def test_kernels_and_copies_to_the_host_are_counted(space):
    found = count(space)
    assert found.seconds == pytest.approx(
        {
            ("cuDNN RNN", "CudnnRNNV3"): 40e-6,
            ("cuDNN RNN", ""): 10e-6,
            ("matmul", "MatMul"): 20e-6,
            ("matmul", ""): 10e-6,
            ("other", "Mul"): 15e-6,
            ("other", "Softmax"): 5e-6,
        }
    )
    assert (found.copies, found.copied_bytes) == (2, 16)


def test_a_trace_is_described_in_a_line(space):
    assert describe(count(space), steps=2) == (
        "kernels 0.05 ms a step: cuDNN RNN 50%, matmul 30%, other 20% (most of it Mul, 15%); "
        "copies to the host: 1 a step, 8 bytes"
    )


def test_tensorflow_s_trace_is_read():
    found = trace(lambda matrix: tf.matmul(matrix, matrix), tf.ones((2, 2)))
    assert found.copies == 0
    assert bool(found.seconds) == has_gpu()


def test_a_trace_without_kernels():
    assert describe(Trace(), steps=2).startswith("no kernel was traced")

"""The packed engine: GRU, LSTM and Luong's attention for a CPU, on real positions only.

Sequences of different lengths are packed: ordered by length, the longest first, and laid out step
by step without their padding, so that the sequences which are still running at a step are its
first rows.  The input projections and the gradients of the weights are then one matmul each; what
remains step by step is the recurrent matmul of the running sequences.

Weights and results are those of the Keras cells (of the GRU with `reset_after`).

Legend of shapes: N sequences, T steps, R packed rows, F features, U units, S positions and
M features of an attended memory, G = 3U for a GRU and 4U for an LSTM; n sequences are running at
a step.
"""

from models.packed.attention import Memory
from models.packed.cells import PACKED_CELLS
from models.packed.input_feeding import run_input_feeding
from models.packed.plan import pack, packing_plan, unpack
from models.packed.products import Weights, matmul
from models.packed.recurrence import make_packed_step, run_packed

__all__ = [
    "PACKED_CELLS",
    "Memory",
    "Weights",
    "make_packed_step",
    "matmul",
    "pack",
    "packing_plan",
    "run_input_feeding",
    "run_packed",
    "unpack",
]

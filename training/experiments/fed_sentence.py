"""What do mistakes in the previous sentence cost?  On the sample set, three seeds each.

    python -m training.experiments.fed_sentence --jobs 2

The models that read the previous sentence generate with their own and with the human one.  Runs
that training.experiments.three_models has trained are not trained again.
"""

from training.experiments.attention import EXPERIMENT as ATTENTION
from training.experiments.image_grouping import EXPERIMENT as IMAGE_GROUPING
from training.sweeps import Sweep, run_sweep

SWEEP = Sweep(
    "fed_sentence",
    {"proposed": IMAGE_GROUPING, "attention": ATTENTION},
    seeds=(1, 2, 3),
    setting="model and sentence fed",
    decodings=("", "--human-previous"),
)

if __name__ == "__main__":
    run_sweep(SWEEP)

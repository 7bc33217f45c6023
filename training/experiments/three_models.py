"""The three models, and other ways to attend, on the sample set: three seeds each.

python -m training.experiments.three_models --jobs 2
"""

from training.experiments.attention import EXPERIMENT as ATTENTION
from training.experiments.encoder_decoder import EXPERIMENT as ENCODER_DECODER
from training.experiments.image_grouping import EXPERIMENT as IMAGE_GROUPING
from training.sweeps import Sweep, run_sweep

SWEEP = Sweep(
    "three_models",
    {
        "proposed": IMAGE_GROUPING,
        "plain": ENCODER_DECODER,
        "attention": ATTENTION,
    },
    seeds=(1, 2, 3),
    setting="model",
)

if __name__ == "__main__":
    run_sweep(SWEEP)

"""Does attention need a learning rate of its own?  Small models on VIST, three seeds each.

    python -m training.experiments.vist_attention_rates --jobs 2

Runs that training.experiments.vist_small has trained are not trained again.
"""

from dataclasses import replace

from training.experiments.vist_small import ATTENTION, STATE
from training.sweeps import Sweep, run_sweep

SWEEP = Sweep(
    "vist_attention_rates",
    {
        "attention, 1.5e-3": ATTENTION,
        "attention, 5e-4": replace(ATTENTION, name="vist_slow_attention", learning_rate=5e-4),
        "the original's, 1.5e-3": STATE,
        "the original's, 5e-4": replace(
            STATE, name="vist_slow_attention_feeds_state", learning_rate=5e-4
        ),
    },
    seeds=(1, 2, 3),
    setting="attention and rate",
    split="valid",
)

if __name__ == "__main__":
    run_sweep(SWEEP)

"""What do beams, constraints and sampling change?  The small proposed model on VIST, three seeds.

    python -m training.experiments.vist_decodings --jobs 2

Runs that training.experiments.vist_small has trained are not trained again.
"""

from training.experiments.vist_small import PROPOSED
from training.sweeps import Sweep, run_sweep

SWEEP = Sweep(
    "vist_decodings",
    {"proposed": PROPOSED},
    seeds=(1, 2, 3),
    setting="model and decoding",
    decodings=(
        "",
        "--beam 3",
        "--no-unknown --no-repeated-ngram 3 --no-story-ngram 4 --no-repeated-sentence",
        "--sample --top-p 0.9 --no-unknown",
    ),
    split="valid",
)

if __name__ == "__main__":
    run_sweep(SWEEP)

"""What do dropout and size do?  The small proposed model on VIST, three seeds each.

    python -m training.experiments.vist_sizes --jobs 2

Runs that training.experiments.vist_small has trained are not trained again.
"""

from dataclasses import replace

from training.experiments.vist_small import PROPOSED
from training.sweeps import Sweep, run_sweep

SWEEP = Sweep(
    "vist_sizes",
    {
        "proposed": PROPOSED,
        "no dropout": replace(PROPOSED, name="vist_small_no_dropout").with_model_settings(
            input_dropout=0.0
        ),
        "half the units": replace(PROPOSED, name="vist_small_half").with_model_settings(
            image_encoder_latent_dim=128, sentence_encoder_latent_dim=128
        ),
    },
    seeds=(1, 2, 3),
    setting="the proposed model",
    split="valid",
)

if __name__ == "__main__":
    run_sweep(SWEEP)

"""What are cell, layers, features, start and precision worth?  On the sample set, three seeds.

    python -m training.experiments.parts --jobs 2

The proposed model with one setting changed at a time.
"""

from dataclasses import replace

from training.experiments.image_grouping import EXPERIMENT as BASELINE
from training.sweeps import Sweep, run_sweep

SWEEP = Sweep(
    "parts",
    {
        "baseline": BASELINE,
        "LSTM": replace(BASELINE, name="lstm").with_model_settings(cell_type="lstm"),
        "two layers": replace(BASELINE, name="two_layers").with_model_settings(num_layers=2),
        "raw features": replace(BASELINE, name="raw_features").with_model_settings(
            standardise_features=False
        ),
        "bias from frequencies": replace(
            BASELINE, name="bias_from_frequencies", bias_from_word_frequencies=True
        ),
        "bfloat16": replace(BASELINE, name="bfloat16", precision="bfloat16"),
    },
    seeds=(1, 2, 3),
    setting="the proposed model",
)

if __name__ == "__main__":
    run_sweep(SWEEP)

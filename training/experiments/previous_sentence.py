"""What does reading the previous sentence bring?  Models on the sample set, three seeds each.

    python -m training.experiments.previous_sentence --jobs 2

It is read by recurrence, by convolution, or not at all.
"""

from dataclasses import replace

from training.experiments.encoder_decoder import EXPERIMENT as ENCODER_DECODER
from training.experiments.image_grouping import EXPERIMENT as IMAGE_GROUPING
from training.sweeps import Sweep, run_sweep

CONVOLUTION = replace(IMAGE_GROUPING, name="convolution").with_model_settings(
    sentence_encoder="cnn"
)

SWEEP = Sweep(
    "previous_sentence",
    {"recurrence": IMAGE_GROUPING, "convolution": CONVOLUTION, "not at all": ENCODER_DECODER},
    seeds=(1, 2, 3),
    setting="previous sentence",
)

if __name__ == "__main__":
    run_sweep(SWEEP)

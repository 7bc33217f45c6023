"""The three models, and other ways to attend, on the sample set: three seeds each.

python -m training.experiments.three_models --jobs 2
"""

from dataclasses import replace

from training.experiments.attention import EXPERIMENT as ATTENTION
from training.experiments.encoder_decoder import EXPERIMENT as ENCODER_DECODER
from training.experiments.image_grouping import EXPERIMENT as IMAGE_GROUPING
from training.sweeps import Sweep, run_sweep

TO_PHOTOS = replace(ATTENTION, name="to_photos").with_model_settings(attend_to="images")
# The original's way.  Attention replaces its own layer's state, so the one below keeps the photos.
STATE = replace(
    ATTENTION.without_model_settings("attention_feeds"), name="attention_feeds_state", epochs=10
).with_model_settings(num_layers=2)

# Attention, started as the original starts: in some trainings its tanh stays saturated.
BIAS_AT_ZERO = replace(ATTENTION, name="attention_bias_at_zero", bias_from_word_frequencies=False)

SWEEP = Sweep(
    "three_models",
    {
        "proposed": IMAGE_GROUPING,
        "attention": ATTENTION,
        "plain": ENCODER_DECODER,
        "attention to photos": TO_PHOTOS,
        "attention, the original's": STATE,
        "attention, bias at zero": BIAS_AT_ZERO,
    },
    seeds=(1, 2, 3),
    setting="model",
)

if __name__ == "__main__":
    run_sweep(SWEEP)

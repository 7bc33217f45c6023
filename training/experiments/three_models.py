"""The three models, and other ways to attend, on the sample set: three seeds each.

python -m training.experiments.three_models --jobs 2
"""

from dataclasses import replace

from training.experiments.attention import EXPERIMENT as ATTENTION
from training.experiments.encoder_decoder import EXPERIMENT as ENCODER_DECODER
from training.experiments.image_grouping import EXPERIMENT as IMAGE_GROUPING
from training.sweeps import Sweep, run_sweep

TO_PHOTOS = replace(ATTENTION, name="attention_to_photos").with_model_settings(attend_to="images")
# Here every layer keeps its own state, so that one is enough.
INPUT_FEEDING = replace(ATTENTION, name="input_feeding", epochs=7).with_model_settings(
    attention_feeds="input", num_layers=1
)
INPUT_FEEDING_TO_PHOTOS = replace(
    INPUT_FEEDING, name="input_feeding_to_photos"
).with_model_settings(attend_to="images")

SWEEP = Sweep(
    "three_models",
    {
        "proposed": IMAGE_GROUPING,
        "plain": ENCODER_DECODER,
        "attention": ATTENTION,
        "attention to photos": TO_PHOTOS,
        "input feeding": INPUT_FEEDING,
        "input feeding, to photos": INPUT_FEEDING_TO_PHOTOS,
    },
    seeds=(1, 2, 3),
    setting="model",
)

if __name__ == "__main__":
    run_sweep(SWEEP)

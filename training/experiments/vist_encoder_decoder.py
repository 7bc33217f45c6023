"""The plain encoder-decoder on VIST with the paper's settings.

    python -m training.experiments.vist_encoder_decoder

Not yet trained on the real VIST: what it reaches there is unknown.  A training step of 13 stories
takes 1.3 s on one core of an AMD EPYC (python -m training.benchmark), and an epoch of VIST's
40,155 stories has 3,089.
"""

from dataclasses import replace

from training.command import run_experiment
from training.experiments.vist_image_grouping import EXPERIMENT as BASELINE

EXPERIMENT = replace(
    BASELINE, name="vist_encoder_decoder", model="EncoderDecoder"
).without_model_settings("sentence_encoder_latent_dim")

if __name__ == "__main__":
    run_experiment(EXPERIMENT)

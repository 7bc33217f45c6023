"""The plain encoder-decoder on VIST with the paper's settings.

python -m training.experiments.vist_encoder_decoder
"""

from dataclasses import replace

from training.command import run_experiment
from training.experiments.vist_image_grouping import EXPERIMENT as BASELINE

EXPERIMENT = replace(
    BASELINE, name="vist_encoder_decoder", model="EncoderDecoder"
).without_model_settings("sentence_encoder_latent_dim")

if __name__ == "__main__":
    run_experiment(EXPERIMENT)

"""The plain encoder-decoder on the sample set: photos alone, no previous sentence.

python -m training.experiments.encoder_decoder
"""

from dataclasses import replace

from training.command import run_experiment
from training.experiments.image_grouping import EXPERIMENT as BASELINE

EXPERIMENT = replace(
    BASELINE,
    name="encoder_decoder",
    model="EncoderDecoder",
    model_settings={
        "image_group_size": 3,
        "num_layers": 1,
        "image_encoder_latent_dim": 512,
        "word_embedding_size": 100,
        "input_dropout": 0.5,
    },
)

if __name__ == "__main__":
    run_experiment(EXPERIMENT)

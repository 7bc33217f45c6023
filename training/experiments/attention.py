"""The encoder-decoder with attention to the previous sentence, on the sample set.

python -m training.experiments.attention
"""

from dataclasses import replace

from training.command import run_experiment
from training.experiments.image_grouping import EXPERIMENT as BASELINE

# Below the attending layer one that keeps the photos: attention replaces its own layer's state.
EXPERIMENT = replace(
    BASELINE, name="attention", model="AttentionEncoderDecoder", epochs=10
).with_model_settings(
    num_layers=2,
    image_encoder_latent_dim=384,
    sentence_encoder_latent_dim=384,
    attention="general",
)

if __name__ == "__main__":
    run_experiment(EXPERIMENT)

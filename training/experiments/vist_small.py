"""The models, small, on VIST or on a part of it: three seeds each.

    python -m training.experiments.vist_small --jobs 2

--set data=FOLDER extractor=NAME takes another data folder and other image features.
"""

from dataclasses import replace

from training.experiment import Experiment
from training.sweeps import Sweep, run_sweep

PROPOSED = Experiment(
    name="vist_small_proposed",
    model="ImageGroupingModel",
    model_settings={
        "image_group_size": 3,
        "num_layers": 1,
        "image_encoder_latent_dim": 256,
        "sentence_encoder_latent_dim": 256,
        "word_embedding_size": 200,
        "input_dropout": 0.5,
    },
    epochs=7,
    stories_per_batch=26,
    learning_rate=1.5e-3,
    learning_rate_decays=True,
    precision="bfloat16",
    score_every_epochs=0,
)
PLAIN = replace(
    PROPOSED.without_model_settings("sentence_encoder_latent_dim"),
    name="vist_small_plain",
    model="EncoderDecoder",
).with_model_settings(image_encoder_latent_dim=512)
ATTENTION = replace(
    PROPOSED, name="vist_small_attention", model="AttentionEncoderDecoder"
).with_model_settings(
    image_encoder_latent_dim=512, sentence_encoder_latent_dim=512, attention_feeds="input"
)
STATE = replace(ATTENTION, name="vist_small_attention_feeds_state").without_model_settings(
    "attention_feeds"
)

SWEEP = Sweep(
    "vist_small",
    {
        "proposed": PROPOSED,
        "attention": ATTENTION,
        "plain": PLAIN,
        "attention, the original's": STATE,
    },
    seeds=(1, 2, 3),
    setting="model",
    split="valid",
)

if __name__ == "__main__":
    run_sweep(SWEEP)

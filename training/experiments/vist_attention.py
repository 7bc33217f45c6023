"""The encoder-decoder with attention on VIST with the paper's settings.

    python -m training.experiments.vist_attention

Not yet trained on the real VIST: what it reaches there is unknown.  A training step of 13 stories
takes 1.9 s on one core of an AMD EPYC (python -m training.benchmark), and an epoch of VIST's
40,155 stories has 3,089.
"""

from dataclasses import replace

from training.command import run_experiment
from training.experiments.vist_image_grouping import EXPERIMENT as BASELINE

EXPERIMENT = replace(
    BASELINE, name="vist_attention", model="AttentionEncoderDecoder"
).with_model_settings(attention="general", attend_to="previous_sentence")

if __name__ == "__main__":
    run_experiment(EXPERIMENT)

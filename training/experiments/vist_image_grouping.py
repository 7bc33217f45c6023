"""The proposed model on VIST with the paper's settings.

    python -m training.experiments.vist_image_grouping

It needs the photos' features, the stories files and GloVe: `python -m dataset` lists what is there.

Only the bias of the logits starts elsewhere, at the words' frequencies (docs/study.md).

Not yet trained on the real VIST: what it reaches there is unknown.  A training step of 13 stories
takes 3.7 s on one core of an AMD EPYC (python -m training.benchmark), and an epoch of VIST's
40,155 stories has 3,089.
"""

from training.command import run_experiment
from training.experiment import Experiment

EXPERIMENT = Experiment(
    name="vist_image_grouping",
    model="ImageGroupingModel",
    model_settings={
        "image_group_size": 3,
        "cell_type": "gru",
        "num_layers": 2,
        "image_encoder_latent_dim": 1024,
        "sentence_encoder_latent_dim": 1024,
        "word_embedding_size": 300,
        "input_dropout": 0.35,
        "standardise_features": False,
    },
    data="dataset",
    word_embeddings="dataset/glove.6B.300d.txt",
    epochs=50,
    stories_per_batch=13,
    learning_rate=1e-4,
    gradient_clip_value=5.0,
)

if __name__ == "__main__":
    run_experiment(EXPERIMENT)

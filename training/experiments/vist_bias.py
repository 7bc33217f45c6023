"""Where should the bias of the logits start?  Small models on VIST, three seeds each.

    python -m training.experiments.vist_bias --jobs 2

Runs that training.experiments.vist_small has trained are not trained again.
"""

from dataclasses import replace

from training.experiments.vist_small import SWEEP as MODELS
from training.sweeps import run_sweep

AT_ZERO = {
    f"{name}, bias at zero": replace(
        experiment, name=f"{experiment.name}_bias_at_zero", bias_from_word_frequencies=False
    )
    for name, experiment in MODELS.experiments.items()
}
SWEEP = replace(
    MODELS,
    name="vist_bias",
    experiments=MODELS.experiments | AT_ZERO,
    setting="model and start of the bias",
)

if __name__ == "__main__":
    run_sweep(SWEEP)

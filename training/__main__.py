"""python -m training: the proposed model's experiment on the sample set."""

from training.command import run_experiment
from training.experiments.image_grouping import EXPERIMENT

if __name__ == "__main__":
    run_experiment(EXPERIMENT)

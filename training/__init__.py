"""From an experiment to a trained model in a run folder."""

"""From an experiment to a trained model in a run folder."""

from data_reader.start import start_command

start_command()

"""The data that stories are made from: photos, annotations and image features."""

from data_reader.start import start_command

start_command()

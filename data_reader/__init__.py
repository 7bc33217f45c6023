"""The input pipeline that all models share: files in, arrays out; and the paths of all files."""

from data_reader.start import start_command

start_command()

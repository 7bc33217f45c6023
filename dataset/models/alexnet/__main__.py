"""python -m dataset.models.alexnet: extract AlexNet features of every split's photos."""

from data_reader.cli import run_command
from dataset.image_features import main

if __name__ == "__main__":
    run_command(lambda: main("alexnet"))

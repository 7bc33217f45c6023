"""python -m training.model_picture: draws the three models and counts their weights.

At the default sizes, with the original's vocabulary of 10,004 words and frozen word embeddings.
"""

import shutil
from pathlib import Path

from data_reader.cli import command_line, import_tensorflow, run_command
from data_reader.files import atomic_write
from data_reader.layout import RESULTS

PAPER_VOCABULARY = 10_004


def can_draw():
    """Whether graphviz, which draws, is installed."""
    return shutil.which("dot") is not None


def draw_model(model, path):
    """Draw the layers of a model and the tensors between them into a PNG.

    Raises:
        FileNotFoundError: graphviz is not installed.
    """
    if not can_draw():
        raise FileNotFoundError("Drawing needs graphviz's program dot: apt install graphviz")
    import keras

    with atomic_write(path) as partial:
        keras.utils.plot_model(
            model, str(partial), show_shapes=True, show_layer_names=True, dpi=100
        )


def main():
    folder = _parse_arguments().folder
    import_tensorflow()
    from models import MODELS, model_class

    models = [model_class(name)(PAPER_VOCABULARY, train_word_embeddings=False) for name in MODELS]
    for name, model in zip(MODELS, models, strict=True):
        trainable, fixed = _count(model.trainable_weights), _count(model.non_trainable_weights)
        print(f"{name:24} {trainable:>11,} trainable weights, {fixed:>10,} fixed")
    for model in models:
        path = folder / f"{model.name}.png"
        draw_model(model, path)
        print(path)


def _count(weights):
    return sum(weight.shape.num_elements() for weight in weights)


def _parse_arguments():
    parser = command_line(__doc__)
    parser.add_argument(
        "--folder",
        type=Path,
        default=RESULTS / "models",
        help="folder of the pictures (default: results/models/)",
    )
    return parser.parse_args()


if __name__ == "__main__":
    run_command(main)

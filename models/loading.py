"""A run folder -> its trained model."""

from models import model_class
from models.precision import dtype_policy


def load_model(run, precision="float32"):
    """The best model of a run.

    Args:
        run: its `RunFolder`.
        precision: in which it computes, whatever it was trained in; see `models.precision`.

    Raises:
        InputError: the model file is broken, or the model's class can't be imported.
    """
    settings = run.model_config() | {
        "dtype": dtype_policy(precision),
        # Orthogonal matrices of the paper's sizes take seconds to draw.
        "recurrent_initializer": "zeros",
    }
    model = model_class(run.settings()["model"]).from_config(settings)
    model.load_weights(run.model_file)
    return model

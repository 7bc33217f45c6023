"""A run folder -> its trained model."""

from collections import Counter

from data_reader.errors import InputError
from data_reader.model_file import weight_shapes
from models import model_class
from models.keras_internals import without_variables
from models.precision import dtype_policy
from models.story_model import arguments_of


def load_model(run, precision="float32"):
    """The best model of a run.

    The file may be anybody's, so the shapes of the weights that its settings make are compared with
    those that it holds before any weight is made.

    Args:
        run: its `RunFolder`.
        precision: in which it computes, whatever it was trained in; see `models.precision`.

    Raises:
        FileNotFoundError: there is no model file.
        InputError: the model file is broken, its settings and weights do not fit each other, or the
            model's class can't be imported.
    """
    settings = run.model_config() | {
        "dtype": dtype_policy(precision),
        # Orthogonal matrices of the paper's sizes take seconds to draw.
        "recurrent_initializer": "zeros",
    }
    held = weight_shapes(run.model_file)
    chosen = model_class(run.settings()["model"])
    _check_names(run, chosen, settings)
    with without_variables() as make_variables:
        model = _from_settings(run, chosen, settings)
    _check_shapes(run, Counter(tuple(weight.shape) for weight in model.weights), held)
    make_variables()
    try:
        model.load_weights(run.model_file)
    except (ValueError, KeyError) as error:
        raise InputError(
            f"The weights in {run.model_file} are not those of a {chosen.__name__}: {error}"
        ) from error
    return model


def _check_names(run, chosen, settings):
    known = arguments_of(chosen)
    unknown = [name for name in settings if name not in known]
    if unknown:
        raise InputError(
            f"{run.model_file} has {unknown[0]!r}, which is no setting of {chosen.__name__}, the "
            f"model that {run.experiment_file} names."
        )


def _from_settings(run, chosen, settings):
    try:
        return chosen.from_config(settings)
    except InputError as error:
        raise InputError(f"{run.model_file}: {error}") from error


def _check_shapes(run, needed, held):
    if needed != held:
        lacking, more = sorted(needed - held), sorted(held - needed)
        example = f"a weight of {_shown(lacking[0])}" if lacking else "fewer weights"
        found = f"; it holds one of {_shown(more[0])} instead" if more else ""
        raise InputError(
            f"{run.model_file} does not hold the weights that its settings ask for: they need "
            f"{example}{found}. Get the file again, or train again."
        )


def _shown(shape):
    return " x ".join(f"{size:,}" for size in shape) or "one number"

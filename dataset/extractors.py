"""Loading an extractor by its name: AlexNet's fc7 or an image model of `keras.applications`.

Each kind is imported where it is used, since TensorFlow takes seconds to import.
"""

from data_reader.cli import import_tensorflow
from data_reader.errors import InputError
from data_reader.features_file import FEATURE_ATTRIBUTES
from data_reader.image_mean_calculation import read_means
from dataset.extractor import PRECISIONS
from dataset.ready_made_features import is_imported


def load_extractor(name, layout, precision="float32"):
    """Load the extractor of that name, with the weights and means that the data folder calls for.

    Args:
        name: "alexnet", or a model of `keras.applications` in any case, for example "resnet50".
        precision: of `dataset.extractor.PRECISIONS`.

    Raises:
        InputError: there is no such extractor, or its weights can't be loaded.
    """
    import_tensorflow()
    if name == "alexnet":
        from dataset.models.alexnet.extractor import alexnet_extractor

        return alexnet_extractor(read_means(layout), layout.facts.exists(), precision)
    from dataset.models.keras_applications import keras_extractor

    return keras_extractor(name, precision=precision)


def load_extractor_of(features):
    """Load the extractor that given features were computed with.

    Args:
        features: what a run or a stories file records about its features: extractor,
            weights_checksum, channel_means, precision.

    Raises:
        InputError: the features were imported, the record is incomplete, the precision is unknown,
            or the same weights are not available here.
    """
    _refuse_unknown(features)
    import_tensorflow()
    if features["extractor"] == "alexnet":
        from dataset.models.alexnet.extractor import alexnet_extractor

        seeded = features["weights_checksum"].startswith("seeded")
        extractor = alexnet_extractor(features["channel_means"], seeded, features["precision"])
    else:
        from dataset.models.keras_applications import keras_extractor

        extractor = keras_extractor(features["extractor"], precision=features["precision"])
    if extractor.weights_checksum != features["weights_checksum"]:
        raise InputError(
            f"The run was trained on features of {features['extractor']} with the weights "
            f"{features['weights_checksum']}, but the weights found here are "
            f"{extractor.weights_checksum}. Restore the former, or extract the features and train "
            "again."
        )
    return extractor


def _refuse_unknown(features):
    if is_imported(features):
        raise InputError(
            "The run was trained on ready-made features, imported under the name "
            f"{features['extractor']}: no network here computes them for new photos. Train a run "
            "on features that python -m dataset.image_features computes."
        )
    if not set(FEATURE_ATTRIBUTES) <= set(features):
        raise InputError(
            "The stories files that the run was trained on do not record which extractor computed "
            "their image features, so no features of the same kind can be computed for new "
            "photos; train on features that python -m dataset.image_features computes."
        )
    if features["precision"] not in PRECISIONS:
        raise InputError(
            f"The run was trained on features of the precision {features['precision']}, expected "
            f"{' or '.join(PRECISIONS)}: another version of this project computed them."
        )

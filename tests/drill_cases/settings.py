"""Every setting of an experiment and of the models with odd values.

    python tests/drill_cases/settings.py SETTING

It prints a line for each odd value that is accepted, or refused by anything but an `InputError`.
"""

import sys
from dataclasses import fields, replace
from pathlib import Path

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]

from drill_cases.case import Case

ODD = (0, -1, float("nan"), float("inf"), 10**30, "odd", "", True, None, [1, 2], {"a": 1}, object)
# The odd values that a setting may have.
OF_EXPERIMENT = {
    "name": ("odd",),
    "model": (object,),  # whether it is a model is seen when it is made
    "model_settings": ({"a": 1},),
    "data": ("odd", ""),
    "extractor": ("odd", ""),
    "word_embeddings": ("odd", "", None),
    "epochs": (),
    "stories_per_batch": (),
    "learning_rate": (10**30,),
    "learning_rate_decays": (True,),
    "gradient_clip_value": (10**30,),
    "precision": (),
    "all_reduce_precision": (),
    "bias_from_word_frequencies": (True,),
    "seed": (0,),
    "early_stopping_patience": (None,),
    "save_every_steps": (),
    "score_every_epochs": (0,),
    "notes": ("odd", ""),
}
MODELS = ("ImageGroupingModel", "AttentionEncoderDecoder", "EncoderDecoder")
MAY_BE = {
    "reverse": (True,),
    "standardise_features": (True,),
    "train_word_embeddings": (True, None),
    "input_dropout": (0,),
    "recurrent_dropout": (0,),
    "name": ("odd", None),
}
SMALL = {
    "vocabulary_size": 7,
    "feature_size": 6,
    "image_encoder_latent_dim": 4,
    "word_embedding_size": 4,
    "num_layers": 1,
}


def check_experiment(setting):
    from training.experiments.image_grouping import EXPERIMENT

    def accepts(value):
        replace(EXPERIMENT, **{setting: value})

    return flaws(accepts, OF_EXPERIMENT[setting])


def check_model(name):
    """All settings of a model, one after another."""
    from data_reader.cli import import_tensorflow

    import_tensorflow()
    from models import model_class
    from models.story_model import settings_of

    model = model_class(name)
    known = settings_of(model)
    small = {k: v for k, v in (SMALL | {"sentence_encoder_latent_dim": 4}).items() if k in known}
    small |= {k: v for k, v in SMALL.items() if k.endswith("_size")}
    for setting in sorted(known):

        def accepts(value, setting=setting):
            model(**small | {setting: value})

        for flaw in flaws(accepts, MAY_BE.get(setting, ())):
            yield f"{setting}: {flaw}"


def flaws(accepts, allowed):
    """Yield what is wrong with what each odd value does."""
    from data_reader.errors import InputError

    for value in ODD:
        is_allowed = any(type(value) is type(each) and value == each for each in allowed)
        try:
            accepts(value)
        except InputError as error:
            if is_allowed:
                yield f"{value!r} is refused: {error}"
        except Exception as error:
            yield f"{value!r} ends in {type(error).__name__}: {error}"
        else:
            if not is_allowed:
                yield f"{value!r} is accepted"


def main(setting):
    if setting == "all settings":
        from training.experiment import Experiment

        found = {each.name for each in fields(Experiment)} ^ set(OF_EXPERIMENT)
    else:
        found = list((check_model if setting in MODELS else check_experiment)(setting))
    print(*found, sep="\n")
    sys.exit(bool(found))


COMMAND = "python $REPOSITORY/tests/drill_cases/settings.py"
GROUPS = {
    "settings, of twelve values each": [
        Case(setting, f"{COMMAND} '{setting}'", status=0)
        for setting in (*OF_EXPERIMENT, *MODELS, "all settings")
    ]
}

if __name__ == "__main__":
    main(sys.argv[1])

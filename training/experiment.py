"""An experiment is a value: written into the run folder, compared and read back from there."""

import ast
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from data_reader.errors import InputError, check_flag, check_number, check_whole_number
from data_reader.import_paths import import_path
from data_reader.run_folder import SMOKE_PREFIX
from data_reader.vocabulary import can_be_stored
from models import check_model_name, model_class
from models.precision import PRECISIONS
from training.experiment_file import end_in_one_line

SMOKE_DATA = "dataset/smoke_data"
_SMOKE_SIZES = {
    "image_encoder_latent_dim": 32,
    "sentence_encoder_latent_dim": 32,
    "word_embedding_size": 16,
}
_LONGEST_IN_A_NAME = 60
_LARGEST = 2**31 - 1  # of whole numbers: more is a mistake


@dataclass(frozen=True)
class Experiment:
    """One training run; the defaults are the paper's.

    Attributes:
        name: of the run folder, to which the start time is added.
        model: the name of one of `models.MODELS`; or a `StoryModel` class of your own, itself or
            as "module:Class".
        model_settings: its arguments; the sizes of vocabulary and features come from the data.
        data: the data folder.
        extractor: the image features that the stories files must hold.
        word_embeddings: a GloVe file with the initial word vectors (which are not trained, unless
            the model's `train_word_embeddings` says so); a relative path is the repository's.
        stories_per_batch: 13 stories are the original's batch of 65 sentences.
        gradient_clip_value: each component of the gradient is clipped to this size.
        learning_rate_decays: the rate falls along a half cosine to a tenth of itself.
        precision: "float32", "bfloat16" or "float16": of the matrix products (on a GPU, of all that
            layers compute; a CPU computes in float32 instead of float16); weights, loss and
            optimiser are always float32.
        all_reduce_precision: "float32", or "bfloat16": in which several workers send each other
            gradients.
        bias_from_word_frequencies: the logits' bias starts at the logarithms of the words'
            frequencies in the training stories; False for zero, the original's.
        early_stopping_patience: epochs without a lower validation loss before training ends.
        save_every_steps: steps between checkpoints; one more is written after each epoch.
        score_every_epochs: epochs between BLEU scores of some validation stories; 0 for none.
        notes: free text, kept with the run.

    Raises:
        InputError: a setting is out of range; the message names it.
    """

    name: str
    model: str | type
    model_settings: Mapping[str, Any] = field(default_factory=dict)
    data: str = "dataset"
    extractor: str = "alexnet"
    word_embeddings: str | None = None
    epochs: int = 50
    stories_per_batch: int = 13
    learning_rate: float = 1e-4
    learning_rate_decays: bool = False
    gradient_clip_value: float = 5.0
    precision: str = "float32"
    all_reduce_precision: str = "float32"
    bias_from_word_frequencies: bool = True
    seed: int = 1
    early_stopping_patience: int | None = None
    save_every_steps: int = 1000
    score_every_epochs: int = 5
    notes: str = ""

    def __post_init__(self):
        try:
            self._check_texts()
            self._check_numbers()
            self._check_model()
            self._check_precisions()
        except InputError:
            end_in_one_line()
            raise

    def _check_numbers(self):
        for setting in ("epochs", "stories_per_batch", "save_every_steps"):
            check_whole_number(setting, getattr(self, setting), largest=_LARGEST)
        check_whole_number("score_every_epochs", self.score_every_epochs, 0, _LARGEST)
        check_whole_number("seed", self.seed, 0, 2**32 - 1)
        if self.early_stopping_patience is not None:
            check_whole_number(
                "early_stopping_patience", self.early_stopping_patience, largest=_LARGEST
            )
        for setting in ("learning_rate", "gradient_clip_value"):
            allowed = "above 0 and at most 1e30"
            check_number(setting, getattr(self, setting), allowed, lambda x: 0 < x <= 1e30)
        for setting in ("learning_rate_decays", "bias_from_word_frequencies"):
            check_flag(setting, getattr(self, setting))

    def _check_model(self):
        check_model_name(self.model)
        settings = self.model_settings
        if not isinstance(settings, Mapping) or not all(isinstance(n, str) for n in settings):
            raise InputError(
                f"model_settings is {settings!r}; it must be a dictionary of settings by name."
            )

    def _check_precisions(self):
        # The sums of gradients of a scaled loss would leave float16's range.
        allowed = {"precision": PRECISIONS, "all_reduce_precision": ("float32", "bfloat16")}
        for setting, precisions in allowed.items():
            if getattr(self, setting) not in precisions:
                raise InputError(
                    f"{setting} is {getattr(self, setting)!r}; it must be "
                    f"{' or '.join(precisions)}."
                )

    def _check_texts(self):
        texts = ["name", "data", "extractor", "notes"]
        if self.word_embeddings is not None:
            texts.append("word_embeddings")
        for setting in texts:
            value = getattr(self, setting)
            if not isinstance(value, str) or not can_be_stored(value):
                raise InputError(f"{setting} is {value!r}; it must be text, in Unicode.")
        if not re.fullmatch(r"[\w.-]+", self.name):
            raise InputError(
                f"name is {self.name!r}; a folder is named by it: letters, digits, _.-"
            )

    def to_dict(self):
        """All settings, as experiment.json keeps them: classes by their import paths."""
        settings = {each.name: getattr(self, each.name) for each in fields(self)}
        return json.loads(json.dumps(settings, default=_as_kept))

    def with_model_settings(self, **settings):
        """The same experiment but for these settings of the model."""
        return replace(self, model_settings={**self.model_settings, **settings})

    def without_model_settings(self, *names):
        """The same experiment with the model's defaults for these settings."""
        kept = {name: value for name, value in self.model_settings.items() if name not in names}
        return replace(self, model_settings=kept)

    def overridden(self, assignments):
        """The same experiment but for some settings, which are added to its name.

        Args:
            assignments: texts "setting=value" or "model_settings.setting=value"; a value is
                written as in Python, text also without quotes.

        Raises:
            InputError: there is no such setting, or the value is out of range.
        """
        changed = self
        for assignment in assignments:
            setting, equals, text = assignment.partition("=")
            names = [each.name for each in fields(self) if each.name != "model_settings"]
            if equals and setting in names:
                changed = replace(changed, **{setting: _parse_value(text)})
            elif equals and setting.startswith("model_settings."):
                setting = setting.removeprefix("model_settings.")
                changed = changed.with_model_settings(**{setting: _parse_value(text)})
            else:
                raise InputError(
                    f"{assignment!r} sets nothing; write setting=value, with one of "
                    f"{', '.join(names)}, or model_settings.setting=value."
                )
        added = [in_a_name(each) for each in assignments if not each.startswith("name=")]
        return replace(changed, name="_".join([changed.name, *added]))


def _as_kept(value):
    if isinstance(value, type):
        return import_path(value)
    raise InputError(
        f"A setting is {value!r}, a {type(value).__name__}; settings are numbers, texts, True, "
        "False, None, lists of these, or classes."
    )


def _parse_value(text):
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError):  # text without quotes
        return text


def in_a_name(assignment):
    """An assignment as the name of a run holds it: "model_settings.k=5" -> "k-5"."""
    setting, _, text = assignment.removeprefix("model_settings.").partition("=")
    return re.sub(r"[^\w.-]+", "-", f"{setting}-{text}").strip("-")[:_LONGEST_IN_A_NAME]


def smoke_test(experiment):
    """The experiment made tiny, on a tiny sample set, to see in a minute that everything runs."""
    from models.story_model import settings_of

    known = settings_of(model_class(experiment.model))
    sizes = {name: size for name, size in _SMOKE_SIZES.items() if name in known}
    return replace(
        experiment.with_model_settings(**sizes),
        name=f"{SMOKE_PREFIX}{experiment.name}",
        data=SMOKE_DATA,
        extractor="alexnet",  # of the tiny sample set's features
        word_embeddings=None,
        epochs=2,
    )

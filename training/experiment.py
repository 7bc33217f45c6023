"""What one experiment is: a value, written into the run folder and read back from there."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from data_reader.errors import InputError
from models.precision import PRECISIONS

SMOKE_DATA = "dataset/smoke_data"


@dataclass(frozen=True)
class Experiment:
    """One training run; the defaults are the paper's.

    Attributes:
        name: of the run folder, with the start time behind it.
        model: a class of `models`.
        model_settings: its arguments; the sizes of vocabulary and features come from the data.
        data: the data folder.
        extractor: whose features the stories files must hold.
        word_embeddings: a GloVe file that the words start from (and stay as, unless the model's
            `train_word_embeddings` says otherwise); a relative path is the repository's.
        stories_per_batch: 13 stories are the original's batch of 65 sentences.
        gradient_clip_value: each component of the gradient is cut to this size.
        learning_rate_decays: the rate falls along a half cosine to a tenth of itself.
        precision: "float32", or "bfloat16": of the matrix products (on a GPU of all that layers
            compute); weights, loss and optimiser are float32 whatever it is.
        early_stopping_patience: epochs without a lower validation loss after which it is over.
        save_every_steps: a checkpoint after so many batches, and after each epoch.
        score_every_epochs: BLEU of some validation stories after so many epochs; 0 for never.
        notes: free text, kept with the run.

    Raises:
        ValueError: a setting has no meaning; the message names it.
    """

    name: str
    model: str
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
    seed: int = 1
    early_stopping_patience: int | None = None
    save_every_steps: int = 1000
    score_every_epochs: int = 5
    notes: str = ""

    def __post_init__(self):
        if not re.fullmatch(r"[\w.-]+", self.name):
            raise InputError(f"name is {self.name!r}; it becomes a folder's: letters, digits, _.-")
        for setting in ("epochs", "stories_per_batch", "save_every_steps"):
            _check_whole_number(setting, getattr(self, setting), smallest=1)
        _check_whole_number("score_every_epochs", self.score_every_epochs, smallest=0)
        if self.early_stopping_patience is not None:
            _check_whole_number("early_stopping_patience", self.early_stopping_patience, smallest=1)
        for setting in ("learning_rate", "gradient_clip_value"):
            value = getattr(self, setting)
            if not isinstance(value, int | float) or not value > 0:
                raise InputError(f"{setting} is {value!r}; it must be a number above 0.")
        if self.precision not in PRECISIONS:
            raise InputError(
                f"precision is {self.precision!r}; it must be {' or '.join(PRECISIONS)}."
            )

    def to_dict(self):
        return asdict(self)

    def with_model_settings(self, **settings):
        """The same experiment but for these settings of the model."""
        return replace(self, model_settings={**self.model_settings, **settings})

    def without_model_settings(self, *names):
        """The same experiment but for these settings, which the model then has by default."""
        kept = {name: value for name, value in self.model_settings.items() if name not in names}
        return replace(self, model_settings=kept)


def _check_whole_number(setting, value, smallest):
    if not isinstance(value, int) or value < smallest:
        raise InputError(f"{setting} is {value!r}; it must be a whole number from {smallest}.")


def smoke_test(experiment):
    """The experiment made tiny, on a tiny sample set, to see in a minute that everything runs."""
    sizes = {"image_encoder_latent_dim": 32, "word_embedding_size": 16}
    if experiment.model != "EncoderDecoder":
        sizes["sentence_encoder_latent_dim"] = 32
    return replace(
        experiment.with_model_settings(**sizes),
        name=f"smoke_{experiment.name}",
        data=SMOKE_DATA,
        extractor="alexnet",  # what the tiny sample set's features are
        word_embeddings=None,
        epochs=2,
    )

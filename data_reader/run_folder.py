"""A run folder: the files of one training run and of the stories generated with its model."""

import math
import re
from dataclasses import dataclass
from pathlib import Path

from data_reader.errors import InputError
from data_reader.features_file import UNRECORDED
from data_reader.fields import read_fields
from data_reader.layout import DataLayout
from data_reader.model_file import read_model_settings
from data_reader.run_files import (
    ENVIRONMENT,
    EXPERIMENT,
    FEATURES,
    FINISHED,
    read_fact_recall,
    read_losses,
    read_scores,
    summary_of_scores,
)
from data_reader.vocabulary import Vocabulary

SMOKE_PREFIX = "smoke_"
_START_TIME = re.compile(r"_\d{8}-\d{6}$")


def _file(name, description):
    return property(lambda run: run.path / name, doc=description)


def _file_of_model(name, description):
    return property(lambda run: (run.model_folder or run.path) / name, doc=description)


@dataclass(frozen=True)
class RunFolder:
    """The files of one run; `results/<name>_<start time>/`.

    Attributes:
        path: the folder.
        model_folder: the folder of a shared model, which is only read (see
            `data_reader.shared_model`); what is generated with it goes into `path`.
    """

    path: Path
    model_folder: Path | None = None

    experiment_file = _file_of_model("experiment.json", "The settings of the experiment.")
    vocabulary_file = _file_of_model("vocabulary.json", "The words that the model knows.")
    features_file = _file_of_model("features.json", "The features and stories of the training.")
    model_file = _file_of_model("model.keras", "The model of the best epoch.")
    environment_file = _file("environment.json", "Packages, commit and machine of the training.")
    finished_file = _file("finished.json", "Why the run ended and how long it took.")
    last_model_file = _file("model_last.keras", "The model of the last epoch.")
    checkpoint = _file("checkpoint", "The state from which an interrupted training resumes.")
    loss_log = _file("loss.csv", "The losses of each epoch, see `LOSS_COLUMNS`.")
    loss_plot = _file("loss.png", "The curves of the losses.")
    samples = _file("samples.txt", "Validation stories as generated after each epoch.")
    model_picture = _file("model.png", "The layers of the model.")
    tensorboard = _file("tensorboard", "The folder of TensorBoard's logs.")
    strips = _file("strips", "The folder of the story strips.")
    page = _file("stories.html", "The page for browsing the stories.")

    @property
    def name(self):
        return (self.model_folder or self.path).absolute().name

    @classmethod
    def open(cls, path):
        """Open the folder of a run that has a model, whether it is finished or not.

        Raises:
            FileNotFoundError: the folder, its settings or its model are missing.
        """
        run = cls.open_started(path)
        run._require(run.vocabulary_file, run.features_file, run.model_file)
        return run

    @classmethod
    def open_started(cls, path):
        """Open the folder of a run that may not have a model yet.

        Raises:
            FileNotFoundError: the folder or its settings are missing.
        """
        run = cls(Path(path))
        if not run.path.is_dir():
            wrong = "not a folder" if run.path.exists() else "missing"
            raise FileNotFoundError(f"The run folder {path} is {wrong}.")
        run._require(run.experiment_file)
        return run

    def _require(self, *files):
        for file in files:
            if not file.is_file():
                raise FileNotFoundError(
                    f"The run folder {self.path} has no {file.name}; "
                    "its training ended too early, or it is not a run folder."
                )

    @classmethod
    def newest(cls, results):
        """Open the run with a model that started last; smoke tests are ignored.

        Raises:
            FileNotFoundError: there is none.
        """
        runs = [
            model.parent
            for model in Path(results).glob("*/model.keras")
            if not model.parent.name.startswith(SMOKE_PREFIX)
            and _START_TIME.search(model.parent.name)
        ]
        if not runs:
            raise FileNotFoundError(
                f"There is no run with a model under {results} (smoke tests do not count); train "
                "one with: python -m training, or name one with --run"
            )
        return cls.open(max(runs, key=lambda run: _START_TIME.search(run.name)[0]))

    def hypotheses(self, decoding, split):
        """The generated sentences, one per line, in the order of the stories file."""
        return self.path / f"hypotheses_{decoding}_{split}.txt"

    def story_hypotheses(self, decoding, split):
        """The generated stories, one per line."""
        return self.path / f"hypotheses_story_{decoding}_{split}.txt"

    def hypotheses_in_form(self, form, decoding, split):
        """The generated stories in a form of the field, see `generation.story_files`."""
        return self.path / f"hypotheses_{form}_{decoding}_{split}.json"

    def decodings(self, split):
        """List the names of the decodings with which stories of a split have been generated."""
        before, after = "hypotheses_story_", f"_{split}.txt"
        names = [path.name for path in self.path.glob(f"{before}*{after}")]
        return sorted(name.removeprefix(before).removesuffix(after) for name in names)

    def decoding(self, decoding, split):
        """The settings of a decoding, as data; see `generation.decoding_options`."""
        return self.path / f"decoding_{decoding}_{split}.json"

    def unfinished_generation(self, decoding, split):
        """The batches from which an interrupted generation resumes."""
        return self.path / "generating" / f"{decoding}_{split}"

    def references(self, split):
        """The human sentences, cut to the length that the model sees, one per line."""
        return self.path / f"original_{split}.txt"

    def scores(self, decoding, split):
        return self.path / f"scores_{decoding}_{split}.json"

    def album_sums(self, decoding, split):
        """What the scores are computed from, by album, for comparisons over several runs."""
        return self.path / f"album_sums_{decoding}_{split}.json"

    def fact_recall(self, decoding, split):
        return self.path / f"fact_recall_{decoding}_{split}.json"

    def settings(self):
        """Read the run's experiment as a dictionary.

        Raises:
            InputError: the file is broken.
        """
        return read_fields(self.experiment_file, EXPERIMENT, ("data", "model", "name"))

    def layout(self, data=None):
        """Return the `DataLayout` of a data folder: of this one, or by default of the training's.

        Raises:
            InputError: there is none, because the model was shared without it.
        """
        data = data or self.settings()["data"]
        if data is None:
            raise InputError(
                f"{self.name} is a shared model, without the data it was trained on; name a data "
                "folder with --data."
            )
        return DataLayout(data)

    def all_settings(self):
        """Read the experiment's settings and the model's into one dictionary.

        Once there is a model, the settings that the experiment does not name are included.

        Raises:
            InputError: a file is broken.
        """
        settings = self.settings()
        settings |= settings.pop("model_settings", {})
        if self.model_file.is_file():
            settings |= {k: v for k, v in self.model_config().items() if k != "name"}
        return settings

    def model_config(self):
        """Read the model's arguments, defaults included, from its file without Keras.

        Raises:
            InputError: the file is broken.
        """
        return read_model_settings(self.model_file)

    def environment(self):
        """Read the packages, commit and machine of the training; empty if not recorded.

        Raises:
            InputError: the file is broken.
        """
        if not self.environment_file.is_file():
            return {}
        return read_fields(self.environment_file, ENVIRONMENT)

    def finished(self):
        """Read the reason why the run ended and its duration; empty if it has not ended.

        Raises:
            InputError: the file is broken.
        """
        if not self.finished_file.is_file():
            return {}
        return read_fields(self.finished_file, FINISHED, ("seconds", "reason"))

    def losses(self):
        """Read loss.csv -> `{column: numbers}`, one per epoch; nan where the file has none.

        An incomplete last line is ignored; before the first epoch ends there are no numbers.

        Raises:
            InputError: the file is broken.
        """
        return read_losses(self.loss_log)

    def best_epoch(self):
        """Find the epoch of the lowest validation loss -> `{column of loss.csv: number}`.

        "epoch" is a whole number, and "perplexity" is added.  Empty if no epoch has a finite loss.

        Raises:
            InputError: loss.csv is broken.
        """
        losses = self.losses()
        epochs = [dict(zip(losses, row, strict=True)) for row in zip(*losses.values(), strict=True)]
        finite = [epoch for epoch in epochs if math.isfinite(epoch["val_loss"])]
        if not finite:
            return {}
        best = min(finite, key=lambda epoch: epoch["val_loss"])
        return {
            **best,
            "epoch": int(best["epoch"]),
            "perplexity": math.exp(best["val_loss"]) if best["val_loss"] < 700 else math.inf,
        }

    def all_scores(self):
        """Read all scores -> `{decoding and split: {name: number}}`.

        For instance `{"greedy test": {"vist-album METEOR": 0.31, ...}}`.  Shares are `Share`s.
        Fact recall is included as `facts_own` and `facts_other`, in percent, of the stories' own
        photos and of others'.

        Raises:
            InputError: a file is broken.
        """
        scores = {}
        for path in sorted(self.path.glob("scores_*_*.json")):
            decoding_and_split = _decoding_and_split(path, "scores_")
            summary = summary_of_scores(read_scores(path))
            scores.setdefault(decoding_and_split, {}).update(summary)
        for path in sorted(self.path.glob("fact_recall_*_*.json")):
            decoding_and_split = _decoding_and_split(path, "fact_recall_")
            recall = read_fact_recall(path)["all"]
            facts = {f"facts_{whose}": recall[whose] for whose in ("own", "other")}
            scores.setdefault(decoding_and_split, {}).update(facts)
        return scores

    def vocabulary(self):
        """Read the words that the run's model knows -> `Vocabulary`.

        Raises:
            FileNotFoundError: there is no such file.
            InputError: it is broken; it is not the one that the training recorded, or has another
                number of words than the model, if there is one yet.
        """
        vocabulary = Vocabulary.read(self.vocabulary_file)
        recorded = self.environment().get("vocabulary_checksum", vocabulary.checksum)
        words = len(vocabulary)
        if self.model_file.is_file():
            words = self.model_config()["vocabulary_size"]
        if recorded != vocabulary.checksum or words != len(vocabulary):
            model = f"{words:,}" if words != len(vocabulary) else f"others (checksum {recorded})"
            raise InputError(
                f"{self.vocabulary_file} holds {len(vocabulary):,} words (checksum "
                f"{vocabulary.checksum}), the run's model knows {model}; put the run's "
                "vocabulary.json back."
            )
        return vocabulary

    def features(self):
        """Read the description of the image features that the run was trained on.

        Raises:
            InputError: the file is broken.
        """
        return UNRECORDED | read_fields(self.features_file, FEATURES)

    def photos_per_story(self):
        """Return how many photos each training story had; None if that was not recorded.

        Raises:
            InputError: the file is broken.
        """
        return self.features().get("photos_per_story")


def _decoding_and_split(path, prefix):
    """scores_sample_t0.8_s1_test.json -> "sample_t0.8_s1 test"."""
    decoding, _, split = path.stem.removeprefix(prefix).rpartition("_")
    return f"{decoding} {split}"

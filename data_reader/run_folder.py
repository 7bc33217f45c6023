"""A run folder: the files of one training run and of what was generated with its model."""

import csv
import json
import math
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path

from data_reader.errors import InputError
from data_reader.files import read_json

SMOKE_PREFIX = "smoke_"
LOSS_COLUMNS = ("epoch", "loss", "val_loss", "learning_rate", "seconds", "words_per_second", "bleu")
_START_TIME = re.compile(r"_\d{8}-\d{6}$")


@dataclass(frozen=True)
class RunFolder:
    """The files of one run; `results/<name>_<start time>/`."""

    path: Path

    @classmethod
    def open(cls, path):
        """A finished or running run's folder.

        Raises:
            FileNotFoundError: the folder, its settings or its model are missing.
        """
        run = cls.open_started(path)
        run._require(run.vocabulary_file, run.features_file, run.model_file)
        return run

    @classmethod
    def open_started(cls, path):
        """The folder of a run that may not have a model yet.

        Raises:
            FileNotFoundError: the folder or its settings are missing.
        """
        run = cls(Path(path))
        if not run.path.is_dir():
            raise FileNotFoundError(f"The run folder {path} is missing.")
        run._require(run.experiment_file)
        return run

    def _require(self, *files):
        for file in files:
            if not file.is_file():
                raise FileNotFoundError(
                    f"The run folder {self.path} has no {file.name}; "
                    "its training did not get that far, or it is no run folder."
                )

    @classmethod
    def newest(cls, results):
        """The run that started last and has a model; smoke tests do not count.

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
                f"There is no run with a model under {results}; train one: python -m training"
            )
        return cls.open(max(runs, key=lambda run: _START_TIME.search(run.name)[0]))

    @property
    def name(self):
        return self.path.absolute().name

    @property
    def experiment_file(self):
        return self.path / "experiment.json"

    @property
    def vocabulary_file(self):
        return self.path / "vocabulary.json"

    @property
    def features_file(self):
        return self.path / "features.json"

    @property
    def model_file(self):
        return self.path / "model.keras"

    @property
    def last_model_file(self):
        """The model after the last epoch; `model_file` is the best one."""
        return self.path / "model_last.keras"

    @property
    def environment_file(self):
        return self.path / "environment.json"

    @property
    def finished_file(self):
        """How the run ended; it is only there once it has."""
        return self.path / "finished.json"

    @property
    def samples(self):
        """Validation stories as they were told while the model was trained."""
        return self.path / "samples.txt"

    @property
    def loss_log(self):
        return self.path / "loss.csv"

    @property
    def loss_plot(self):
        return self.path / "loss.png"

    @property
    def model_picture(self):
        return self.path / "model.png"

    @property
    def checkpoint(self):
        """Where an interrupted training goes on from."""
        return self.path / "checkpoint"

    @property
    def tensorboard(self):
        return self.path / "tensorboard"

    @property
    def strips(self):
        return self.path / "strips"

    @property
    def page(self):
        """The stories to leaf through."""
        return self.path / "stories.html"

    def hypotheses(self, decoding, split):
        """The generated sentences, one a line, in the order of the stories file."""
        return self.path / f"hypotheses_{decoding}_{split}.txt"

    def story_hypotheses(self, decoding, split):
        """The generated stories, one a line."""
        return self.path / f"hypotheses_story_{decoding}_{split}.txt"

    def decodings(self, split):
        """The ways in which the run has told the stories of a split, by name."""
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
        """The human sentences, cut as the model saw them, one a line."""
        return self.path / f"original_{split}.txt"

    def scores(self, decoding, split):
        return self.path / f"scores_{decoding}_{split}.json"

    def fact_recall(self, decoding, split):
        return self.path / f"fact_recall_{decoding}_{split}.json"

    def settings(self):
        """The experiment that the run is, as a dictionary.

        Raises:
            InputError: the file is broken.
        """
        settings = _read_dictionary(self.experiment_file)
        missing = {"name", "model", "data"} - set(settings)
        if missing:
            raise InputError(f"{self.experiment_file} lacks {', '.join(sorted(missing))}.")
        return settings

    def all_settings(self):
        """The experiment's settings and the model's in one dictionary.

        Once there is a model, those that the experiment does not name are there too.

        Raises:
            InputError: a file is broken.
        """
        settings = self.settings()
        settings |= settings.pop("model_settings", {})
        if self.model_file.is_file():
            settings |= {k: v for k, v in self.model_config().items() if k != "name"}
        return settings

    def model_config(self):
        """The model's arguments, defaults included, read from its file without Keras.

        Raises:
            InputError: the file is broken.
        """
        self.check_model_file()
        try:
            with zipfile.ZipFile(self.model_file) as archive:
                return json.loads(archive.read("config.json"))["config"]
        except (ValueError, KeyError, zipfile.BadZipFile) as error:
            raise InputError(f"The settings in {self.model_file} can't be read: {error}") from error

    def environment(self):
        """What the run was trained with: packages, commit, machine; empty if it was not kept.

        Raises:
            InputError: the file is broken.
        """
        return _read_dictionary(self.environment_file) if self.environment_file.is_file() else {}

    def finished(self):
        """How the run ended; empty if it has not.

        Raises:
            InputError: the file is broken.
        """
        return _read_dictionary(self.finished_file) if self.finished_file.is_file() else {}

    def losses(self):
        """`{column: numbers}` of loss.csv, an epoch each; nan where the file has none.

        A line that is being written is left out; before the first epoch ends there are none.

        Raises:
            InputError: the file is broken.
        """
        if not self.loss_log.is_file():
            return {name: [] for name in LOSS_COLUMNS}
        try:
            with open(self.loss_log, encoding="utf-8", newline="") as file:
                rows = csv.DictReader(file)
                _check_columns(rows.fieldnames)
                whole = [row for row in rows if None not in row.values()]
            return {name: [float(row[name] or "nan") for row in whole] for name in LOSS_COLUMNS}
        except (ValueError, csv.Error) as error:
            raise InputError(f"{self.loss_log} can't be read: {error}") from error

    def best_epoch(self):
        """The epoch of the lowest validation loss, `{column of loss.csv: number}`.

        It has its number as a whole one and its "perplexity", too.  Empty if no epoch's loss is a
        finite number.

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
        """`{"greedy test": {"bleu": 52.1, ...}}`: the scores files' numbers, by what was told.

        Fact recall is among them as `facts_own` and `facts_other`, of own and others' photos.

        Raises:
            InputError: a file is broken.
        """
        figures = {}
        for path in sorted(self.path.glob("scores_*_*.json")):
            scores = {k: v for k, v in _read_dictionary(path).items() if isinstance(v, float)}
            figures.setdefault(_what_was_told(path, "scores_"), {}).update(scores)
        for path in sorted(self.path.glob("fact_recall_*_*.json")):
            recall = _read_dictionary(path).get("all", {})
            facts = {f"facts_{whose}": recall[whose] for whose in ("own", "other") if recall}
            figures.setdefault(_what_was_told(path, "fact_recall_"), {}).update(facts)
        return figures

    def vocabulary_size(self):
        """Words, the special ones included, that the run's model knows.

        Raises:
            InputError: the file is broken.
        """
        return len(_read_dictionary(self.vocabulary_file)["idx_to_words"])

    def features(self):
        """Where the image features come from that the run was trained on.

        Raises:
            InputError: the file is broken.
        """
        return _read_dictionary(self.features_file)

    def check_model_file(self):
        """Refuse a model file that was cut short or is something else.

        Raises:
            InputError: it is broken.
        """
        if not _is_keras_archive(self.model_file):
            raise InputError(f"{self.model_file} is broken or no .keras file; train again.")


def _check_columns(found):
    if found is not None and tuple(found) != LOSS_COLUMNS:
        raise InputError(
            f"it has the columns {', '.join(found)}, expected {', '.join(LOSS_COLUMNS)}; "
            "another version of this project wrote it."
        )


def _what_was_told(path, prefix):
    """scores_sample_t0.8_s1_test.json -> "sample_t0.8_s1 test"."""
    decoding, _, split = path.stem.removeprefix(prefix).rpartition("_")
    return f"{decoding} {split}"


def _read_dictionary(path):
    contents = read_json(path)
    if not isinstance(contents, dict):
        raise InputError(f"{path} is broken: expected a dictionary, found {contents!r:.40}.")
    return contents


def _is_keras_archive(path):
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return {"config.json", "model.weights.h5"} <= set(archive.namelist())

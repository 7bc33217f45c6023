"""A run folder: where a trained model lives with all that belongs to it."""

import json
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path

SMOKE_PREFIX = "smoke_"
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
        run = cls(Path(path))
        if not run.path.is_dir():
            raise FileNotFoundError(f"The run folder {path} is missing.")
        for needed in (
            run.experiment_file,
            run.vocabulary_file,
            run.features_file,
            run.model_file,
        ):
            if not needed.is_file():
                raise FileNotFoundError(
                    f"The run folder {path} has no {needed.name}; "
                    "its training did not get that far, or it is no run folder."
                )
        return run

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
        return self.path.name

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
    def loss_log(self):
        return self.path / "loss.csv"

    @property
    def loss_plot(self):
        return self.path / "loss.png"

    @property
    def model_picture(self):
        return self.path / "model.png"

    @property
    def strips(self):
        return self.path / "strips"

    def hypotheses(self, decoding, split):
        """The generated sentences, one a line, in the order of the stories file."""
        return self.path / f"hypotheses_{decoding}_{split}.txt"

    def story_hypotheses(self, decoding, split):
        """The generated stories, one a line."""
        return self.path / f"hypotheses_story_{decoding}_{split}.txt"

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
            ValueError: the file is broken.
        """
        settings = _read_json(self.experiment_file)
        missing = {"name", "model", "data"} - set(settings)
        if missing:
            raise ValueError(f"{self.experiment_file} lacks {', '.join(sorted(missing))}.")
        return settings

    def features(self):
        """Where the image features come from that the run was trained on.

        Raises:
            ValueError: the file is broken.
        """
        return _read_json(self.features_file)

    def load_model(self):
        """The best model of the run.

        Raises:
            ValueError: the file is broken.
        """
        if not _is_keras_archive(self.model_file):
            raise ValueError(f"{self.model_file} is broken or no .keras file; train again.")
        import keras

        from models import model_class

        model_class(self.settings()["model"])  # registers what the file refers to
        return keras.saving.load_model(self.model_file, compile=False)


def _read_json(path):
    try:
        contents = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is broken ({error}); the run can't be read.") from error
    if not isinstance(contents, dict):
        raise ValueError(f"{path} is broken: expected a dictionary, found {contents!r:.40}.")
    return contents


def _is_keras_archive(path):
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return {"config.json", "model.weights.h5"} <= set(archive.namelist())

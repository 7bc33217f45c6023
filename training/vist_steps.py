"""The steps from nothing to scored stories of the paper's models on VIST."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from data_reader.errors import InputError
from data_reader.features_file import feature_attributes
from data_reader.hdf5_files import open_hdf5
from data_reader.layout import ALEXNET_WEIGHTS, REPOSITORY, SPLITS, WORD_VECTORS, DataLayout
from data_reader.sis_datareader import read_stories
from dataset.download.addresses import read_table
from training.command import runs_of
from training.experiments import vist_attention, vist_encoder_decoder, vist_image_grouping

EXPERIMENTS = {
    module.EXPERIMENT.name: module.EXPERIMENT
    for module in (vist_encoder_decoder, vist_attention, vist_image_grouping)
}
GENERATED_SPLITS = ("valid", "test")  # the figures recorded in 2018 are of the validation split
# What takes time, besides training; see `training.vist_estimate`.
FEATURES, PHOTOS, GENERATION = "features", "photos", "generation"
ARCHIVES = ("alexnet", "glove", "arel")
FEATURE_SIZES = {"alexnet": 4096, "arel": 2048}
# Weights of the best and the last epoch, and a checkpoint with those of the optimiser.
_RUN_GIGABYTES = {"vist_encoder_decoder": 0.9, "vist_attention": 1.0, "vist_image_grouping": 1.8}


@dataclass(frozen=True)
class Step:
    """A command and what it needs.

    Attributes:
        command: returns the arguments after `python -m`; it is called when the step's turn comes.
        is_done: returns whether the step can be skipped.
        work: what `training.vist_estimate` measures to tell how long it takes; "" for what takes
            little time.
        amount: of photos, bytes or stories.
        unit: of the amount.
        gigabytes: that it leaves on the disk.
    """

    title: str
    command: Callable[[], list[str]]
    is_done: Callable[[], bool]
    work: str = ""
    amount: int = 0
    unit: str = ""
    gigabytes: float = 0.0


@dataclass(frozen=True)
class Vist:
    """What is to be made, and where.

    Attributes:
        results: the folder of the run folders.
        extractor: "alexnet", for features of photos, or "arel", for AREL's.
        settings: overrides of the experiments, "setting=value".
        addresses: overrides of the table of downloads, "name=URL".
    """

    layout: DataLayout
    results: Path
    extractor: str = "alexnet"
    settings: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()

    def check(self):
        """Refuse what would fail a step.

        Raises:
            InputError: an address or an override is wrong.
        """
        read_table(overrides=self.addresses)
        for setting, instead in (("data", "--data"), ("extractor", "--features")):
            if any(each.startswith(f"{setting}=") for each in self.settings):
                raise InputError(f"--set {setting} is not for this command; give {instead}.")
        for name in EXPERIMENTS:
            self.experiment(name)

    def experiment(self, name):
        return EXPERIMENTS[name].overridden(self.all_settings())

    def all_settings(self):
        """The overrides that data folder and features call for, before those of the user."""
        settings = list(self.settings)
        if self.extractor != "alexnet":
            settings.insert(0, f"extractor={self.extractor}")
        if self.layout.root != REPOSITORY / "dataset":
            settings.insert(0, f"data={self.layout}")
        return settings

    def finished_run(self, name):
        """The finished run of an experiment with these settings, the newest one; None without."""
        return next((run for run in self._runs(name) if run.finished()), None)

    def interrupted_run(self, name):
        """The newest run with these settings that is not finished; None without."""
        return next((run for run in self._runs(name) if not run.finished()), None)

    def _runs(self, name):
        experiment = self.experiment(name)
        settings = experiment.to_dict()
        runs = reversed(runs_of(experiment, self.results))
        return [run for run in runs if run.settings() == settings]

    def has_features(self):
        return all(self.layout.features(split, self.extractor).is_file() for split in SPLITS)

    def has_stories(self, split):
        """Whether a split's stories file is there, with these features and not older than they."""
        stories, features = self.layout.stories(split), self.layout.features(split, self.extractor)
        if not stories.is_file() or stories.stat().st_mtime < features.stat().st_mtime:
            return False
        with open_hdf5(stories, {}) as file:
            return feature_attributes(file).get("extractor") == self.extractor

    def download_step(self, what, title, is_done, work):
        """The step that downloads a file."""
        address = read_table(overrides=self.addresses)[0][work]
        return Step(
            title,
            partial(self.download, what),
            is_done,
            work,
            address.size,
            "bytes",
            (address.unpacked or address.size) / 1e9,
        )

    def download(self, *what):
        """The arguments of the command that downloads something."""
        options = ["--data", str(self.layout), "--yes", *self.address_options()]
        return ["dataset.download", *what, *options]

    def address_options(self):
        return [word for address in self.addresses for word in ("--address", address)]


def annotations_step(vist):
    """The first step; the size of all others depends on what it brings."""
    tiers = ("story-in-sequence", "description-in-isolation")
    files = [vist.layout.annotations(split, tier) for split in SPLITS for tier in tiers]
    return Step(
        "annotations",
        partial(vist.download, "annotations"),
        lambda: all(file.is_file() for file in files),
    )


def all_steps(vist):
    """The steps after the annotations.

    Raises:
        InputError: the annotations can't be read.
    """
    stories = {split: read_stories(vist.layout.annotations(split)) for split in SPLITS}
    photos = sum(
        len({id_ for story in of_split for id_ in story.photo_ids}) for of_split in stories.values()
    )
    counts = {split: len(of_split) for split, of_split in stories.items()}
    features = _arel_steps if vist.extractor == "arel" else _photo_steps
    return [
        *features(vist, photos),
        *_word_vectors_step(vist),
        _reading_step(vist, sum(counts.values())),
        *(_training_step(vist, name, counts["train"]) for name in EXPERIMENTS),
        *(
            _generation_step(vist, name, split, counts[split])
            for name in EXPERIMENTS
            for split in GENERATED_SPLITS
        ),
    ]


def _photo_steps(vist, photos):
    def extraction():
        _refuse_too_few_photos(vist.layout, photos)
        return ["dataset.models.alexnet", "--data", str(vist.layout)]

    to_fetch = 0 if vist.has_features() else _photos_to_fetch(vist.layout)
    return [
        Step(
            "photos",
            partial(vist.download, "photos"),
            vist.has_features,
            PHOTOS if to_fetch else "",
            to_fetch,
            "photos",
            read_table()[1].shorter_size / 1e9 * to_fetch,
        ),
        Step(
            "photos that failed for a time",
            partial(vist.download, "photos"),
            lambda: vist.has_features() or not _photos_to_fetch(vist.layout),
        ),
        vist.download_step("alexnet", "AlexNet's weights", ALEXNET_WEIGHTS.is_file, "alexnet"),
        Step(
            "AlexNet's features",
            extraction,
            vist.has_features,
            FEATURES,
            photos,
            "photos",
            4e-9 * FEATURE_SIZES["alexnet"] * photos,
        ),
    ]


def _refuse_too_few_photos(layout, photos):
    """Refuse to go on without many photos that are not gone for good.

    Raises:
        InputError: more than a tenth of them.
    """
    missing = _photos_to_fetch(layout)
    if missing > photos / 10:
        raise InputError(
            f"{missing:,} of {photos:,} photos could not be fetched yet (see "
            f"{layout.failed_downloads(SPLITS[0])} and those beside it); give the same command "
            "again later, or go on without them: python -m dataset.models.alexnet --data "
            f"{layout}, then the same command."
        )


def _photos_to_fetch(layout):
    """Count the photos that are neither there nor failed for good."""
    from dataset.download.photos import plan_photos  # here, since it imports much

    return sum(len(plan_photos(layout, split).to_fetch) for split in SPLITS)


def _arel_steps(vist, photos):
    archive = vist.layout.arel_features
    reading = ["dataset.image_features", "--from-npy", str(vist.layout.arel_vectors)]
    return [
        vist.download_step(
            "features",
            "AREL's features",
            lambda: vist.has_features() or archive.is_file(),
            "arel",
        ),
        Step(
            "reading AREL's features",
            lambda: [*reading, "--extractor", "arel", "--data", str(vist.layout)],
            vist.has_features,
            gigabytes=4e-9 * FEATURE_SIZES["arel"] * photos,
        ),
    ]


def _word_vectors_step(vist):
    """Yield the download of GloVe if an experiment takes its word vectors from there."""
    names = {vist.experiment(name).word_embeddings for name in EXPERIMENTS}
    if WORD_VECTORS in {REPOSITORY / name for name in names - {None}}:
        yield vist.download_step("glove", "word vectors", WORD_VECTORS.is_file, "glove")


def _reading_step(vist, stories):
    return Step(
        "stories files",
        lambda: ["data_reader", "--extractor", vist.extractor, "--data", str(vist.layout)],
        lambda: vist.has_features() and all(map(vist.has_stories, SPLITS)),
        gigabytes=4e-9 * FEATURE_SIZES[vist.extractor] * 5 * stories,
    )


def _training_step(vist, name, stories):
    begun = vist.interrupted_run(name)
    epochs = vist.experiment(name).epochs - (len(begun.losses()["epoch"]) if begun else 0)

    def command():
        run = vist.interrupted_run(name)
        resume = ["--resume", str(run.path)] if run else []
        settings = vist.all_settings()
        overrides = ["--set", *settings] if settings else []
        return [f"training.experiments.{name}", "--results", str(vist.results), *resume, *overrides]

    return Step(
        f"training {name}",
        command,
        lambda: vist.finished_run(name) is not None,
        name,
        stories * epochs,
        f"stories in {'the remaining' if begun else 'all'} epochs",
        _RUN_GIGABYTES[name],
    )


def _generation_step(vist, name, split, stories):
    def is_done():
        run = vist.finished_run(name)
        return run is not None and run.scores("greedy", split).is_file()

    return Step(
        f"{split} stories of {name}",
        lambda: ["generation", "--run", str(vist.finished_run(name).path), "--split", split],
        is_done,
        GENERATION,
        stories,
        "stories",
    )

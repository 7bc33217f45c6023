"""The files of a data folder.

This module and `run_folder` together are the place that knows paths: `DataLayout` those of a data
folder, `RunFolder` those of a run.
"""

from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
RESULTS = REPOSITORY / "results"
SPLITS = ("train", "valid", "test")

# VIST's own names of the splits, in folders and in file names.
_FOLDERS = {"train": "training_data", "valid": "validate_data", "test": "test_data"}
_NAMES = {"train": "train", "valid": "val", "test": "test"}
_SHORT_TIERS = {"story-in-sequence": "sis", "description-in-isolation": "dii"}


@dataclass(frozen=True)
class DataLayout:
    """The files of one data folder: `dataset/` for VIST, `dataset/sample_data/` for the sample.

    A relative `root` is relative to the repository's root, not to the working directory.
    """

    root: Path

    def __post_init__(self):
        object.__setattr__(self, "root", REPOSITORY / self.root)

    def __str__(self):
        return str(self.root)

    @property
    def vist(self):
        """The folder of photos and annotations."""
        return self.root / "vist_dataset"

    def photos(self, split):
        """The folder that holds a split's photos, at any depth."""
        return self.vist / _FOLDERS[split]

    def annotations(self, split, tier="story-in-sequence"):
        """A split's annotations, beside its photos or in one folder with the other splits'."""
        together = self.downloaded_annotations(split, tier)
        beside_photos = self.photos(split) / together.relative_to(self.vist)
        return together if together.is_file() and not beside_photos.is_file() else beside_photos

    def downloaded_annotations(self, split, tier="story-in-sequence"):
        """Where VIST's archives put a split's annotations: in one folder for all splits."""
        return self.vist / _SHORT_TIERS[tier] / f"{_NAMES[split]}.{tier}.json"

    def downloaded_photos(self, split):
        """The folder into which a split's photos are downloaded."""
        return self.photos(split) / "images"

    def failed_downloads(self, split):
        """The list of the photos that could not be downloaded and why."""
        return self.root / f"failed_downloads_{split}.csv"

    @property
    def facts(self):
        """The sample set's ground truth about its photos; the real VIST has no such file."""
        return self.vist / "facts.json"

    @property
    def word_frequencies(self):
        return self.root / "word_frequencies.json"

    @property
    def vocabulary(self):
        return self.root / "vist2017_vocabulary.json"

    @property
    def means(self):
        """Channel means of the training photos; without the file AlexNet's own means are used."""
        return self.root / "mean.json"

    def features(self, split, extractor="alexnet"):
        """A split's image features."""
        return self.root / "models" / extractor / f"{extractor}_image_{split}_features.hdf5"

    @property
    def arel_features(self):
        """The features that AREL's authors published, as they are downloaded."""
        return self.root / "models" / "resnet_features.zip"

    @property
    def arel_vectors(self):
        """The folder in that zip with a vector per photo; beside it are feature maps."""
        return self.arel_features / "resnet_features" / "fc"

    def skipped_photos(self, split, extractor="alexnet"):
        """The list of the photos that could not be read and why, beside the features."""
        return self.features(split, extractor).with_name(f"skipped_photos_{split}.csv")

    def stories(self, split):
        """A split's stories file: word indices and image features."""
        return self.root / "image_embeddings_to_sentence" / f"stories_to_index_{split}.hdf5"

    def skipped_stories(self, split):
        """The list of the stories that can't be used and why, beside the stories file."""
        return self.stories(split).with_name(f"skipped_stories_{split}.csv")


# Downloads used with every data folder; word vectors of another size are named accordingly.
ALEXNET_WEIGHTS = REPOSITORY / "dataset" / "models" / "alexnet" / "bvlc_alexnet.npy"
WORD_VECTORS = REPOSITORY / "dataset" / "glove.6B.300d.txt"

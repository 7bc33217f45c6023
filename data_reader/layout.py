"""Where every file lives: the one place that knows paths."""

from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
RESULTS = REPOSITORY / "results"
SPLITS = ("train", "valid", "test")

# What VIST itself calls the splits: its folders here, its file names.
_FOLDERS = {"train": "training_data", "valid": "validate_data", "test": "test_data"}
_NAMES = {"train": "train", "valid": "val", "test": "test"}
_SHORT_TIERS = {"story-in-sequence": "sis", "description-in-isolation": "dii"}


@dataclass(frozen=True)
class DataLayout:
    """The files of one data folder: `dataset/` for VIST, `dataset/sample_data/` for the sample.

    A relative `root` is taken from the repository's root, wherever a command is called.
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
        """The folder under which a split's photos lie, at any depth."""
        return self.vist / _FOLDERS[split]

    def annotations(self, split, tier="story-in-sequence"):
        """A split's annotations: beside its photos, or with the other splits' in one folder."""
        name = Path(_SHORT_TIERS[tier]) / f"{_NAMES[split]}.{tier}.json"
        beside_photos, together = self.photos(split) / name, self.vist / name
        return together if together.is_file() and not beside_photos.is_file() else beside_photos

    @property
    def facts(self):
        """The sample set's truth about its photos; the real VIST has no such file."""
        return self.vist / "facts.json"

    @property
    def word_frequencies(self):
        return self.root / "word_frequencies.json"

    @property
    def vocabulary(self):
        return self.root / "vist2017_vocabulary.json"

    @property
    def means(self):
        """Channel means of the training photos; without it, those of AlexNet's own."""
        return self.root / "mean.json"

    def features(self, split, extractor="alexnet"):
        """A split's image features."""
        return self.root / "models" / extractor / f"{extractor}_image_{split}_features.hdf5"

    def skipped_photos(self, split, extractor="alexnet"):
        """The photos without features and why, beside the features."""
        return self.features(split, extractor).with_name(f"skipped_photos_{split}.csv")

    def stories(self, split):
        """A split's stories as word indices and image features."""
        return self.root / "image_embeddings_to_sentence" / f"stories_to_index_{split}.hdf5"

    def skipped_stories(self, split):
        """The stories left out and why, beside the stories."""
        return self.stories(split).with_name(f"skipped_stories_{split}.csv")


# Downloads that serve every data folder; word vectors of another size are named likewise.
ALEXNET_WEIGHTS = REPOSITORY / "dataset" / "models" / "alexnet" / "bvlc_alexnet.npy"
WORD_VECTORS = REPOSITORY / "dataset" / "glove.6B.300d.txt"

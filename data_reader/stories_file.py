"""Opening a stories file, with the checks that belong to it."""

from data_reader.files import open_hdf5

_DATASETS = ("story_ids", "story_sentences", "image_embeddings")


def open_stories(layout, split, vocabulary=None):
    """Open a split's stories file; with a vocabulary, check that the stories were made with it.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is broken or was made with another vocabulary.
    """
    file = open_hdf5(
        layout.stories(split), _DATASETS, made_by=f"python -m data_reader --data {layout}"
    )
    if vocabulary is not None:
        try:
            check_vocabulary(file, vocabulary)
        except ValueError:
            file.close()
            raise
    return file


def check_vocabulary(stories, vocabulary):
    """Refuse stories that were indexed with another vocabulary.

    The original's files do not say which vocabulary they were made with; of them only the
    largest index is checked.

    Raises:
        ValueError: they do not fit; both sides are named.
    """
    size, checksum = stories.attrs.get("vocabulary_size"), stories.attrs.get("vocabulary_checksum")
    if checksum is None:
        size = int(stories["story_sentences"][:].max()) + 1
        fits = size <= len(vocabulary)
    else:
        fits = checksum == vocabulary.checksum
    if not fits:
        raise ValueError(
            f"{stories.filename} was made with a vocabulary of {size} words ({checksum}), but "
            f"what reads it has one of {len(vocabulary)} words ({vocabulary.checksum}); "
            "run python -m data_reader with that vocabulary, or take the data that belongs to it."
        )

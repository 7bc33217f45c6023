"""Writing stories into a stories file, some at a time, so that few are in memory in this form."""

import h5py
import numpy as np
from tqdm import tqdm

from data_reader.vocabulary import ROW_LENGTH

_STORIES_AT_A_TIME = 100
_STRING = h5py.string_dtype("utf-8")
_BYTES_PER_STRING = 72  # besides its letters, or with those of an id
_SPARE = 2**16


def size_of(stories, feature_size):
    """Estimate the bytes that stories take in a file, with a little to spare."""
    photos = sum(len(story.photo_ids) for story in stories)
    letters = sum(len(text) for story in stories for text in story.texts)
    numbers = 4 * (feature_size + 2 * ROW_LENGTH)
    return photos * (numbers + 3 * _BYTES_PER_STRING) + letters + _SPARE


def write_stories(file, stories, encode, descriptions, features_of, path_of):
    """Write the arrays of N stories of I photos, whose features have the size F, into a file.

    Features lie in one piece, so that they can be read by offset.

    Args:
        encode: turns a text into a row of word indices.
        descriptions: `{photo id: text}`; a photo without one gets a row of zeros.
        features_of: returns the features of a photo id, float32 [F].
        path_of: returns the path of a photo id, "" if it has none.
    """
    no_description = np.zeros(ROW_LENGTH, np.int32)

    def encoded_description(id_):
        return encode(descriptions[id_]) if id_ in descriptions else no_description

    contents = {
        "story_ids": (_STRING, lambda story: story.story_id),
        "album_ids": (_STRING, lambda story: story.album_id),
        "texts": (_STRING, lambda story: story.texts),
        "story_sentences": (np.int32, lambda story: _each(encode, story.texts)),
        "descriptions": (np.int32, lambda story: _each(encoded_description, story.photo_ids)),
        "image_ids": (_STRING, lambda story: story.photo_ids),
        "image_paths": (_STRING, lambda story: _each(path_of, story.photo_ids)),
        "image_embeddings": (np.float32, lambda story: _each(features_of, story.photo_ids)),
    }
    for name, (dtype, content_of) in contents.items():
        shape = np.shape(content_of(stories[0]))
        file.create_dataset(name, (len(stories), *shape), dtype)
    with tqdm(total=len(stories), desc="stories", unit="story", disable=None) as bar:
        for start in range(0, len(stories), _STORIES_AT_A_TIME):
            block = stories[start : start + _STORIES_AT_A_TIME]
            for name, (dtype, content_of) in contents.items():
                values = [content_of(story) for story in block]
                in_memory = object if dtype is _STRING else dtype
                file[name][start : start + len(block)] = np.array(values, in_memory)
            bar.update(len(block))


def _each(function, items):
    return [function(item) for item in items]

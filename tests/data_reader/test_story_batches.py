import h5py
import numpy as np
import pytest

from data_reader.errors import InputError
from data_reader.layout import DataLayout
from data_reader.stories_file import (
    check_features,
    features_of,
    open_stories,
    read_image_paths,
    read_story_ids,
)
from data_reader.story_batches import StoryBatches, feature_statistics, log_word_frequencies
from data_reader.vocabulary import Vocabulary

VOCABULARY = Vocabulary(("<NULL>", "<START>", "<END>", "<UNK>", "dog"))


def write_stories(layout, stories=5, vocabulary=VOCABULARY):
    """Story n has the features n, n + 0.1, ... n + 0.4 and n times the word dog."""
    path = layout.stories("train")
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        file["story_ids"] = np.arange(stories)
        features = np.arange(stories)[:, None] + np.arange(5) / 10
        file["image_embeddings"] = features[..., None].astype(np.float32)
        rows = [[vocabulary.encode("dog " * n)] * 5 for n in range(stories)]
        file["story_sentences"] = np.array(rows, np.int32)
        if vocabulary is not None:
            file.attrs["vocabulary_size"] = len(vocabulary)
            file.attrs["vocabulary_checksum"] = vocabulary.checksum
    return path


@pytest.fixture
def layout(tmp_path):
    layout = DataLayout(tmp_path)
    write_stories(layout)
    return layout


def test_a_batch_holds_whole_stories(layout):
    with open_stories(layout, "train") as stories:
        batches = StoryBatches(stories, stories_per_batch=2)
        assert len(batches) == 3
        inputs, sentences = batches[1]
        np.testing.assert_allclose(
            inputs["image_features"][..., 0],
            [[2, 2.1, 2.2, 2.3, 2.4], [3, 3.1, 3.2, 3.3, 3.4]],
            rtol=1e-6,
        )
        assert sentences.dtype == np.int32
        assert sentences[0, 0].tolist() == [1, 4, 4, 2] + [0] * 18
        assert inputs["sentences"] is sentences


def test_the_last_batch_is_smaller_and_never_empty(layout):
    with open_stories(layout, "train") as stories:
        assert [len(StoryBatches(stories, 2)[i][1]) for i in range(3)] == [2, 2, 1]
        assert len(StoryBatches(stories, 5)) == 1


def test_workers_share_a_batch_and_know_the_share_of_their_words(layout):
    with open_stories(layout, "train") as stories:
        batches = StoryBatches(stories, stories_per_batch=5)
        parts = [batches.part(0, worker, workers=2) for worker in (0, 1)]
    whose = [inputs["image_features"][:, 0, 0].tolist() for inputs, _, _ in parts]
    assert whose == [[0, 1], [2, 3, 4]]
    # Story n has n + 2 words of which the first, <START>, is none to be generated; 5 sentences.
    assert [words for _, _, words in parts] == [5 * (1 + 2 + 3 + 4 + 5)] * 2
    np.testing.assert_allclose([share for _, share, _ in parts], [3 / 15, 12 / 15], rtol=1e-6)


def test_a_worker_for_whom_no_story_is_left_counts_nothing(layout):
    with open_stories(layout, "train") as stories:
        # The last batch of an epoch has one story.
        parts = [StoryBatches(stories, 4).part(1, worker, workers=3) for worker in range(3)]
    assert [len(inputs["sentences"]) for inputs, _, _ in parts] == [1, 1, 1]
    assert [float(share) for _, share, _ in parts] == [0, 0, 1]


def seen_in(batches):
    return [
        int(story)
        for i in range(len(batches))
        for story in batches[i][0]["image_features"][:, 0, 0]
    ]


def test_each_epoch_has_an_order_of_its_own_that_the_seed_determines(layout):
    with open_stories(layout, "train") as stories:
        batches, orders = StoryBatches(stories, 1, seed=3), []
        for epoch in (0, 1, 2, 1):
            batches.begin_epoch(epoch)
            orders.append(seen_in(batches))
    assert [sorted(order) for order in orders] == [[0, 1, 2, 3, 4]] * 4
    assert orders[1] == orders[3]
    assert len({tuple(order) for order in orders}) == 3


def test_fit_goes_through_the_same_orders(layout):
    with open_stories(layout, "train") as stories:
        batches, other = StoryBatches(stories, 1, seed=3), StoryBatches(stories, 1, seed=3)
        other.begin_epoch(1)
        batches.on_epoch_end()
        assert seen_in(batches) == seen_in(other)


def test_statistics_are_those_of_all_photos(layout):
    with open_stories(layout, "train") as stories:
        features = stories["image_embeddings"][:].reshape(-1, 1)
        mean, deviation = feature_statistics(stories, stories_at_a_time=2)
    np.testing.assert_allclose(mean, features.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(deviation, features.std(axis=0), rtol=1e-5)


def test_frequencies_are_those_of_the_next_words(layout):
    with open_stories(layout, "train") as stories:
        logarithms = log_word_frequencies(stories, len(VOCABULARY))
    # 5 stories of 5 sentences: 25 times <END>, 5 x (0 + 1 + 2 + 3 + 4) times dog, each one more.
    np.testing.assert_allclose(80 * np.exp(logarithms), [1, 1, 26, 1, 51], rtol=1e-5)


def test_stories_of_another_vocabulary_are_refused(layout):
    other = Vocabulary((*VOCABULARY.words[:4], "cat"))
    with pytest.raises(
        InputError, match=r"vocabulary of 5 words \(\w+\), but .* in use has 5 words"
    ):
        open_stories(layout, "train", other)
    open_stories(layout, "train", VOCABULARY).close()


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (
            {"story_sentences": np.zeros((5, 5, 15), np.int32)},
            r"has story_sentences of shape \[5, 5, 15\], expected \[5, 5, 22\]",
        ),
        (
            {"story_sentences": np.zeros((5, 5, 22))},
            "has story_sentences of type float64, expected whole numbers",
        ),
        (
            {"story_ids": np.arange(4)},
            r"has story_sentences of shape \[5, 5, 22\], expected \[4, 5, 22\]",
        ),
        (
            {"image_embeddings": np.zeros((5, 4, 3))},
            r"has image_embeddings of shape \[5, 4, 3\], expected \[5, 5, 3\]",
        ),
        (
            {"album_ids": ["a"] * 4},
            r"has album_ids of shape \[4\], expected \[5\]",
        ),
        (
            {
                "story_ids": np.arange(0),
                "story_sentences": np.zeros((0, 5, 22), int),
                "image_embeddings": np.zeros((0, 5, 3)),
            },
            r"has story_ids of shape \[0\], which holds nothing",
        ),
    ],
)
def test_a_stories_file_of_other_arrays_is_refused(layout, arrays, message):
    with h5py.File(layout.stories("train"), "r+") as file:
        for name, values in arrays.items():
            if name in file:
                del file[name]
            file[name] = values
    also = ["album_ids"] if "album_ids" in arrays else []
    command = f"make it again with: python -m data_reader --data {layout}"
    with pytest.raises(InputError, match=rf"_train\.hdf5 {message}; {command}"):
        open_stories(layout, "train", VOCABULARY, also)


@pytest.mark.parametrize(
    ("row", "flaw"),
    [
        ([0] * 22, "does not begin with <START>"),
        ([4, 4, 2] + [0] * 19, "does not begin with <START>"),
        ([1] + [0] * 21, "is empty"),
        ([1, 4, 0, 4, 2] + [0] * 17, "goes on after <NULL>"),
        ([1, 5, 2] + [0] * 19, "has an index outside of its vocabulary of 5 words"),
        ([1, -1, 2] + [0] * 19, "has an index outside of its vocabulary of 5 words"),
    ],
)
def test_a_sentence_that_is_no_row_of_words_is_refused(layout, row, flaw):
    with h5py.File(layout.stories("train"), "r+") as file:
        file["story_sentences"][3, 1] = row
    for vocabulary in (VOCABULARY, None):
        with pytest.raises(InputError, match=f"sentence 2 of its story 4 {flaw}; make it again"):
            open_stories(layout, "train", vocabulary)


@pytest.mark.parametrize("path", ["/etc/passwd", "../../etc/passwd", "photos/../../x.jpg"])
def test_the_path_of_a_photo_does_not_lead_out_of_the_data_folder(layout, path):
    with h5py.File(layout.stories("train"), "r+") as file:
        file["image_paths"] = [["photos/1.jpg"] * 4 + [path]] * 5
    with (
        open_stories(layout, "train", also=["image_paths"]) as stories,
        pytest.raises(InputError, match="leads out of the data folder"),
    ):
        read_image_paths(stories)


def test_ids_that_are_whole_numbers_are_read_where_the_original_has_them(layout):
    with h5py.File(layout.stories("train"), "r+") as file:
        file["album_ids"] = np.arange(5)
    with open_stories(layout, "train") as stories:
        assert read_story_ids(stories) == ["0", "1", "2", "3", "4"]
    with pytest.raises(InputError, match="has album_ids of type int64, expected strings"):
        open_stories(layout, "train", also=["album_ids"])


def test_features_that_are_no_numbers_are_named_by_their_photo(layout):
    with h5py.File(layout.stories("train"), "r+") as file:
        del file["image_embeddings"]
        file["image_embeddings"] = np.ones((5, 5, 1))  # float64
        file["image_embeddings"][3, 2] = 1e39  # infinite in float32
    with open_stories(layout, "train") as stories:
        batches = StoryBatches(stories, 2)
        assert batches[0][0]["image_features"].dtype == np.float32
        for read in (lambda: batches[1], lambda: feature_statistics(stories)):
            with pytest.raises(InputError, match="photo 3 of story 3 are nan, infinite or too"):
                read()


def test_the_original_s_files_are_checked_by_their_largest_index(layout):
    with h5py.File(layout.stories("train"), "r+") as file:
        for name in list(file.attrs):
            del file.attrs[name]
        del file["image_embeddings"]
        file["image_embeddings"] = np.zeros((5, 5, 1))  # float64, as the original wrote them
    with open_stories(layout, "train", VOCABULARY) as stories:
        assert StoryBatches(stories, 5)[0][0]["image_features"].dtype == np.float32
    small = Vocabulary(VOCABULARY.words[:4])
    with pytest.raises(InputError, match=r"vocabulary of at least 5 words, .* in use has 4"):
        open_stories(layout, "train", small)


def test_other_features_are_refused_and_unknown_ones_accepted(layout):
    with h5py.File(layout.stories("train"), "r+") as file:
        file.attrs["extractor"] = "alexnet"
        file.attrs["channel_means"] = (1.0, 2.0, 3.0)
    with open_stories(layout, "train") as stories:
        known = features_of(stories)
        assert known == {
            "extractor": "alexnet",
            "channel_means": [1.0, 2.0, 3.0],
            "precision": "float32",
            "feature_size": 1,
        }
        check_features(stories, known)
        check_features(stories, {**known, "weights_checksum": "unknown to the file"})
        with pytest.raises(InputError, match="extractor alexnet, not resnet50"):
            check_features(stories, {"extractor": "resnet50"})
        with pytest.raises(InputError, match="precision float32, not bfloat16"):
            check_features(stories, {"precision": "bfloat16"})
        with pytest.raises(InputError, match="feature_size 1, not 4096"):
            check_features(stories, {"feature_size": 4096})

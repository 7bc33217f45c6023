"""Three invented stories, from VIST's own files to the stories file."""

import csv
import json
import os
import re
import subprocess
import sys

import h5py
import numpy as np
import pytest

from data_reader.__main__ import main
from data_reader.errors import InputError
from data_reader.files import exclusive_lock
from data_reader.layout import DataLayout
from data_reader.sis_datareader import (
    index_stories,
    make_vocabulary,
    read_descriptions,
    read_stories,
)
from data_reader.stories_file import open_stories, photos_per_story, read_story_ids
from data_reader.vocabulary import Vocabulary

PHOTOS = [str(number) for number in range(100, 107)]


def sentence(story, order, photo, text):
    return [
        {
            "story_id": story,
            "album_id": f"7{story}",
            "photo_flickr_id": photo,
            "worker_arranged_photo_order": order,
            "text": text,
        }
    ]


# Story 11 stands out of order and among others; 12 uses a photo without features (106);
# 13 uses one without description (105).
STORIES = [
    sentence("11", 1, "101", "they had a dog ."),
    sentence("11", 0, "100", "the family went out ."),
    *[sentence("12", i, photo, "a dog .") for i, photo in enumerate(PHOTOS[2:])],
    sentence("11", 4, "104", "the end ."),
    sentence("11", 3, "103", "the dog ran ."),
    sentence("11", 2, "102", "café ."),
    *[sentence("13", i, photo, "the dog .") for i, photo in enumerate(PHOTOS[1:6])],
]


def write_split(layout, split, stories=STORIES, described=PHOTOS[:5], **info):
    descriptions = [[{"photo_flickr_id": p, "text": f"dog {p}"}] for p in described]
    for tier, annotations in (
        ("story-in-sequence", stories),
        ("description-in-isolation", descriptions),
    ):
        path = layout.annotations(split, tier)
        path.parent.mkdir(parents=True, exist_ok=True)
        contents = {"info": {"year": 2016, **info}, "annotations": annotations}
        path.write_text(json.dumps(contents), encoding="utf-8")


def write_features(layout, split, photos=PHOTOS[:6]):
    path = layout.features(split)
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        file["embeddings"] = np.float32([[int(p), int(p) + 0.5] for p in photos])
        file.create_dataset("image_ids", data=photos, dtype=h5py.string_dtype())
        file.attrs["extractor"] = "alexnet"
        file.attrs["weights_checksum"] = "seeded-1"
        file.attrs["precision"] = "bfloat16"


@pytest.fixture
def layout(tmp_path):
    layout = DataLayout(tmp_path)
    write_split(layout, "train")
    write_features(layout, "train")
    return layout


def test_stories_are_grouped_by_id_and_sorted_by_order(layout):
    first, second, third = read_stories(layout.annotations("train"))
    assert first.story_id == "11"
    assert first.album_id == "711"
    assert first.photo_ids == ("100", "101", "102", "103", "104")
    assert first.texts[:2] == ("the family went out .", "they had a dog .")
    assert second.photo_ids == ("102", "103", "104", "105", "106")
    assert third.story_id == "13"


def test_a_photo_s_last_description_is_used(tmp_path):
    path = tmp_path / "dii.json"
    rows = [[{"photo_flickr_id": "1", "text": t}] for t in ("old", "new")]
    path.write_text(json.dumps({"annotations": rows}))
    assert read_descriptions(path) == {"1": "new"}


def test_a_stories_file_by_value(layout):
    vocabulary = Vocabulary(("<NULL>", "<START>", "<END>", "<UNK>", "the", "dog", "."))
    report = index_stories(layout, "train", vocabulary)
    assert report.kept == 1
    assert report.skipped == {"a photo has no features": 1, "a photo has no description": 1}
    assert (report.coverage.tokens, report.coverage.unknown_tokens) == (49, 14)
    with h5py.File(layout.stories("train")) as file:
        assert file["story_ids"][:].tolist() == [b"11"]
        assert [id_.decode() for id_ in file["album_ids"][:]] == ["711"]
        assert [id_.decode() for id_ in file["image_ids"][0]] == PHOTOS[:5]
        assert file["story_sentences"].dtype == np.int32
        assert file["story_sentences"].shape == (1, 5, 22)
        assert file["story_sentences"][0, :, :7].tolist() == [
            [1, 4, 3, 3, 3, 6, 2],
            [1, 3, 3, 3, 5, 6, 2],
            [1, 3, 6, 2, 0, 0, 0],
            [1, 4, 5, 3, 6, 2, 0],
            [1, 4, 3, 6, 2, 0, 0],
        ]
        assert file["descriptions"][0, 4, :5].tolist() == [1, 5, 3, 2, 0]
        assert file["image_embeddings"].dtype == np.float32
        assert file["image_embeddings"].chunks is None
        assert file["image_embeddings"][0].tolist() == [[i, i + 0.5] for i in range(100, 105)]
        assert file["texts"][0, 2].decode() == "café ."
        assert file.attrs["extractor"] == "alexnet"
        assert file.attrs["precision"] == "bfloat16"
        assert file.attrs["vocabulary_size"] == 7


@pytest.mark.parametrize("id_", ["my trip/1 ä", "-1", "007", "9" * 300, ""])
def test_the_file_states_the_number_of_photos_per_story_and_ids_are_any_text(layout, id_):
    two = [sentence(id_, place, PHOTOS[place], "dog .") for place in (1, 0)]
    three = [sentence("3", place, PHOTOS[place], "dog .") for place in range(3)]
    write_split(layout, "train", two + three, photos_per_story=2)
    report = index_stories(layout, "train", make_vocabulary(layout))
    assert (report.kept, report.skipped) == (1, {"3 photos instead of 2": 1})
    with open_stories(layout, "train") as file:
        assert read_story_ids(file) == [id_]
        assert photos_per_story(file) == 2
        assert file["image_embeddings"][:].tolist() == [[[100, 100.5], [101, 101.5]]]
        assert file["descriptions"].shape == (1, 2, 22)


def test_an_id_of_five_thousand_digits_is_any_text_and_as_a_number_refused_in_one_line(layout):
    long = "9" * 5000
    write_split(layout, "train", [sentence(long, i, p, "dog .") for i, p in enumerate(PHOTOS[:5])])
    index_stories(layout, "train", make_vocabulary(layout))
    with open_stories(layout, "train") as file:
        assert read_story_ids(file) == [long]
    path = layout.annotations("train")
    path.write_text(path.read_text().replace(f'"{long}"', long))
    with pytest.raises(InputError, match=r"sequence\.json is cut short or not JSON \(Exceeds"):
        read_stories(path)


def test_a_data_folder_whose_name_is_not_utf_8_is_read(tmp_path):
    layout = DataLayout(tmp_path / os.fsdecode(b"caf\xe9"))
    write_split(layout, "train")
    write_features(layout, "train")
    index_stories(layout, "train", make_vocabulary(layout))
    with open_stories(layout, "train", make_vocabulary(layout)) as file:
        assert photos_per_story(file) == 5


def test_features_that_are_no_numbers_are_named_by_their_photo(layout):
    with h5py.File(layout.features("train"), "r+") as file:
        file["embeddings"][3, 1] = np.inf
    with pytest.raises(InputError, match=r"features\.hdf5: the features of photo 103 are nan"):
        index_stories(layout, "train", make_vocabulary(layout))
    assert not layout.stories("train").exists()


def test_a_limit_of_the_size_of_files_is_said_in_one_line(layout):
    code = f"""
import resource
from data_reader.cli import run_command
from data_reader.layout import DataLayout
from data_reader.sis_datareader import index_stories, make_vocabulary
layout = DataLayout({str(layout)!r})
vocabulary = make_vocabulary(layout)
resource.setrlimit(resource.RLIMIT_FSIZE, (6000, 6000))
run_command(lambda: index_stories(layout, "train", vocabulary))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=100
    )
    assert done.returncode == 2
    assert re.fullmatch(
        r"error: .*stories_to_index_train\.hdf5 can't be written: File too large .*\n", done.stderr
    )
    assert os.listdir(layout.stories("train").parent) == ["skipped_stories_train.csv"]


@pytest.mark.parametrize("wrong", [0, -1, "4", True, 4.0, None])
def test_a_number_of_photos_per_story_that_is_none_is_refused(layout, wrong):
    write_split(layout, "train", photos_per_story=wrong)
    message = f"train.story-in-sequence.json: photos_per_story in 'info' is {wrong!r}; it must be"
    with pytest.raises(InputError, match=message):
        read_stories(layout.annotations("train"))


def test_skipped_stories_are_listed(layout):
    index_stories(layout, "train", make_vocabulary(layout))
    with layout.skipped_stories("train").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows == [
        ["id", "reason", "path"],
        ["12", "a photo has no features", ""],
        ["13", "a photo has no description", ""],
    ]


def test_stories_without_descriptions_can_be_kept(layout):
    layout.annotations("train", "description-in-isolation").unlink()
    with pytest.raises(FileNotFoundError, match="description-in-isolation"):
        index_stories(layout, "train", make_vocabulary(layout))
    report = index_stories(layout, "train", make_vocabulary(layout), descriptions_needed=False)
    assert report.kept == 2
    with h5py.File(layout.stories("train")) as file:
        assert not file["descriptions"][:].any()


@pytest.mark.parametrize(
    ("stories", "reason"),
    [
        (
            [s for s in STORIES if s[0]["story_id"] == "11"][:4],
            r"4 photos instead of 5 \(1 of 1\).* state it: see docs/data\.md",
        ),
        ([sentence("1", i // 2, p, ".") for i, p in enumerate(PHOTOS[:5])], "the same place"),
        ([sentence("\udc80", i, p, ".") for i, p in enumerate(PHOTOS[:5])], "can't be stored"),
        ([sentence("1", i, p, "a\0b") for i, p in enumerate(PHOTOS[:5])], "can't be stored"),
        ([sentence("1", i, p, "\ud83d") for i, p in enumerate(PHOTOS[:5])], "can't be stored"),
    ],
)
def test_a_split_without_a_usable_story_is_refused(layout, stories, reason):
    write_split(layout, "train", stories)
    vocabulary = Vocabulary(("<NULL>", "<START>", "<END>", "<UNK>"))
    with pytest.raises(InputError, match=f"No story of the train split can be used: .*{reason}"):
        index_stories(layout, "train", vocabulary)
    assert not layout.stories("train").exists()


def test_features_of_other_shapes_are_refused(layout):
    with h5py.File(layout.features("train"), "r+") as file:
        del file["embeddings"]
        file["embeddings"] = np.zeros((5, 2))
    command = "python -m dataset.image_features --extractor alexnet"
    message = rf"hdf5 has image_ids of shape \[6\], expected \[5\]; make it again with: {command}"
    with pytest.raises(InputError, match=message):
        index_stories(layout, "train", make_vocabulary(layout))


def test_the_paths_of_the_photos_are_relative_to_the_data_folder(layout):
    photo = layout.photos("train") / "images" / "100.jpg"
    photo.parent.mkdir(parents=True)
    photo.write_bytes(b"only its name matters here")
    index_stories(layout, "train", make_vocabulary(layout))
    with h5py.File(layout.stories("train")) as file:
        paths = [path.decode() for path in file["image_paths"][0]]
    assert paths == ["vist_dataset/training_data/images/100.jpg", "", "", "", ""]


def test_the_vocabulary_is_made_from_the_training_stories_and_then_read(layout):
    vocabulary = make_vocabulary(layout)
    assert vocabulary.words[4:7] == (".", "dog", "the")
    frequencies = json.loads(layout.word_frequencies.read_text(encoding="utf-8"))
    assert frequencies[:3] == [[".", 15], ["dog", 12], ["the", 8]]
    write_split(layout, "train", [sentence("1", 0, "100", "new words")])
    assert make_vocabulary(layout) == vocabulary
    assert make_vocabulary(layout, rebuild=True).words[4:] == ("new", "words")


def test_existing_word_frequencies_are_cut_to_a_vocabulary(layout):
    layout.word_frequencies.write_text('[["b", 3], ["a", 2], ["c", 2]]')
    assert make_vocabulary(layout, size=2).words[4:] == ("b", "a")


def run_reader(layout, monkeypatch, *options):
    monkeypatch.setattr(sys, "argv", ["data_reader", "--data", str(layout), *options])
    main()


def test_a_data_folder_is_read_by_one_process_at_a_time(layout, monkeypatch):
    with (
        exclusive_lock(layout.stories("train").parent),
        pytest.raises(InputError, match=r"Another process is writing stories files in .*; wait"),
    ):
        run_reader(layout, monkeypatch)
    assert not layout.vocabulary.exists()
    with (
        exclusive_lock(layout.vist),
        pytest.raises(InputError, match=r"Stories are being imported into .*; wait"),
    ):
        run_reader(layout, monkeypatch)
    run_reader(layout, monkeypatch)
    assert layout.stories("train").exists()


@pytest.mark.parametrize(
    ("info", "message"),
    [
        ({"imported_from": "s.csv"}, "imported from s.csv have no descriptions.*--no-descriptions"),
        ({}, "python -m dataset.download annotations --data {}; or keep .*--no-descriptions"),
    ],
)
def test_missing_descriptions_are_told_before_anything_is_written(
    layout, monkeypatch, info, message
):
    write_split(layout, "train", **info)
    layout.annotations("train", "description-in-isolation").unlink()
    with pytest.raises(FileNotFoundError, match=message.format(layout)):
        run_reader(layout, monkeypatch)
    assert not layout.vocabulary.exists() and not layout.word_frequencies.exists()
    run_reader(layout, monkeypatch, "--no-descriptions")
    assert layout.stories("train").is_file()


def test_missing_features_are_to_be_extracted_or_imported(layout, monkeypatch):
    command = f"python -m dataset.image_features --extractor own --data {layout}"
    with pytest.raises(FileNotFoundError, match=f"{command}; or .*: {command} --from-npy PATH$"):
        run_reader(layout, monkeypatch, "--extractor", "own")
    assert not layout.vocabulary.exists()


@pytest.mark.parametrize(
    "contents",
    [
        *('[["a", 1], ["b", 2]]', '{"a": 1}', "{}", '[["a"]]', "[1]"),
        *('[["a", 2], ["a", 1]]', '[["a", 3], ["b", -1]]', '[["a", true]]', '[["a b", 2]]'),
    ],
)
def test_a_file_that_does_not_hold_word_frequencies_is_refused(layout, contents):
    layout.word_frequencies.write_text(contents)
    with pytest.raises(InputError, match=r"word_frequencies\.json .*delete it"):
        make_vocabulary(layout)
    assert not layout.vocabulary.exists()


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        ({"images": []}, "not a VIST annotation file"),
        ({"annotations": []}, "holds no stories"),
        ({"annotations": 5}, "not a list of lists"),
        ({"annotations": [{"story_id": "1"}]}, "not a list of lists"),
        ({"annotations": [[{"story_id": "1"}]]}, "lacks the field 'worker_arranged_photo_order'"),
        ({"annotations": [["text"]]}, "lacks the field 'story_id'"),
        ({"annotations": [sentence(1, 0, "100", ".")]}, "'story_id' is 1, expected str"),
        ({"annotations": [sentence("1", "0", "100", ".")]}, "order' is '0', expected int"),
        ({"annotations": [sentence("1", 0, "100", None)]}, "'text' is None, expected str"),
    ],
)
def test_another_kind_of_json_is_refused(tmp_path, contents, message):
    path = tmp_path / "sis.json"
    path.write_text(json.dumps(contents))
    with pytest.raises(InputError, match=message):
        read_stories(path)

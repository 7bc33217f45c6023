"""The sample set as files, read back by the code that reads VIST."""

import json
import threading
import time
from multiprocessing import active_children

import cv2
import pytest

from data_reader.errors import InputError
from data_reader.image_data_reader import find_photos, read_photo
from data_reader.layout import DataLayout
from data_reader.sis_datareader import read_descriptions, read_stories
from dataset.sample.sample_set import make_sample_set

SIS_FIELDS = {
    "original_text",
    "album_id",
    "photo_flickr_id",
    "setting",
    "worker_id",
    "story_id",
    "tier",
    "worker_arranged_photo_order",
    "text",
    "storylet_id",
}


@pytest.fixture(scope="module")
def layout(tmp_path_factory):
    layout = DataLayout(tmp_path_factory.mktemp("sample"))
    make_sample_set(layout, (3, 1, 2), seed=3)
    return layout


def test_annotations_have_vist_s_fields(layout):
    contents = json.loads(layout.annotations("valid").read_text(encoding="utf-8"))
    assert set(contents) == {"info", "type", "albums", "images", "annotations"}
    assert len(contents["annotations"]) == 25
    assert all(len(entry) == 1 for entry in contents["annotations"])
    annotation = contents["annotations"][0][0]
    assert set(annotation) == SIS_FIELDS
    assert annotation["worker_arranged_photo_order"] == 0
    assert all(isinstance(annotation[f], str) for f in SIS_FIELDS - {"worker_arranged_photo_order"})
    path = layout.annotations("valid", "description-in-isolation")
    description = json.loads(path.read_text(encoding="utf-8"))["annotations"][0][0]
    assert set(description) == SIS_FIELDS - {
        "story_id",
        "storylet_id",
        "worker_arranged_photo_order",
    } | {"photo_order_in_story"}


def test_every_story_s_photos_are_there(layout):
    stories = read_stories(layout.annotations("test"))
    photos = find_photos(layout.photos("test"))
    assert len(stories) == 10
    assert len(photos) == 20
    for story in stories:
        assert set(story.photo_ids) <= set(photos)
        assert all(read_photo(photos[id_]).shape[2] == 3 for id_ in story.photo_ids)


def test_ids_are_unique_over_the_splits(layout):
    stories = [
        s for split in ("train", "valid", "test") for s in read_stories(layout.annotations(split))
    ]
    assert len({story.story_id for story in stories}) == len(stories) == 30
    assert len({story.album_id for story in stories}) == 6


def test_facts_are_recorded_for_every_photo(layout):
    facts = json.loads(layout.facts.read_text(encoding="utf-8"))
    assert len(facts["albums"]) == 6
    for story in read_stories(layout.annotations("test")):
        album = facts["albums"][story.album_id]
        assert set(story.photo_ids) <= set(album["photos"])
        assert album["weather"] in story.texts[0]


def test_some_things_are_broken_on_purpose(layout):
    photos = find_photos(layout.photos("train"))
    assert len(photos) == 29
    unreadable = []
    for path in photos.values():
        try:
            read_photo(path)
        except InputError:
            unreadable.append(path)
    assert len(unreadable) == 1
    assert sum(path.endswith(".gif") for path in photos.values()) == 1
    grey = [p for p in photos.values() if _is_greyscale(p)]
    assert len(grey) == 1
    described = read_descriptions(layout.annotations("train", "description-in-isolation"))
    assert len(described) == 29


def _is_greyscale(path):
    photo = cv2.imread(path, cv2.IMREAD_UNCHANGED)
    return photo is not None and photo.ndim == 2


def test_the_same_seed_gives_the_same_set(layout, tmp_path):
    again = DataLayout(tmp_path)
    make_sample_set(again, (3, 1, 2), seed=3)
    files = sorted(p.relative_to(layout.root) for p in layout.root.rglob("*") if p.is_file())
    assert files == sorted(p.relative_to(tmp_path) for p in tmp_path.rglob("*") if p.is_file())
    for file in files:
        assert (layout.root / file).read_bytes() == (tmp_path / file).read_bytes()


def test_an_existing_set_is_kept_and_another_one_refused(layout, capsys):
    make_sample_set(layout, (3, 1, 2), seed=3)
    assert "exists already" in capsys.readouterr().out
    with pytest.raises(InputError, match="remove it first"):
        make_sample_set(layout, (3, 1, 2), seed=4)


def test_the_killed_process_of_a_few_is_noticed(tmp_path):
    def kill_one():
        while not list(tmp_path.rglob("*.jpg")):
            time.sleep(0.01)
        active_children()[0].kill()

    killer = threading.Thread(target=kill_one)
    killer.start()
    with pytest.raises(OSError, match="A process that draws photos was killed"):
        make_sample_set(DataLayout(tmp_path), (90, 1, 1))
    killer.join()
    assert list(tmp_path.iterdir()) == []


def test_the_real_vist_is_never_overwritten(tmp_path):
    (tmp_path / "vist_dataset").mkdir()
    with pytest.raises(InputError, match="something other than a sample set"):
        make_sample_set(DataLayout(tmp_path), (3, 1, 1))


def test_too_few_albums_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"at least 3 training albums .* not 1 1 1"):
        make_sample_set(DataLayout(tmp_path), (1, 1, 1))

"""Albums and splits of stories that come without them."""

import pytest

from data_reader.layout import SPLITS
from dataset.own_stories.reading import OwnStory
from dataset.own_stories.splits import assign_albums_and_splits


def own(photos, album="", split="", number=0):
    return OwnStory(number, f"s{number}", album, split, tuple(photos), ())


def test_stories_that_share_a_photo_share_album_and_split():
    stories = [own(p, number=n) for n, p in enumerate(["ab", "cd", "ef", "gh", "bc", "ij"])]
    albums, splits = assign_albums_and_splits(stories, seed=7)
    assert albums == ["s0", "s0", "s2", "s3", "s0", "s5"]
    assert splits[0] == splits[1] == splits[4]
    assert sorted(splits[number] for number in (0, 2, 3, 5)) == ["test", "train", "train", "valid"]


def test_a_story_without_album_or_split_joins_those_that_it_shares_a_photo_with():
    stories = [own("ab"), own("bc", "x", "test"), own("de", "x"), own("f", split="valid")]
    assert assign_albums_and_splits(stories, seed=7) == (
        ["x", "x", "x", "s0"],
        ["test", "test", "test", "valid"],
    )


def test_a_new_album_has_no_album_s_id():
    stories = [own("a", number=0), own("b", "s0", number=1)]
    assert assign_albums_and_splits(stories, seed=7)[0] == ["s0_", "s0"]


@pytest.mark.parametrize(
    ("albums", "sizes"),
    [(1, [1, 0, 0]), (2, [1, 1, 0]), (3, [1, 1, 1]), (14, [12, 1, 1]), (100, [80, 10, 10])],
)
def test_albums_are_split_80_10_10(albums, sizes):
    stories = [own([str(number)]) for number in range(albums)]
    splits = assign_albums_and_splits(stories, seed=1)[1]
    assert [splits.count(split) for split in SPLITS] == sizes
    assert assign_albums_and_splits(stories, seed=1)[1] == splits
    if albums == 100:
        assert assign_albums_and_splits(stories, seed=2)[1] != splits

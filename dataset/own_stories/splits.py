"""Albums and splits of stories: stories that share a photo are in the same split."""

from collections import Counter, defaultdict

import numpy as np

from data_reader.layout import SPLITS

_HELD_OUT = 0.1  # of the albums, for validation and for testing each


def assign_albums_and_splits(stories, seed):
    """Return the album and the split of each story -> (album ids, splits).

    Stories that share a photo or an album form a group.  A story without an album gets the first
    one of its group, or a new one.  A story without a split gets that of its group, and groups
    without any are split 80/10/10 at random; of three and more, each split gets at least one.
    """
    groups = group_stories(stories)
    return _albums(stories, groups), _splits(stories, groups, seed)


def group_stories(stories):
    """Return for each story the number of the first story of its group."""
    parents = list(range(len(stories)))

    def first(number):
        while parents[number] != number:
            parents[number] = parents[parents[number]]
            number = parents[number]
        return number

    first_with = {}
    for number, story in enumerate(stories):
        shared = [("photo", photo) for photo in story.photos]
        shared += [("album", story.album_id)] if story.album_id else []
        for thing in shared:
            earlier, later = sorted((first(first_with.setdefault(thing, number)), first(number)))
            parents[later] = earlier
    return [first(number) for number in range(len(stories))]


def _albums(stories, groups):
    given = {story.album_id for story in stories}
    of_groups = {}
    for story, group in zip(stories, groups, strict=True):
        if story.album_id:
            of_groups.setdefault(group, story.album_id)
    for group in sorted(set(groups) - of_groups.keys()):
        album = stories[group].story_id
        while album in given:  # by chance, an album of other stories
            album += "_"
        of_groups[group] = album
        given.add(album)
    return [story.album_id or of_groups[g] for story, g in zip(stories, groups, strict=True)]


def _splits(stories, groups, seed):
    given = defaultdict(set)
    for story, group in zip(stories, groups, strict=True):
        if story.split:
            given[group].add(story.split)
    # Of several splits the first one; `count_shared` tells of them.
    of_groups = {group: min(splits, key=SPLITS.index) for group, splits in given.items()}
    of_groups |= _split_at_random(sorted(set(groups) - of_groups.keys()), seed)
    return [story.split or of_groups[g] for story, g in zip(stories, groups, strict=True)]


def _split_at_random(groups, seed):
    """Return `{group: split}`."""
    held_out = max(1, round(_HELD_OUT * len(groups)))
    shuffled = np.random.default_rng(seed).permutation(groups).tolist()
    sizes = (max(1, len(groups) - 2 * held_out), held_out, held_out)
    names = [split for split, size in zip(SPLITS, sizes, strict=True) for _ in range(size)]
    return dict(zip(shuffled, names, strict=False))


def count_shared(placed):
    """Count the albums and the photos that are in more than one split -> (albums, photos).

    Args:
        placed: `{split: stories}`.
    """
    albums, photos = Counter(), Counter()
    for stories in placed.values():
        albums.update({story.album_id for story in stories})
        photos.update({photo for story in stories for photo in story.photos})
    return tuple(sum(splits > 1 for splits in times.values()) for times in (albums, photos))

import numpy as np

from generation.bootstrap import mean_paired_difference, paired_difference


def mean(sums):
    return sums[:, 0] / sums[:, 1]


def texts(*scores):
    """[G, 2], one text per group."""
    return np.array([[score, 1.0] for score in scores])


def test_differences_of_several_seeds_are_averaged():
    pairs = [(texts(3, 5), texts(1, 3)), (texts(1, 1), texts(2, 2))]
    row = mean_paired_difference(mean, pairs)
    assert row["difference"] == 0.5  # of 2 and -1
    assert row["interval"] == [0.5, 0.5]  # each group differs alike, whichever are drawn
    assert row["p_value"] == 1 / 2000
    assert paired_difference(mean, *pairs[0])["difference"] == 2


def test_groups_are_drawn_within_each_seed_by_itself():
    # Each seed's difference is that of one group in two: 2, 1 or 0 of it are drawn.
    pair = texts(4, 0), texts(0, 0)
    row = mean_paired_difference(mean, [pair, pair])
    assert row["difference"] == 2
    alone = paired_difference(mean, *pair)
    assert alone["interval"] == [0, 4]
    assert row["interval"] == [0, 4]
    # No group at all is drawn in one of 4 draws, twice in one of 16.
    assert abs(alone["p_value"] - 2 / 4) < 0.06
    assert abs(row["p_value"] - 2 / 16) < 0.04

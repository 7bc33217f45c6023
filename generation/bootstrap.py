"""Confidence intervals and comparisons of scores, by drawing whole groups anew.

Texts of one album are no independent ones, so an album is drawn or not as a whole (Koehn 2004,
Statistical Significance Tests for Machine Translation Evaluation, with groups in place of
sentences).

Legend of shapes: N texts, G groups, R draws, S statistics of a text that can be summed.
"""

import numpy as np

RESAMPLES, SEED = 2000, 1


def draw_groups(groups):
    """int [R, G], how often each of so many groups is drawn; the same ones on every call."""
    rng = np.random.default_rng(SEED)
    return rng.multinomial(groups, np.full(groups, 1 / groups), RESAMPLES)


def sums_by_group(statistics, group_of):
    """[N, S], the group's name of each text -> [G, S] in order of first appearance."""
    places = {name: place for place, name in enumerate(dict.fromkeys(group_of))}
    sums = np.zeros((len(places), statistics.shape[1]))
    np.add.at(sums, [places[name] for name in group_of], statistics)
    return sums


def interval(figure, sums):
    """The 95 % confidence interval [low, high] of a figure (percentile bootstrap).

    Args:
        figure: sums [R, S] -> figures [R].
        sums: [G, S], see `sums_by_group`.
    """
    return np.percentile(figure(draw_groups(len(sums)) @ sums), [2.5, 97.5]).tolist()


def paired_difference(figure, ours, theirs):
    """The difference of a figure on the same groups, `{difference, interval, p_value}`.

    The p-value is two-sided: how often the difference has the other sign when groups are drawn
    anew, times two; none is smaller than 1 / R.

    Args:
        figure: as that of `interval`.
        ours, theirs: [G, S], the same groups in the same order.
    """
    drawn = draw_groups(len(ours))
    differences = figure(drawn @ ours) - figure(drawn @ theirs)
    smaller = min((differences <= 0).mean(), (differences >= 0).mean())
    return {
        "difference": float((figure(ours.sum(0)[None]) - figure(theirs.sum(0)[None]))[0]),
        "interval": np.percentile(differences, [2.5, 97.5]).tolist(),
        "p_value": float(min(1.0, max(2 * smaller, 1 / RESAMPLES))),
    }

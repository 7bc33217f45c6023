"""Confidence intervals and comparisons of scores by bootstrap over groups of texts.

Texts of one album are not independent, so albums are drawn as a whole (Koehn 2004, Statistical
Significance Tests for Machine Translation Evaluation, with groups in place of sentences).

Legend of shapes: N texts, G groups, R draws, S statistics of a text that can be summed.
"""

from functools import lru_cache

import numpy as np

RESAMPLES, SEED = 2000, 1


@lru_cache(maxsize=8)  # it takes longer than the scores of the draws
def draw_groups(groups, seed=SEED):
    """int [R, G], how often each of so many groups is drawn; the same on every call."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(groups, np.full(groups, 1 / groups), RESAMPLES)


def sums_by_group(statistics, group_of):
    """[N, S], the name of each text's group -> [G, S] in order of first appearance."""
    places = {name: place for place, name in enumerate(dict.fromkeys(group_of))}
    of_texts = [places[name] for name in group_of]
    return np.array([np.bincount(of_texts, column) for column in statistics.T]).T


def total(sums):
    """[G, S] -> [1, S], added up in order, which `sum` does only in some memory layouts."""
    return np.cumsum(sums, axis=0)[-1:]


def interval(score, sums):
    """The 95 % confidence interval [low, high] of a score (percentile bootstrap).

    Args:
        score: sums [R, S] -> scores [R]; draws whose score is nan are left out.
        sums: [G, S], see `sums_by_group`.
    """
    return np.nanpercentile(score(draw_groups(len(sums)) @ sums), [2.5, 97.5]).tolist()


def paired_difference(score, ours, theirs):
    """The difference of a score on the same groups, see `mean_paired_difference`.

    Args:
        ours, theirs: [G, S], the same groups in the same order.
    """
    return mean_paired_difference(score, [(ours, theirs)])


def mean_paired_difference(score, pairs):
    """The mean difference of a score over several pairs, `{difference, interval, p_value}`.

    Groups are drawn within each pair; the pairs, for instance trainings with the same seeds, are
    not drawn.  The p-value is two-sided: the share of draws in which the difference has the other
    sign, times two, and at least 1 / R.

    Args:
        score: as in `interval`.
        pairs: tuples of [G, S], ours and theirs, with the same groups in the same order.
    """
    measured, drawn = [], []
    for number, (ours, theirs) in enumerate(pairs):
        draws = draw_groups(len(ours), SEED + number)
        drawn.append(score(draws @ ours) - score(draws @ theirs))
        measured.append(float((score(total(ours)) - score(total(theirs)))[0]))
    differences = np.mean(drawn, axis=0)
    differences = differences[~np.isnan(differences)]
    smaller = min((differences <= 0).mean(), (differences >= 0).mean())
    return {
        "difference": float(np.mean(measured)),
        "interval": np.percentile(differences, [2.5, 97.5]).tolist(),
        "p_value": float(min(1.0, max(2 * smaller, 1 / RESAMPLES))),
    }

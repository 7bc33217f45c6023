"""Paired comparisons of a sweep's experiments: the same seeds, the same albums."""

from dataclasses import dataclass
from statistics import fmean

import numpy as np

from data_reader.errors import InputError
from data_reader.run_files import read_album_sums
from data_reader.seeds import mean_and_deviation
from generation.bootstrap import mean_paired_difference
from generation.fact_recall import count_facts, fact_shares, read_facts, read_stories_with_facts
from generation.metrics import METRICS
from training.sweeps.rows import by_label

VALIDATION_LOSS = "best_val_loss"
# Of the facts, by the column of `fact_shares`.
_FACTS = {"facts_all": 0, "facts_difference": 2}
_SCORES = ("vist-album METEOR", "vist-album RoViST-NR")


@dataclass(frozen=True)
class Difference:
    """An experiment less the reference, over the seeds that both were trained with.

    Attributes:
        label, reference: of the two.
        column: what differs.
        by_seed: the differences of the single seeds.
        mean: of the differences.
        interval: 95 %, by bootstrap over albums within the seeds; None for a loss.
        p_value: two-sided; None for a loss.
    """

    label: str
    reference: str
    column: str
    by_seed: tuple[float, ...]
    mean: float
    interval: list[float] | None = None
    p_value: float | None = None

    @property
    def spread(self):
        """The standard deviation over the seeds; nan for a single seed."""
        return mean_and_deviation(self.by_seed)[1]


def compare_with_reference(rows, reference, split):
    """`Difference`s of all experiments from the one labelled `reference`.

    Raises:
        InputError: runs have stories of other albums.
    """
    groups = by_label(rows)
    if reference not in groups:
        return []
    sums = {id(row): _sums(row, split) for row in rows}
    theirs = {row.numbers["seed"]: row for row in groups[reference]}
    found = []
    for label in groups:
        pairs = [
            (row, theirs[row.numbers["seed"]])
            for row in groups[label]
            if row.numbers["seed"] in theirs
        ]
        if label != reference and pairs:
            found += _differences(label, reference, pairs, sums)
    return found


def _differences(label, reference, pairs, sums):
    losses = [a.numbers[VALIDATION_LOSS] - b.numbers[VALIDATION_LOSS] for a, b in pairs]
    found = [Difference(label, reference, VALIDATION_LOSS, tuple(losses), fmean(losses))]
    of_pairs = [(sums[id(ours)], sums[id(theirs)]) for ours, theirs in pairs]
    for column, score in _score_functions().items():
        if all(column in ours and column in theirs for ours, theirs in of_pairs):
            compared = [_same_albums(*pair, column) for pair in of_pairs]
            by_seed = [mean_paired_difference(score, [pair])["difference"] for pair in compared]
            row = mean_paired_difference(score, compared)
            found.append(
                Difference(
                    label,
                    reference,
                    column,
                    tuple(by_seed),
                    row["difference"],
                    row["interval"],
                    row["p_value"],
                )
            )
    return found


def _score_functions():
    """`{column: sums [R, S] -> scores [R]}`."""
    metrics = {f"{p} {metric.name}": metric for metric in METRICS for p in metric.protocols}
    return {
        **{
            name: lambda sums, column=column: fact_shares(sums)[:, column]
            for name, column in _FACTS.items()
        },
        **{name: metrics[name].of_sums for name in _SCORES},
    }


def _sums(row, split):
    """`{column: (albums, [G, S])}`, of the columns that the run has."""
    path = row.run.album_sums(row.decoding, split)
    by_score = read_album_sums(path) if path.is_file() else {}
    found = {
        name: (by_score[name]["albums"], np.array(by_score[name]["sums"]))
        for name in _SCORES
        if name in by_score
    }
    if row.run.fact_recall(row.decoding, split).is_file():
        layout = row.run.layout()
        stories = read_stories_with_facts(layout, row.run, row.decoding, split)
        counts = count_facts(stories, read_facts(layout)["wordings"])["all"]
        albums = list(dict.fromkeys(story.album_id for story in stories))
        found |= {name: (albums, counts) for name in _FACTS}
    return found


def _same_albums(ours, theirs, column):
    """-> the two sums [G, S]."""
    if ours[column][0] != theirs[column][0]:
        raise InputError(
            f"{column} of two runs was computed of other albums; generate and score the stories "
            "of both again."
        )
    return ours[column][1], theirs[column][1]

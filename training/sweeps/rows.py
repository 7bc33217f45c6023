"""What a sweep knows of each run: losses, scores, facts, repetitions and time."""

import math
from dataclasses import dataclass

from data_reader.run_files import read_fact_recall, read_scores
from data_reader.run_folder import RunFolder
from data_reader.seeds import seed_of
from training.loss_plot import highest_bleu, read_losses

_DIVERSITY = ("vocabulary", "duplicate_stories", "repeated_trigrams_within")


@dataclass(frozen=True)
class Row:
    """A run's stories in one decoding.

    Attributes:
        label: of the experiment, with the decoding if the sweep has several.
        run: its folder.
        decoding: its name.
        numbers: `{column: number}`, "seed" among them; those that the run does not have are
            missing, and a loss that was never a number is nan.
    """

    label: str
    run: RunFolder
    decoding: str
    numbers: dict[str, float]


def make_row(label, run, decoding, split):
    """Read a `Row`; scores that the run does not have are missing in it.

    Raises:
        InputError: a file of the run is broken.
    """
    return Row(label, run, decoding, _losses(run) | _scores(run, decoding, split))


def _losses(run):
    best, losses = run.best_epoch(), read_losses(run)
    numbers = {
        "seed": seed_of(run),
        "best_epoch": best.get("epoch", math.nan),
        "best_val_loss": best.get("val_loss", math.nan),
        "perplexity": best.get("perplexity", math.nan),
        # Other work on the machine only adds to it, and the first epoch begins with compiling.
        "seconds_per_epoch": min(losses["seconds"]),
    }
    if math.isfinite(bleu := highest_bleu(losses)):
        numbers["highest_bleu"] = bleu
    return numbers


def _scores(run, decoding, split):
    scores = run.all_scores().get(f"{decoding} {split}", {})
    numbers = {name: float(score) for name, score in scores.items()}
    if run.scores(decoding, split).is_file():
        diversity = read_scores(run.scores(decoding, split)).get("diversity", {})
        generated = diversity.get("generated", {})
        numbers |= {name: generated[name] for name in _DIVERSITY if name in generated}
    if run.fact_recall(decoding, split).is_file():
        recall = read_fact_recall(run.fact_recall(decoding, split))
        numbers |= {f"facts_{fact}": row["own"] for fact, row in recall.items()}
        numbers["facts_difference"] = recall["all"]["own"] - recall["all"]["other"]
    return numbers


def by_label(rows):
    """`{label: rows}`, in order of first appearance."""
    groups = {}
    for row in rows:
        groups.setdefault(row.label, []).append(row)
    return groups

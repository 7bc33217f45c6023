"""What a sweep knows of each run: losses, scores, facts, repetitions and time."""

import math
from dataclasses import dataclass

from data_reader.files import read_json
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
    bleu = highest_bleu(losses)
    return {
        "seed": seed_of(run),
        "best_epoch": best.get("epoch", math.nan),
        "best_val_loss": best.get("val_loss", math.nan),
        "perplexity": best.get("perplexity", math.nan),
        **({"highest_bleu": bleu} if math.isfinite(bleu) else {}),
        # Other work on the machine only adds to it, and the first epoch begins with compiling.
        "seconds_per_epoch": min(losses["seconds"]),
    }


def _scores(run, decoding, split):
    scores = run.all_scores().get(f"{decoding} {split}", {})
    numbers = {name: float(score) for name, score in scores.items()}
    if run.scores(decoding, split).is_file():
        generated = read_json(run.scores(decoding, split))["diversity"]["generated"]
        numbers |= {name: generated[name] for name in _DIVERSITY}
    if run.fact_recall(decoding, split).is_file():
        recall = read_json(run.fact_recall(decoding, split))
        numbers |= {f"facts_{fact}": row["own"] for fact, row in recall.items()}
        numbers["facts_difference"] = recall["all"]["difference"]
    return numbers


def by_label(rows):
    """`{label: rows}`, in order of first appearance."""
    groups = {}
    for row in rows:
        groups.setdefault(row.label, []).append(row)
    return groups

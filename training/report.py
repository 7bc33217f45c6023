"""python -m training.report: bring results/model_results.csv up to date with what runs have told.

It has one row a run, in the original's columns and what they lacked, scores by protocol among it.
A training writes its run's row when it ends; what is told and scored later is added here.
"""

import csv
import math
import os
from pathlib import Path

from data_reader.cli import command_line, run_command
from data_reader.errors import InputError
from data_reader.files import exclusive_lock, write_csv
from data_reader.layout import RESULTS
from data_reader.run_folder import RunFolder
from training.loss_plot import read_losses

ORIGINAL_COLUMNS = (
    "num_samples",
    "duration",
    "num_epochs",
    "loss",
    "val_loss",
    "num_layers",
    "cell_type",
    "activation",
    "hidden_dimension",
    "learning_rate",
    "gradient_clipping_value",
    "optimizer",
    "loss_history_filename",
    "model_filename",
    "reverse_sequence",
    "notes",
)
_TABLE = "model_results.csv"
# By protocol, of what was told greedily.
SCORE_COLUMNS = {
    f"{score} {told}": (told, score)
    for told in ("greedy valid", "greedy test")
    for score in (
        "original-2018-sentence BLEU-4",
        "original-2018-story BLEU-4",
        "original-2018-story METEOR",
        "vist-album BLEU-4",
        "vist-album METEOR",
        "vist-album CIDEr",
        "vist-sequence METEOR",
    )
}
COLUMNS = (
    *ORIGINAL_COLUMNS,
    "model",
    "image_group_size",
    "image_encoder_latent_dim",
    "sentence_encoder_latent_dim",
    "input_dropout",
    "recurrent_dropout",
    "precision",
    "seed",
    "best_epoch",
    "data",
    "extractor",
    "trainable_weights",
    "run",
    *SCORE_COLUMNS,
)


def add_result(run, results_folder, num_samples):
    """Write the run's row into `results_folder`/model_results.csv; it replaces one of the same run.

    Args:
        num_samples: sentences of the training split, which the original counts.

    Returns:
        the file's path.

    Raises:
        ValueError: no epoch of the run has ended, or the file there is no such table.
    """
    path = Path(results_folder) / _TABLE
    row = _result(run, path.parent, num_samples)

    def with_result(rows):
        if run.name not in [other.get("run") for other in rows]:
            rows = [*rows, row]
        return [row if other.get("run") == run.name else other for other in rows]

    _change_table(path, with_result)
    return path


def refresh_scores(results_folder):
    """Write what the runs have told since into their rows of `results_folder`/model_results.csv.

    Returns:
        the file's path, and how many rows have changed.

    Raises:
        FileNotFoundError: there is no table.
        ValueError: it is something else, or a run's scores are broken.
    """
    path = Path(results_folder) / _TABLE
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing; a training writes it when it ends.")
    changed = []

    def with_scores(rows):
        scored = [row | _scores_of(path.parent, row.get("run")) for row in rows]
        changed.extend(row for row, before in zip(scored, rows, strict=True) if row != before)
        return scored

    _change_table(path, with_scores)
    return path, len(changed)


def _scores_of(folder, name):
    """`{column: text}` of a run; empty where there is none or it has told nothing."""
    figures = RunFolder(folder / name).all_scores() if name else {}
    return {
        column: str(figures[told][score])
        for column, (told, score) in SCORE_COLUMNS.items()
        if score in figures.get(told, {})
    }


def _change_table(path, change):
    """Put the rows that `change` makes of them into the table, in which no other process writes."""
    with exclusive_lock(path.parent):
        columns, rows = _read_table(path)
        columns += [name for name in COLUMNS if name not in columns]
        rows = [[row.get(name, "") for name in columns] for row in change(rows)]
        write_csv(path, columns, rows)


def _result(run, folder, num_samples):
    """What the original's columns say of a run, and all its settings under their own names."""
    losses, best, settings = read_losses(run), run.best_epoch(), run.all_settings()
    return settings | {
        "num_samples": num_samples,
        "duration": round(sum(filter(math.isfinite, losses["seconds"])), 1),
        "num_epochs": len(losses["epoch"]),
        "loss": best.get("loss", math.nan),
        "val_loss": best.get("val_loss", math.nan),
        "activation": "tanh",
        "hidden_dimension": settings.get("image_encoder_latent_dim", ""),
        "gradient_clipping_value": settings["gradient_clip_value"],
        "optimizer": "adam",
        "loss_history_filename": os.path.relpath(run.loss_log, folder),
        "model_filename": os.path.relpath(run.model_file, folder),
        "reverse_sequence": settings.get("reverse", ""),
        "best_epoch": best.get("epoch", ""),
        "trainable_weights": run.environment().get("trainable_weights", ""),
        "run": run.name,
        **_scores_of(run.path.parent, run.name),
    }


def _read_table(path):
    """-> its columns, its rows as dictionaries; the columns are ours where there is no file."""
    if not path.exists():
        return list(COLUMNS), []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:  # Excel starts it with a mark
            reader = csv.DictReader(file)
            rows = list(reader)
    except (ValueError, csv.Error) as error:
        raise InputError(f"{path} can't be read ({error}); move it away.") from error
    for number, row in enumerate(rows, 1):
        if None in row:
            raise InputError(
                f"Row {number} of {path} has more fields than columns; "
                "put notes with a comma in quotes, or move the file away."
            )
    return list(reader.fieldnames or COLUMNS), rows


def main():
    command_line(__doc__).parse_args()
    path, changed = refresh_scores(RESULTS)
    print(f"new scores in {changed} rows of {path}")


if __name__ == "__main__":
    run_command(main)

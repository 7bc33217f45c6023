"""python -m training.report: add the runs' newest scores to results/model_results.csv.

The table has one row per run: the original's columns, further settings, then all scores of stories
that the run has generated greedily.  A training writes its run's row when it ends; this command
adds the scores computed since.
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
_SCORED = ("greedy valid", "greedy test")  # which end the names of scores' columns
COLUMNS = (
    *ORIGINAL_COLUMNS,
    "model",
    "bias_from_word_frequencies",
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
)


def add_result(run, results_folder, num_samples):
    """Write the run's row into `results_folder`/model_results.csv, replacing an earlier one.

    Args:
        num_samples: the number of sentences in the training split, as the original counts samples.

    Returns:
        the file's path.

    Raises:
        InputError: no epoch of the run has ended, or the file is not such a table.
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
    """Write the runs' scores into their rows of `results_folder`/model_results.csv.

    Returns:
        the file's path, and the number of rows that have changed.

    Raises:
        FileNotFoundError: there is no table.
        InputError: it is something else, or a run's scores are broken.
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
    """`{column: text}` of a run; empty where there is no run or it has no scores."""
    scores = RunFolder(folder / name).all_scores() if name else {}
    return {
        f"{score} {decoding_and_split}": str(value)
        for decoding_and_split in _SCORED
        for score, value in scores.get(decoding_and_split, {}).items()
    }


def _change_table(path, change):
    """Apply `change` to the table's rows while no other process writes to the table."""
    with exclusive_lock(path.parent):
        columns, rows = _read_table(path)
        rows = change(rows)
        scores = [name for row in rows for name in row if name.endswith(_SCORED)]
        columns += [name for name in dict.fromkeys([*COLUMNS, *scores]) if name not in columns]
        write_csv(path, columns, [[row.get(name, "") for name in columns] for row in rows])


def _result(run, folder, num_samples):
    """A run's row, its settings under their own names and under those of the original."""
    losses, best, settings = read_losses(run), run.best_epoch(), run.all_settings()
    return settings | {
        "num_samples": num_samples,
        "duration": round(sum(filter(math.isfinite, losses["seconds"])), 1),
        "num_epochs": len(losses["epoch"]),
        "loss": best.get("loss", math.nan),
        "val_loss": best.get("val_loss", math.nan),
        "activation": "tanh",
        "hidden_dimension": settings.get("image_encoder_latent_dim", ""),
        "gradient_clipping_value": settings.get("gradient_clip_value", ""),
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
    """-> the table's columns, its rows as dictionaries; no columns if there is no file."""
    if not path.is_file():
        return [], []
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
    return list(reader.fieldnames or ()), rows


def main():
    command_line(__doc__).parse_args()
    path, changed = refresh_scores(RESULTS)
    print(f"rows with new scores: {changed}, in {path}")


if __name__ == "__main__":
    run_command(main)

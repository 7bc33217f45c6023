"""results/model_results.csv: one row a run, in the original's columns and what they lacked."""

import csv
import math
import os
from pathlib import Path

from data_reader.files import only_process, write_csv
from training.loss_plot import read_losses

# Of the sentences told, with the brevity penalty that the original left out.
_BLEU = "original-2018-sentence BLEU-4 with brevity penalty"

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
    "bleu_greedy_valid",
    "bleu_greedy_test",
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
    path = Path(results_folder) / "model_results.csv"
    row = _result(run, path.parent, num_samples)
    with only_process(path.parent):
        columns, rows = _read_table(path)
        columns += [name for name in COLUMNS if name not in columns]
        if run.name not in [other.get("run") for other in rows]:
            rows.append(row)
        rows = [row if other.get("run") == run.name else other for other in rows]
        write_csv(path, columns, [[row.get(name, "") for name in columns] for row in rows])
    return path


def _result(run, folder, num_samples):
    """What the original's columns say of a run, and all its settings under their own names."""
    losses, best, settings = read_losses(run), run.best_epoch(), run.all_settings()
    figures = run.figures()
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
        "bleu_greedy_valid": figures.get("greedy valid", {}).get(_BLEU, ""),
        "bleu_greedy_test": figures.get("greedy test", {}).get(_BLEU, ""),
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
        raise ValueError(f"{path} can't be read ({error}); move it away.") from error
    for number, row in enumerate(rows, 1):
        if None in row:
            raise ValueError(
                f"Row {number} of {path} has more fields than columns; "
                "put notes with a comma in quotes, or move the file away."
            )
    return list(reader.fieldnames or COLUMNS), rows

"""python -m training.checkpoint_benchmark: the cost of saving and resuming at the paper's sizes.

The proposed model: seconds of a training step, of saving a checkpoint (flushed to disk), and the
share of training time that saving takes at the default interval; then, for a process of its own,
the seconds from its start to the end of the first step after the checkpoint has been restored.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from data_reader.cli import command_line, import_tensorflow
from training.benchmark import Sizes, draw_batch, make_trained_model
from training.experiment import Experiment

STEPS, SAVES = 5, 3
MODEL = "ImageGroupingModel"


def measure_saving(folder):
    """-> `{seconds_per_step, seconds_per_save, gigabytes, share_of_training}`."""
    from training.checkpoint import Checkpoints, Progress

    experiment = Experiment(name="benchmark", model=MODEL)
    model = make_trained_model(experiment, "float32", Sizes())
    step = _step(model)
    step()
    per_step = _median_seconds(step, STEPS)
    checkpoints = Checkpoints(folder)
    per_save = _median_seconds(lambda: checkpoints.save(model, Progress()), SAVES)
    [file] = Path(folder).iterdir()
    return {
        "seconds_per_step": per_step,
        "seconds_per_save": per_save,
        "gigabytes": file.stat().st_size / 1e9,
        "share_of_training": per_save / (experiment.save_every_steps * per_step),
    }


def resume(folder):
    """Restore the checkpoint into a new model and make a step."""
    from training.checkpoint import Checkpoints

    model = make_trained_model(Experiment(name="benchmark", model=MODEL), "float32", Sizes())
    Checkpoints(folder).restore_newest(model)
    _step(model)()


def _step(model):
    import tensorflow as tf

    from training.loop import make_train_step

    image_features, sentences = draw_batch(Sizes(), np.random.default_rng(1))
    inputs = {"image_features": image_features, "sentences": sentences}
    train_step = make_train_step(model, tf.distribute.get_strategy())
    return lambda: float(train_step(inputs, np.float32(1), False)[0])


def _median_seconds(work, times):
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return float(np.median(seconds))


def main():
    parser = command_line(__doc__)
    parser.add_argument("--json", action="store_true", help="print as JSON")
    parser.add_argument("--resume", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    import_tensorflow()
    if arguments.resume:
        resume(arguments.resume)
        return
    with tempfile.TemporaryDirectory() as folder:
        measured = measure_saving(folder)
        start = time.perf_counter()
        module = [sys.executable, "-m", "training.checkpoint_benchmark"]
        subprocess.run([*module, "--resume", folder], check=True)
        measured["seconds_to_the_next_step"] = time.perf_counter() - start
    if arguments.json:
        print(json.dumps(measured))
        return
    for name, value in measured.items():
        print(f"{name}: {value:.4g}")


if __name__ == "__main__":
    main()

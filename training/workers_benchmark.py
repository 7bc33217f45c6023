"""python -m training.workers_benchmark: steps of several workers beside those of one.

The proposed model at the paper's sizes, on sentences as long as VIST's, on CPUs; each worker has
one core, and they talk through this machine's loopback.  Steps of one worker on the whole batch, of
all workers with gradients sent in float32 and in bfloat16, and of all workers without the sum of
gradients take turns in the same processes.  A step of several workers takes as long as that of the
slowest.  The share of the sum is the part of a step's time by which it is longer than one without.

After the table stand the losses of some steps of a small model, by how its gradients were sent.
"""

import json
import os
import signal
import sys
import time
from dataclasses import replace

import numpy as np

from data_reader.cli import command_line, run_command, whole_number
from data_reader.errors import InputError
from data_reader.measuring import available_cores, use_device
from training.benchmark import QUICKLY_MADE, Sizes, draw_batch, make_trained_model
from training.cluster import find_cluster
from training.experiment import Experiment
from training.launch import start_workers
from training.workers import meet

MODEL = "ImageGroupingModel"
ROUNDS = 5
STORIES = (13, 52)
SIZES = Sizes()
# Small enough to learn something in seconds; without dropout, in which the workers differ.
LOSS_STEPS = 30
LOSS_SIZES = Sizes(vocabulary_size=500, feature_size=64, units=64, input_dropout=0.0)
LOSS_RATE = 1e-3
SENT_IN = ("float32", "bfloat16")
ALONE, UNSUMMED = "one worker", "no sum"


def measure(arguments, workers):
    """Measure together with the other workers -> device, weights, rows and losses.

    Rows are `{stories, workers, sent_in, seconds_per_step, words_per_second, ratio_to_one,
    sum_share}`; the last one is None where nothing is summed.
    """
    from training.strategy import make_strategy

    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"  # else each worker would take a GPU
    device_name = use_device("cpu", 1)
    strategy = make_strategy(workers)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # TensorFlow catches it, and goes on
    model = _make_model(SIZES)
    steps = _make_steps(model, strategy)
    rows = []
    for stories in arguments.stories:
        rows += _measure_batches(steps, _draw_batches(SIZES, stories, 1 + ROUNDS), workers)
    return {
        "device_name": device_name,
        "weights": sum(int(np.prod(v.shape)) for v in model.trainable_variables),
        "rows": rows,
        "losses": {sent_in: _loss_after_steps(sent_in, workers, strategy) for sent_in in SENT_IN},
    }


def _make_model(sizes, **settings):
    import keras

    keras.utils.set_random_seed(1)
    experiment = Experiment(name="benchmark", model=MODEL, model_settings=QUICKLY_MADE, **settings)
    return make_trained_model(experiment, "float32", sizes)


def _make_steps(model, strategy):
    """`{kind: training step}`; that of one worker serves for several that don't sum, too."""
    import tensorflow as tf

    from training.loop import make_train_step

    steps = {sent_in: make_train_step(model, strategy, sent_in) for sent_in in SENT_IN}
    alone = make_train_step(model, tf.distribute.get_strategy())
    return {ALONE: alone, **steps, UNSUMMED: alone}


def _draw_batches(sizes, stories, number):
    """`StoryBatches`, the same for all workers."""
    from data_reader.story_batches import StoryBatches

    sizes = replace(sizes, stories_per_batch=stories * number)
    features, sentences = draw_batch(sizes, np.random.default_rng(1))
    return StoryBatches({"image_embeddings": features, "story_sentences": sentences}, stories)


def _measure_batches(steps, batches, workers):
    """The rows of one number of stories, medians; the first batch compiles."""
    seconds = {kind: [] for kind in steps}
    words = []
    for number in range(len(batches)):
        for kind, step in steps.items():
            seconds[kind].append(_time_step(kind, step, batches, number, workers))
        words.append(batches.part(number)[2])
    median = {kind: float(np.median(of_kind[1:])) for kind, of_kind in seconds.items()}
    return [
        {
            "stories": len(batches.part(0)[0]["sentences"]),
            "workers": 1 if kind == ALONE else workers.count,
            "sent_in": kind,
            "seconds_per_step": median[kind],
            "words_per_second": float(np.median(np.divide(words[1:], seconds[kind][1:]))),
            "ratio_to_one": median[ALONE] / median[kind],
            "sum_share": 1 - median[UNSUMMED] / median[kind] if kind in SENT_IN else None,
        }
        for kind in steps
    ]


def _time_step(kind, step, batches, number, workers):
    """Seconds of the slowest worker; if one works alone, the others wait for it."""
    works = kind != ALONE or workers.is_chief
    together = (0, 1) if kind == ALONE else (workers.index, workers.count)
    inputs, share, _ = batches.part(number, *together)
    workers.exchange("ready")
    start = time.perf_counter()
    if works:
        float(step(inputs, share, False)[0])
    return max(workers.exchange(time.perf_counter() - start))


def _loss_after_steps(sent_in, workers, strategy):
    """The loss per word (nats) of the last of some steps of a small model."""
    from training.loop import make_train_step

    model = _make_model(LOSS_SIZES, learning_rate=LOSS_RATE)
    step = make_train_step(model, strategy, sent_in)
    batches = _draw_batches(LOSS_SIZES, LOSS_SIZES.stories_per_batch, LOSS_STEPS)
    for number in range(LOSS_STEPS):
        inputs, share, _ = batches.part(number, workers.index, workers.count)
        loss, _ = step(inputs, share, False)
    return float(loss)


def as_table(measured):
    """Text: machine and sizes, one row per kind of step, the losses."""
    lines = [
        f"{measured['device_name']}, one core per worker; medians of {ROUNDS} steps",
        f"{MODEL} at the paper's sizes, {measured['weights']:,} trained weights, "
        f"{measured['weights'] * 4 / 1e6:,.0f} MB in float32",
        "",
        f"{'stories':>7}{'workers':>9}  {'gradients':12}{'s/step':>8}{'words/s':>9}"
        f"{'x one':>7}{'the sum':>9}",
    ]
    for row in measured["rows"]:
        share = "" if row["sum_share"] is None else f"{row['sum_share']:.0%}"
        lines.append(
            f"{row['stories']:7}{row['workers']:9}  {row['sent_in']:12}"
            f"{row['seconds_per_step']:8.2f}{row['words_per_second']:9.0f}"
            f"{row['ratio_to_one']:7.2f}{share:>9}"
        )
    losses = ", ".join(f"{sent_in} {loss:.5f}" for sent_in, loss in measured["losses"].items())
    return "\n".join([*lines, "", f"loss after {LOSS_STEPS} steps of a small model: {losses}"])


def parse_arguments():
    parser = command_line(__doc__)
    parser.add_argument("--json", action="store_true", help="print as JSON")
    parser.add_argument("--workers", type=whole_number(2), default=2, help="default: 2")
    parser.add_argument(
        "--stories",
        type=whole_number(1),
        action="append",
        help=f"in a batch (default: {' and '.join(map(str, STORIES))})",
    )
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    arguments.stories = arguments.stories or STORIES
    cluster = find_cluster()
    if cluster is None:
        there = len(available_cores())
        if arguments.workers > there:
            raise InputError(f"--workers is {arguments.workers}; this process may use {there}.")
        sys.exit(start_workers(arguments.workers))
    with meet(cluster) as workers:
        measured = measure(arguments, workers)
        if workers.is_chief:
            print(json.dumps(measured) if arguments.json else as_table(measured))


if __name__ == "__main__":
    run_command(main)

"""python -m training.benchmark: speed and memory of a training step, beside a plain Keras 3 port.

The models at the paper's sizes, on sentences as long as VIST's, in float32 and bfloat16, and the
same models as `training.naive_port` has them; dropout and Adam in all.  A step includes the work
on the host.  Steps of a model take turns in one process; peak memory is that of a process that
makes steps of one kind only (with --device gpu the GPU's memory).  The share of the matmul rate is
`training.step_flop` divided by time and by the rate at which the same process multiplies two large
square matrices in the same precision.
"""

import argparse
import json
import time
from dataclasses import dataclass

import numpy as np

from data_reader.benchmark import SENTENCE_LENGTHS
from data_reader.cli import command_line, run_command, whole_number
from data_reader.measuring import (
    available_cores,
    in_its_own_process,
    peak_memory_gb,
    use_device,
)
from data_reader.vocabulary import END, NULL, ROW_LENGTH, SENTENCES_PER_STORY, START, UNKNOWN
from models import MODELS
from models.precision import PRECISIONS
from training.experiment import Experiment
from training.step_flop import step_flop

ROUNDS = 7
MEMORY_STEPS = 3
STORIES = {"cpu": 13, "gpu": 64}
MATMUL_SIZE = {"cpu": 2048, "gpu": 8192}
MATMULS = 4


@dataclass(frozen=True)
class Sizes:
    """Of the models and a batch; the defaults are the paper's.

    Attributes:
        units: of each encoder.
        input_dropout: of the photos' features and before the softmax.
    """

    stories_per_batch: int = 13
    vocabulary_size: int = 10_004
    feature_size: int = 4096
    word_embedding_size: int = 300
    units: int = 1024
    image_group_size: int = 3
    input_dropout: float = 0.35


def draw_batch(sizes, rng):
    """image_features float32 [B, I, F] and sentences int32 [B, I, T] with VIST's lengths."""
    shape = (sizes.stories_per_batch, SENTENCES_PER_STORY)
    share = np.array(SENTENCE_LENGTHS) / sum(SENTENCE_LENGTHS)
    lengths = rng.choice(np.arange(1, len(share) + 1), (*shape, 1), p=share)
    words = rng.integers(UNKNOWN + 1, sizes.vocabulary_size, (*shape, ROW_LENGTH))
    place = np.arange(ROW_LENGTH)
    sentences = np.select(
        [place == 0, place <= lengths, place == lengths + 1], [START, words, END], NULL
    )
    features = rng.random((*shape, sizes.feature_size), np.float32)
    return features, sentences.astype(np.int32)


def draw_word_embeddings(sizes):
    """float32 [V, E]."""
    shape = (sizes.vocabulary_size, sizes.word_embedding_size)
    return np.random.default_rng(1).normal(0, 0.4, shape).astype(np.float32)


def make_step(model, precision, sizes):
    """A function of a batch that trains a new model on it and returns the loss."""
    import keras

    keras.utils.set_random_seed(1)
    experiment = Experiment(name="benchmark", model=model)
    if precision == "naive":
        return _naive_step(experiment, sizes)
    trained = make_trained_model(experiment, precision, sizes)

    def step(image_features, sentences):
        inputs = {"image_features": image_features, "sentences": sentences}
        return trained.train_on_batch(inputs, sentences)

    return step


def make_trained_model(experiment, precision, sizes):
    """The experiment's model of these sizes, compiled."""
    from models import model_class
    from models.precision import DTYPE_POLICIES
    from models.story_model import settings_of
    from training.model_building import compile_model

    chosen = model_class(experiment.model)
    latent_dims = [name for name in settings_of(chosen) if name.endswith("_latent_dim")]
    model = chosen(
        vocabulary_size=sizes.vocabulary_size,
        feature_size=sizes.feature_size,
        image_group_size=sizes.image_group_size,
        word_embedding_size=sizes.word_embedding_size,
        word_embeddings=draw_word_embeddings(sizes),
        input_dropout=sizes.input_dropout,
        dtype=DTYPE_POLICIES[precision],
        **dict.fromkeys(latent_dims, sizes.units),
    )
    compile_model(model, experiment, steps_per_epoch=ROUNDS)
    return model


def _naive_step(experiment, sizes):
    from training.naive_port import NAIVE_MODELS, compile_naive, naive_batch

    model = NAIVE_MODELS[experiment.model](
        draw_word_embeddings(sizes), sizes.feature_size, sizes.units, sizes.input_dropout
    )
    compile_naive(model, experiment.learning_rate, experiment.gradient_clip_value)

    def step(image_features, sentences):
        made, targets, weights = naive_batch(
            image_features, sentences, sizes.vocabulary_size, sizes.image_group_size
        )
        inputs = {tensor.name: made[tensor.name] for tensor in model.inputs}
        return model.train_on_batch(inputs, targets, weights)

    return step


def measure_steps(model, precisions, sizes, matmul_size):
    """Steps and matmuls of each precision, in turn.

    Returns:
        `{precision: {seconds_per_step, matmul_share, matmul_gflop_per_second}}`, medians, and the
        mean number of words of a sentence, <END> included.  The share is nan for a model whose
        operations `step_flop` can't count.
    """
    rng = np.random.default_rng(1)
    batches = [draw_batch(sizes, rng) for _ in range(1 + ROUNDS)]
    works = {("step", precision): make_step(model, precision, sizes) for precision in precisions}
    for precision in precisions:
        works["matmuls", precision] = _matmuls(precision, matmul_size)
    seconds = _seconds_in_turn(works, batches)
    learned = [sentences for _, sentences in batches[1:]]
    is_counted = model in MODELS
    flop = [step_flop(model, rows, sizes) if is_counted else float("nan") for rows in learned]
    measured = {}
    for precision in precisions:
        step_seconds = seconds["step", precision]
        matmul_rate = 2 * MATMULS * matmul_size**3 / np.median(seconds["matmuls", precision])
        measured[precision] = {
            "seconds_per_step": float(np.median(step_seconds)),
            "matmul_share": float(np.median(np.divide(flop, step_seconds)) / matmul_rate),
            "matmul_gflop_per_second": float(matmul_rate / 1e9),
        }
    return measured, float(np.mean([(rows[..., 1:] != NULL).sum(axis=2) for rows in learned]))


def _seconds_in_turn(works, batches):
    """Time functions of a batch in turn -> seconds of each on all batches but the first.

    The first one compiles.
    """
    seconds = {name: [] for name in works}
    for batch in batches:
        for name, work in works.items():
            start = time.perf_counter()
            work(*batch)
            seconds[name].append(time.perf_counter() - start)
    return {name: of_work[1:] for name, of_work in seconds.items()}


def _matmuls(precision, size):
    """A function that multiplies square matrices of `size`, `MATMULS` times, whatever the batch."""
    import tensorflow as tf

    dtype = tf.bfloat16 if precision == "bfloat16" else tf.float32
    matrix = tf.cast(tf.random.normal((size, size), stddev=size**-0.5), dtype)

    def multiply(*_):
        product = matrix
        for _ in range(MATMULS):
            product = tf.matmul(product, matrix)
        return float(product[0, 0])  # waits for a GPU

    return multiply


def measure_memory(model, precision, sizes, device):
    """Peak memory (GB) of this process, or of the GPU in it, over a few steps."""
    step = make_step(model, precision, sizes)
    rng = np.random.default_rng(1)
    for _ in range(MEMORY_STEPS):
        step(*draw_batch(sizes, rng))
    return peak_memory_gb(device)


def _measure(arguments):
    """Measure in this process: "steps" of a model, or the memory of a precision."""
    device_name = use_device(arguments.device, arguments.cores)
    sizes = Sizes(stories_per_batch=arguments.stories)
    [model] = arguments.model
    if arguments.measure != "steps":
        return measure_memory(model, arguments.measure, sizes, arguments.device)
    precisions = _with_naive(model, arguments.precision)
    measured, words = measure_steps(model, precisions, sizes, MATMUL_SIZE[arguments.device])
    return {"precisions": measured, "words_per_sentence": words, "device_name": device_name}


def _in_its_own_process(measurement, model, arguments):
    options = {
        "--measure": measurement,
        "--model": model,
        "--device": arguments.device,
        "--cores": arguments.cores,
        "--stories": arguments.stories,
    }
    options = [part for option in options.items() for part in option]
    for precision in arguments.precision:
        options += ["--precision", precision]
    return in_its_own_process("training.benchmark", *options)


def _with_naive(model, precisions):
    """The naive port exists for the project's own models only."""
    return (*(["naive"] if model in MODELS else []), *precisions)


def measure_model(model, arguments):
    """Time and memory of a model's steps, see `measure_steps`; nan where there is no naive port."""
    measured = _in_its_own_process("steps", model, arguments)
    rows = measured["precisions"]
    naive_seconds = rows["naive"]["seconds_per_step"] if "naive" in rows else float("nan")
    for precision, row in rows.items():
        row["ratio_to_naive"] = naive_seconds / row["seconds_per_step"]
        row["peak_memory_gb"] = _in_its_own_process(precision, model, arguments)
    return measured


def as_json(measured):
    """`{model: {precision: {quantity: value}}}`."""
    shown = ("seconds_per_step", "ratio_to_naive", "peak_memory_gb", "matmul_share")
    return {
        model: {
            precision: {name: row[name] for name in shown}
            for precision, row in of_model["precisions"].items()
        }
        for model, of_model in measured.items()
    }


def as_table(measured, arguments):
    """Text: machine and sizes, then one row per model and precision."""
    sizes = Sizes(stories_per_batch=arguments.stories)
    one = next(iter(measured.values()))
    lines = [
        f"{one['device_name']}, cores used: {arguments.cores}; medians of {ROUNDS} steps",
        f"{sizes.stories_per_batch} stories of {SENTENCES_PER_STORY} sentences, on average "
        f"{one['words_per_sentence']:.1f} words with <END>; vocabulary {sizes.vocabulary_size:,}, "
        f"features {sizes.feature_size:,}, frozen embedding {sizes.word_embedding_size}, "
        f"encoders {sizes.units:,}, windows of {sizes.image_group_size}, "
        f"dropout {sizes.input_dropout}",
        "",
        f"{'model':24}{'precision':10}{'s/step':>9}{'stories/s':>10}{'x naive':>9}"
        f"{'peak GB':>9}{'matmul GFLOP/s':>16}{'share of it':>13}",
    ]
    for model, of_model in measured.items():
        for precision, row in of_model["precisions"].items():
            lines.append(
                f"{model:24}{precision:10}{row['seconds_per_step']:9.3f}"
                f"{sizes.stories_per_batch / row['seconds_per_step']:10.2f}"
                f"{row['ratio_to_naive']:9.2f}{row['peak_memory_gb']:9.2f}"
                f"{row['matmul_gflop_per_second']:16.1f}{row['matmul_share']:13.3f}"
            )
    return "\n".join(lines)


def parse_arguments():
    parser = command_line(__doc__)
    parser.add_argument("--json", action="store_true", help="print as JSON")
    parser.add_argument(
        "--model",
        action="append",
        metavar="NAME",
        help=f"this model only: {', '.join(MODELS)}, or a model of your own as module:Class",
    )
    parser.add_argument(
        "--precision",
        choices=PRECISIONS,
        action="append",
        help="this precision and naive only (default: all)",
    )
    parser.add_argument("--device", choices=STORIES, default="cpu", help="default: cpu")
    parser.add_argument("--cores", type=whole_number(1), help="default: 1; with a GPU all")
    parser.add_argument(
        "--stories", type=whole_number(1), help="in a batch (default: 13; on a GPU 64)"
    )
    parser.add_argument(
        "--measure", choices=("steps", "naive", *PRECISIONS), help=argparse.SUPPRESS
    )
    arguments = parser.parse_args()
    there = len(available_cores())
    arguments.model = arguments.model or list(MODELS)
    arguments.precision = arguments.precision or list(PRECISIONS)
    arguments.stories = arguments.stories or STORIES[arguments.device]
    arguments.cores = arguments.cores or (1 if arguments.device == "cpu" else there)
    if arguments.cores > there:
        parser.error(f"--cores is {arguments.cores}; this process may use {there}.")
    return arguments


def main():
    arguments = parse_arguments()
    if arguments.measure:
        print(json.dumps(_measure(arguments)))
        return
    measured = {model: measure_model(model, arguments) for model in arguments.model}
    print(json.dumps(as_json(measured)) if arguments.json else as_table(measured, arguments))


if __name__ == "__main__":
    run_command(main)

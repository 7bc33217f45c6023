"""python -m training.benchmark: speed and memory of a training step, beside a plain Keras 3 port.

The models at the paper's sizes, on sentences as long as VIST's, in each precision, and the same
models as `training.naive_port` has them; dropout and Adam in all.  Words per second count <END>s
and no padding.  The models' steps are those of `training.loop`, run as training runs them: on a GPU
each is started before the loss of the one before is read, and the photos' features lie there.  The
port's step is `train_on_batch` and includes its work on the host.

Steps of a model take turns in one process.  Peak memory is that of a process that makes steps of
one kind only; on a GPU it is what steps of one kind take of the GPU's memory.  The share of the
matmul rate is `training.step_flop` divided by time and by the rate at which the same process
multiplies two large square matrices in the same precision.  On GPUs that have TF32, float32
matrices are multiplied in it, in the steps as well, unless the first line says that it is off.
After the table, on a GPU, stands what the kernels of each step are (`training.kernel_trace`).
"""

import argparse
import json
import time
from dataclasses import dataclass

import numpy as np

from data_reader.benchmark import SENTENCE_LENGTHS
from data_reader.cli import command_line, run_command, whole_number
from data_reader.measuring import (
    add_device_options,
    choose_device,
    in_its_own_process,
    peak_memory_gb,
    use_device,
    with_gpu_memory,
)
from data_reader.stories_file import VIST_PHOTOS_PER_STORY
from data_reader.vocabulary import END, NULL, ROW_LENGTH, START, UNKNOWN
from models import MODELS
from models.precision import PRECISIONS, dtype_policy, precisions_here
from training.experiment import Experiment
from training.step_flop import step_flop

ROUNDS = 5
STEPS_PER_ROUND = {"cpu": 1, "gpu": 10}
NAIVE_STEPS = 2  # of a round: on a GPU they take many times as long
MEMORY_STEPS = 2
TRACED_STEPS = 2
STORIES = {"cpu": 13, "gpu": 64}
MATMUL_SIZE = {"cpu": 2048, "gpu": 8192}
MATMULS = 4
# Orthogonal matrices, the default, take seconds to draw.
QUICKLY_MADE = {"recurrent_initializer": "glorot_uniform"}


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
    shape = (sizes.stories_per_batch, VIST_PHOTOS_PER_STORY)
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


def make_steps(model, precision, sizes):
    """-> a function that trains a new model on batches, and returns the seconds per step."""
    import keras

    keras.utils.set_random_seed(1)
    experiment = Experiment(name="benchmark", model=model, model_settings=QUICKLY_MADE)
    if precision == "naive":
        return _naive_steps(experiment, sizes)
    return make_steps_of(make_trained_model(experiment, precision, sizes))


def make_trained_model(experiment, precision, sizes):
    """The experiment's model of these sizes, compiled."""
    from models import model_class
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
        dtype=dtype_policy(precision),
        **dict.fromkeys(latent_dims, sizes.units),
        **experiment.model_settings,
    )
    compile_model(model, experiment, steps_per_epoch=ROUNDS)
    return model


def make_steps_of(model):
    """The same of a compiled model, by `training.loop`."""
    import tensorflow as tf

    from training.loop import make_train_step

    train_step = make_train_step(model, tf.distribute.get_strategy())

    def train(batches):
        inputs = [
            {"image_features": tf.convert_to_tensor(image_features), "sentences": sentences}
            for image_features, sentences in batches
        ]
        start = time.perf_counter()
        before = None
        for of_batch in inputs:
            loss, _ = train_step(of_batch, np.float32(1), False)
            if before is not None:
                float(before)
            before = loss
        tf.test.experimental.sync_devices()  # the last update comes after its loss
        return (time.perf_counter() - start) / len(inputs)

    return train


def _naive_steps(experiment, sizes):
    from training.naive_port import NAIVE_MODELS, compile_naive, naive_batch

    model = NAIVE_MODELS[experiment.model](
        draw_word_embeddings(sizes), sizes.feature_size, sizes.units, sizes.input_dropout
    )
    compile_naive(model, experiment.learning_rate, experiment.gradient_clip_value)

    def train(batches):
        start = time.perf_counter()
        for image_features, sentences in batches[:NAIVE_STEPS]:
            made, targets, weights = naive_batch(
                image_features, sentences, sizes.vocabulary_size, sizes.image_group_size
            )
            inputs = {tensor.name: made[tensor.name] for tensor in model.inputs}
            model.train_on_batch(inputs, targets, weights)
        return (time.perf_counter() - start) / len(batches[:NAIVE_STEPS])

    return train


def measure_steps(model, precisions, sizes, matmul_size, steps_per_round=1):
    """Steps and matmuls of each precision, in turn.

    Returns:
        `{precision: {seconds_per_step, words_per_second, matmul_share, matmul_gflop_per_second}}`,
        medians, with a GPU also peak_memory_gb and kernels; and the mean number of words of a
        sentence, <END> included.  The share is nan for a model whose operations `step_flop` can't
        count.
    """
    rng = np.random.default_rng(1)
    rounds = [[draw_batch(sizes, rng) for _ in range(steps_per_round)] for _ in range(1 + ROUNDS)]
    rows = {precision: {} for precision in precisions}
    works = {p: _warmed_up(model, p, sizes, rounds[0], row) for p, row in rows.items()}
    works |= {("matmuls", precision): _matmuls(precision, matmul_size) for precision in precisions}
    seconds = _seconds_in_turn(works, rounds[1:])
    words = [np.mean([_count_words(batch) for batch in batches]) for batches in rounds[1:]]
    flop = [np.mean([_flop(model, batch, sizes) for batch in batches]) for batches in rounds[1:]]
    for precision, row in rows.items():
        matmul_rate = 2 * matmul_size**3 / np.median(seconds["matmuls", precision])
        row["seconds_per_step"] = float(np.median(seconds[precision]))
        row["words_per_second"] = float(np.median(np.divide(words, seconds[precision])))
        row["matmul_share"] = float(np.median(np.divide(flop, seconds[precision])) / matmul_rate)
        row["matmul_gflop_per_second"] = float(matmul_rate / 1e9)
    _trace_kernels(works, rows, rounds[0][:TRACED_STEPS])
    return rows, float(np.mean(words) / sizes.stories_per_batch / VIST_PHOTOS_PER_STORY)


def _warmed_up(model, precision, sizes, batches, row):
    """Steps that are compiled; with a GPU its memory is put into the row."""
    from models.recurrent_cells import has_gpu

    def warm_up():
        steps = make_steps(model, precision, sizes)
        steps(batches)
        return steps

    if not has_gpu():
        return warm_up()
    steps, row["peak_memory_gb"] = with_gpu_memory(warm_up)
    return steps


def _trace_kernels(works, rows, batches):
    """With a GPU put the kernels of the project's own steps into their rows."""
    from models.recurrent_cells import has_gpu
    from training.kernel_trace import describe, trace

    if not has_gpu():
        return
    for precision, row in rows.items():
        if precision != "naive":
            row["kernels"] = describe(trace(works[precision], batches), len(batches))


def _seconds_in_turn(works, rounds):
    """Functions of a round's batches, called in turn -> what each of them returns."""
    seconds = {name: [] for name in works}
    for batches in rounds:
        for name, work in works.items():
            seconds[name].append(work(batches))
    return seconds


def _count_words(batch):
    """<END>s included, padding excluded."""
    _, sentences = batch
    return np.count_nonzero(sentences[..., 1:] != NULL)


def _flop(model, batch, sizes):
    _, sentences = batch
    return step_flop(model, sentences, sizes) if model in MODELS else float("nan")


def _matmuls(precision, size):
    """-> a function that returns the seconds of a product of square matrices of `size`."""
    import keras
    import tensorflow as tf

    policy = keras.dtype_policies.get(
        dtype_policy("float32" if precision == "naive" else precision)
    )
    matrix = tf.cast(tf.random.normal((size, size), stddev=size**-0.5), policy.compute_dtype)

    def multiply(*_):
        start = time.perf_counter()
        product = matrix
        for _ in range(MATMULS):
            product = tf.matmul(product, matrix)
        float(product[0, 0])  # waits for a GPU
        return (time.perf_counter() - start) / MATMULS

    multiply()  # the first one takes longer
    return multiply


def measure_memory(model, precision, sizes):
    """Peak memory (GB) of this process over a few steps."""
    rng = np.random.default_rng(1)
    steps = make_steps(model, precision, sizes)
    steps([draw_batch(sizes, rng) for _ in range(MEMORY_STEPS)])
    return peak_memory_gb()


def _measure(arguments):
    """Measure in this process: "steps" of a model, or the memory of a precision."""
    device, [model] = arguments.device, arguments.model
    device_name = use_device(device, arguments.cores)
    sizes = Sizes(stories_per_batch=arguments.stories)
    if arguments.measure != "steps":
        return measure_memory(model, arguments.measure, sizes)
    # The naive port exists for the project's own models only.
    kinds = ["naive"] if model in MODELS else []
    kinds += [p for p in arguments.precision if p in precisions_here()]
    rows, words = measure_steps(model, kinds, sizes, MATMUL_SIZE[device], STEPS_PER_ROUND[device])
    return {"precisions": rows, "words_per_sentence": words, "device_name": device_name}


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


def measure_model(model, arguments):
    """Time and memory of a model's steps, see `measure_steps`; nan where there is no naive port."""
    measured = _in_its_own_process("steps", model, arguments)
    rows = measured["precisions"]
    naive_seconds = rows["naive"]["seconds_per_step"] if "naive" in rows else float("nan")
    for precision, row in rows.items():
        row["ratio_to_naive"] = naive_seconds / row["seconds_per_step"]
        if arguments.device == "cpu":
            row["peak_memory_gb"] = _in_its_own_process(precision, model, arguments)
    return measured


def as_json(measured):
    """`{model: {precision: {quantity: value}}}`."""
    return {model: of_model["precisions"] for model, of_model in measured.items()}


def as_table(measured, arguments):
    """Text: machine and sizes, one row per model and precision, on a GPU the kernels."""
    sizes = Sizes(stories_per_batch=arguments.stories)
    one = next(iter(measured.values()))
    lines = [
        f"{one['device_name']}, cores used: {arguments.cores}; medians of {ROUNDS} rounds",
        f"{sizes.stories_per_batch} stories of {VIST_PHOTOS_PER_STORY} sentences, on average "
        f"{one['words_per_sentence']:.1f} words with <END>; vocabulary {sizes.vocabulary_size:,}, "
        f"features {sizes.feature_size:,}, frozen embedding {sizes.word_embedding_size}, "
        f"encoders {sizes.units:,}, windows of {sizes.image_group_size}, "
        f"dropout {sizes.input_dropout}",
        "",
        f"{'model':24}{'precision':10}{'s/step':>9}{'stories/s':>10}{'words/s':>10}{'x naive':>9}"
        f"{'peak GB':>9}{'matmul GFLOP/s':>16}{'share of it':>13}",
    ]
    kernels = []
    for model, of_model in measured.items():
        for precision, row in of_model["precisions"].items():
            lines.append(
                f"{model:24}{precision:10}{row['seconds_per_step']:9.4f}"
                f"{sizes.stories_per_batch / row['seconds_per_step']:10.2f}"
                f"{row['words_per_second']:10,.0f}{row['ratio_to_naive']:9.2f}"
                f"{row['peak_memory_gb']:9.2f}{row['matmul_gflop_per_second']:16,.1f}"
                f"{row['matmul_share']:13.3f}"
            )
            if "kernels" in row:
                kernels.append(f"{model} {precision}: {row['kernels']}")
    return "\n".join([*lines, *kernels])


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
    add_device_options(parser)
    parser.add_argument(
        "--stories", type=whole_number(1), help="in a batch (default: 13; on a GPU 64)"
    )
    parser.add_argument(
        "--measure", choices=("steps", "naive", *PRECISIONS), help=argparse.SUPPRESS
    )
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    arguments.model = arguments.model or list(MODELS)
    arguments.precision = arguments.precision or list(PRECISIONS)
    choose_device(arguments)
    arguments.stories = arguments.stories or STORIES[arguments.device]
    if arguments.measure:
        print(json.dumps(_measure(arguments)))
        return
    measured = {model: measure_model(model, arguments) for model in arguments.model}
    print(json.dumps(as_json(measured)) if arguments.json else as_table(measured, arguments))


if __name__ == "__main__":
    run_command(main)

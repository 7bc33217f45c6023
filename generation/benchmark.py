"""python -m generation.benchmark: measure the speed and memory of generating stories.

Models at the paper's sizes with random weights; sentences are as long as VIST's, their words the
model's.  Words per second count <END>s and no padding.  The decodings of a model take turns in one
process.  The baseline is a naive loop of the proposed model (`generation.naive_loop`, float32, one
story at a time); peak memory is that of a process with one decoding only, on a GPU what one
decoding takes of the GPU's memory.

With --agreement RUN it reports instead how many sentences of a trained run depend on the number of
stories per batch.
"""

import argparse
import json
import time

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
from data_reader.run_folder import RunFolder
from data_reader.stories_file import VIST_PHOTOS_PER_STORY, StoryFeatures, open_stories
from data_reader.vocabulary import NULL
from models import MODELS, model_class
from models.precision import dtype_policy, precisions_here

ROUNDS = 3
VOCABULARY_SIZE, FEATURE_SIZE, WORD_EMBEDDING_SIZE = 10_004, 4096, 300
DECODINGS = ("greedy", "beam3")
NAIVE_MODEL = "ImageGroupingModel"  # the only one that the naive loop can run
AGREEMENT_BATCHES = (1, 64, 256)


def make_model(name, precision):
    """Make a model at the paper's sizes with random weights, its embeddings frozen."""
    import keras

    keras.utils.set_random_seed(1)
    shape = (VOCABULARY_SIZE, WORD_EMBEDDING_SIZE)
    embeddings = np.random.default_rng(1).normal(0, 0.4, shape).astype(np.float32)
    return model_class(name)(
        VOCABULARY_SIZE,
        FEATURE_SIZE,
        word_embeddings=embeddings,
        standardise_features=False,
        recurrent_initializer="glorot_uniform",  # orthogonal matrices take seconds to draw
        dtype=dtype_policy(precision),
    )


class OfRealLength:
    """A model whose sentences are as long as VIST's: it generates <END> there and only there."""

    def __init__(self, model):
        self.feature_size = model.feature_size
        self.encode_images = model.encode_images
        self._model = model

    def start_sentence(self, image_state, previous_sentences):
        import tensorflow as tf

        state = self._model.start_sentence(image_state, previous_sentences)
        per_mille = tf.constant(np.repeat(np.arange(1, 21, dtype=np.int32), SENTENCE_LENGTHS))
        drawn = tf.random.uniform([tf.shape(previous_sentences)[0]], 0, 1000, tf.int32)
        return [state, tf.gather(per_mille, drawn)]

    def make_decode_step(self):
        import tensorflow as tf

        from data_reader.vocabulary import END

        model_step = self._model.make_decode_step()

        def step(words, state):
            model_state, words_left = state
            logits, model_state = model_step(words, model_state)
            is_end = tf.range(self._model.vocabulary_size) == END
            possible = is_end == (words_left[:, None] == 0)
            return tf.where(possible, logits, float("-inf")), [model_state, words_left - 1]

        return step


def make_batch_work(model, decoding, precision):
    """Make a function that generates a batch of stories -> their rows, int32 [B, I, T].

    It is compiled.
    """
    from generation.decoding import BeamSearch, Greedy
    from generation.story_generator import StoryGenerator, stories_per_batch

    if decoding == "naive":
        return _naive_work()
    chosen = {"greedy": Greedy(), "beam3": BeamSearch(3)}[decoding]
    generator = StoryGenerator(OfRealLength(make_model(model, precision)), chosen)
    image_features = _draw_features(stories_per_batch(chosen))
    generator.generate(image_features[:1], show_progress=False)
    return lambda: generator.generate(image_features, show_progress=False)


def _naive_work():
    from generation.naive_loop import NaiveLoop

    loop = NaiveLoop(make_model(NAIVE_MODEL, "float32"), VIST_PHOTOS_PER_STORY)
    [image_features] = _draw_features(1)
    rng = np.random.default_rng(1)
    share = np.array(SENTENCE_LENGTHS) / sum(SENTENCE_LENGTHS)

    def generate():
        lengths = rng.choice(np.arange(1, 21), VIST_PHOTOS_PER_STORY, p=share)
        return loop.generate(image_features, lengths)[None]

    generate()
    return generate


def _draw_features(stories):
    shape = (stories, VIST_PHOTOS_PER_STORY, FEATURE_SIZE)
    return np.random.default_rng(1).normal(size=shape).clip(0).astype(np.float32)


def measure_speed(model, stories):
    """Measure all decodings and precisions of a model, in turn.

    Args:
        stories: generated to measure memory, if there is a GPU.

    Returns:
        A list of `{decoding, precision, stories_per_batch, stories_per_second, words_per_second}`,
        the rates medians of rounds; with a GPU also peak_memory_gb.
    """
    rows = _kinds(model)
    works = [_warmed_up(model, row, stories) for row in rows]
    rates = [[] for _ in rows]
    for _ in range(ROUNDS):
        for row, generate, of_work in zip(rows, works, rates, strict=True):
            start = time.perf_counter()
            generated = generate()
            seconds = time.perf_counter() - start
            words = np.count_nonzero(generated[..., 1:] != NULL)
            of_work.append([len(generated) / seconds, words / seconds])
            row["stories_per_batch"] = len(generated)
    for row, of_work in zip(rows, rates, strict=True):
        medians = np.median(of_work, axis=0).tolist()
        row["stories_per_second"], row["words_per_second"] = medians
    return rows


def _kinds(model):
    kinds = [("naive", "float32")] if model == NAIVE_MODEL else []
    precisions = precisions_here()
    kinds += [(decoding, precision) for decoding in DECODINGS for precision in precisions]
    return [{"decoding": decoding, "precision": precision} for decoding, precision in kinds]


def _warmed_up(model, row, stories):
    """A decoding that is compiled; with a GPU its memory is put into the row."""
    from models.recurrent_cells import has_gpu

    kind = (model, row["decoding"], row["precision"])
    if not has_gpu():
        return make_batch_work(*kind)
    work, row["peak_memory_gb"] = with_gpu_memory(lambda: generate_stories(*kind, stories))
    return work


def generate_stories(model, decoding, precision, stories):
    """Generate at least so many stories -> the function from `make_batch_work` that did."""
    generate = make_batch_work(model, decoding, precision)
    generated = 0
    while generated < (1 if decoding == "naive" else stories):
        generated += len(generate())
    return generate


def measure_agreement(run):
    """Measure how the sentences of a run's test split depend on the number of stories per batch.

    -> {sentences, differing, largest_gap}: of each story the first sentence that is not the same in
    all batches counts as differing; the gap is that between the two best logits at its first word
    that differs.
    """
    from generation.story_generator import StoryGenerator
    from models.loading import load_model

    model = load_model(run)
    generator = StoryGenerator(model)
    with open_stories(run.layout(), "test") as stories:
        image_features = StoryFeatures(stories)[:]
    first, *others = [generator.generate(image_features, size) for size in AGREEMENT_BATCHES]
    gaps = {}
    for other in others:
        for story in np.flatnonzero((first != other).any(axis=(1, 2))):
            image, place = np.argwhere(first[story] != other[story])[0]
            gaps[story, image] = _gap(model, image_features[story], first[story], image, place)
    return {
        "sentences": int(np.prod(first.shape[:2])),
        "differing": len(gaps),
        "largest_gap": max(gaps.values(), default=0.0),
    }


def _gap(model, image_features, rows, image, place):
    """Return the gap between the two best logits at a place of a story's rows [I, T]."""
    inputs = {"image_features": image_features[None], "sentences": rows[None]}
    logits = np.array(model(inputs, training=False))
    before = int((rows[:image, 1:] != 0).sum()) + place - 1
    runner_up, best = np.sort(logits[before, 2:])[-2:]
    return float(best - runner_up)


def measure(arguments):
    """Measure all models -> `{model: rows}`, see `measure_speed`, and the device's name."""
    results = {}
    for model in arguments.model:
        own = [__spec__.name, "--model", model, "--stories", arguments.stories]
        own += ["--device", arguments.device, "--cores", arguments.cores, "--measure"]
        measured = in_its_own_process(*own, "speed")
        results[model] = measured["rows"]
        rates = {row["decoding"]: row["stories_per_second"] for row in measured["rows"]}
        for row in measured["rows"]:
            ratio = row["stories_per_second"] / rates["naive"] if "naive" in rates else None
            row["ratio_to_naive"] = ratio
            if arguments.device == "cpu":
                kind = row["decoding"], row["precision"]
                row["peak_memory_gb"] = in_its_own_process(*own, *kind)
    return results, measured["device_name"]


def _measure_here(arguments):
    """Measure, in a process of its own, the speed of all decodings or the memory of one."""
    device_name = use_device(arguments.device, arguments.cores)
    [model] = arguments.model
    if arguments.measure == ["speed"]:
        return {"rows": measure_speed(model, arguments.stories), "device_name": device_name}
    generate_stories(model, *arguments.measure, arguments.stories)
    return peak_memory_gb()


def as_table(results, device_name, arguments):
    """Return the results as a table."""
    batches = {
        row["decoding"]: row["stories_per_batch"] for rows in results.values() for row in rows
    }
    batches = ", ".join(f"{name} {number}" for name, number in batches.items())
    lines = [
        f"{device_name}, cores used: {arguments.cores}; medians of {ROUNDS} rounds",
        f"models at the paper's sizes; stories per batch: {batches}; peak memory after "
        f"{arguments.stories} stories",
        "",
        f"{'model':24}{'decoding':10}{'precision':11}{'stories/s':>10}{'words/s':>9}"
        f"{'x naive':>9}{'peak GB':>9}",
    ]
    for model, rows in results.items():
        for row in rows:
            ratio = row["ratio_to_naive"]
            lines.append(
                f"{model:24}{row['decoding']:10}{row['precision']:11}"
                f"{row['stories_per_second']:10.2f}{row['words_per_second']:9,.0f}"
                f"{'-' if ratio is None else f'{ratio:.1f}':>9}{row['peak_memory_gb']:9.2f}"
            )
    return "\n".join(lines)


def _print_agreement(arguments):
    run = RunFolder.open(arguments.agreement)
    use_device(arguments.device, arguments.cores)
    agreement = measure_agreement(run)
    if arguments.json:
        print(json.dumps(agreement))
        return
    batches = ", ".join(map(str, AGREEMENT_BATCHES))
    print(
        f"{agreement['sentences']} sentences generated in batches of {batches} stories: "
        f"{agreement['differing']} differ"
    )
    if agreement["differing"]:
        gap = agreement["largest_gap"]
        print(f"where they differ, the logits of the two best words are at most {gap:.1e} apart")


def parse_arguments():
    parser = command_line(__doc__)
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    parser.add_argument(
        "--model",
        action="append",
        metavar="NAME",
        help=f"or module:Class (default: {NAIVE_MODEL}; on a GPU all of {', '.join(MODELS)})",
    )
    add_device_options(parser)
    parser.add_argument(
        "--stories",
        type=whole_number(1),
        default=512,
        help="generated to measure peak memory (default: %(default)s)",
    )
    parser.add_argument("--agreement", metavar="RUN", help="run folder to compare batches with")
    parser.add_argument("--measure", nargs="+", help=argparse.SUPPRESS)
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    choose_device(arguments)
    arguments.model = arguments.model or (
        [NAIVE_MODEL] if arguments.device == "cpu" else list(MODELS)
    )
    if arguments.measure:
        print(json.dumps(_measure_here(arguments)))
    elif arguments.agreement:
        _print_agreement(arguments)
    else:
        results, device_name = measure(arguments)
        print(json.dumps(results) if arguments.json else as_table(results, device_name, arguments))


if __name__ == "__main__":
    run_command(main)

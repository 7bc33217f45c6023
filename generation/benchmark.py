"""python -m generation.benchmark: measure the speed and memory of generating stories.

The proposed model, or that of --model, at the paper's sizes with random weights; sentences are as
long as VIST's, their words the model's.  The decodings take turns in one process.  The baseline is
a naive loop of the proposed model (`generation.naive_loop`, float32, one story at a time); peak
memory is that of a process with one decoding only.

With --agreement RUN it reports instead how many sentences of a trained run depend on the number of
stories per batch.
"""

import argparse
import json
import time

import numpy as np

from data_reader.benchmark import SENTENCE_LENGTHS
from data_reader.cli import command_line, run_command, whole_number
from data_reader.layout import DataLayout
from data_reader.measuring import in_its_own_process, peak_memory_gb, use_device
from data_reader.run_folder import RunFolder
from data_reader.stories_file import open_stories
from data_reader.vocabulary import SENTENCES_PER_STORY
from models import model_class
from models.precision import DTYPE_POLICIES, PRECISIONS

ROUNDS = 3
VOCABULARY_SIZE, FEATURE_SIZE, WORD_EMBEDDING_SIZE = 10_004, 4096, 300
STORIES_PER_BATCH = {"greedy": 64, "beam3": 16}
NAIVE_MODEL = "ImageGroupingModel"  # the only one that the naive loop can run
AGREEMENT_BATCHES = (1, 16, 64)


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
        dtype=DTYPE_POLICIES[precision],
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
    """Make a function that generates a batch of stories and returns their number."""
    from generation.decoding import BeamSearch, Greedy
    from generation.story_generator import StoryGenerator

    if decoding == "naive":
        return _naive_work()
    decodings = {"greedy": Greedy(), "beam3": BeamSearch(3)}
    generator = StoryGenerator(OfRealLength(make_model(model, precision)), decodings[decoding])
    image_features = _draw_features(STORIES_PER_BATCH[decoding])

    def generate():
        generator.generate(image_features, show_progress=False)
        return len(image_features)

    return generate


def _naive_work():
    from generation.naive_loop import NaiveLoop

    loop = NaiveLoop(make_model(NAIVE_MODEL, "float32"), SENTENCES_PER_STORY)
    [image_features] = _draw_features(1)
    rng = np.random.default_rng(1)
    share = np.array(SENTENCE_LENGTHS) / sum(SENTENCE_LENGTHS)

    def generate():
        loop.generate(image_features, rng.choice(np.arange(1, 21), SENTENCES_PER_STORY, p=share))
        return 1

    return generate


def _draw_features(stories):
    shape = (stories, SENTENCES_PER_STORY, FEATURE_SIZE)
    return np.random.default_rng(1).normal(size=shape).clip(0).astype(np.float32)


def measure_speed(model):
    """Return `{(decoding, precision): stories per second}`, medians of rounds with all of them."""
    kinds = [("naive", "float32")] if model == NAIVE_MODEL else []
    kinds += [(decoding, precision) for decoding in STORIES_PER_BATCH for precision in PRECISIONS]
    work = {kind: make_batch_work(model, *kind) for kind in kinds}
    rates = {kind: [] for kind in kinds}
    for _ in range(1 + ROUNDS):
        for kind, generate in work.items():
            start = time.perf_counter()
            stories = generate()
            rates[kind].append(stories / (time.perf_counter() - start))
    return {kind: float(np.median(of_kind[1:])) for kind, of_kind in rates.items()}


def measure_memory(model, decoding, precision, stories):
    """Return the peak memory (GB) of this process after generating so many stories."""
    generate = make_batch_work(model, decoding, precision)
    generated = 0
    while generated < stories:
        generated += generate()
    return peak_memory_gb()


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
    with open_stories(DataLayout(run.settings()["data"]), "test") as stories:
        image_features = stories["image_embeddings"][:]
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
    """Measure all -> `{decoding: {precision: {stories_per_second, ...}}}`, the device's name."""
    own = [__spec__.name, "--cores", arguments.cores, "--stories", arguments.stories]
    own += ["--model", arguments.model]
    measured = in_its_own_process(*own, "--measure", "speed")
    rates = {tuple(kind.split()): rate for kind, rate in measured["rates"].items()}
    naive_rate = rates.get(("naive", "float32"))
    results = {}
    for (decoding, precision), rate in rates.items():
        results.setdefault(decoding, {})[precision] = {
            "stories_per_second": rate,
            "ratio_to_naive": rate / naive_rate if naive_rate else None,
            "peak_memory_gb": in_its_own_process(*own, "--measure", decoding, precision),
        }
    return results, measured["device_name"]


def _measure_here(arguments):
    """Measure, in a process of its own, the speed of all decodings or the memory of one."""
    device_name = use_device("cpu", arguments.cores)
    if arguments.measure == ["speed"]:
        rates = measure_speed(arguments.model)
        return {
            "rates": {" ".join(kind): rates[kind] for kind in rates},
            "device_name": device_name,
        }
    decoding, precision = arguments.measure
    stories = 1 if decoding == "naive" else arguments.stories
    return measure_memory(arguments.model, decoding, precision, stories)


def as_table(results, device_name, arguments):
    """Return the results as a table."""
    batches = ", ".join(f"{name} {number}" for name, number in STORIES_PER_BATCH.items())
    lines = [
        f"{device_name}, cores used: {arguments.cores}; medians of {ROUNDS} rounds",
        f"{arguments.model} at the paper's sizes; stories per batch: {batches}; peak memory "
        f"after {arguments.stories} stories",
        "",
        f"{'decoding':10}{'precision':11}{'stories/s':>10}{'x naive':>9}{'peak GB':>9}",
    ]
    for decoding, of_decoding in results.items():
        for precision, row in of_decoding.items():
            ratio = row["ratio_to_naive"]
            lines.append(
                f"{decoding:10}{precision:11}{row['stories_per_second']:10.2f}"
                f"{'-' if ratio is None else f'{ratio:.1f}':>9}{row['peak_memory_gb']:9.2f}"
            )
    return "\n".join(lines)


def _print_agreement(arguments):
    run = RunFolder.open(arguments.agreement)
    use_device("cpu", arguments.cores)
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
    parser.add_argument("--model", default=NAIVE_MODEL, metavar="NAME", help="or module:Class")
    parser.add_argument("--cores", type=whole_number(1), default=1, help="default: 1")
    parser.add_argument(
        "--stories",
        type=whole_number(1),
        default=128,
        help="generated to measure peak memory (default: %(default)s)",
    )
    parser.add_argument("--agreement", metavar="RUN", help="run folder to compare batches with")
    parser.add_argument("--measure", nargs="+", help=argparse.SUPPRESS)
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    if arguments.measure:
        print(json.dumps(_measure_here(arguments)))
    elif arguments.agreement:
        _print_agreement(arguments)
    else:
        results, device_name = measure(arguments)
        print(json.dumps(results) if arguments.json else as_table(results, device_name, arguments))


if __name__ == "__main__":
    run_command(main)

"""python -m generation.benchmark: how fast stories are told, and with how much memory.

The proposed model at the paper's sizes with random weights; each sentence is made as long as
VIST's are, its words are the model's.  The ways of telling take turns in one process, with a naive
loop (`generation.naive_loop`, float32, a story at a time) as the yardstick; peak memory is that of
a process that tells in one way only.

With --agreement RUN it says instead how many sentences of a trained run depend on the number of
stories that are told at a time.
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
from models.precision import PRECISIONS

ROUNDS = 3
IMAGES = 5
VOCABULARY_SIZE, FEATURE_SIZE, WORD_EMBEDDING_SIZE = 10_004, 4096, 300
STORIES_AT_A_TIME = {"greedy": 64, "beam3": 16}
AGREEMENT_BATCHES = (1, 16, 64)


def make_model(precision):
    """The proposed model at the paper's sizes with random weights, its embeddings frozen."""
    import keras

    from models.image_grouping import ImageGroupingModel
    from models.precision import made_in

    keras.utils.set_random_seed(1)
    shape = (VOCABULARY_SIZE, WORD_EMBEDDING_SIZE)
    embeddings = np.random.default_rng(1).normal(0, 0.4, shape).astype(np.float32)
    with made_in(precision):
        return ImageGroupingModel(
            VOCABULARY_SIZE, FEATURE_SIZE, word_embeddings=embeddings, standardise_features=False
        )


class OfRealLength:
    """A model whose sentences are as long as VIST's: it says <END> there and nowhere else."""

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
            is_end = tf.range(VOCABULARY_SIZE) == END
            possible = is_end == (words_left[:, None] == 0)
            return tf.where(possible, logits, float("-inf")), [model_state, words_left - 1]

        return step


def make_batch_work(decoding, precision):
    """A function that tells a batch of the decoding's size and returns how many stories it was."""
    from generation.decoding import BeamSearch, Greedy
    from generation.story_generator import StoryGenerator

    if decoding == "naive":
        return _naive_teller()
    ways = {"greedy": Greedy(), "beam3": BeamSearch(3)}
    generator = StoryGenerator(OfRealLength(make_model(precision)), ways[decoding])
    image_features = _draw_features(STORIES_AT_A_TIME[decoding])

    def tell():
        generator.generate(image_features, show_progress=False)
        return len(image_features)

    return tell


def _naive_teller():
    from generation.naive_loop import NaiveLoop

    loop = NaiveLoop(make_model("float32"), IMAGES)
    [image_features] = _draw_features(1)
    rng = np.random.default_rng(1)
    share = np.array(SENTENCE_LENGTHS) / sum(SENTENCE_LENGTHS)

    def tell():
        loop.generate(image_features, rng.choice(np.arange(1, 21), IMAGES, p=share))
        return 1

    return tell


def _draw_features(stories):
    shape = (stories, IMAGES, FEATURE_SIZE)
    return np.random.default_rng(1).normal(size=shape).clip(0).astype(np.float32)


def measure_speed():
    """`{(decoding, precision): stories per second}`, medians of rounds in which they take turns."""
    ways = [(decoding, precision) for decoding in STORIES_AT_A_TIME for precision in PRECISIONS]
    systems = {way: make_batch_work(*way) for way in [("naive", "float32"), *ways]}
    rates = {way: [] for way in systems}
    for _ in range(1 + ROUNDS):
        for way, tell in systems.items():
            start = time.perf_counter()
            stories = tell()
            rates[way].append(stories / (time.perf_counter() - start))
    return {way: float(np.median(of_way[1:])) for way, of_way in rates.items()}


def measure_memory(decoding, precision, stories):
    """Peak memory (GB) of this process once so many stories are told."""
    tell = make_batch_work(decoding, precision)
    told = 0
    while told < stories:
        told += tell()
    return peak_memory_gb()


def measure_agreement(run):
    """How the sentences of a run's test split change with the number of stories told at a time.

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
    told = [generator.generate(image_features, batch) for batch in AGREEMENT_BATCHES]
    first, *others = told
    gaps = {}
    for other in others:
        for story in np.flatnonzero((first != other).any(axis=(1, 2))):
            image, place = np.argwhere(first[story] != other[story])[0]
            gaps[story, image] = _gap(model, image_features[story], first[story], image, place)
    sentences = int(np.prod(first.shape[:2]))
    return {
        "sentences": sentences,
        "differing": len(gaps),
        "largest_gap": max(gaps.values(), default=0.0),
    }


def _gap(model, image_features, rows, image, place):
    """Between the two best logits of the word at a place of a story's rows [I, T]."""
    inputs = {"image_features": image_features[None], "sentences": rows[None]}
    logits = np.array(model(inputs, training=False))
    before = int((rows[:image, 1:] != 0).sum()) + place - 1
    runner_up, best = np.sort(logits[before, 2:])[-2:]
    return float(best - runner_up)


def measure(arguments):
    """`{decoding: {precision: {stories_per_second, ratio_to_naive, peak_memory_gb}}}`, device."""
    own = [__spec__.name, "--cores", arguments.cores, "--stories", arguments.stories]
    measured = in_its_own_process(*own, "--measure", "speed")
    rates = {tuple(way.split()): rate for way, rate in measured["rates"].items()}
    figures = {}
    for (decoding, precision), rate in rates.items():
        figures.setdefault(decoding, {})[precision] = {
            "stories_per_second": rate,
            "ratio_to_naive": rate / rates["naive", "float32"],
            "peak_memory_gb": in_its_own_process(*own, "--measure", decoding, precision),
        }
    return figures, measured["device_name"]


def _measure_here(arguments):
    """What a process of its own measures: the speed of all ways, or the memory of one."""
    device_name = use_device("cpu", arguments.cores)
    if arguments.measure == ["speed"]:
        rates = {" ".join(way): rate for way, rate in measure_speed().items()}
        return {"rates": rates, "device_name": device_name}
    decoding, precision = arguments.measure
    return measure_memory(decoding, precision, 1 if decoding == "naive" else arguments.stories)


def as_table(figures, device_name, arguments):
    """Lines to read."""
    at_a_time = ", ".join(f"{name} {number}" for name, number in STORIES_AT_A_TIME.items())
    lines = [
        f"{device_name}, cores used: {arguments.cores}; medians of {ROUNDS} rounds",
        f"ImageGroupingModel at the paper's sizes; stories at a time: {at_a_time}; peak memory "
        f"after {arguments.stories} stories",
        "",
        f"{'decoding':10}{'precision':11}{'stories/s':>10}{'x naive':>9}{'peak GB':>9}",
    ]
    for decoding, of_decoding in figures.items():
        for precision, row in of_decoding.items():
            lines.append(
                f"{decoding:10}{precision:11}{row['stories_per_second']:10.2f}"
                f"{row['ratio_to_naive']:9.1f}{row['peak_memory_gb']:9.2f}"
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
        f"{agreement['sentences']} sentences told in batches of {batches} stories: "
        f"{agreement['differing']} differ"
    )
    if agreement["differing"]:
        gap = agreement["largest_gap"]
        print(f"where they part, the two best words' logits are at most {gap:.1e} apart")


def parse_arguments():
    parser = command_line(__doc__)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--cores", type=whole_number(1), default=1, help="default: 1")
    parser.add_argument(
        "--stories",
        type=whole_number(1),
        default=128,
        help="told for each peak memory (default: %(default)s)",
    )
    parser.add_argument("--agreement", metavar="RUN", help="run folder")
    parser.add_argument("--measure", nargs="+", help=argparse.SUPPRESS)
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    if arguments.measure:
        print(json.dumps(_measure_here(arguments)))
    elif arguments.agreement:
        _print_agreement(arguments)
    else:
        figures, device_name = measure(arguments)
        print(json.dumps(figures) if arguments.json else as_table(figures, device_name, arguments))


if __name__ == "__main__":
    run_command(main)

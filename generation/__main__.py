"""python -m generation: a run's stories for a split, their scores, and strips to look at."""

from data_reader.commands import (
    add_data_option,
    command_line,
    import_tensorflow,
    run_command,
    whole_number,
)
from data_reader.files import write_json, written_beside
from data_reader.layout import RESULTS, DataLayout
from data_reader.stories_file import check_features, open_stories
from data_reader.vocabulary import Vocabulary
from models.run_folder import RunFolder

DECODING = "greedy"


def main():
    arguments = _parse_arguments()
    run = RunFolder.open(arguments.run) if arguments.run else RunFolder.newest(RESULTS)
    layout = DataLayout(arguments.data or run.settings()["data"])
    vocabulary = Vocabulary.read(run.vocabulary_file)
    split = arguments.split
    with open_stories(layout, split, vocabulary) as stories:
        check_features(stories, run.features())
        sentences = _tell(run, vocabulary, stories["image_embeddings"])
        references = [
            [vocabulary.decode(row) for row in story] for story in stories["story_sentences"][:]
        ]
        _write_texts(run, split, sentences, references)
        scores = _write_scores(run, split, sentences, references)
        strips = _draw_strips(run, split, layout, stories, sentences, arguments.strips)
    print(f"{run.name}: {len(sentences)} {split} stories")
    print(f"  {run.story_hypotheses(DECODING, split)}")
    print(f"  BLEU {scores['bleu']:.2f} ({scores['protocol']})")
    if strips:
        print(f"  {len(strips)} strips, the first: {strips[0]}")


def _tell(run, vocabulary, image_features):
    """-> [stories][sentences] of text."""
    import_tensorflow()
    from generation.story_generator import StoryGenerator

    rows = StoryGenerator(run.load_model()).tell(image_features)
    return [[vocabulary.decode(row) for row in story] for story in rows]


def _write_texts(run, split, sentences, references):
    _write_lines(run.hypotheses(DECODING, split), [s for story in sentences for s in story])
    _write_lines(run.story_hypotheses(DECODING, split), [" ".join(story) for story in sentences])
    _write_lines(run.references(split), [s for story in references for s in story])


def _write_lines(path, lines):
    with written_beside(path) as partial:
        partial.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _write_scores(run, split, sentences, references):
    from generation.scores import corpus_bleu

    scores = corpus_bleu(
        [s for story in sentences for s in story], [s for story in references for s in story]
    )
    write_json(run.scores(DECODING, split), scores, indent=2)
    return scores


def _draw_strips(run, split, layout, stories, sentences, count):
    """Draw `count` strips, spread over the split so that they show different albums."""
    if "texts" not in stories or "image_paths" not in stories:
        print(f"{stories.filename} does not say where its photos lie; no strips are drawn.")
        return []
    from generation.story_strip import draw_strip

    total = len(sentences)
    chosen = [round(i * total / count) for i in range(count)] if count < total else range(total)
    paths = []
    for number in dict.fromkeys(chosen):
        photos = [layout.root / path.decode() for path in stories["image_paths"][number]]
        human = [text.decode() for text in stories["texts"][number]]
        path = run.strips / f"{split}_{stories['story_ids'][number]}.png"
        tellers = {"human": human, run.settings()["name"]: sentences[number]}
        with written_beside(path) as partial:
            draw_strip(photos, tellers, partial)
        paths.append(path)
    return paths


def _parse_arguments():
    parser = command_line(__doc__)
    parser.add_argument("--run", help="run folder (default: the newest one)")
    parser.add_argument("--split", default="test", choices=("train", "valid", "test"))
    add_data_option(parser, None)
    parser.add_argument(
        "--strips",
        type=whole_number(0),
        default=12,
        metavar="N",
        help="strips to draw (default: %(default)s)",
    )
    return parser.parse_args()


if __name__ == "__main__":
    run_command(main)

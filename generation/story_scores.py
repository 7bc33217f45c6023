"""python -m generation.story_scores: score stories one by one into a file, for d_HM.

non-redundancy OUT: RoViST-NR, from the stories alone.
coherence OUT --model MODULE:FUNCTION: the mean probability that a sentence follows those before it,
by a model of your own.
grounding OUT --vectors FOLDER: GROOViST, from CLIP's vectors of photos and phrases.

OUT is CSV or JSON, by its ending.  docs/scores.md says what the model and the folder hold.
"""

import argparse
import math

from data_reader.cli import add_data_option, command_line, run_command
from data_reader.errors import InputError
from data_reader.import_paths import import_object
from data_reader.layout import SPLITS, DataLayout
from data_reader.run_folder import RunFolder
from data_reader.sis_datareader import read_stories
from data_reader.stories_file import open_stories, read_story_ids
from generation.coherence import coherence
from generation.dhm import COLUMNS, check_ending, write_story_scores
from generation.generated_stories import read_hypotheses
from generation.grounding import grounding
from generation.metrics import check_length
from generation.non_redundancy import non_redundancy, split_sentences
from generation.story_files import read_named_stories

_TEXTS = ("stories", "run", "human")
_TAKES = {
    "grounding": "--vectors alone",
    "coherence": "--model and one of --stories, --run, --human",
    "non-redundancy": "one of --stories, --run, --human",
}


def generated_sentences(run, split, decoding, layout):
    """Read the stories that a run has generated -> `{story id: sentences}`.

    Raises:
        FileNotFoundError: there are none.
        InputError: they are not those of the stories file.
    """
    generated = read_hypotheses(run, decoding, split)
    with open_stories(layout, split) as file:
        ids = read_story_ids(file)
    if len(ids) != len(generated):
        raise InputError(
            f"{run.hypotheses(decoding, split)} holds {len(generated)} stories, "
            f"{layout.stories(split)} {len(ids)}; generate them again with python -m generation."
        )
    return dict(zip(ids, generated, strict=True))


def _read_sentences(arguments):
    """`{story id: sentences}` of a file, a run, or the human stories of a data folder."""
    split = arguments.split
    if arguments.stories:
        return {
            named.shown: (
                named.story if isinstance(named.story, list) else split_sentences(named.story)
            )
            for named in read_named_stories(arguments.stories)
        }
    if arguments.human:
        human = read_stories(DataLayout(arguments.human).annotations(split))
        return {story.story_id: list(story.texts) for story in human}
    run = RunFolder.open(arguments.run)
    layout = DataLayout(arguments.data or run.settings()["data"])
    return generated_sentences(run, split, arguments.decoding, layout)


def _scores(arguments):
    """`{story id: score}`, nan where a story has none."""
    if arguments.measure == "grounding":
        return grounding(arguments.vectors)
    stories = _read_sentences(arguments)
    for story, sentences in stories.items():
        check_length(f"The story {story:.60}", " ".join(sentences))
    if arguments.measure == "coherence":
        model = import_object(arguments.model)
        if not callable(model):
            raise InputError(f"{arguments.model} is a {type(model).__name__}, not a function.")
        return coherence(stories, model)
    return {story: non_redundancy(sentences) for story, sentences in stories.items()}


def main():
    arguments = _parse_arguments()
    _check_options(arguments)
    check_ending(arguments.out)
    scores = _scores(arguments)
    known = {story: score for story, score in scores.items() if not math.isnan(score)}
    if not known:
        raise InputError(f"None of {len(scores)} stories has a score by {arguments.measure}.")
    write_story_scores(arguments.out, known, COLUMNS[arguments.measure])
    print(f"{arguments.measure} {sum(known.values()) / len(known):.4f}, {len(known)} stories")
    if without := [story for story in scores if story not in known]:
        print(f"{len(without)} have no score and were left out, the first: {without[0]}")
    print(f"  {arguments.out}")


def _check_options(arguments):
    measure = arguments.measure
    given = {name for name in (*_TEXTS, "model", "vectors") if getattr(arguments, name)}
    expected = {"grounding": {"vectors"}, "coherence": {"model"}, "non-redundancy": set()}[measure]
    if given - {*_TEXTS} != expected or len(given & {*_TEXTS}) != (measure != "grounding"):
        raise InputError(f"{measure} takes {_TAKES[measure]}; see --help.")


def _parse_arguments():
    parser = command_line(__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("measure", choices=COLUMNS)
    parser.add_argument("out", metavar="OUT", help="file to write, .csv or .json")
    parser.add_argument(
        "--stories", metavar="FILE", help="JSON file: story id -> story, split into sentences"
    )
    parser.add_argument("--run", metavar="FOLDER", help="the stories that a run has generated")
    parser.add_argument(
        "--human", metavar="FOLDER", help="the human stories of the annotations in a data folder"
    )
    parser.add_argument("--split", default="test", choices=SPLITS)
    parser.add_argument("--decoding", default="greedy", metavar="NAME", help="default: greedy")
    parser.add_argument("--model", metavar="MODULE:FUNCTION", help="of coherence")
    parser.add_argument("--vectors", metavar="FOLDER", help="of grounding")
    add_data_option(parser, None)
    return parser.parse_args()


if __name__ == "__main__":
    run_command(main)

"""python -m generation.scores: scores by named protocols, so that they can be compared.

original-2018 HYPOTHESES REFERENCES: two text files with a line for each other's line, one
reference: the system's own protocol of 2018.
vist-album PREDICTIONS.json REFERENCES.json: album id -> story against all human stories of the
album, as the field's vist_eval scores.
vist-sequence PREDICTIONS.json REFERENCES.json: five photo ids joined by _ -> story against the
human stories of exactly these photos, METEOR as the 2018 challenge took it.
--run FOLDER: all of them for what a run has told, with confidence intervals over albums.
"""

import argparse
import json
import re
from importlib.metadata import version
from pathlib import Path

from tqdm import tqdm

from data_reader.cli import add_data_option, command_line, run_command
from data_reader.errors import InputError
from data_reader.files import read_json, write_json
from data_reader.layout import SPLITS, DataLayout
from data_reader.run_folder import RunFolder
from data_reader.sis_datareader import read_stories, why_unusable
from data_reader.stories_file import open_stories
from generation.diversity import diversity
from generation.generated_stories import read_hypotheses
from generation.protocols import (
    compared,
    intervals,
    original_2018,
    shown,
    vist_album,
    vist_sequence,
)

BY_FILES = {"vist-album": vist_album, "vist-sequence": vist_sequence}
_SEQUENCE = re.compile(r"\d+(_\d+){4}")
SENTENCES_OF_A_STORY = 5
# What the scores file says first, and what runs are compared by.
_SUMMARY = ("BLEU-4", "BLEU-4 with brevity penalty", "METEOR", "ROUGE-L", "CIDEr")
_PACKAGES = ("pycocoevalcap", "numpy")


def read_lines(path):
    """The lines of a text file; only a line feed ends one.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is empty, not UTF-8, or JSON.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"There is no file {path}.")
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 ({error}); convert it.") from error
    if not text.strip():
        raise InputError(f"{path} holds no text.")
    if path.suffix == ".json":
        raise InputError(f"{path} is JSON, expected a text file with a sentence or story a line.")
    return text.removesuffix("\n").split("\n")


def pair_lines(hypotheses, references, level):
    """Lines as the level wants them: each five sentences joined to a story, or as they are.

    At the level "story" the hypotheses may already be a story a line.

    Raises:
        ValueError: the numbers of lines do not fit.
    """
    told, human = len(hypotheses), len(references)
    if level == "sentence" and told != human:
        raise InputError(
            f"There are {told} hypotheses for {human} references; each needs a line of its own."
        )
    if level == "story":
        if human % SENTENCES_OF_A_STORY or told not in (human, human // SENTENCES_OF_A_STORY):
            raise InputError(
                f"There are {told} lines of hypotheses for {human} references; a story needs "
                f"{SENTENCES_OF_A_STORY} lines of references and one or as many of hypotheses."
            )
        references = _join(references)
        hypotheses = _join(hypotheses) if told == human else hypotheses
    return hypotheses, references


def _join(sentences):
    return [
        " ".join(sentences[start : start + SENTENCES_OF_A_STORY])
        for start in range(0, len(sentences), SENTENCES_OF_A_STORY)
    ]


def read_predictions(path):
    """`{key: story}` of a JSON file whose values are stories, or lists with one.

    Raises:
        FileNotFoundError, ValueError: there is no such file, or it is something else.
    """
    predictions = {
        key: told[0] if isinstance(told, list) and len(told) == 1 else told
        for key, told in _read_dictionary(path).items()
    }
    for key, story in predictions.items():
        if not isinstance(story, str):
            raise InputError(f"{path}: {key} has {story!r:.60}, expected one story.")
    return predictions


def read_references(path):
    """`{key: [stories]}` of a JSON file.

    Raises:
        FileNotFoundError, ValueError: there is no such file, or it is something else.
    """
    references = _read_dictionary(path)
    for key, stories in references.items():
        if not isinstance(stories, list) or not all(isinstance(story, str) for story in stories):
            raise InputError(f"{path}: {key} has {stories!r:.60}, expected a list of stories.")
    return references


def _read_dictionary(path):
    contents = read_json(path)
    if not isinstance(contents, dict):
        raise InputError(f"{path} holds a {type(contents).__name__}, expected a dictionary.")
    return contents


def first_of_each(names):
    """`{name: its first place}`."""
    first = {}
    for place, name in enumerate(names):
        first.setdefault(name, place)
    return first


def check_keys(protocol, keys):
    """Refuse the keys of one protocol where the other is asked for.

    Raises:
        ValueError: the first one that is wrong is named.
    """
    for key in keys:
        is_sequence = _SEQUENCE.fullmatch(key) is not None
        if is_sequence != (protocol == "vist-sequence"):
            wanted = "an album's id" if is_sequence else "five photo ids joined by _"
            raise InputError(f"{protocol} takes {wanted} as key, got {key}.")


class RunStories:
    """What a run has told of a split, and the human stories by each protocol's lights.

    The story of an album, or of a sequence of photos, is the first one that the stories file has
    of it.  Human stories are uncut, those that the reader dropped for want of a photo included.

    Raises:
        FileNotFoundError: the stories were not told, or the annotations are missing.
        ValueError: the stories file does not say which photos a story has.
    """

    def __init__(self, run, split, decoding, layout):
        self.told = read_hypotheses(run, decoding, split)
        with open_stories(layout, split, also=("album_ids", "image_ids")) as file:
            self.albums = [album.decode() for album in file["album_ids"][:]]
            photos = [[photo.decode() for photo in row] for row in file["image_ids"][:]]
        self.sequences = ["_".join(row) for row in photos]
        cut = read_lines(run.references(split))
        images = len(photos[0])
        self.cut = [cut[start : start + images] for start in range(0, len(cut), images)]
        if not len(self.told) == len(self.cut) == len(self.albums):
            raise InputError(
                f"{len(self.told)} {split} stories were told, {layout.stories(split)} holds "
                f"{len(self.albums)}, {run.references(split).name} {len(self.cut)}; tell them "
                f"again with: python -m generation --run {run.path} --split {split}"
            )
        self.by_album, self.by_sequence = {}, {}
        for story in read_stories(layout.annotations(split)):
            if not why_unusable(story):
                text = " ".join(story.texts)
                self.by_album.setdefault(story.album_id, []).append(text)
                self.by_sequence.setdefault("_".join(story.photo_ids), []).append(text)

    def scored(self):
        """`{protocol: (Scored, album of each text)}`, with a progress bar."""
        told, cut = _sentences(self.told), _sentences(self.cut)
        of_sentences = [
            album for album, story in zip(self.albums, self.told, strict=True) for _ in story
        ]
        albums = first_of_each(self.albums)
        sequences = first_of_each(self.sequences)
        work = {
            "original-2018-sentence": (lambda: original_2018(told, cut), of_sentences),
            "original-2018-story": (
                lambda: original_2018(_stories(self.told), _stories(self.cut)),
                self.albums,
            ),
            "vist-album": (lambda: vist_album(self._told_as(albums), self.by_album), list(albums)),
            "vist-sequence": (
                lambda: vist_sequence(self._told_as(sequences), self.by_sequence),
                [self.albums[place] for place in sequences.values()],
            ),
        }
        bar = tqdm(work.items(), desc="scoring", unit="protocol", disable=None)
        return {protocol: (score(), groups) for protocol, (score, groups) in bar}

    def _told_as(self, places):
        return {name: " ".join(self.told[place]) for name, place in places.items()}

    def diversity(self):
        """Figures of one story a sequence of photos, as told and as humans wrote it."""
        places = first_of_each(self.sequences).values()
        return {
            "told": diversity([self.told[place] for place in places]),
            "human": diversity([self.cut[place] for place in places]),
        }


def _sentences(stories):
    return [sentence for story in stories for sentence in story]


def _stories(of_sentences):
    return [" ".join(story) for story in of_sentences]


def score_run(run, split, decoding, layout):
    """Score what a run has told by all protocols and write the scores file.

    Returns:
        what the file holds: a summary, then `protocols`, `diversity`, `missing`, `versions`.

    Raises:
        FileNotFoundError, ValueError: see `RunStories`.
    """
    stories = RunStories(run, split, decoding, layout)
    scored = stories.scored()
    protocols = {
        protocol: {
            "figures": of_protocol.figures,
            "intervals": intervals(of_protocol, albums),
            "texts": len(of_protocol.statistics),
            "lines": of_protocol.reports,
        }
        for protocol, (of_protocol, albums) in scored.items()
    }
    missing = {of_protocol.missing for of_protocol, _ in scored.values() if of_protocol.missing}
    scores = {
        **{
            f"{protocol} {name}": of_protocol["figures"][name]
            for protocol, of_protocol in protocols.items()
            for name in _SUMMARY
            if name in of_protocol["figures"]
        },
        "protocols": protocols,
        "diversity": stories.diversity(),
        "counts": {
            "stories": len(stories.told),
            "albums": len(set(stories.albums)),
            "photo_sequences": len(set(stories.sequences)),
        },
        "missing": sorted(missing),
        "versions": {package: version(package) for package in _PACKAGES} | {"METEOR": "1.5"},
    }
    write_json(run.scores(decoding, split), scores, indent=2)
    return scores


def report(scores):
    """The table for a person, all scores in percent but CIDEr."""
    lines = [f"{'protocol':24}{'metric':>28}{'score':>8}{'95 % interval':>18}{'texts':>8}"]
    for protocol, of_protocol in scores["protocols"].items():
        for name in _SUMMARY:
            if name in of_protocol["figures"]:
                low, high = (shown(name, bound) for bound in of_protocol["intervals"][name])
                lines.append(
                    f"{protocol:24}{name:>28}{shown(name, of_protocol['figures'][name]):>8}"
                    f"{low:>8} to {high:>6}{of_protocol['texts']:8}"
                )
    told, human = scores["diversity"]["told"], scores["diversity"]["human"]
    lines.append(f"{'':52}{'told':>10}{'human':>10}")
    lines += [f"{name:52}{told[name]:10.3g}{human[name]:10.3g}" for name in told]
    lines += [f"METEOR is missing: {reason}" for reason in scores["missing"]]
    return "\n".join(lines)


def compare(ours, theirs):
    """`{protocol: {metric: {difference, interval, p_value}}}`: `RunStories` less others.

    Args:
        ours, theirs: of the same stories, by two runs or in two decodings.
    """
    ours, theirs = ours.scored(), theirs.scored()
    return {
        protocol: compared(of_protocol, theirs[protocol][0], albums)
        for protocol, (of_protocol, albums) in ours.items()
    }


def _comparison_report(comparison):
    lines = [f"{'protocol':24}{'metric':>28}{'difference':>12}{'95 % interval':>22}{'p':>8}"]
    for protocol, metrics in comparison.items():
        for name, row in metrics.items():
            low, high = row["interval"]
            lines.append(
                f"{protocol:24}{name:>28}{row['difference']:12.4f}{low:12.4f} to {high:6.4f}"
                f"{row['p_value']:8.4f}"
            )
    return "\n".join(lines)


def main():
    arguments = _parse_arguments()
    if arguments.level and arguments.protocol != "original-2018":
        raise InputError("--level is of the protocol original-2018 alone.")
    if arguments.run and not arguments.protocol:
        _score_a_run(arguments)
    elif arguments.run or len(arguments.files) != 2:
        raise InputError(
            "Give a protocol and two files, or --run FOLDER, which is scored by all protocols; "
            "see --help."
        )
    elif arguments.protocol == "original-2018":
        lines = [read_lines(path) for path in arguments.files]
        hypotheses, references = pair_lines(*lines, arguments.level or "sentence")
        _print(original_2018(hypotheses, references), len(references), arguments.json)
    else:
        told, human = arguments.files
        predictions, references = read_predictions(told), read_references(human)
        check_keys(arguments.protocol, predictions)
        scored = BY_FILES[arguments.protocol](predictions, references)
        _print(scored, len(references), arguments.json)


def _print(scored, could_be_scored, as_json):
    texts = len(scored.statistics)
    if as_json:
        missing = {"missing": scored.missing} if scored.missing else {}
        print(json.dumps({**scored.figures, "texts": texts, **missing}))
        return
    print("\n".join(scored.reports or [f"{n:8}{f!r}" for n, f in scored.figures.items()]))
    if texts < could_be_scored:
        print(f"scored {texts} of the {could_be_scored} that have references")
    if scored.missing:
        print(f"METEOR is missing: {scored.missing}")


def _score_a_run(arguments):
    run = RunFolder.open(arguments.run)
    layout = DataLayout(arguments.data or run.settings()["data"])
    split, decoding = arguments.split, arguments.decoding
    if arguments.against:
        _compare(run, layout, arguments)
        return
    scores = score_run(run, split, decoding, layout)
    print(json.dumps(scores) if arguments.json else report(scores))
    if not arguments.json:
        print(f"  {run.scores(decoding, split)}")


def _compare(run, layout, arguments):
    systems = (
        (run, arguments.decoding),
        (RunFolder.open(arguments.against), arguments.against_decoding or arguments.decoding),
    )
    stories = [RunStories(each, arguments.split, decoding, layout) for each, decoding in systems]
    comparison = compare(*stories)
    if arguments.json:
        print(json.dumps(comparison))
        return
    print(" less ".join(f"{each.name} {decoding}" for each, decoding in systems))
    print(_comparison_report(comparison))


def _parse_arguments():
    parser = command_line(__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("protocol", nargs="?", choices=("original-2018", *BY_FILES))
    parser.add_argument("files", nargs="*", metavar="FILE", help="hypotheses, references")
    parser.add_argument(
        "--level", choices=("sentence", "story"), help="of original-2018 (default: sentence)"
    )
    parser.add_argument("--run", metavar="FOLDER", help="run folder")
    parser.add_argument("--split", default="test", choices=SPLITS)
    parser.add_argument("--decoding", default="greedy", metavar="NAME", help="default: greedy")
    parser.add_argument("--against", metavar="FOLDER", help="compare the run with this one")
    parser.add_argument(
        "--against-decoding", metavar="NAME", help="of that one (default: the same decoding)"
    )
    parser.add_argument("--json", action="store_true", help="print all figures as JSON")
    add_data_option(parser, None)
    return parser.parse_intermixed_args()


if __name__ == "__main__":
    run_command(main)

"""python -m generation.scores: score stories by named protocols, so that scores can be compared.

original-2018 HYPOTHESES REFERENCES: two text files whose lines correspond; one reference each: the
system's own protocol of 2018.
vist-album STORIES REFERENCES: one story per album, against all human stories of the album, as the
field's vist_eval does.
vist-sequence STORIES REFERENCES: one story per sequence of photos, against the human stories of
exactly these photos, METEOR as the 2018 challenge took it.
--run FOLDER: all of them for the stories of a run, with confidence intervals over albums.
dhm --human G C R --system G C R: d_HM, the distance from human stories, by files of grounding,
coherence and non-redundancy.
"""

import argparse
import json
from contextlib import suppress
from dataclasses import replace
from importlib.metadata import version

from data_reader.cli import add_data_option, command_line, run_command, whole_number
from data_reader.errors import InputError
from data_reader.fields import read_fields
from data_reader.files import write_json
from data_reader.layout import SPLITS
from data_reader.run_files import Share
from data_reader.run_folder import RunFolder
from data_reader.stories_file import VIST_PHOTOS_PER_STORY
from generation.bootstrap import sums_by_group
from generation.dhm import distances_of_files
from generation.metrics import (
    METRICS,
    VIST_ALBUM,
    VIST_SEQUENCE,
    add_metric_option,
    shown,
    with_metrics,
)
from generation.protocols import (
    compared,
    intervals,
    not_compared,
    score,
    script_lines,
    with_all_references,
    with_one_reference,
)
from generation.references import read_references, text_of
from generation.run_stories import RunStories
from generation.scored_files import in_stories, pair_lines, read_lines, shortened
from generation.story_files import read_system, stories_by, tokenised

_PACKAGES = ("pycocoevalcap", "nltk", "numpy")


def score_run(run, split, decoding, layout, metrics=METRICS):
    """Score the stories of a run by all protocols and write the scores file.

    Returns:
        the contents of the file, see docs/scores.md.

    Raises:
        FileNotFoundError, InputError: see `RunStories`.
    """
    stories = RunStories(run, split, decoding, layout)
    scored = stories.scored(metrics)
    settings = run.decoding(decoding, split)
    scores = {
        **{
            f"{protocol} {name}": of_protocol.values[name]
            for protocol, of_protocol in scored.items()
            for name, metric in of_protocol.metrics.items()
            if metric.in_summary
        },
        "protocols": {protocol: _details(of_protocol) for protocol, of_protocol in scored.items()},
        "diversity": stories.diversity(),
        "decoding": read_fields(settings, {}) if settings.is_file() else {},
        "counts": {
            "stories": len(stories.generated),
            "albums": len(set(stories.albums)),
            "photo_sequences": len(set(stories.sequences)),
        },
        "missing": _by_protocol({p: of_protocol.missing for p, of_protocol in scored.items()}),
        "versions": {package: version(package) for package in _PACKAGES} | {"METEOR": "1.5"},
    }
    write_json(run.scores(decoding, split), scores, indent=2)
    write_json(run.album_sums(decoding, split), _album_sums(scored))
    return scores


def _album_sums(scored):
    """`{protocol and score: {"albums": [ids], "sums": [G, S]}}`, see `Metric.counted`."""
    return {
        f"{protocol} {name}": {
            "albums": list(dict.fromkeys(of_protocol.texts.groups)),
            "sums": sums_by_group(
                metric.counted(of_protocol.texts), of_protocol.texts.groups
            ).tolist(),
        }
        for protocol, of_protocol in scored.items()
        for name, metric in of_protocol.metrics.items()
        if metric.in_summary
    }


def _by_protocol(missing):
    """`{protocol and score: reason}` of `{protocol: {score: reason}}`."""
    return {
        f"{protocol} {name}": reason
        for protocol, of_protocol in missing.items()
        for name, reason in of_protocol.items()
    }


def _lines_of_missing(missing):
    """One line per score and reason."""
    protocols = {}
    for key, reason in missing.items():
        protocol, _, name = key.partition(" ")
        protocols.setdefault((name, reason), []).append(protocol)
    return [
        f"{name} is missing: {reason} ({', '.join(of_reason)})"
        for (name, reason), of_reason in protocols.items()
    ]


def _details(scored):
    """All that the scores file says of a protocol."""
    between = intervals(scored)
    return {
        "texts": len(scored.texts.hypotheses),
        "scores": {
            name: {
                "value": scored.values[name],
                "interval": between[name],
                "is_share": metric.is_share,
                "higher_is_better": metric.higher_is_better,
            }
            for name, metric in scored.metrics.items()
        },
        "lines": script_lines(scored),
        **_not_scored(scored.texts),
    }


def _not_scored(texts):
    """The names of texts that could not be scored, and of those that are scored as nothing."""
    named = {"left_out": texts.left_out, "empty": texts.empty()}
    return {reason: names for reason, names in named.items() if names}


def _notes(not_scored):
    reasons = {"left_out": "have no human text and are left out", "empty": "are empty"}
    return [
        f"{len(not_scored[reason])} texts {words}: {shortened(not_scored[reason])}"
        for reason, words in reasons.items()
        if reason in not_scored
    ]


def report(scores):
    """Format the contents of a scores file as a table, shares in percent."""
    lines = [f"{'protocol':24}{'score':>28}{'value':>8}{'95 % interval':>18}{'texts':>8}"]
    for protocol, of_protocol in scores["protocols"].items():
        for name, row in of_protocol["scores"].items():
            if f"{protocol} {name}" in scores:
                number = Share if row["is_share"] else float
                value, low, high = (shown(number(x)) for x in (row["value"], *row["interval"]))
                lines.append(
                    f"{protocol:24}{name:>28}{value:>8}{low:>8} to {high:>6}"
                    f"{of_protocol['texts']:8}"
                )
        lines += [f"{protocol}: {note}" for note in _notes(of_protocol)]
    generated, human = scores["diversity"]["generated"], scores["diversity"]["human"]
    lines.append(f"{'':52}{'generated':>10}{'human':>10}")
    lines += [f"{name:52}{generated[name]:10.3g}{human[name]:10.3g}" for name in generated]
    lines += _lines_of_missing(scores["missing"])
    return "\n".join(lines)


def compare(names, systems, metrics=METRICS):
    """Compare the first of two systems with the second.

    Args:
        names: of the two.
        systems: `RunStories` of the same stories, by two runs or in two decodings.

    Returns:
        `{protocol: {score: {difference, interval, p_value, higher_is_better}}}`, and `{protocol and
        score: reason}` of the scores that one or both lack.

    Raises:
        InputError: see `compared`.
    """
    ours, theirs = (stories.scored(metrics) for stories in systems)
    pairs = {protocol: (ours[protocol], theirs[protocol]) for protocol in ours}
    missing = _by_protocol({p: not_compared(names, pair) for p, pair in pairs.items()})
    return {protocol: compared(*pair) for protocol, pair in pairs.items()}, missing


def _comparison_report(comparison, missing):
    lines = [f"{'protocol':24}{'score':>28}{'difference':>12}{'95 % interval':>22}{'p':>8}"]
    for protocol, scores in comparison.items():
        for name, row in scores.items():
            low, high = row["interval"]
            note = "  lower is better" if row["higher_is_better"] is False else ""
            lines.append(
                f"{protocol:24}{name:>28}{row['difference']:12.4f}{low:12.4f} to {high:6.4f}"
                f"{row['p_value']:8.4f}{note}"
            )
    return "\n".join([*lines, *_lines_of_missing(missing)])


def main():
    arguments = _parse_arguments()
    metrics = with_metrics(arguments.metric)
    if arguments.level and arguments.protocol != "original-2018":
        raise InputError("--level belongs to the protocol original-2018 alone.")
    if arguments.tokenise and arguments.protocol not in (VIST_ALBUM, VIST_SEQUENCE):
        raise InputError(f"--tokenise belongs to {VIST_ALBUM} and {VIST_SEQUENCE} alone.")
    if arguments.sentences_per_story and arguments.level != "story":
        raise InputError("--sentences-per-story belongs to --level story alone.")
    if arguments.against_decoding and not arguments.against:
        raise InputError("--against-decoding belongs to --against, which was not given.")
    if arguments.against and not arguments.run:
        raise InputError("--against compares two runs; give the first with --run.")
    if arguments.protocol == "dhm" or arguments.human or arguments.system:
        _print_distances(arguments)
    elif arguments.run and not arguments.protocol:
        _score_a_run(arguments, metrics)
    elif arguments.run or len(arguments.files) != 2:
        raise InputError(
            "Give a protocol and two files, or --run FOLDER, which is scored by all protocols; "
            "see --help."
        )
    else:
        _score_files(arguments, metrics)


def _print_distances(arguments):
    human, system = arguments.human, arguments.system
    others = arguments.files or arguments.run or arguments.metric
    if arguments.protocol != "dhm" or not human or not system or others:
        raise InputError("dhm takes --human G C R and --system G C R alone; see --help.")
    print(distances_of_files(human, system, arguments.json))


def _score_files(arguments, metrics):
    protocol, (hypotheses, references) = arguments.protocol, arguments.files
    if protocol == "original-2018":
        level = arguments.level or "sentence"
        per_story = arguments.sentences_per_story or VIST_PHOTOS_PER_STORY
        generated, human = read_lines(hypotheses), read_lines(references)
        lines = pair_lines(generated, human, level, per_story)
        has_sentences = level == "story" and len(generated) == len(human)
        sentences = in_stories(generated, per_story) if has_sentences else ()
        texts, possible = with_one_reference(*lines, (), sentences), len(lines[1])
        protocol = f"{protocol}-{level}"
    else:
        texts, possible = _texts_by_key(protocol, hypotheses, references, arguments.tokenise)
    for metric in metrics[len(METRICS) :]:
        if protocol not in metric.protocols:
            raise InputError(
                f"{metric.name} is a score by {', '.join(metric.protocols)}, not by {protocol}."
            )
    _print(score(protocol, texts, metrics), possible, arguments.json)


def _texts_by_key(protocol, hypotheses, references, tokenise):
    """The `Texts` of two files with keys, and the number of keys that have references."""
    human = read_references(references, protocol)
    system = read_system(hypotheses, human)
    stories = stories_by(protocol, system, human)
    if tokenise:
        stories = tokenised(stories)
    texts = {key: text_of(story) for key, story in stories.items()}
    sentences = list(stories.values())
    known = all(isinstance(story, list) for story in sentences)
    of_key = {k: [text_of(s) for s in of_k] for k, of_k in human.of(protocol).items()}
    found = with_all_references(texts, of_key, (), sentences if known else ())
    return replace(found, left_out=[*found.left_out, *system.unknown]), len(of_key)


def _print(scored, possible, as_json):
    texts, values = len(scored.texts.hypotheses), scored.values
    if as_json:
        missing = {"missing": scored.missing} if scored.missing else {}
        print(json.dumps({**values, "texts": texts, **_not_scored(scored.texts), **missing}))
        return
    width = max(map(len, ["ROUGE-L", *values])) + 1
    for line in script_lines(scored) or [f"{n:{width}}{value!r}" for n, value in values.items()]:
        print(line)
    if texts < possible:
        print(f"scored {texts} of the {possible} that have references")
    for line in _notes(_not_scored(scored.texts)):
        print(line)
    for name, reason in scored.missing.items():
        print(f"{name} is missing: {reason}")


def _score_a_run(arguments, metrics):
    run = RunFolder.open(arguments.run)
    layout = run.layout(arguments.data)
    if arguments.against:
        _compare(run, layout, arguments, metrics)
        return
    split, decoding = arguments.split, arguments.decoding
    before = {}
    with suppress(InputError):  # a broken file is written again
        before = run.all_scores().get(f"{decoding} {split}", {})
    scores = score_run(run, split, decoding, layout, metrics)
    if arguments.json:
        print(json.dumps(scores))
        return
    print(report(scores))
    print(f"  {run.scores(decoding, split)}")
    if dropped := [name for name in before if name not in (*scores, "facts_own", "facts_other")]:
        print(f"  no longer in it, for want of --metric: {', '.join(dropped)}")


def _compare(run, layout, arguments, metrics):
    systems = (
        (run, arguments.decoding),
        (RunFolder.open(arguments.against), arguments.against_decoding or arguments.decoding),
    )
    names = [f"{each.name} {decoding}" for each, decoding in systems]
    stories = [RunStories(each, arguments.split, decoding, layout) for each, decoding in systems]
    comparison, missing = compare(names, stories, metrics)
    if arguments.json:
        print(json.dumps(comparison | ({"missing": missing} if missing else {})))
        return
    print(" less ".join(names))
    print(_comparison_report(comparison, missing))


def _list_of_metrics():
    """The end of the help."""
    better = {True: "higher is better", False: "lower is better", None: "neither is better"}
    lines = ["scores in the summary:"]
    for metric in METRICS:
        if metric.in_summary:
            needs = f", needs {metric.needs}" if metric.needs else ""
            lines.append(f"  {metric.name}: {better[metric.higher_is_better]}{needs}")
            lines.append(f"    by {', '.join(metric.protocols)}")
    return "\n".join(lines)


def _parse_arguments():
    parser = command_line(__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = _list_of_metrics()
    protocols = ("original-2018", VIST_ALBUM, VIST_SEQUENCE)
    parser.add_argument("protocol", nargs="?", choices=(*protocols, "dhm"))
    parser.add_argument("files", nargs="*", metavar="FILE", help="hypotheses, references")
    parser.add_argument(
        "--level", choices=("sentence", "story"), help="of original-2018 (default: sentence)"
    )
    parser.add_argument(
        "--sentences-per-story",
        type=whole_number(1),
        metavar="N",
        help=f"lines that --level story joins (default: {VIST_PHOTOS_PER_STORY})",
    )
    parser.add_argument("--run", metavar="FOLDER", help="run folder")
    parser.add_argument("--split", default="test", choices=SPLITS)
    parser.add_argument("--decoding", default="greedy", metavar="NAME", help="default: greedy")
    parser.add_argument("--against", metavar="FOLDER", help="compare the run with this one")
    parser.add_argument(
        "--against-decoding", metavar="NAME", help="of that one (default: the same decoding)"
    )
    add_metric_option(parser)
    parser.add_argument(
        "--tokenise", action="store_true", help="tokenise the stories of a file like VIST's"
    )
    for side in ("human", "system"):
        parser.add_argument(
            f"--{side}", nargs=3, metavar=("G", "C", "R"), help=f"files of the {side} stories, dhm"
        )
    parser.add_argument("--json", action="store_true", help="print all scores as JSON")
    add_data_option(parser, None)
    return parser.parse_intermixed_args()


if __name__ == "__main__":
    run_command(main)

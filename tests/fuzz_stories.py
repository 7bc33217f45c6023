"""Read mutated files of stories, references and scores: each is read, or refused in one line.

    python tests/fuzz_stories.py --mutations 2000 --seed 1

A mutation that ends otherwise, or takes more than ten seconds of the processor or 1 GB, is a
failure; its number, with --only, shows the traceback.
"""

import argparse
import copy
import json
import os
import random
import resource
import signal
import sys
import tempfile
import traceback
from collections import Counter
from pathlib import Path

from tqdm import tqdm

# The folders beside this script are named like the project's packages.
sys.path.append(str(Path(__file__).parents[1]))

from data_reader.errors import InputError
from generation.comparison import in_common
from generation.dhm import COLUMNS, distances, read_story_scores
from generation.metrics import VIST_ALBUM, VIST_SEQUENCE, bleu_counts
from generation.non_redundancy import non_redundancy, split_sentences
from generation.protocols import with_all_references, with_one_reference
from generation.references import read_references, text_of
from generation.scored_files import read_lines
from generation.story_files import (
    read_named_stories,
    read_system,
    stories_by,
    tokenised,
)

SECONDS, MEMORY = 10, 2**30
ONE, TWO = "1_2_3_4_5", "6_7_8_9_10"
HUMAN = {"70": {ONE: ["a b .", ["c d .", "e ."]]}, "71": {TWO: ["f g ."]}}
SYSTEMS = {
    "challenge": {
        "team_name": "t",
        "output_stories": [
            {"album_id": "70", "photo_sequence": [1, 2, 3, 4, 5], "story_text_normalized": "a ."},
            {"album_id": 71, "photo_sequence": TWO.split("_"), "story_text_normalized": "f ."},
        ],
    },
    "albums_and_sequences": {"70": {ONE: "a b ."}, "71": {TWO: ["f .", "g ."]}},
    "sequences": {ONE: "a b .", TWO: ["f .", "g ."]},
    "albums_in_sequences": {f"70_{ONE}": "a b .", f"71_{TWO}": "f g ."},
    "albums": {"70": "a b .", "71": ["f .", "g ."]},
    "stories": {"100": "a b .", "101": "f g ."},
}
REFERENCES = {
    "human": HUMAN,
    "human_by_sequence": {ONE: ["a b .", "c d ."], TWO: [["f .", "g ."]]},
    "human_by_album": {"70": ["a b .", "c d ."], "71": [["f .", "g ."]]},
    "human_in_sequences": {f"70_{ONE}": ["a b ."], f"71_{TWO}": ["f g ."]},
    "annotated": {
        "info": {"photos_per_story": 5},
        "annotations": [
            [
                {
                    "story_id": story,
                    "album_id": album,
                    "photo_flickr_id": photo,
                    "worker_arranged_photo_order": place,
                    "text": "a b .",
                }
            ]
            for story, album, sequence in (("100", "70", ONE), ("101", "71", TWO))
            for place, photo in enumerate(sequence.split("_"))
        ],
    },
}
LINES = "".join(f"sentence {number} of ten .\n" for number in range(10))
SCORES = {"100": 0.5, "101": 1, "102": None}
TABLE = "story_id,R_score\n100,0.5\n101,1\n102,nan\n"
ODD_VALUES = (
    *(None, True, -1, 0, 1.5, 1e308, 10**400, float("nan"), float("inf"), [], {}, [[]], [None]),
    *("", " ", "\x00", "\ud800", "é\u2028\r\n", "|||", "a " * 5000, "x" * 10**6, "._" * 9, ONE),
    *({"": ""}, {"a": {"b": {"c": []}}}, ["a", ["b"]]),
)
ODD_NAMES = ("", "_", "70", ONE, "annotations", "output_stories", "\ud800", "n" * 10**5, "a\nb")
ODD_TEXTS = (  # of JSON that Python's own writer does not write
    *("[" * 10**5, "[" * 900 + "]" * 900, "9" * 5000, "1e999", "-NaN", '{"a": 1, "a": 2}'),
    *('"\\ud83d"', "\x00", '"', "[1,]", "{1: 2}"),
)


def files():
    """`{name: contents}` of whole files in all forms."""
    as_json = {**SYSTEMS, **REFERENCES, "scores": SCORES}
    texts = {f"{name}.json": json.dumps(contents) for name, contents in as_json.items()}
    texts |= {"lines.txt": LINES, "table.csv": TABLE}
    return {name: text.encode() for name, text in texts.items()}


def mutated(rng, name, contents):
    kinds = [mutated_bytes, mutated_bytes, *([mutated_json] * 4 if name.endswith("json") else [])]
    for _ in range(rng.choice((1, 1, 2, 4))):
        try:
            contents = rng.choice(kinds)(rng, contents)
        except (ValueError, RecursionError):  # it is no longer JSON
            contents = mutated_bytes(rng, contents)
    return contents


def mutated_bytes(rng, contents):
    """Bytes of which some are changed, removed, repeated, inserted or cut off."""
    start, stop = sorted(rng.randrange(len(contents) + 1) for _ in range(2))
    part = contents[start:stop]
    inserted = rng.choice((rng.randbytes(rng.choice((1, 9, 999))), *ODD_TEXTS))
    inserted = inserted.encode() if isinstance(inserted, str) else inserted
    changes = (
        lambda: contents[:start] + inserted[:1] + contents[start + 1 :],
        lambda: contents[:start] + contents[stop:],
        lambda: contents[:stop] + part * rng.choice((1, 2, 1000)) + contents[stop:],
        lambda: contents[:start] + inserted + contents[start:],
        lambda: contents[:start] + inserted + contents[stop:],
        lambda: contents[:start],
        lambda: rng.choice((b"\xef\xbb\xbf", b"\xff\xfe", b"")) + contents,
        lambda: contents.replace(b"\n", rng.choice((b"\r", b"\r\n", b"\n\n", b"", b"\0"))),
    )
    return rng.choice(changes)()


def mutated_json(rng, contents):
    """JSON with a value or a name replaced, removed, moved or written twice."""
    whole = {"root": json.loads(contents)}
    parent, key = rng.choice(list(places(whole)))
    change = rng.randrange(6)
    if change == 0:
        parent[key] = copy.deepcopy(rng.choice(ODD_VALUES))
    elif change == 1 and parent is not whole:
        del parent[key]
    elif change == 2 and isinstance(parent, dict) and parent is not whole:
        parent[rng.choice(ODD_NAMES)] = parent.pop(key)
    elif change == 3:
        parent[key] = copy.deepcopy(rng.choice([value[k] for value, k in places(whole)]))
    elif change == 4:
        parent[key] = rng.choice(([parent[key]], {"a": parent[key]}, [parent[key]] * 3))
    text = json.dumps(whole["root"], ensure_ascii=rng.random() < 0.5)
    if change == 5:
        text = text.replace(", ", f", {json.dumps(rng.choice(ODD_NAMES))}: 1, ", 1)
    return text.encode("utf-8", "surrogatepass")


def places(value):
    """All (dictionary or list, key or number) in a value."""
    children = value.items() if isinstance(value, dict) else enumerate(value)
    for key, child in children:
        yield value, key
        if isinstance(child, (dict, list)):
            yield from places(child)


def read(folder, name):
    """Read a file as the commands do, and use what it holds."""
    path = folder / name
    if name in ("scores.json", "table.csv"):
        scores = read_story_scores(path, COLUMNS["non-redundancy"])
        distances([scores] * 3, [scores] * 3)
    elif path.stem in REFERENCES:
        for system in ("albums_and_sequences.json", "lines.txt"):
            compare(path, folder / system)
        for protocol in (VIST_ALBUM, VIST_SEQUENCE):
            read_references(path, protocol).of(protocol)
    else:
        if name == "lines.txt":
            lines = read_lines(path)
            bleu_counts(with_one_reference(lines, lines))
        else:
            read_named_stories(path)
        compare(folder / "annotated.json", path)


def compare(references, system):
    human = read_references(references)
    system = read_system(system, human)
    for story in tokenised(system.stories).values():
        non_redundancy(split_sentences(text_of(story)))
    in_common({"one": system, "other": system}, human).groups  # noqa: B018
    stories = stories_by(VIST_ALBUM, system, human)
    texts = {key: text_of(story) for key, story in stories.items()}
    of_album = human.of(VIST_ALBUM).items()
    bleu_counts(with_all_references(texts, {k: list(map(text_of, s)) for k, s in of_album}))


class TookTooLongError(BaseException):
    """A mutation was not read in time."""


def time_is_up(*_):
    raise TookTooLongError(f"more than {SECONDS} s")


def outcome(folder, name):
    """Read a mutated file -> "read", "refused", or the traceback of a failure."""
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        read(folder, name)
    except (InputError, FileNotFoundError) as error:
        return "refused" if len(str(error)) < 2000 else f"a message of {len(str(error))} letters"
    except KeyboardInterrupt:
        raise
    except BaseException:
        return traceback.format_exc()
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return "read"


def fuzz(folder, numbers, seed):
    """-> `{outcome: count}` and the failures, as (number, file, traceback)."""
    whole = files()
    for name, contents in whole.items():
        (folder / name).write_bytes(contents)
    counts, failures = Counter(), []
    signal.signal(signal.SIGPROF, time_is_up)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, hard))
    for number in tqdm(numbers, desc="mutations", unit="file", disable=None):
        rng = random.Random(f"{seed} {number}")
        name = rng.choice(list(whole))
        (folder / name).write_bytes(mutated(rng, name, whole[name]))
        found = outcome(folder, name)
        if found not in ("read", "refused"):
            failures.append((number, name, found))
            found = "failed"
        counts[found] += 1
        (folder / name).write_bytes(whole[name])
    return counts, failures


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mutations", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, metavar="NUMBER", help="of a mutation")
    arguments = parser.parse_args()
    numbers = range(arguments.mutations) if arguments.only is None else [arguments.only]
    with tempfile.TemporaryDirectory() as folder:
        counts, failures = fuzz(Path(folder), numbers, arguments.seed)
    for number, name, trace in failures[:20]:
        last = trace.strip().splitlines()[-1]
        print(trace if arguments.only is not None else f"{number} {name}: {last:.200}")
    print(", ".join(f"{counts[name]} {name}" for name in ("read", "refused", "failed")))
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()

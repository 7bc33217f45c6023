"""python -m generation.fact_recall: the sample set's facts in generated stories.

The sample set knows the truth about its photos.  A fact counts as recalled if one of its wordings
occurs in the story and no wording of a rival value does.  The same facts are looked for in the
stories of every other album: a model that ignores its photos scores the same on both.
"""

from dataclasses import dataclass

import numpy as np

from data_reader.cli import add_data_option, command_line, run_command
from data_reader.errors import InputError
from data_reader.fields import FLAG, TEXT, Each, list_of, read_fields
from data_reader.files import write_json
from data_reader.hdf5_files import read_strings
from data_reader.layout import RESULTS, SPLITS
from data_reader.run_folder import RunFolder
from data_reader.stories_file import open_stories
from generation.bootstrap import interval
from generation.generated_stories import read_hypotheses

_ALBUM = {
    "event": TEXT,
    "weather": TEXT,
    "clothes": TEXT,
    "keepsake": TEXT,
    "photos": Each({"shows_keepsake": FLAG}),
}
_FACTS_FILE = {"albums": Each(_ALBUM), "wordings": Each(Each(list_of(TEXT)))}
# The event, which the first sentence of nearly every story names, is counted separately.
FACTS = ("weather", "clothes", "keepsake")


@dataclass(frozen=True)
class GeneratedStory:
    """A story with the facts of its photos; `facts` lacks those that no photo shows."""

    album_id: str
    text: str
    facts: dict[str, str]


def named_values(text, wordings):
    """The values of a fact that a text names, by `{value: [wordings]}`."""
    padded = f" {text} "
    return {
        value
        for value, ways in wordings.items()
        if any(f" {wording} " in padded for wording in ways)
    }


def fact_recall(stories, wordings):
    """Compute the percentage of facts recalled by the albums' own stories and by others'.

    Args:
        stories: `GeneratedStory`s of at least two albums.
        wordings: `{fact: {value: [wordings]}}`.

    Returns:
        `{fact: {"own", "other", "difference", "facts", "intervals"}}` for each fact, for "all" of
        FACTS together, and for the event; "facts" is how many there are.
        "other" looks for each story's facts in every story of every other album.
        "intervals" has the 95 % confidence intervals [low, high] of the first three: the stories of
        an album are not independent, so whole albums are drawn (percentile bootstrap).

    Raises:
        InputError: there are fewer than two albums.
    """
    counts = count_facts(stories, wordings)
    return {fact: _recall(of_albums) for fact, of_albums in counts.items()}


def count_facts(stories, wordings):
    """Count facts by album, in the order of first appearance; arguments as `fact_recall`'s.

    Returns:
        `{fact: [albums, 3]}`, keys as `fact_recall`'s: the facts recalled, the mean number recalled
        by others' stories, and how many there are.

    Raises:
        InputError: there are fewer than two albums.
    """
    if len({story.album_id for story in stories}) < 2:
        raise InputError("Fact recall compares albums; it needs stories of at least two.")
    counts = {fact: _count(stories, fact, wordings[fact]) for fact in ("event", *FACTS)}
    return counts | {"all": sum(counts[fact] for fact in FACTS)}


def _count(stories, fact, wordings):
    """[albums, 3], see `count_facts`."""
    albums = {album_id: place for place, album_id in enumerate({s.album_id: 0 for s in stories})}
    named = [named_values(story.text, wordings) for story in stories]
    counts = np.zeros((len(albums), 3))
    for story, its_own in zip(stories, named, strict=True):
        value = story.facts.get(fact)
        if value is None:
            continue
        others = [
            values == {value}
            for other, values in zip(stories, named, strict=True)
            if other.album_id != story.album_id
        ]
        counts[albums[story.album_id]] += its_own == {value}, np.mean(others), 1
    return counts


def _recall(counts):
    """[albums, 3], see `_count` -> the entry of `fact_recall` for a fact."""
    names = ("own", "other", "difference")
    shares = fact_shares(counts.sum(axis=0)[None])[0]
    return {
        **dict(zip(names, shares.tolist(), strict=True)),
        "facts": int(counts[:, 2].sum()),
        "intervals": {
            name: interval(lambda sums, column=column: fact_shares(sums)[:, column], counts)
            for column, name in enumerate(names)
        },
    }


def fact_shares(sums):
    """[N, 3], sums of `count_facts` -> [N, 3]: own, other, and their difference, in percent."""
    own, other, facts = sums.T
    shares = 100 * np.stack([own, other, own - other]) / np.maximum(facts, 1)
    return shares.T


def read_facts(layout):
    """Read the sample set's `albums` and `wordings`.

    Raises:
        FileNotFoundError: there are none; only the sample set has them.
        InputError: the file is broken.
    """
    if not layout.facts.exists():
        raise FileNotFoundError(
            f"{layout.facts} is missing: only the sample set knows the facts of its photos."
        )
    try:
        facts = read_fields(layout.facts, _FACTS_FILE, ("albums", "wordings"))
        for fact in ("event", *FACTS):
            if fact not in facts["wordings"]:
                raise InputError(f"{layout.facts}: wordings lacks {fact}.")
    except InputError as error:
        raise InputError(
            f"{error} Make the sample set again with: python -m dataset.sample"
        ) from error
    return facts


def read_stories_with_facts(layout, run, decoding, split):
    """Read a run's generated stories with the facts of their photos.

    Raises:
        FileNotFoundError: there are no facts (only the sample set has them) or no stories.
        InputError: the stories are not those of the stories file.
    """
    generated, albums = read_hypotheses(run, decoding, split), read_facts(layout)["albums"]
    with open_stories(layout, split, also=("album_ids", "image_ids")) as stories:
        album_ids = read_strings(stories["album_ids"])
        photo_ids = read_strings(stories["image_ids"])
    if len(generated) != len(album_ids):
        raise InputError(
            f"{run.hypotheses(decoding, split)} holds {len(generated)} stories, "
            f"{layout.stories(split)} {len(album_ids)}; generate them again with "
            "python -m generation."
        )
    try:
        return [
            GeneratedStory(album_id, " ".join(story), _facts_of(albums[album_id], photos))
            for album_id, photos, story in zip(album_ids, photo_ids, generated, strict=True)
        ]
    except KeyError as error:  # an album, a photo or a fact
        raise InputError(
            f"{layout.facts} lacks {error}, which the {split} stories are about; it is not of the "
            "same sample set, or was changed. Make it again with: python -m dataset.sample"
        ) from error


def _facts_of(album, photos):
    facts = {name: album[name] for name in ("event", "weather", "clothes")}
    if any(album["photos"][photo]["shows_keepsake"] for photo in photos):
        facts["keepsake"] = album["keepsake"]
    return facts


def report_run(layout, run, decoding, split):
    """Count the facts in a run's stories, write its file of fact recall -> the table as text.

    Raises:
        FileNotFoundError, InputError: see `read_stories_with_facts`.
    """
    stories = read_stories_with_facts(layout, run, decoding, split)
    recall = fact_recall(stories, read_facts(layout)["wordings"])
    write_json(run.fact_recall(decoding, split), recall, indent=2)
    distinct = 100 * len({story.text for story in stories}) / len(stories)
    return (
        f"Facts of {len(stories)} {split} stories of {run.name}, {decoding}\n{report(recall)}\n"
        f"{distinct:.1f}% of the stories differ from each other"
    )


def report(recall):
    """The table for a person."""
    rows = [
        f"{'fact':<10}{'own photos':>12}{'other album':>13}{'difference':>12}"
        f"{'95 % interval of it':>21}{'facts':>8}"
    ]
    for fact, row in recall.items():
        low, high = row["intervals"]["difference"]
        rows.append(
            f"{fact:<10}{row['own']:>11.1f}%{row['other']:>12.1f}%{row['difference']:>12.1f}"
            f"{low:>12.1f} to {high:5.1f}{row['facts']:>8}"
        )
    return "\n".join(rows)


def main():
    parser = command_line(__doc__.splitlines()[0])
    parser.add_argument("--run", metavar="FOLDER", help="run folder (default: the newest one)")
    parser.add_argument("--split", default="test", choices=SPLITS)
    parser.add_argument("--decoding", default="greedy", metavar="NAME", help="default: greedy")
    add_data_option(parser, None)
    arguments = parser.parse_args()
    run = RunFolder.open(arguments.run) if arguments.run else RunFolder.newest(RESULTS)
    layout = run.layout(arguments.data)
    print(report_run(layout, run, arguments.decoding, arguments.split))


if __name__ == "__main__":
    run_command(main)

"""python -m generation.fact_recall: the sample set's facts in generated stories.

The sample set knows the truth about its photos.  A story's fact counts as recalled if one of its
wordings stands in the story and no wording of a rival value does.  The same facts are looked for
in the stories of every other album: a model that does not look at its photos scores the same on
both.
"""

from dataclasses import dataclass

from data_reader.commands import add_data_option, command_line, run_command
from data_reader.files import read_json, write_json
from data_reader.layout import RESULTS, DataLayout
from data_reader.stories_file import open_stories
from models.run_folder import RunFolder

# The event, which the first sentence of nearly every story names, is counted apart.
FACTS = ("weather", "clothes", "keepsake")


@dataclass(frozen=True)
class ToldStory:
    """A story with the facts of its photos; `facts` lacks what none of them shows."""

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
    """Percent of facts recalled, from the story's own photos and from other albums' stories.

    Args:
        stories: `ToldStory`s of at least two albums.
        wordings: `{fact: {value: [wordings]}}`.

    Returns:
        `{fact: {"own", "other", "facts"}}` for each fact, for "all" of FACTS together, and for
        the event; "facts" is how many there are.
        "other" checks each story's facts in every story of every other album.

    Raises:
        ValueError: there are fewer than two albums.
    """
    if len({story.album_id for story in stories}) < 2:
        raise ValueError("Fact recall compares albums; it needs stories of at least two.")
    counts = {fact: _count(stories, fact, wordings[fact]) for fact in ("event", *FACTS)}
    sums = [counts[fact] for fact in FACTS]
    counts["all"] = tuple(sum(parts) for parts in zip(*sums, strict=True))
    return {
        fact: {
            "own": 100 * own / max(facts, 1),
            "other": 100 * other / max(facts, 1),
            "facts": facts,
        }
        for fact, (own, other, facts) in counts.items()
    }


def _count(stories, fact, wordings):
    """-> facts recalled, the mean number recalled by others' stories, facts."""
    named = [named_values(story.text, wordings) for story in stories]
    facts = own = 0
    other = 0.0
    for story, its_own in zip(stories, named, strict=True):
        value = story.facts.get(fact)
        if value is None:
            continue
        facts += 1
        own += its_own == {value}
        others = [
            values
            for teller, values in zip(stories, named, strict=True)
            if teller.album_id != story.album_id
        ]
        other += sum(values == {value} for values in others) / len(others)
    return own, other, facts


def read_told_stories(layout, run, decoding, split):
    """A run's generated stories with the facts of their photos.

    Raises:
        FileNotFoundError: there are no facts (only the sample set has them) or no stories.
        ValueError: the stories are not those of the stories file.
    """
    if not layout.facts.exists():
        raise FileNotFoundError(
            f"{layout.facts} is missing: only the sample set knows the facts of its photos."
        )
    path = run.story_hypotheses(decoding, split)
    if not path.exists():
        raise FileNotFoundError(
            f"{path} is missing; make it with: "
            f"python -m generation --run {run.path} --split {split}"
        )
    albums = read_json(layout.facts)["albums"]
    texts = path.read_text(encoding="utf-8").splitlines()
    with open_stories(layout, split, also=("album_ids", "image_ids")) as stories:
        album_ids = [id_.decode() for id_ in stories["album_ids"][:]]
        photo_ids = [[id_.decode() for id_ in row] for row in stories["image_ids"][:]]
    if len(texts) != len(album_ids):
        raise ValueError(
            f"{path} holds {len(texts)} stories, {layout.stories(split)} {len(album_ids)}; "
            "generate them again."
        )
    return [
        ToldStory(album_id, text, _facts_of(albums[album_id], photos))
        for album_id, photos, text in zip(album_ids, photo_ids, texts, strict=True)
    ]


def _facts_of(album, photos):
    facts = {name: album[name] for name in ("event", "weather", "clothes")}
    if any(album["photos"][photo]["shows_keepsake"] for photo in photos):
        facts["keepsake"] = album["keepsake"]
    return facts


def report(recall):
    """The table for a person."""
    rows = [f"{'fact':<10}{'own photos':>12}{'other album':>13}{'difference':>12}{'facts':>8}"]
    for fact, row in recall.items():
        difference = row["own"] - row["other"]
        rows.append(
            f"{fact:<10}{row['own']:>11.1f}%{row['other']:>12.1f}%{difference:>12.1f}"
            f"{row['facts']:>8}"
        )
    return "\n".join(rows)


def main():
    parser = command_line(__doc__.splitlines()[0])
    parser.add_argument("--run", help="run folder (default: the newest one)")
    parser.add_argument("--split", default="test", choices=("train", "valid", "test"))
    add_data_option(parser, None)
    arguments = parser.parse_args()
    run = RunFolder.open(arguments.run) if arguments.run else RunFolder.newest(RESULTS)
    layout = DataLayout(arguments.data or run.settings()["data"])
    stories = read_told_stories(layout, run, "greedy", arguments.split)
    recall = fact_recall(stories, read_json(layout.facts)["wordings"])
    distinct = 100 * len({story.text for story in stories}) / len(stories)
    write_json(run.fact_recall("greedy", arguments.split), recall, indent=2)
    print(f"Facts of {len(stories)} {arguments.split} stories told by {run.name}")
    print(report(recall))
    print(f"{distinct:.1f}% of the stories differ from each other")


if __name__ == "__main__":
    run_command(main)

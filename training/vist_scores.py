"""The scores of the paper's models on VIST beside those recorded in 2018, as a table."""

from data_reader.layout import SPLITS
from data_reader.run_files import read_scores
from data_reader.sis_datareader import read_stories
from data_reader.stories_file import open_stories

_SENTENCE, _STORY = "original-2018-sentence", "original-2018-story"
_SCORES = ("BLEU-1", "BLEU-2", "BLEU-3", "BLEU-4", "METEOR")
_ROWS = (
    *(("valid", protocol, score) for protocol in (_SENTENCE, _STORY) for score in _SCORES),
    ("test", "vist-album", "METEOR"),
    ("test", "vist-album", "CIDEr"),
)
# What the original's script printed for stories of its models, in percent, in the order above.
_RECORDED = {
    "the original's model of 2018-05-10": {
        _SENTENCE: (17.5, 4.3, 1.4, 0.5, 14.4),
        _STORY: (27.5, 10.5, 3.9, 1.6, 24.4),
    },
    "the original's model of 2018-02-12": {_STORY: (33.3, 13.1, 5.1, 2.2, 26.2)},
}
_NOTE = """\
Stories that could be used: {used}.
Greedy decoding; in percent, but for CIDEr. The last columns are what the original's own script
printed in 2018. The paper's figures are in its section on results (arXiv:1805.05622)."""


def table_of_scores(runs, layout):
    """Write the table in Markdown: one row per score, one column per model.

    Args:
        runs: `{name: run folder}`, with greedily generated stories of the splits valid and test.
        layout: the data folder.

    Raises:
        InputError: a scores file is broken.
    """
    columns = {f"`{name}`": _scores_of(run) for name, run in runs.items()}
    columns |= {name: _recorded_scores(scores) for name, scores in _RECORDED.items()}
    rows = [["split", "protocol", "score", *columns], ["---"] * 3 + ["---:"] * len(columns)]
    rows += [
        [*row, *cells] for row, *cells in zip(_ROWS, *map(list, columns.values()), strict=True)
    ]
    return "\n".join(
        [
            *(f"| {' | '.join(row)} |" for row in rows),
            "",
            _NOTE.format(used=_used_stories(layout)),
            "",
        ]
    )


def _used_stories(layout):
    """Say how many of the annotated stories are in the stories files: photos may be gone."""
    counts = []
    for split in SPLITS:
        with open_stories(layout, split) as file:
            used = len(file["story_ids"])
        counts.append(f"{split} {used:,} of {len(read_stories(layout.annotations(split))):,}")
    return ", ".join(counts)


def _scores_of(run):
    """Yield the scores of a run; "-" for one that could not be computed."""
    protocols = {
        split: read_scores(run.scores("greedy", split)).get("protocols", {})
        for split in dict.fromkeys(split for split, _, _ in _ROWS)
    }
    for split, protocol, name in _ROWS:
        score = protocols[split].get(protocol, {}).get("scores", {}).get(name)
        if score is None:
            yield "-"
        else:
            yield f"{100 * score['value']:.1f}" if score["is_share"] else f"{score['value']:.2f}"


def _recorded_scores(scores):
    for _, protocol, name in _ROWS:
        known = protocol in scores
        yield f"{scores[protocol][_SCORES.index(name)]:.1f}" if known else "-"

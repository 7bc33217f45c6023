"""Generating, scoring and showing the stories of a split, as `python -m generation` does."""

import shlex

from data_reader.errors import InputError
from data_reader.files import atomic_write, write_json
from data_reader.stories_file import check_features, open_stories
from generation.decoding_options import decoding_as_dict
from generation.generate_split import decoding_name, forget_parts, generate_split
from generation.story_files import read_run, write_stories


def generate_for_split(run, split, layout, decoding, precision="float32", strips=0, form=None):
    """Generate the stories of a split; write them, their scores, strips and page.

    Args:
        decoding: see `generation.decoding`.
        precision: of the model's matrix products.
        strips: how many to draw.
        form: one of `FORMATS`, in which the stories are written, too.

    Returns:
        lines for the user.

    Raises:
        FileNotFoundError, InputError: the stories file is missing or does not fit the model.
    """
    vocabulary = run.vocabulary()
    also = ("album_ids", "image_ids") if form else ()
    with open_stories(layout, split, vocabulary, also) as stories:
        check_features(stories, run.features())
        name = decoding_name(decoding, precision)
        rows = generate_split(run, split, stories, decoding, precision)
        sentences = [[vocabulary.decode(row) for row in story] for story in rows]
        references = [
            [vocabulary.decode(row) for row in story] for story in stories["story_sentences"][:]
        ]
        settings = decoding_as_dict(decoding, precision)
        write_json(run.decoding(name, split), settings, indent=2)
        _write_texts(run, name, split, sentences, references)
        forget_parts(run, split, name)
        written = _write_in_form(run, name, split, layout, form)
        scores = scores_or_why_not(run, name, split, layout)
        shown = _show(run, split, layout, stories, strips)
    first = f"{run.name}: {len(sentences)} {split} stories, {name}"
    others = [run.story_hypotheses(name, split), *written, *scores, *shown]
    return [first, *(f"  {line}" for line in others)]


def _write_texts(run, name, split, sentences, references):
    _write_lines(run.hypotheses(name, split), [s for story in sentences for s in story])
    _write_lines(run.story_hypotheses(name, split), [" ".join(story) for story in sentences])
    _write_lines(run.references(split), [s for story in references for s in story])


def _write_in_form(run, name, split, layout, form):
    """Write the stories in a form of the field, if one was asked for -> lines to print."""
    if form is None:
        return []
    path = run.hypotheses_in_form(form, name, split)
    write_stories(path, form, read_run(run, split, name, layout), run.settings()["name"])
    return [str(path)]


def _write_lines(path, lines):
    with atomic_write(path) as partial:
        partial.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def scores_or_why_not(run, name, split, layout):
    """Score the generated stories -> lines to print."""
    from generation.scores import report, score_run

    try:
        return report(score_run(run, split, name, layout)).splitlines()
    except (InputError, FileNotFoundError) as error:
        files = shlex.join(map(str, (run.hypotheses(name, split), run.references(split))))
        return [
            f"not scored: {error}",
            f"without albums: python -m generation.scores original-2018 {files}",
        ]


def _show(run, split, layout, stories, count):
    """Draw `count` strips and write the page, with all stories that the run has of the split.

    -> lines to print: the paths.
    """
    if not {"texts", "image_paths", "image_ids", "album_ids"} <= set(stories):
        return [f"{stories.filename} has no photo paths, albums or texts: no strips, no page"]
    from generation.generated_stories import read_shown_stories, read_systems, system_scores
    from generation.story_page import write_page
    from generation.story_strip import draw_strips, spread_over

    systems = read_systems([run], split)
    others = [name for name in systems if len(systems[name]) != len(stories["story_ids"])]
    systems = {name: systems[name] for name in systems if name not in others}
    shown = read_shown_stories(layout, split, systems)
    paths = draw_strips(spread_over(shown, count), run.strips, split)
    scores = {n: of_n for n, of_n in system_scores([run], split).items() if n in systems}
    write_page(run.page, f"{run.name}, {split}", shown, scores)
    lines = [f"{name} was generated from other stories: not shown" for name in others]
    lines += [f"{len(paths)} strips, the first: {paths[0]}"] if paths else []
    return [*lines, str(run.page)]

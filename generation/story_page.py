"""python -m generation.story_page: write a page for browsing the stories of a split.

It opens from disk in any browser: arrow keys or buttons, search by word ("/"), a link to each
story.  The page refers to the photos where they are.
"""

import hashlib
import os
import re
from base64 import b64encode
from pathlib import Path
from urllib.parse import quote

from data_reader.cli import command_line, run_command
from data_reader.files import atomic_write
from data_reader.run_folder import RunFolder
from data_reader.seeds import mean_and_deviation
from generation.generated_stories import (
    add_system_options,
    read_shown_stories,
    read_systems,
    system_scores,
    system_seeds,
)
from generation.metrics import shown

_TEMPLATE = "story_page.html.jinja"


def write_page(path, title, stories, scores, seeds=None):
    """Write the page.

    Args:
        path: of the HTML file, from which the paths of photos are relative.
        stories: `ShownStory`s, at least one, all with the same systems.
        scores: `{system: {name: number}}`, see `system_scores`, shown under the stories; may be
            empty.
        seeds: `{system: (experiment, seed)}`, see `system_seeds`: systems that are shown together,
            under the experiment's name and with the mean and deviation of their scores.
    """
    from jinja2 import Environment, FileSystemLoader

    folder = Path(path).absolute().parent
    systems = {name: (seeds or {}).get(name, (name, None)) for name in stories[0].systems}
    data = {
        "systems": [
            {"name": _readable(name), "seed": "" if seed is None else f"seed {seed}"}
            for name, seed in systems.values()
        ],
        "stories": [_shown(story, folder) for story in stories],
    }
    environment = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True)
    page = environment.get_template(_TEMPLATE).render(
        policy=_policy(environment.loader.get_source(environment, _TEMPLATE)[0]),
        title=title,
        data=data,
        scores=_score_columns(systems, scores),
        score_names=list(dict.fromkeys(name for row in scores.values() for name in row)),
        has_seeds=bool(seeds),
    )
    with atomic_write(path) as partial:
        partial.write_text(page, encoding="utf-8", errors="replace")


def _shown(story, folder):
    return {
        "id": story.story_id,
        "album": story.album_id,
        "photos": [_address(photo, folder) for photo in story.photos],
        "texts": list(story.systems.values()),
    }


def _score_columns(systems, scores):
    """`{heading: {score: text}}`, one column per experiment that has scores."""
    experiments = {}
    for system, (experiment, seed) in systems.items():
        experiments.setdefault(experiment, {})[seed] = scores.get(system, {})
    return {
        _heading(experiment, list(seeds)): {
            name: _spread([row[name] for row in seeds.values() if name in row], len(seeds))
            for name in dict.fromkeys(name for row in seeds.values() for name in row)
        }
        for experiment, seeds in experiments.items()
        if any(seeds.values())
    }


def _heading(experiment, seeds):
    if len(seeds) > 1:
        return f"{_readable(experiment)}, {len(seeds)} seeds"
    return _readable(experiment) + ("" if seeds == [None] else f", seed {seeds[0]}")


def _spread(scores, seeds):
    """The mean ± standard deviation, and of how many seeds if not of all; a single score alone."""
    mean, deviation = map(type(scores[0]), mean_and_deviation(scores))
    text = shown(mean) if len(scores) == 1 else f"{shown(mean)} ± {shown(deviation)}"
    return text if len(scores) == seeds else f"{text} ({len(scores)} of {seeds})"


def _policy(template):
    """A Content-Security-Policy: only the template's own script runs, and only images are loaded.

    Should a story's text ever be taken for HTML, it could neither run nor fetch anything.
    """
    allowed = {}
    for name in ("script", "style"):
        [contents] = re.findall(rf"<{name}>(.*?)</{name}>", template, re.DOTALL)
        allowed[name] = b64encode(hashlib.sha256(contents.encode()).digest()).decode()
    # A page opened from disk has no origin of its own: 'self' is for one that a server sends.
    return (
        f"default-src 'none'; script-src 'sha256-{allowed['script']}'; "
        f"style-src 'sha256-{allowed['style']}'; img-src 'self' file:; "
        "base-uri 'none'; form-action 'none'"
    )


def _address(photo, folder):
    return quote(os.fsencode(os.path.relpath(photo, folder)))


def _readable(name):
    """Return a name that can be broken into lines."""
    return name.replace("_", " ")


def main():
    parser = command_line(__doc__)
    add_system_options(parser)
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="default: stories.html of the first run"
    )
    arguments = parser.parse_args()
    runs = [RunFolder.open(path) for path in arguments.runs]
    layout = runs[0].layout(arguments.data)
    systems = read_systems(runs, arguments.split, arguments.decoding)
    stories = read_shown_stories(layout, arguments.split, systems)
    path = arguments.output or runs[0].page
    scores = system_scores(runs, arguments.split, arguments.decoding)
    seeds = system_seeds(runs, arguments.split, arguments.decoding)
    write_page(path, f"{arguments.split} stories of {layout.root.name}", stories, scores, seeds)
    print(f"{len(stories)} stories, {len(systems)} systems besides the human one\n  {path}")


if __name__ == "__main__":
    run_command(main)

"""python -m generation.story_page: a page to leaf through the stories of a split.

It opens from disk in any browser: arrow keys or buttons, search by word ("/"), a link to each
story.  Photos stay where they are; the page refers to them.
"""

import os
from pathlib import Path
from urllib.parse import quote

from data_reader.cli import command_line, run_command
from data_reader.files import atomic_write
from data_reader.layout import DataLayout
from data_reader.run_folder import RunFolder
from generation.generated_stories import (
    add_system_options,
    read_shown_stories,
    read_systems,
    system_scores,
)
from generation.protocols import shown

_TEMPLATE = "story_page.html.jinja"


def write_page(path, title, stories, figures):
    """Write the page.

    Args:
        path: the HTML file; photos are referred to from there.
        stories: `ShownStory`s, at least one, all with the same systems.
        figures: `{system: {name: number}}`, scores as `RunFolder.figures` has them, shown under the
            stories; may be empty.
    """
    from jinja2 import Environment, FileSystemLoader

    folder = Path(path).absolute().parent
    data = {
        "systems": [_readable(name) for name in stories[0].systems],
        "stories": [
            {
                "id": story.story_id,
                "album": story.album_id,
                "photos": [quote(os.path.relpath(photo, folder)) for photo in story.photos],
                "told": list(story.systems.values()),
            }
            for story in stories
        ],
    }
    figure_names = dict.fromkeys(name for row in figures.values() for name in row)
    environment = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True)
    page = environment.get_template(_TEMPLATE).render(
        title=title,
        data=data,
        figures={
            _readable(system): {name: _shown(name, figure) for name, figure in row.items()}
            for system, row in figures.items()
        },
        figure_names=list(figure_names),
    )
    with atomic_write(path) as partial:
        partial.write_text(page, encoding="utf-8")


def _readable(name):
    """A name that can be broken into lines."""
    return name.replace("_", " ")


def _shown(name, figure):
    return f"{figure:.2f}" if name.startswith("facts_") else shown(name, figure)


def main():
    parser = command_line(__doc__)
    add_system_options(parser)
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="default: stories.html in the first run"
    )
    arguments = parser.parse_args()
    runs = [RunFolder.open(path) for path in arguments.runs]
    layout = DataLayout(arguments.data or runs[0].settings()["data"])
    systems = read_systems(runs, arguments.split, arguments.decoding)
    stories = read_shown_stories(layout, arguments.split, systems)
    path = arguments.output or runs[0].page
    figures = system_scores(runs, arguments.split, arguments.decoding)
    write_page(path, f"{arguments.split} stories of {layout.root.name}", stories, figures)
    print(f"{len(stories)} stories, {len(systems)} systems beside the human one\n  {path}")


if __name__ == "__main__":
    run_command(main)

"""python -m generation.compare: compare the stories of several systems, from runs and from files.

They are compared on the photo sequences, or albums, of which all systems have a story: by the
scores of each protocol, with intervals over albums, and by their diversity, beside human stories.
python -m training.compare compares the losses, settings and recorded scores of runs instead.
"""

from dataclasses import replace
from pathlib import Path

from data_reader.cli import add_data_option, command_line, run_command
from data_reader.errors import InputError
from data_reader.files import atomic_write
from data_reader.layout import SPLITS, DataLayout
from data_reader.run_folder import RunFolder
from generation.generated_stories import HUMAN
from generation.metrics import add_metric_option, with_metrics
from generation.references import UNITS, read_references
from generation.scored_files import shortened
from generation.story_files import by_keys, read_order, read_run, read_system, tokenised


def main():
    arguments = _parse_arguments()
    metrics = with_metrics(arguments.metric)
    paths = _named(arguments.systems)
    _check_names(arguments, paths)
    layout = _layout(arguments, paths)
    references = read_references(arguments.references or _annotations(layout, arguments.split))
    systems = {
        name: _read(name, path, references, layout, arguments) for name, path in paths.items()
    }
    if arguments.all:
        _check_complete(systems, references)
    from generation.comparison import compare, in_common

    common = in_common(systems, references)
    print("\n".join(_counts(common, systems, references)), flush=True)
    _show(compare(common, metrics, arguments.against), arguments)


def _show(sections, arguments):
    """Print the sections and write the files that were asked for."""
    from generation.comparison_picture import draw
    from generation.comparison_report import as_markdown, as_text, write_table

    print(as_text(sections))
    if arguments.csv:
        write_table(arguments.csv, sections)
    if arguments.markdown:
        with atomic_write(arguments.markdown) as partial:
            partial.write_text(as_markdown(sections), encoding="utf-8")
    if arguments.picture:
        draw(arguments.picture, sections)


def _named(systems):
    """`{name: path}` of the systems, given as NAME=PATH or PATH."""
    paths = {}
    for given in systems:
        name, equals, path = given.partition("=")
        if Path(given).exists() or not equals:
            name, path = _name_of(Path(given)), given
        if name in (*paths, HUMAN, ""):
            raise InputError(f"The name {name!r} is taken; name the systems: NAME={path}")
        paths[name] = Path(path)
    return paths


def _name_of(path):
    return RunFolder.open(path).settings()["name"] if path.is_dir() else path.stem


def _check_names(arguments, paths):
    known = {"--tokenise": [*paths], "--against": [*paths, HUMAN]}
    chosen = {"--tokenise": arguments.tokenise, "--against": [arguments.against or HUMAN]}
    for option, names in chosen.items():
        for name in names:
            if name not in known[option]:
                raise InputError(
                    f"{option} takes the name of a system, {', '.join(known[option])}; got {name}."
                )


def _layout(arguments, paths):
    """The data folder: the one given, or that of the first run; None without either."""
    run = next((path for path in paths.values() if path.is_dir()), None)
    if arguments.data or not run:
        return arguments.data and DataLayout(arguments.data)
    return DataLayout(RunFolder.open(run).settings()["data"])


def _annotations(layout, split):
    if layout is None:
        raise InputError(
            "Give the human stories with --references FILE: VIST's annotations, or another form of "
            "docs/scores.md; or a run or --data FOLDER, whose annotations are taken."
        )
    return layout.annotations(split)


def _read(name, path, references, layout, arguments):
    split = arguments.split
    if path.is_dir():
        if name in arguments.tokenise:
            raise InputError(f"--tokenise is for files; the stories of the run {path} are words.")
        run = RunFolder.open(path)
        own = DataLayout(arguments.data or run.settings()["data"])
        stories = read_run(run, split, arguments.decoding, own)
        return by_keys(f"{path} {arguments.decoding}", stories, references)
    order = read_order(layout, split) if arguments.data else None
    system = read_system(path, references, order)
    if name not in arguments.tokenise:
        return system
    return replace(system, source=f"{path}, tokenised", stories=tokenised(system.stories))


def _check_complete(systems, references):
    for name, system in systems.items():
        needed = references.of(system.protocol)
        missing = [key for key in needed if key not in system.stories]
        if missing:
            raise InputError(
                f"{system.source}: {name} has no story for {len(missing)} of {len(needed)} "
                f"{UNITS[system.protocol]} of {references.path}, the first: {missing[0]}; without "
                "--all those that all systems have are compared."
            )


def _counts(common, systems, references):
    """Lines that say what is compared and what is left out."""
    unit = UNITS[common.protocol]
    yield (
        f"{len(common.keys)} {unit} of which all systems have a story, of {len(common.human)} "
        f"in {references.path}"
    )
    if references.empty:
        empty = references.empty
        yield f"  {len(empty)} empty human stories are left out: {shortened(empty)}"
    for name, system in systems.items():
        parts = [f"  {name}: {system.source}, {system.read} stories"]
        parts += [f"of {len(system.stories)} {UNITS[system.protocol]}"]
        if system.unknown:
            parts += [f"{len(system.unknown)} not in the references: {shortened(system.unknown)}"]
        if empty := system.empty():
            parts += [f"{len(empty)} empty: {shortened(empty)}"]
        yield ", ".join(parts)
    yield ""


def _parse_arguments():
    parser = command_line(__doc__)
    parser.add_argument(
        "systems", nargs="+", metavar="SYSTEM", help="run folder or file of stories, or NAME=PATH"
    )
    parser.add_argument(
        "--references",
        type=Path,
        metavar="FILE",
        help="human stories (default: the annotations of the data folder)",
    )
    parser.add_argument("--split", default="test", choices=SPLITS, help="of runs (default: test)")
    parser.add_argument("--decoding", default="greedy", metavar="NAME", help="default: greedy")
    add_data_option(parser, None)
    parser.add_argument("--against", metavar="NAME", help=f"compare with it, or with {HUMAN}")
    parser.add_argument(
        "--tokenise",
        action="append",
        default=[],
        metavar="NAME",
        help="tokenise the system's stories like VIST's; may be repeated",
    )
    parser.add_argument(
        "--all", action="store_true", help="refuse systems that lack stories of the references"
    )
    add_metric_option(parser)
    for form in ("csv", "markdown", "picture"):
        parser.add_argument(f"--{form}", type=Path, metavar="FILE", help=f"write a {form}, too")
    return parser.parse_intermixed_args()


if __name__ == "__main__":
    run_command(main)

"""The rules of the house, read from the sources: who may import whom, and sizes."""

import ast
from pathlib import Path
from statistics import median

import pytest

REPOSITORY = Path(__file__).parents[1]
MAY_IMPORT = {
    "data_reader": set(),
    "models": {"data_reader"},
    "dataset": {"data_reader"},
    "generation": {"data_reader", "dataset", "models"},
    "training": {"data_reader", "dataset", "models", "generation"},
}


def module_name(path):
    parts = path.relative_to(REPOSITORY).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


SOURCES = {
    module_name(path): path.read_text(encoding="utf-8")
    for folder in MAY_IMPORT
    for path in (REPOSITORY / folder).rglob("*.py")
}


def imported_modules(source, modules=SOURCES):
    """The names of all modules that a source imports, inside functions too."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports within the project are absolute"
            for alias in node.names:
                submodule = f"{node.module}.{alias.name}"
                yield submodule if submodule in modules else node.module


def packages_of(module):
    """a.b.c -> a.b, a"""
    while "." in module:
        module = module.rpartition(".")[0]
        yield module


def import_graph(sources):
    """`{module: modules}` of the project; importing a.b also imports the package a.

    A module's own packages count only where it imports them by name.
    """
    graph = {}
    for module, source in sources.items():
        imported = set(imported_modules(source, sources))
        packages = {package for name in imported for package in packages_of(name)}
        own = {module, *packages_of(module)}
        graph[module] = (imported | (packages - own)) & set(sources)
    return graph


def find_circle(graph):
    """The modules of one circle, its first one again at the end; empty if there is none."""
    cleared = set()

    def search(path):
        for module in sorted(graph[path[-1]] - cleared):
            if module in path:
                return [*path[path.index(module) :], module]
            if circle := search([*path, module]):
                return circle
        cleared.add(path[-1])
        return []

    return next((circle for module in sorted(graph) if (circle := search([module]))), [])


@pytest.mark.parametrize("folder", MAY_IMPORT)
def test_imports_run_one_way(folder):
    forbidden = set(MAY_IMPORT) - MAY_IMPORT[folder] - {folder}
    modules = [module for module in SOURCES if module.split(".")[0] == folder]
    assert len(modules) > 1
    wrong = {
        module: used
        for module in modules
        if (used := forbidden & {name.split(".")[0] for name in imported_modules(SOURCES[module])})
    }
    assert wrong == {}


def test_no_modules_import_each_other_in_a_circle():
    assert " -> ".join(find_circle(import_graph(SOURCES))) == ""


def test_a_circle_through_a_function_and_a_package_is_found():
    sources = {
        "a": "",
        "a.one": "import a.two",
        "a.two": "def f():\n    from b.three import x",
        "b": "from a import one\nimport b.three",
        "b.three": "import a",
    }
    assert find_circle(import_graph(sources)) == ["a.one", "a.two", "b", "a.one"]
    assert find_circle(import_graph(sources | {"b": "import a"})) == []


def function_lengths(source):
    """Yield the name and the number of lines of each function and method."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef):
            yield node.name, node.end_lineno - node.lineno + 1


def test_functions_are_short():
    lengths = {
        f"{module}.{name}:{lines}": lines
        for module, source in SOURCES.items()
        for name, lines in function_lengths(source)
    }
    assert [name for name, lines in lengths.items() if lines > 40] == []
    assert median(lengths.values()) <= 8


def test_files_are_short():
    lines = {module: len(source.splitlines()) for module, source in SOURCES.items()}
    drawings = {"dataset.sample.props", "dataset.sample.scenes"}
    assert {module for module, count in lines.items() if count > 400} <= drawings
    for model in ("encoder_decoder", "attention", "image_grouping"):
        assert lines[f"models.{model}"] <= 75

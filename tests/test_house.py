"""Who may import whom, read from the sources."""

import ast
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
MAY_IMPORT = {
    "data_reader": set(),
    "models": {"data_reader"},
    "dataset": {"data_reader"},
    "generation": {"data_reader", "dataset", "models"},
    "training": {"data_reader", "dataset", "models", "generation"},
}


def imported_folders(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module.split(".")[0]


@pytest.mark.parametrize("folder", MAY_IMPORT)
def test_imports_run_one_way(folder):
    forbidden = set(MAY_IMPORT) - MAY_IMPORT[folder] - {folder}
    files = list((REPOSITORY / folder).rglob("*.py"))
    assert files
    wrong = {str(file): used for file in files if (used := forbidden & set(imported_folders(file)))}
    assert wrong == {}

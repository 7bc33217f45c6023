"""The links, commands, options, files and names in the pages: README.md, docs/ and others."""

import ast
import functools
import importlib.util
import itertools
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
DOCS = sorted((REPOSITORY / "docs").glob("*.md"))
README = REPOSITORY / "README.md"
PAGES = [README, REPOSITORY / "CONTRIBUTING.md", *DOCS]
PACKAGES = ("data_reader", "dataset", "generation", "models", "training")

# Files that a command or the user makes; some are named relative to the data folder.
MADE = re.compile(
    r"dataset/(vist_dataset|sample_data|smoke_data|image_embeddings_to_sentence|glove)"
    r"|dataset/[\w{},]+\.(json|csv)"
    r"|(dataset/)?models/[^/]+/.*\.(npy|hdf5|csv)"
    r"|(dataset/)?models/resnet_features\.zip"
    r"|dataset/mine$"
)

HELPS_OF = """
import contextlib, io, json, runpy, sys
helps = {}
for module in sys.argv[1:]:
    sys.argv = [module, "--help"]
    shown = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    with contextlib.redirect_stdout(shown), contextlib.suppress(SystemExit):
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    shown.seek(0)
    helps[module] = shown.read()
print(json.dumps(helps))
"""


class Page:
    """A page's text in parts.

    Attributes:
        prose: without the code blocks.
        spans: of inline code, each in one line.
        lines: of the code blocks that are not Python, without comments.
        python: the code blocks that are.
    """

    def __init__(self, text):
        blocks = re.findall(r"^```(\w*)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        self.prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
        self.spans = [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", self.prose)]
        shell = "".join(code for language, code in blocks if language != "python")
        lines = shell.replace("\\\n", " ").splitlines()
        self.lines = [re.sub(r"(^|\s)#.*", "", line).strip() for line in lines]
        self.python = [code for language, code in blocks if language == "python"]

    @classmethod
    @functools.cache
    def read(cls, path):
        return cls(path.read_text(encoding="utf-8"))

    def words(self):
        return [word for span in self.spans for word in span.split()]

    def commands(self):
        """Each `python -m` -> its module and options; a module's placeholder is an experiment."""
        for line in [*self.spans, *self.lines]:
            for module, rest in re.findall(r"python -m ([\w.]+)([^|;]*)", line):
                module = re.sub(r"(?<=^training\.experiments\.)[A-Z]+$", "image_grouping", module)
                yield module, options_in(rest)


def options_in(text):
    return re.findall(r"(?<![\w-])--[a-z][\w-]*", text)


def link_problems(folder, page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.prose):
        if re.match(r"\w+:", target):
            continue
        name, _, anchor = target.partition("#")
        path = folder / name
        if not path.exists():
            yield f"{target}: no such file"
        elif anchor and anchor not in anchors(Page.read(path) if name else page):
            yield f"{target}: no such heading"


def anchors(page):
    headings = re.findall(r"^#+ (.+)$", page.prose, re.MULTILINE)
    return [re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings]


def command_problems(page):
    for module, options in page.commands():
        if module.split(".")[0] not in PACKAGES:
            if importlib.util.find_spec(module) is None:
                yield f"python -m {module}: no such module"
        elif not is_command(module):
            yield f"python -m {module}: no such command"
        else:
            known = option_table()[module]
            yield from (f"{module} has no {option}" for option in options if option not in known)
    for span in page.spans:
        if span.startswith(("--", "... --")):
            known = set().union(*option_table().values())
            yield from (f"no {option}" for option in options_in(span) if option not in known)
    for line in [*page.spans, *page.lines]:
        if re.match(r"make\b", line):
            targets = [word for word in line.split()[1:] if "=" not in word]
            yield from (f"make {target}" for target in targets if target not in make_targets())


def is_command(module):
    path = REPOSITORY.joinpath(*module.split("."))
    path = path / "__main__.py" if path.is_dir() else path.with_suffix(".py")
    return path.is_file() and 'if __name__ == "__main__":' in path.read_text(encoding="utf-8")


@functools.cache
def option_table():
    """`{module: options}` of all commands that the pages name, from their `--help`."""
    named = {module for path in PAGES for module, _ in Page.read(path).commands()}
    commands = sorted(module for module in named if module.split(".")[0] in PACKAGES)
    shown = subprocess.run(
        [sys.executable, "-c", HELPS_OF, *filter(is_command, commands)],
        capture_output=True,
        text=True,
        check=True,
        cwd=REPOSITORY,
    ).stdout
    helps = json.loads(shown)
    assert all("usage:" in text for text in helps.values())
    return {
        module: set(re.findall(r"^ +(?:-\w, )?(--[a-z][\w-]*)", text, re.MULTILINE))
        for module, text in helps.items()
    }


@functools.cache
def make_targets():
    return re.findall(r"^([\w-]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE)


def file_problems(page):
    # A block of Python that is a file of the user's begins with its name.
    own = [re.match(r"# (\S+\.py)\n|", code)[1] for code in page.python]
    scripts = [name for line in page.lines for name in re.findall(r"python (\S+\.py)", line)]
    for word in [*page.words(), *scripts]:
        is_path = word.startswith(tuple(f"{name}/" for name in (*PACKAGES, "tests", "docs")))
        is_module = word.endswith(".py") and word not in own
        if (is_path or is_module) and not MADE.match(word) and not is_there(word):
            yield f"{word}: no such file"


def is_there(path):
    """Whether the repository has the file: `{a,b}` are both needed, of `*` any is."""
    alternatives = [part.split(",") for part in re.split(r"[{}]", path)]
    alternatives[::2] = [[",".join(part)] for part in alternatives[::2]]
    patterns = ["".join(parts).rstrip("/") for parts in itertools.product(*alternatives)]
    find = REPOSITORY.glob if "/" in path else REPOSITORY.rglob
    return all(any(find(pattern)) for pattern in patterns)


def name_problems(page):
    dotted = rf"(?:{'|'.join(PACKAGES)})(?:\.\w+)+"
    spans = [re.sub(r"-m [\w.]+", "", span) for span in page.spans]  # a command is checked as one
    names = [word.removesuffix("()") for span in spans for word in span.split()]
    names = [name for name in names if re.fullmatch(dotted, name)]
    for code in page.python:
        for node in ast.walk(ast.parse(code)):
            if isinstance(node, ast.ImportFrom) and node.module.split(".")[0] in PACKAGES:
                names += [f"{node.module}.{alias.name}" for alias in node.names]
    yield from (f"{name}: not defined" for name in names if not is_defined(name))


def is_defined(name):
    """Whether package.module.name is a module, or defined in one; its source is not run."""
    path, parts = REPOSITORY, name.split(".")
    while parts and (path / parts[0]).is_dir():
        path /= parts.pop(0)
    path = path.joinpath(parts.pop(0) if is_module_in(path, parts) else "__init__")
    scope = ast.parse(path.with_suffix(".py").read_text(encoding="utf-8"))
    for part in parts:
        scope = definitions_in(scope).get(part)
        if scope is None:
            return False
    return True


def is_module_in(path, parts):
    return bool(parts) and (path / f"{parts[0]}.py").is_file()


def definitions_in(scope):
    """`{name: node}` of what a module or class defines or imports."""
    found = {}
    for node in getattr(scope, "body", []):
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            found[node.name] = node
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found |= {alias.asname or alias.name: node for alias in node.names}
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = [name for target in targets for name in ast.walk(target)]
            found |= {name.id: node for name in names if isinstance(name, ast.Name)}
    return found


def problems(folder, page):
    return [
        *link_problems(folder, page),
        *command_problems(page),
        *file_problems(page),
        *name_problems(page),
    ]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_page_names_only_things_that_exist(path):
    assert problems(path.parent, Page.read(path)) == []


WRONG = """
# A page

[gone](gone.md), [no heading](#a-pag), ![picture](docs/gone.png), `python -m training.gone`,
`python -m data_reader.files`, `python -m
generation --beam 3 --bream 4`, `--no-such-option`, `... --frame 4 --fame 5`, `make tea`,
`training/gone.py`, `data_reader/{files,gone}.py`, `models/gone*`, `gone.py`, `models.GONE`,
`models.story_model.StoryModel.gone`, `training.gone.name()`

```
python -m training.experiments.X --set a=1 --sit a=1   # --comment
python tests/gone.py
make test bench gone
```

```python
from training.command import gone, run_experiment
```
"""
RIGHT = """
# A page, right

[page](README.md), [heading](#a-page-right), [web](https://example.org/gone.md),
`python -m generation PHOTO... --beam 3`, `python -m pytest tests/models`, `--resume`,
`... --frame 4`, `make story SMOKE_TEST=1`, `make`, `training/`, `data_reader/{files,errors}.py`,
`models/*.py`, `files.py`, `own.py`, `dataset/mean.json`, `models/alexnet/x_{a,b}.hdf5`,
`models.MODELS`, `dataset.models.alexnet`, `models.story_model.StoryModel.decode()`,
`training.experiment.Experiment.epochs`

```
python own.py --what-ever
python -m dataset.models.alexnet \\
  --data FOLDER                        # a comment
```

```python
# own.py
from models import MODELS
```
"""


def test_what_does_not_exist_is_found():
    assert problems(REPOSITORY, Page(RIGHT)) == []
    assert problems(REPOSITORY, Page(WRONG)) == [
        "gone.md: no such file",
        "#a-pag: no such heading",
        "docs/gone.png: no such file",
        "python -m training.gone: no such command",
        "python -m data_reader.files: no such command",
        "generation has no --bream",
        "training.experiments.image_grouping has no --sit",
        "no --no-such-option",
        "no --fame",
        "make tea",
        "make gone",
        "training/gone.py: no such file",
        "data_reader/{files,gone}.py: no such file",
        "models/gone*: no such file",
        "gone.py: no such file",
        "tests/gone.py: no such file",
        "models.GONE: not defined",
        "models.story_model.StoryModel.gone: not defined",
        "training.gone.name: not defined",
        "training.command.gone: not defined",
    ]


def test_every_picture_is_shown():
    shown = {
        (path.parent / target).resolve()
        for path in PAGES
        for target in re.findall(r"\]\(([^)\s]+\.png)\)", Page.read(path).prose)
    }
    assert [path.name for path in (REPOSITORY / "docs").glob("*.png") if path not in shown] == []


def test_the_readme_is_short_and_leads_to_all_pages():
    lines = README.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 150
    text = "\n".join(lines)
    assert [page.name for page in DOCS if f"(docs/{page.name})" not in text] == []

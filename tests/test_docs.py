"""What the pages say can be typed: commands that parse, code that runs, and a page behind every entry."""

import doctest
import importlib
import inspect
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import typer.main
import yaml

import dashjax
from dashjax import plot
from dashjax.cli import app
from dashjax.methods import METHODS
from dashjax.report import summary
from dashjax.sweep import expand, parse_grid

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]


def blocks(page, language):
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(), flags=re.S)


def commands(page):
    """Return the arguments of every call of dashjax in a page's shell blocks."""
    for block in blocks(page, "bash"):
        for line in re.split(r"\n|&&", block.replace("\\\n", " ")):
            words = shlex.split(line, comments=True)
            if "dashjax" in words:
                yield words[words.index("dashjax") + 1 :]


CALLS = [(page.name, call) for page in PAGES for call in commands(page)]


@pytest.mark.parametrize(("page", "call"), CALLS, ids=[f"{page}-{' '.join(call)[:40]}" for page, call in CALLS])
def test_commands_parse(page, call):
    command = typer.main.get_command(app).commands[call[0]]
    with command.make_context(call[0], call[1:]):
        pass


def test_every_command_has_its_section():
    known = set(typer.main.get_command(app).commands) - {"methods"}
    shown = {call[0] for page, call in CALLS if page == "command-line.md"}
    assert shown == known


def entries(node):
    if isinstance(node, str):
        yield node
    else:
        for child in node.values() if isinstance(node, dict) else node:
            yield from entries(child)


def test_every_page_is_in_the_navigation_and_exists():
    settings = yaml.safe_load((ROOT / "mkdocs.yml").read_text())
    listed = list(entries(settings["nav"]))
    assert sorted(listed) == sorted(str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md"))


@pytest.mark.parametrize("page", sorted((DOCS / "api").glob("*.md")), ids=lambda page: page.stem)
def test_reference_pages_name_packages(page):
    named = re.findall(r"^::: dashjax\.(\w+)$", page.read_text(), flags=re.M)
    packages = {path.stem if path.suffix == ".py" else path.name for path in (ROOT / "dashjax").iterdir()}
    assert named
    assert set(named) <= packages


def test_grids_are_valid():
    texts = [text for page in sorted(DOCS.rglob("*.md")) for text in blocks(page, "yaml")]
    assert texts
    for text in texts:
        assert expand(parse_grid(yaml.safe_load(text)))


def test_the_grid_of_the_tutorial_has_the_runs_that_it_tells():
    text = (DOCS / "sweep.md").read_text()
    grid = parse_grid(yaml.safe_load(blocks(DOCS / "sweep.md", "yaml")[0]))
    assert f"These are {len(expand(grid))} runs" in text


@pytest.mark.slow
def test_the_compiled_sweep_of_the_tutorial_runs():
    scope = {}
    exec("\n".join(blocks(DOCS / "sweep.md", "python")), scope)
    accuracy = np.asarray(scope["scores"].balanced_accuracy)
    assert accuracy.shape == (3,)
    assert accuracy[1] > accuracy[0]


#: Words that a reader of today would stumble on, and what is said instead.
STUMBLES = {
    "room": "package",
    "renown": "out-degree",
    "mend": "fix",
    "heal": "fix",
    "heed": "read",
    "look-alike": "copy",
}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_pages_speak_plainly(page):
    prose = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(), flags=re.S).lower()
    assert [word for word in STUMBLES if re.search(rf"\b{word}(s|ed|ing)?\b", prose)] == []


def test_every_strength_and_every_method_is_explained():
    page = (DOCS / "choosing.md").read_text()
    table = page[page.index("its `strength` is") : page.index("The rest of this page")]
    assert set(re.findall(r"`([\w+]+)`", table)) - {"strength"} == {
        name for name, method in METHODS.items() if method.strength is not None
    }
    assert {name for name in METHODS if f"`{name}`" not in page} == set()


def described_columns():
    return set(re.findall(r"`(\w+)`", (DOCS / "formats.md").read_text()))


def test_columns_of_runs_are_described():
    assert {*summary.GROUP, *summary.COLUMNS, *summary.METRICS} <= described_columns()


@pytest.mark.slow
def test_the_python_page_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    scope = {}
    exec("\n".join(blocks(DOCS / "python.md", "python")), scope)
    assert 0 < scope["returned"].sum() < 20 * 19
    assert scope["genes"] == scope["system"].genes
    assert set(scope["network"].edges.columns) <= described_columns()


def test_each_picture_of_the_gallery_is_made_by_six_lines_and_small():
    text = (DOCS / "gallery.md").read_text()
    assert set(re.findall(r"dj\.plot\.(\w+)\(", text)) == set(plot.__all__)
    for block in blocks(DOCS / "gallery.md", "python")[1:]:
        assert len(block.strip().splitlines()) <= 6
    drawn, pages = (re.findall(rf"\(({folder}\w+\.png)\)", text) for folder in ("figures/", "figures/pages/"))
    assert len(drawn) == len(plot.__all__) + 1
    assert {path.name for path in (DOCS / "figures/pages").iterdir()} == {Path(page).name for page in pages}
    for pictures, most in ((drawn, 60), (pages, 160)):
        for picture in pictures:
            assert 0 < (DOCS / picture).stat().st_size <= most * 1024, picture


def examples():
    """Find every example in a docstring."""
    for path in sorted((ROOT / "dashjax").rglob("*.py")):
        if ">>> " in path.read_text():
            parts = path.relative_to(ROOT).with_suffix("").parts
            module = importlib.import_module(".".join(part for part in parts if part != "__init__"))
            yield from (found for found in doctest.DocTestFinder().find(module) if found.examples)


EXAMPLES = list(examples())


def test_every_public_name_has_an_example_that_runs():
    shown = {found.name for found in EXAMPLES}
    public = {name: getattr(dashjax, name) for name in dashjax.__all__}
    named = {name: one for name, one in public.items() if isinstance(one, type) or inspect.isfunction(one)}
    assert len(named) > 45
    without = [name for name, one in named.items() if f"{one.__module__}.{one.__qualname__}" not in shown]
    # What `fit` returns stands in its example.
    assert without == ["FitResult"]


@pytest.mark.parametrize("found", EXAMPLES, ids=lambda found: found.name)
def test_docstring_examples_run(found):
    assert doctest.DocTestRunner().run(found).failed == 0

"""The README is one screen, and what it says can be typed, runs as written and stands in the docs."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def blocks(text, language):
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.S)


def test_it_has_700_words_at_most():
    assert len(README.split()) <= 700


def test_the_two_commands_stand_on_top():
    first, second, *_ = blocks(README, "bash")
    assert first.strip() == "pip install . && dashjax quickstart"
    assert second.strip() == 'pip install -e ".[test]" && pytest'
    assert second.strip() in (ROOT / ".ci" / "run").read_text()


def test_its_pictures_are_small():
    pictures = re.findall(r"!\[[^\]]+\]\((docs/figures/.*?)\)", README)
    assert len(pictures) == 2
    for picture in pictures:
        assert 0 < (ROOT / picture).stat().st_size <= 120 * 1024, picture


def test_scores_in_its_table_stand_in_the_docs():
    """A score of two digits is a rounded one of three."""
    pages = ("beyond-the-prior", "measured-data", "interventions-explained")
    scores = set(re.findall(r"(?<!\d)\.\d{3}\b", "".join((ROOT / f"docs/{page}.md").read_text() for page in pages)))
    known = scores | {f"{float(score):.2f}".lstrip("0") for score in scores}
    rows = [line for line in README.splitlines() if line.startswith("|")][2:]
    stated = set(re.findall(r"(?<!\d)\.\d+", "".join(rows)))
    assert len(rows) == 7
    assert stated <= known, stated - known


@pytest.mark.slow
def test_its_example_and_the_tutorial_run_on_an_anndata(tmp_path, monkeypatch):
    pytest.importorskip("anndata")
    monkeypatch.chdir(tmp_path)
    make_files, *tutorial = blocks((ROOT / "docs" / "own-anndata.md").read_text(), "python")
    scope = {}
    exec(make_files, scope)
    (example,) = blocks(README, "python")
    assert len([line for line in example.splitlines() if line]) <= 10
    readme = {}
    exec(example, readme)
    assert "What did the data add to the prior?" in Path("my-network/report.html").read_text()
    exec("\n".join(tutorial), scope)
    assert scope["network"].edges.equals(readme["network"].edges)
    assert scope["network"].genes == tuple(scope["cells"].var_names)
    assert Path("network.png").stat().st_size > 0
    assert Path("from-python/report.html").exists()

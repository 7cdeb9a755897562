"""The notebooks run as written, end with a picture, and are kept without outputs."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
#: Runs a notebook's code cells in one namespace, and checks the figure that they leave.
RUNNER = """
import json, sys
from matplotlib.figure import Figure

space = {"__name__": "__main__"}
for number, cell in enumerate(json.load(open(sys.argv[1], encoding="utf-8"))["cells"]):
    if cell["cell_type"] == "code":
        exec(compile("".join(cell["source"]), f"{sys.argv[1]}, cell {number}", "exec"), space)
figure = space["figure"]
assert isinstance(figure, Figure), figure
assert any(axes.has_data() for axes in figure.axes), "nothing is drawn"
figure.savefig("figure.png")
"""


def cells_of(path):
    notebook = json.loads(path.read_text(encoding="utf-8"))
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    return [cell | {"source": "".join(cell["source"])} for cell in notebook["cells"]]


def imported(source):
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def test_there_are_eight():
    assert [path.name[:2] for path in NOTEBOOKS] == [f"{number}_" for number in range(1, 9)]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_asks_first_and_holds_no_outputs(path):
    cells = cells_of(path)
    assert cells[0]["cell_type"] == "markdown"
    assert "?" in cells[0]["source"]
    assert len({cell["id"] for cell in cells}) == len(cells)
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
    assert "figure" in code[-1]["source"]
    names = [name for cell in code for name in imported(cell["source"])]
    assert any(name.startswith("dashjax") for name in names)
    assert [name for name in names if any(part.startswith("_") for part in name.split("."))] == []


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_ends_with_a_picture(path, tmp_path):
    folder = Path(__file__).parents[1]
    found = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = os.environ | {"MPLBACKEND": "Agg", "PYTHONPATH": found, "TMPDIR": str(tmp_path)}
    run = subprocess.run(
        [sys.executable, "-c", RUNNER, path], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=480
    )
    assert run.returncode == 0, run.stderr[-2000:]
    assert (tmp_path / "figure.png").stat().st_size > 10_000

"""The house holds: imports go one way, and the core needs nothing but its own packages."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import dashjax

PACKAGE = Path(dashjax.__file__).parent
ALLOWED = {
    "errors": set(),
    "linalg": set(),
    "sparse": set(),
    "data": {"sparse", "errors"},
    "dynamics": {"linalg", "data", "errors"},
    "sparsity": {"linalg", "sparse", "data", "dynamics", "errors"},
    "networks": {"data", "dynamics", "errors"},
    "training": {"data", "dynamics", "sparsity", "errors"},
    "evidence": {"linalg", "sparse", "data", "dynamics", "training", "errors"},
    "simulate": {"data", "errors"},
    "rivals": {"data", "errors"},
    "io": {"data", "dynamics", "simulate", "errors"},
    "sweep": {"data", "dynamics", "sparsity", "training", "evidence", "networks", "simulate", "io", "errors"},
    "report": {"dynamics", "networks", "sweep", "errors"},
    "jobs": {
        "data",
        "dynamics",
        "sparse",
        "sparsity",
        "training",
        "evidence",
        "networks",
        "simulate",
        "io",
        "report",
        "errors",
    },
    "reproduce": {
        *("data", "dynamics", "errors", "evidence", "io", "jobs", "networks", "report"),
        *("sparse", "sparsity", "sweep", "training"),
    },
    "compare": {
        *("data", "errors", "evidence", "io", "jobs", "networks", "report"),
        *("rivals", "simulate", "sweep", "training"),
    },
    "cli": {"compare", "errors", "io", "jobs", "sweep", "training", "report", "reproduce"},
}


def imported(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


@pytest.mark.parametrize("room", sorted(ALLOWED))
def test_rooms_import_only_what_lies_before_them(room):
    files = [PACKAGE / f"{room}.py"] if (PACKAGE / f"{room}.py").exists() else sorted((PACKAGE / room).rglob("*.py"))
    assert files
    for path in files:
        used = {name.split(".")[1] for name in imported(path) if name.startswith("dashjax.")}
        assert used - {room} <= ALLOWED[room], path


def test_every_room_is_in_the_plan():
    rooms = {p.stem if p.suffix == ".py" else p.name for p in PACKAGE.iterdir() if not p.name.startswith("_")}
    assert rooms - {"py.typed", "py"} == set(ALLOWED)


def test_only_solving_and_simulating_import_diffrax():
    importers = {str(p.relative_to(PACKAGE)) for p in PACKAGE.rglob("*.py") if "diffrax" in set(imported(p))}
    assert importers == {"dynamics/solve.py", "simulate/system.py"}


def test_core_imports_without_the_command_lines_packages():
    script = (
        "import sys\n"
        "for name in ('typer', 'rich', 'pydantic', 'yaml', 'pandas', 'pyarrow', 'matplotlib', 'sklearn'):\n"
        "    sys.modules[name] = None\n"
        "import dashjax\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=120)

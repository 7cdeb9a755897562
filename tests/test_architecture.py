"""The house holds: imports go one way, names are unique, and the core needs nothing but its own packages."""

import ast
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

import dashjax

PACKAGE = Path(dashjax.__file__).parent
#: What each package may import, in the order of the story: everything it names stands above it.
ALLOWED = {
    "errors": "",
    "interrupts": "",
    "numerics": "",
    "scoring": "",
    "data": "errors numerics",
    "dynamics": "data numerics",
    "sparsity": "data dynamics numerics",
    "training": "data dynamics errors sparsity",
    "evidence": "data dynamics numerics scoring training",
    "methods": "dynamics errors evidence sparsity training",
    "simulate": "data errors",
    "io": "data errors simulate",
    "questions": "data dynamics errors io",
    "networks": "data dynamics errors evidence io numerics questions scoring",
    "rivals": "data errors",
    "plot": "data dynamics errors io methods networks questions rivals scoring",
    "engine": "data dynamics errors evidence io methods networks rivals sparsity training",
    "problems": "data errors io networks simulate training",
    "inference": "data dynamics engine errors evidence io methods networks problems training",
    "sweep": "data dynamics engine errors io methods networks problems scoring simulate training",
    "report": "data dynamics errors evidence inference io methods networks plot questions sweep",
    "compare": "data engine errors io methods networks plot problems report rivals scoring training",
    "reproduce": (
        "data dynamics engine errors inference io methods networks numerics report rivals scoring sparsity sweep "
        "training"
    ),
    "cli": (
        "compare data dynamics engine errors inference interrupts io methods networks problems questions report "
        "reproduce sweep training"
    ),
}
#: Needed by the command line, by files, figures or rivals, and imported only where they are.
ELSEWHERE = ("typer", "rich", "pydantic", "yaml", "pandas", "pyarrow", "matplotlib", "sklearn", "anndata", "h5py",
             "networkx", "openpyxl", "pysindy", "portia", "ray")  # fmt: skip


def imported(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def files_of(room):
    alone = PACKAGE / f"{room}.py"
    return [alone] if alone.exists() else sorted((PACKAGE / room).rglob("*.py"))


@pytest.mark.parametrize("room", ALLOWED)
def test_rooms_import_only_what_lies_before_them(room):
    files = files_of(room)
    assert files
    for path in files:
        names = [name for name in imported(path) if name.split(".")[0] == "dashjax"]
        assert "dashjax" not in names, f"{path} imports the whole package"
        assert {name.split(".")[1] for name in names} - {room} <= set(ALLOWED[room].split()), path


def test_every_room_is_in_the_plan_and_the_plan_goes_one_way():
    rooms = {p.stem if p.suffix == ".py" else p.name for p in PACKAGE.iterdir() if not p.name.startswith("_")}
    assert rooms - {"py.typed", "py"} == set(ALLOWED)
    told = set()
    for room, allowed in ALLOWED.items():
        assert set(allowed.split()) <= told, room
        told.add(room)


def test_the_plan_allows_nothing_that_is_not_used():
    for room, allowed in ALLOWED.items():
        used = {name.split(".")[1] for path in files_of(room) for name in imported(path) if name.startswith("dashjax.")}
        assert set(allowed.split()) <= used, room


def test_contributors_are_told_the_same_story():
    text = (PACKAGE.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = text.partition("| package |")[2].partition("\n\n")[0]
    rows = re.findall(r"^\|([^|]*`[^|]*)\|", table, re.MULTILINE)
    told = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert sorted(told) == sorted(ALLOWED)
    for place, name in enumerate(told):
        assert set(ALLOWED[name].split()) <= set(told[:place]), name


def test_the_drawing_shows_what_imports_what():
    drawn = (PACKAGE.parent / "docs" / "figures" / "architecture.svg").read_text(encoding="utf-8")
    arrows = set(re.findall(r'id="(\w+)-(?:>|&gt;)(\w+)"', drawn))
    allowed = {room: set(parts.split()) for room, parts in ALLOWED.items()}
    below = {}
    for room, parts in allowed.items():  # in an order in which all that a package imports comes first
        below[room] = parts.union(*(below[part] for part in parts))
    # An arrow where nothing between the two makes it needless.
    direct = {
        (room, part) for room, parts in allowed.items() for part in parts if not any(part in below[p] for p in parts)
    }
    assert arrows == direct, "draw it again: python docs/figures.py"
    assert set(re.findall(r">(\w+)</text>", drawn)) == set(ALLOWED)


def test_no_two_modules_share_a_name():
    files = [path for path in PACKAGE.rglob("*.py") if path.stem not in ("__init__", "__main__")]
    count = Counter(path.stem for path in files)
    assert sorted(str(path.relative_to(PACKAGE)) for path in files if count[path.stem] > 1) == []


def test_only_solving_and_simulating_import_diffrax():
    importers = {str(p.relative_to(PACKAGE)) for p in PACKAGE.rglob("*.py") if "diffrax" in set(imported(p))}
    assert importers == {"dynamics/solve.py", "simulate/system.py"}


def test_core_imports_without_packages_of_its_edges():
    script = f"import sys\nfor name in {ELSEWHERE}:\n    sys.modules[name] = None\nimport dashjax\n"
    subprocess.run([sys.executable, "-c", script], check=True, timeout=120)

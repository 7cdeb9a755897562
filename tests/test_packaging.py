"""What is shipped: bounds that agree, links that lead somewhere, and a wheel that is whole."""

import importlib.util
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml

import dashjax

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def test_lowest_versions_are_the_declared_bounds():
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    lowest = (ROOT / ".ci" / "lowest.txt").read_text().split()
    bounds = dict(re.fullmatch(r"([\w-]+)>=([\d.]+)", requirement).groups() for requirement in declared)
    pins = dict(line.split("==") for line in lowest)

    def release(version):
        numbers = [int(part) for part in version.split(".")]
        return tuple(numbers + [0] * (3 - len(numbers)))

    assert {name: release(version) for name, version in pins.items()} == {
        name: release(version) for name, version in bounds.items()
    }


def test_the_version_is_the_same_everywhere():
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert declared == dashjax.__version__ == yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"]


def test_the_workflow_and_the_issue_forms_are_whole():
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
    (job,) = workflow["jobs"].values()
    assert job["steps"][-1] == {"run": ".ci/run"}
    for form in ("bug", "feature"):
        body = yaml.safe_load((ROOT / ".github" / "ISSUE_TEMPLATE" / f"{form}.yml").read_text())["body"]
        names = [part["id"] for part in body]
        assert len(set(names)) == len(names) > 2


#: What CONTRIBUTING tells to enter or to copy, and the file in which it says that it stands.
RECIPES = re.findall(
    r"(?:[Ee]nter(?:ed| it| the spec) in|Example:) `(\w+)`[^`\[]*?\[[^\]]*\]\((dashjax/[\w/]+\.py)\)",
    (ROOT / "CONTRIBUTING.md").read_text(),
)


def test_recipes_name_what_there_is():
    assert {"FIELDS", "METHODS", "EXPRESSION_FORMATS", "NETWORK_FORMATS", "DATASETS", "RIVALS"} <= {
        name for name, _ in RECIPES
    }
    for name, path in RECIPES:
        assert re.search(rf"^(class )?{name}\b", (ROOT / path).read_text(), flags=re.M), (name, path)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_relative_links_lead_to_files(page):
    prose = re.sub(r"```.*?```", "", page.read_text(), flags=re.S)
    targets = re.findall(r"\]\(([^)\s]+)\)", prose)
    local = [target.split("#")[0] for target in targets if not re.match(r"[a-z]+:|#", target)]
    assert [target for target in local if not (page.parent / target).exists()] == []


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("hatchling") is None, reason="the build backend is not installed")
def test_a_wheel_holds_the_package_and_nothing_else(tmp_path):
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, timeout=120, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    package = {str(path.relative_to(ROOT)) for path in (ROOT / "dashjax").rglob("*.py")} | {"dashjax/py.typed"}
    package |= {f"dashjax/report/assets/{name}" for name in ("report.css", "report.js", "cytoscape.min.js")}
    package |= {"dashjax/report/assets/cytoscape-LICENSE.txt"}
    assert package <= names
    assert {name.split("/")[0].split("-")[0] for name in names} == {"dashjax"}
    assert any(name.endswith("entry_points.txt") for name in names)

"""The README's code runs as written."""

import re
from pathlib import Path

import numpy as np
import pytest
import yaml

from dashjax.sweep import expand, parse_grid

README = (Path(__file__).parents[1] / "README.md").read_text()


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.S)


@pytest.mark.slow
def test_the_api_example_runs():
    (code,) = blocks("python")
    scope = {}
    exec(code, scope)
    accuracy = np.asarray(scope["scores"].balanced_accuracy)
    assert accuracy.shape == (3,)
    assert accuracy[1] > accuracy[0]


def test_the_grid_example_is_valid():
    (text,) = blocks("yaml")
    grid = parse_grid(yaml.safe_load(text))
    assert len(expand(grid)) == 3 * 2 * (1 + 1 + 4) * 3


def test_the_two_commands_stand_on_top():
    first, second, *_ = blocks("bash")
    assert first.strip() == "pip install . && dashjax quickstart"
    assert second.strip() == 'pip install -e ".[test]" && pytest'
    assert second.strip() in (Path(__file__).parents[1] / ".ci" / "run").read_text()

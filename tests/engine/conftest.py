"""A problem of ten genes, and cells on it that train in a second."""

from dataclasses import replace

import pytest

from dashjax import generate_system
from dashjax.engine import Cell
from dashjax.engine.program import Programs
from dashjax.methods import find_method
from dashjax.problems import simulated_problem, with_corrupted_prior


@pytest.fixture(scope="session")
def problem():
    system = generate_system(10, seed=0)
    data = simulated_problem(system, seed=0, train=4, validation=2, test=2, times=(0.0, 1.0, 3.0))
    return with_corrupted_prior(data, 0.1, seed=0)


@pytest.fixture(scope="session")
def ensemble(problem):
    """An ensemble of three that stands by its result."""
    return Cell(problem, replace(find_method("posterior"), fallback=None), epochs=4)


@pytest.fixture
def done(monkeypatch):
    """Kinds and member numbers of all that is done from now on, in order; one lane, so that there is an order."""
    monkeypatch.setattr("dashjax.engine.local.usable_cores", lambda: 1)
    seen, run = [], Programs.run

    def watched(self, chunk, *arguments):
        seen.extend((item.kind, item.member) for item in chunk.items)
        return run(self, chunk, *arguments)

    monkeypatch.setattr(Programs, "run", watched)
    return seen

"""Simulated cells: what they average to, and what vanishes."""

import numpy as np
import pytest

from dashjax.simulate import generate_system, simulate_cells, simulate_expression


@pytest.fixture(scope="module")
def system():
    return generate_system(8, seed=2)


def test_calm_cells_lie_on_their_lineages_course(system):
    cells = simulate_cells(system, seed=0, cells=400, lineages=2, span=4.0, fluctuation=0.0, blur=0.0)
    assert cells.expression.shape == (400, 8)
    assert np.bincount(cells.lineage).tolist() == [200, 200]
    assert (cells.pseudotime.min(), cells.pseudotime.max()) == (0, 1)
    for lineage in (0, 1):
        here = np.flatnonzero(cells.lineage == lineage)
        here = here[np.argsort(cells.pseudotime[here])]
        first, later = here[0], here[[50, 120, 199]]
        course = simulate_expression(
            system, cells.expression[first][None], np.r_[0, 4 * (cells.pseudotime[later] - cells.pseudotime[first])]
        )
        # Euler steps of 1/40, and a cell is seen at the step before its time.
        np.testing.assert_allclose(cells.expression[later], np.asarray(course)[0, 1:], atol=0.03)


def test_inputs_stay_and_lineages_share_some_of_their_start(system):
    cells = simulate_cells(system, seed=1, cells=200, span=2.0)
    inputs = np.flatnonzero(system.is_input)
    levels = [cells.expression[cells.lineage == lineage][:, inputs] for lineage in (0, 1)]
    assert all((level == level[0]).all() for level in levels)
    again = simulate_cells(system, seed=1, cells=200, span=2.0)
    np.testing.assert_array_equal(again.expression, cells.expression)
    other = simulate_cells(system, seed=2, cells=200, span=2.0)
    assert (other.expression != cells.expression).any()


def test_dropout_takes_low_values_only(system):
    whole = simulate_cells(system, seed=3, cells=600, span=2.0)
    some = simulate_cells(system, seed=3, cells=600, span=2.0, dropout=0.5)
    here = whole.lineage == 0
    gone = (some.expression == 0) & (whole.expression > 0)
    moving = ~np.asarray(system.is_input)
    assert gone[here][:, moving].mean() == pytest.approx(0.25, abs=0.03)
    median = np.median(whole.expression[here], axis=0)
    assert (whole.expression[here] < median)[gone[here]].all()


def test_a_system_is_simulated_in_both_precisions_one_after_the_other():
    system = generate_system(6, seed=4)
    simulate_expression(system, np.full((1, 6), 0.5), [0.0, 1.0])
    assert np.isfinite(simulate_cells(system, seed=0, cells=20, span=1.0).expression).all()

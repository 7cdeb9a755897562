"""Training units, against numbers worked out by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dashjax import make_problem, make_trajectories
from dashjax.data import Units, as_given, time_only, units_of


def test_units_centre_genes_and_time_by_hand():
    # Gene 1: mean 4, variance (4 + 4 + 16 + 16) / 6; gene 2: mean 0, variance 1. Courses last 2, 2 and 18.
    times = [[0.0, 2.0], [1.0, 3.0], [0.0, 18.0]]
    levels = [[[2.0, 1.0], [6.0, -1.0]], [[0.0, 1.0], [8.0, -1.0]], [[4.0, 1.0], [4.0, -1.0]]]
    units = units_of(make_trajectories(times, levels))
    scale = np.array([6 * np.sqrt(20 / 3), 6.0])
    np.testing.assert_allclose(units.scale, scale, rtol=1e-6)
    np.testing.assert_allclose(units.offset, np.array([4, 0]) - scale / 2, rtol=1e-6)
    assert float(units.time) == pytest.approx(2 / 9)  # the median course lasts nine units
    scaled = units.scaled(make_trajectories(times, levels))
    np.testing.assert_allclose(scaled.expression.mean(axis=(0, 1)), 0.5, atol=1e-6)
    np.testing.assert_allclose(scaled.expression.std(axis=(0, 1)), 1 / 6, rtol=1e-5)
    np.testing.assert_allclose(scaled.times[:, 1] - scaled.times[:, 0], [9, 9, 81], rtol=1e-6)


def test_what_was_not_measured_and_padding_do_not_count():
    nan = np.nan
    ragged = make_trajectories(
        [[0, 1, 2], [0, 1]], [np.array([[1.0, 5.0], [nan, 6.0], [3.0, 7.0]]), np.array([[5.0, nan], [7.0, 10.0]])]
    )
    units = units_of(ragged)
    measured = [np.array([1.0, 3, 5, 7]), np.array([5.0, 6, 7, 10])]
    np.testing.assert_allclose(units.scale, [6 * part.std() for part in measured], rtol=1e-6)
    np.testing.assert_allclose(units.offset + units.scale / 2, [part.mean() for part in measured], rtol=1e-6)
    assert float(units.time) == pytest.approx(1.5 / 9)


def test_a_gene_that_never_changes_stays_in_the_middle():
    courses = [np.array([[1.0, 0.5, 0.0, 700.0], [2.0, 0.5, 0.0, 700.0]])] * 2
    units = units_of(make_trajectories([[0, 1]] * 2, courses))
    np.testing.assert_allclose(units.scale[1:], [1, 1, 700])
    scaled = np.asarray(units.scaled_levels(jnp.asarray(courses[0])))
    np.testing.assert_allclose(scaled[:, 1:], 0.5, atol=1e-6)
    assert np.isfinite(scaled).all()


def test_levels_times_and_effects_go_there_and_back():
    units = Units(jnp.asarray(3.0), jnp.array([1.0, -2.0]), jnp.array([2.0, 8.0]))
    np.testing.assert_allclose(units.scaled_levels(jnp.array([[5.0, 2.0]])), [[2.0, 0.5]])
    np.testing.assert_allclose(units.levels(jnp.array([[2.0, 0.5]])), [[5.0, 2.0]])
    # Gene 1 acts on gene 2: per unit of gene 1 (half a training unit) eight times as much, in a third of the time.
    np.testing.assert_allclose(units.effects(jnp.array([[1.0, 1.0], [1.0, 1.0]])), [[1 / 3, 4 / 3], [1 / 12, 1 / 3]])
    given = make_trajectories([[0.0, 6.0], [1.0, 2.0]], list(np.arange(8.0).reshape(2, 2, 2)))
    scaled = units.scaled(given)
    np.testing.assert_allclose(scaled.times[0], [0, 2])
    for a, b in zip(jax.tree.leaves(units.given(scaled)), jax.tree.leaves(given), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-6)


def test_units_that_change_nothing_or_time_alone():
    observed = make_trajectories([[0.0, 4.5]], [np.array([[1.0, 2.0], [3.0, 50.0]])])
    for a, b in zip(jax.tree.leaves(as_given(2).scaled(observed)), jax.tree.leaves(observed), strict=True):
        np.testing.assert_array_equal(a, b)
    scaled = time_only(observed).scaled(observed)
    np.testing.assert_array_equal(scaled.times, [[0, 9]])
    np.testing.assert_array_equal(scaled.expression, observed.expression)


def test_a_problem_holds_training_units_and_gives_back_the_users():
    rng = np.random.default_rng(0)
    observed = make_trajectories([[0.0, 30.0, 60.0]] * 4, list(100 + 40 * rng.normal(size=(4, 3, 3))))
    problem = make_problem(observed, test=observed)
    np.testing.assert_allclose(problem.observed.expression.mean(axis=(0, 1)), 0.5, atol=1e-5)
    np.testing.assert_allclose(problem.observed.times[0], [0, 4.5, 9], rtol=1e-6)
    np.testing.assert_array_equal(problem.test.expression, problem.observed.expression)
    np.testing.assert_allclose(problem.given.expression, observed.expression, rtol=1e-5)
    np.testing.assert_allclose(problem.given.times, observed.times, rtol=1e-6)
    same = make_problem(observed, units=as_given(3))
    np.testing.assert_array_equal(same.observed.expression, observed.expression)

"""Whole trajectories from latent initial states: the error by another solver, and what fitting the states gains."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dashjax import (
    FitConfig,
    FixedSteps,
    Phoenix,
    Trajectories,
    generate_system,
    make_hyperparameters,
    make_prior,
    no_pruning,
    simulate_study,
)
from dashjax.dynamics import Adaptive, DirectSpec, solve_trajectories
from dashjax.sparsity import PriorWeightedL1
from dashjax.training import OneStep, WholeTrajectory, advance, one_step_error, start, transitions


@pytest.fixture(scope="module")
def observed():
    rng = np.random.default_rng(0)
    times = np.array([[0.0, 1.0, 2.5], [0.0, 0.5, 0.5]])  # the second is padded
    expression = rng.uniform(size=(2, 3, 8))
    seen = np.array([[True, True, True], [True, True, False]])
    return Trajectories(jnp.asarray(times), jnp.asarray(expression, jnp.float32), jnp.asarray(seen))


def test_error_is_the_distance_of_the_whole_path(observed):
    field = Phoenix.init(jax.random.key(0), 8, 4)
    latent = WholeTrajectory().init(observed) + 0.1
    squared = []
    for number, length in enumerate((3, 2)):
        (path,) = solve_trajectories(field, latent[number][None], observed.times[number, None, :length], Adaptive())
        squared += list(np.mean((np.asarray(path) - np.asarray(observed.expression[number, :length])) ** 2, axis=1))
    error = WholeTrajectory().error(field, latent, observed, FixedSteps(16))
    np.testing.assert_allclose(error, np.mean(squared), rtol=1e-4)


def test_one_step_has_no_latent_numbers(observed):
    field = Phoenix.init(jax.random.key(0), 8, 4)
    latent = OneStep().init(observed)
    assert latent.shape == (2, 0)
    expected, _ = one_step_error(field, transitions(observed), FixedSteps())
    np.testing.assert_allclose(OneStep().error(field, latent, observed, FixedSteps()), expected)


@pytest.mark.parametrize("objective", [OneStep(), WholeTrajectory()])
def test_missing_values_count_neither_in_the_error_nor_in_its_gradient(observed, objective):
    field = Phoenix.init(jax.random.key(0), 8, 4)
    measured = jnp.ones(observed.expression.shape, bool).at[0, 2, 3].set(False)
    gaps = replace(observed, measured=measured)
    latent = objective.init(observed)

    def error(value):
        moved = replace(gaps, expression=gaps.expression.at[0, 2, 3].set(value))
        return objective.error(field, latent, moved, FixedSteps())

    assert error(0.0) == error(100.0)
    assert jax.grad(error)(0.5) == 0
    # The others count as before: the mean over all values is that over the measured ones and the missing one.
    everything = objective.error(field, latent, observed, FixedSteps())
    size = 8 * (5 if isinstance(objective, WholeTrajectory) else 3)
    one = replace(observed, measured=~measured)
    alone = objective.error(field, latent, one, FixedSteps())
    np.testing.assert_allclose(error(0.0) * (size - 1) + alone, everything * size, rtol=1e-5)


@pytest.mark.slow
def test_fitted_initial_states_are_closer_to_the_truth_than_the_observations():
    system = generate_system(30, seed=2)
    data = simulate_study(system, seed=0, train=60, validation=5, test=5)
    prior = make_prior(system.truth)
    hyper = make_hyperparameters(no_pruning(), noise=0.05, strengths=(0.1, 0.0))
    config = FitConfig(field=DirectSpec(), objective=WholeTrajectory(), penalty=PriorWeightedL1(), epochs=60)
    key = jax.random.key(0)

    @jax.jit
    def run():
        begun = start(key, data, hyper, config)
        done, _ = advance(key, data, prior, hyper, config, begun, jnp.arange(1, 61))
        return begun.latent.value, done.latent.value

    true = data.train.expression[:, 0]
    seen, fitted = (np.sqrt(np.mean((np.asarray(value) - true) ** 2, axis=0)) for value in run())
    np.testing.assert_allclose(seen.mean(), 0.05, rtol=0.1)
    constant = system.is_input
    # Five observations of the same level leave 1/√5 of the noise; of a moving gene the later ones say little.
    assert fitted[constant].mean() < 0.5 * seen[constant].mean()
    assert fitted[~constant].mean() < 1.03 * seen[~constant].mean()

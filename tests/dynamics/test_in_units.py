"""A field in the user's units: the same dynamics, in other numbers."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dashjax import Direct, Phoenix
from dashjax.data import Units
from dashjax.dynamics import FixedSteps, InUnits, solve_trajectories

UNITS = Units(jnp.asarray(60.0), jnp.array([-3.0, 10.0, 0.0, 2.0]), jnp.array([100.0, 0.5, 8.0, 1.0]))


@pytest.fixture(scope="module", params=["direct", "phoenix"])
def field(request):
    if request.param == "phoenix":
        return Phoenix.init(jax.random.key(0), 4, 3)
    weight = 0.3 * jax.random.normal(jax.random.key(1), (2, 4, 4))
    return Direct(weight, *[jax.random.uniform(jax.random.key(n), (4,)) for n in (2, 3, 4)])


@pytest.fixture(scope="module")
def levels():
    return jnp.asarray(UNITS.levels(jax.random.uniform(jax.random.key(5), (6, 4))))


def test_the_derivative_is_the_fields_in_other_units(field, levels):
    # dg/dt = scale · dg'/dt' / time at g' = (g − offset)/scale.
    scaled = (np.asarray(levels) - np.asarray(UNITS.offset)) / np.asarray(UNITS.scale)
    expected = np.asarray(UNITS.scale) * np.asarray(field(0.0, jnp.asarray(scaled))) / 60.0
    np.testing.assert_allclose(InUnits(field, UNITS)(0.0, levels), expected, rtol=2e-4, atol=1e-6)


def test_rates_are_per_users_time(field):
    np.testing.assert_allclose(InUnits(field, UNITS).decay(), np.asarray(field.decay()) / 60, rtol=1e-6)


def test_paths_are_the_fields_paths_in_other_units(field, levels):
    scaled = solve_trajectories(field, UNITS.scaled_levels(levels), jnp.array([[0.0, 1.0, 3.0]]), FixedSteps(4))
    given = solve_trajectories(InUnits(field, UNITS), levels, jnp.array([[0.0, 60.0, 180.0]]), FixedSteps(4))
    np.testing.assert_allclose(given, UNITS.levels(scaled), rtol=1e-3, atol=1e-3)
    assert np.abs(np.asarray(given[:, 2] - given[:, 0])).max() > 1


def test_linear_effects_are_those_of_the_derivative():
    # Where φ is straight, the effect is the Jacobian: the target's rate of change per unit of the regulator.
    weight = jnp.zeros((2, 4, 4)).at[0].set(0.1 * jax.random.normal(jax.random.key(1), (4, 4)))
    field = Direct(weight, jnp.full(4, 0.5), jnp.full(4, 0.5), jnp.array([1.0, 0.5, 2.0, 0.1]))
    middle = UNITS.levels(jnp.full(4, 0.5))
    slope = jax.jacobian(lambda g: InUnits(field, UNITS).production(g))(middle).T
    converted = np.asarray(UNITS.effects(field.effects()))
    off = ~np.eye(4, dtype=bool)
    ratio = np.asarray(slope)[off] / converted[off]
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-3)  # φ's slope at one half, the same for every pair

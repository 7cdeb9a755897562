"""Members of an ensemble are runs of their own on one set of observations."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dashjax import DirectSpec, FitConfig, Split, WholeTrajectory, make_hyperparameters
from dashjax.training import advance, advance_members, finish_members, observe, start, start_members

CONFIG = FitConfig(field=DirectSpec(), objective=WholeTrajectory(), epochs=4, members=2)
HYPER = make_hyperparameters(noise=0.05)
KEY = jax.random.key(3)


@pytest.fixture(scope="module")
def members(split, prior):
    return jax.jit(lambda epochs, states: advance_members(KEY, split, prior, HYPER, CONFIG, states, epochs)), jax.jit(
        lambda: start_members(KEY, split, HYPER, CONFIG, 2)
    )()


def test_the_first_member_is_a_run_on_all_that_the_ensemble_observes(members, split, prior):
    proceed, begun = members
    states, curves = proceed(jnp.arange(1, 5), begun)
    observed = observe(KEY, split, HYPER)
    assert not np.allclose(observed.train.expression, split.train.expression)
    quiet = eqx.tree_at(lambda h: h.noise, HYPER, jnp.asarray(0.0))
    own = jax.random.fold_in(KEY, 0)

    def alone():
        state = start(own, observed, quiet, CONFIG)
        return advance(own, observed, prior, quiet, CONFIG, state, jnp.arange(1, 5))

    state, curve = jax.jit(alone)()
    np.testing.assert_allclose(states.field.weight[0], state.field.weight, atol=1e-6)
    np.testing.assert_allclose(curves.validation_error[0], curve.validation_error, rtol=1e-5)


def test_members_differ_and_their_results_are_finite(members, split):
    proceed, begun = members
    states, curves = proceed(jnp.arange(1, 5), begun)
    assert not np.allclose(states.field.weight[0], states.field.weight[1])
    results = finish_members(states, curves, split, CONFIG)
    assert results.test_error.shape == (2,)
    assert np.isfinite(results.test_error).all()


def test_cutting_an_ensemble_into_calls_changes_nothing(members):
    proceed, begun = members
    whole, _ = proceed(jnp.arange(1, 5), begun)
    half, _ = proceed(jnp.array([1, 2, 9, 9]), begun)
    cut, _ = proceed(jnp.array([3, 4, 9, 9]), half)
    np.testing.assert_array_equal(whole.field.weight, cut.field.weight)


def test_observations_are_those_of_a_run(split: Split):
    seen = observe(KEY, split, HYPER)
    np.testing.assert_array_equal(seen.test.expression, split.test.expression)
    error = np.asarray(seen.train.expression - split.train.expression)
    assert error.std() == pytest.approx(0.05, rel=0.2)

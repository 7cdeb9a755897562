"""Members of an ensemble are runs of their own on one set of observations."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dashjax import DirectSpec, FitConfig, PhoenixSpec, Split, WholeTrajectory, make_hyperparameters
from dashjax.training import advance, as_member, observe, start

CONFIG = FitConfig(field=DirectSpec(), objective=WholeTrajectory(), epochs=4)
HYPER = make_hyperparameters(noise=0.05)
KEY = jax.random.key(3)


@pytest.fixture(scope="module")
def train(split, prior):
    """`train(key, data, hyper)`: a run of four epochs."""

    @jax.jit
    def run(key, data, hyper):
        state = start(key, data, hyper, CONFIG)
        return advance(key, data, prior, hyper, CONFIG, state, jnp.arange(1, 5))

    return run


def rows_of(member: Split, observed: Split) -> list[int]:
    """Say which of the observed trajectories a member trains on."""
    return [
        int(np.flatnonzero((np.asarray(observed.train.expression) == np.asarray(path)).all(axis=(1, 2)))[0])
        for path in member.train.expression
    ]


def test_the_first_member_is_a_run_on_all_that_the_ensemble_observes(split, train):
    observed = observe(KEY, split, HYPER)
    assert not np.allclose(observed.train.expression, split.train.expression)
    quiet = eqx.tree_at(lambda h: h.noise, HYPER, jnp.asarray(0.0))
    state, curve = train(*as_member(KEY, split, HYPER, 0))
    alone, expected = train(jax.random.fold_in(KEY, 0), observed, quiet)
    np.testing.assert_allclose(state.field.weight, alone.field.weight, atol=1e-6)
    np.testing.assert_allclose(curve.validation_error, expected.validation_error, rtol=1e-5)


def test_the_others_train_on_resamples_of_the_same_observations(split):
    observed = observe(KEY, split, HYPER)
    drawn = []
    for number in range(8):
        _, member, hyper = as_member(KEY, split, HYPER, number)
        assert float(hyper.noise) == 0
        np.testing.assert_array_equal(member.validation.expression, observed.validation.expression)
        np.testing.assert_array_equal(member.test.expression, split.test.expression)
        drawn.append(rows_of(member, observed))
    assert drawn[0] == list(range(6))
    assert len({tuple(sorted(rows)) for rows in drawn[1:]}) > 4
    # Drawn with replacement: 6 of 6 leave out (5/6)^6 = a third on average.
    distinct = np.mean([len(set(rows)) for rows in drawn[1:]])
    assert 3 < distinct < 5


def test_members_draw_weights_of_their_own(split):
    fields, config = [], FitConfig(field=PhoenixSpec(4))
    for number in (0, 1, 2):
        key, member, hyper = as_member(KEY, split, HYPER, number)
        fields.append(np.asarray(start(key, member, hyper, config).field.gene_multiplier))
    assert not np.allclose(fields[0], fields[1])
    assert not np.allclose(fields[1], fields[2])


def test_a_members_number_may_be_traced(split):
    numbers = jnp.arange(3)
    together = jax.jit(jax.vmap(lambda number: as_member(KEY, split, HYPER, number)[1].train.expression))(numbers)
    for number in range(3):
        alone = as_member(KEY, split, HYPER, number)[1].train.expression
        np.testing.assert_allclose(together[number], alone, atol=1e-6)


def test_members_differ_and_stay_finite(split, train):
    first, second = (train(*as_member(KEY, split, HYPER, number))[0].field.weight for number in (1, 2))
    assert not np.allclose(first, second)
    assert np.isfinite(first).all()


def test_observations_are_those_of_a_run(split: Split):
    seen = observe(KEY, split, HYPER)
    np.testing.assert_array_equal(seen.test.expression, split.test.expression)
    error = np.asarray(seen.train.expression - split.train.expression)
    assert error.std() == pytest.approx(0.05, rel=0.2)

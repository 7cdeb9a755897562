"""Which courses are smoothed, how far, and what that leaves of the observations."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dashjax import Trajectories, make_trajectories
from dashjax.evidence.smoothing import smooth

TIMES = np.linspace(0, 10, 40)


@pytest.fixture(scope="module")
def smoothed():
    return jax.jit(smooth)


def curves(noise, genes=8, trajectories=2):
    """Return smooth courses with and without noise."""
    rng = np.random.default_rng(0)
    rate, phase = rng.uniform(0.2, 0.8, size=(2, trajectories, 1, genes))
    true = np.sin(rate * TIMES[None, :, None] + 6 * phase)
    seen = true + noise * rng.normal(size=true.shape)
    return true, make_trajectories([TIMES] * trajectories, list(seen))


def walks(genes=8, trajectories=4):
    """Return Ornstein–Uhlenbeck courses, observed exactly."""
    rng = np.random.default_rng(1)
    level = rng.normal(size=(trajectories, genes))
    keep, courses = np.exp(-1 / 6), [level]
    for _ in TIMES[1:]:
        level = keep * level + np.sqrt(1 - keep**2) * rng.normal(size=level.shape)
        courses.append(level)
    return make_trajectories([TIMES] * trajectories, list(np.stack(courses, axis=1)))


def test_noise_around_smooth_courses_is_removed(smoothed):
    true, observed = curves(noise=0.3)
    found = smoothed(observed)
    before = np.sqrt(np.mean((np.asarray(observed.expression) - true) ** 2))
    after = np.sqrt(np.mean((np.asarray(found.courses.expression) - true) ** 2))
    assert after < 0.5 * before
    # A linear smoother leaves √(degrees of freedom / observations) of independent noise, and a little bias.
    assert 0.05 < float(found.share) < 0.3
    assert after >= before * np.sqrt(float(found.share)) * 0.8


def test_rough_courses_stay_as_they_were_observed(smoothed):
    observed = walks()
    found = smoothed(observed)
    np.testing.assert_array_equal(found.courses.expression, observed.expression)
    assert float(found.share) == 1.0


def test_the_units_of_time_and_expression_do_not_matter(smoothed):
    _, observed = curves(noise=0.3)
    other = Trajectories(observed.times * 3600, 5 + 20 * observed.expression, observed.observed)
    found, again = smoothed(observed), smoothed(other)
    np.testing.assert_allclose(again.courses.expression, 5 + 20 * found.courses.expression, rtol=1e-3, atol=1e-2)
    assert float(again.share) == pytest.approx(float(found.share), rel=1e-3)


def test_padding_counts_for_nothing(smoothed):
    true, observed = curves(noise=0.3)
    seen = observed.observed.at[1, 25:].set(False)
    padded = Trajectories(observed.times.at[1, 25:].set(TIMES[24]), observed.expression, seen)
    other = replace(padded, expression=padded.expression.at[1, 25:].add(3.0))
    first, second = smoothed(padded), smoothed(other)
    np.testing.assert_array_equal(first.courses.expression[0], second.courses.expression[0])
    np.testing.assert_array_equal(first.courses.expression[1, 25:], padded.expression[1, 25:])
    assert jnp.isfinite(first.courses.expression).all()
    shorter = smoothed(make_trajectories([TIMES, TIMES[:25]], [observed.expression[0], observed.expression[1, :25]]))
    np.testing.assert_allclose(first.courses.expression[1, :25], shorter.courses.expression[1, :25], atol=1e-4)


def test_genes_that_do_not_move_decide_nothing(smoothed):
    _, observed = curves(noise=0.3)
    still = jnp.concatenate([observed.expression, jnp.full((2, 40, 30), 0.5)], axis=2)
    with_still = smoothed(replace(observed, expression=still))
    assert float(with_still.share) == pytest.approx(float(smoothed(observed).share), rel=1e-3)
    np.testing.assert_allclose(with_still.courses.expression[..., 8:], 0.5)

"""The sampler against exact enumeration."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from dashjax.evidence.sampler import SLAB, Chain, draw_gamma, partners, sweep

NOISE = 0.5
SLAB_WEIGHTS = np.array([0.2, 0.3, 0.5])


@pytest.fixture(scope="module")
def problem():
    rng = np.random.default_rng(0)
    cause = rng.normal(size=(40, 3))
    # The last column is nearly the first: the two are hard to tell apart, one at a time never.
    design = np.column_stack([cause, cause[:, 0] + 0.05 * rng.normal(size=40)])
    response = 0.3 * cause[:, 0] + 0.45 * cause[:, 1] + np.sqrt(NOISE) * rng.normal(size=40)
    return design, response, np.array([-1.0, -2.0, -2.0, -1.5])


def exact(design, response, logit, noise=NOISE):
    """Return inclusion probabilities by summing over every subset and every choice of widths."""
    total, included = 0.0, np.zeros(len(logit))
    for widths in itertools.product(range(len(SLAB) + 1), repeat=len(logit)):
        inside = np.array(widths) > 0
        log_weight = np.sum(logit[inside]) + sum(np.log(SLAB_WEIGHTS[w - 1]) for w in widths if w)
        variance = np.array([SLAB[w - 1] for w in widths if w])
        covariance = noise * np.eye(len(response)) + (design[:, inside] * variance) @ design[:, inside].T
        _, log_determinant = np.linalg.slogdet(covariance)
        fit = response @ np.linalg.solve(covariance, response)
        weight = np.exp(log_weight - 0.5 * (log_determinant + fit))
        total += weight
        included += weight * inside
    return included / total


def sample(problem, sweeps, start=(0.0, 0.0, 0.0, 0.0), temperature=1.0):
    design, response, logit = problem
    gram, moment = jnp.asarray(design.T @ design), jnp.asarray(design.T @ response)
    partner = partners(gram)

    def step(value, key):
        order = jax.random.permutation(jax.random.fold_in(key, 1), 4)
        chain, included = sweep(
            key,
            order,
            Chain(value, jnp.asarray(NOISE)),
            gram,
            moment,
            jnp.asarray(response @ response),
            jnp.asarray(40.0),
            partner,
            jnp.asarray(logit),
            jnp.asarray(SLAB_WEIGHTS),
            jnp.asarray(temperature),
        )
        return chain.coefficient, (included.sum(-1), chain.coefficient != 0, chain.noise)

    keys = jax.random.split(jax.random.key(0), sweeps)
    return jax.jit(lambda v: jax.lax.scan(step, v, keys)[1])(jnp.array(start))


def test_inclusion_agrees_with_enumeration(problem):
    expected = exact(*problem)
    included, drawn, _ = sample(problem, 6000)
    assert 0.1 < expected[1] < 0.9  # a case that is not decided
    np.testing.assert_allclose(included.mean(0), expected, atol=0.02)
    np.testing.assert_allclose(drawn.mean(0), expected, atol=0.03)


def test_a_temperature_exaggerates_the_noise(problem):
    hot, cold = exact(*problem, noise=5 * NOISE), exact(*problem)
    assert np.abs(hot - cold).max() > 0.2
    included, *_ = sample(problem, 6000, temperature=5.0)
    np.testing.assert_allclose(included.mean(0), hot, atol=0.02)


def test_look_alikes_trade_places(problem):
    _, drawn, _ = sample(problem, 200, start=(0.0, 0.0, 0.0, 0.3))
    assert drawn[:, 0].mean() > 0.2
    assert drawn[:, 3].mean() > 0.1


def test_noise_is_drawn_from_what_is_left(problem):
    design, response, _ = problem
    _, _, noise = sample(problem, 500)
    left = response - design @ np.linalg.lstsq(design, response, rcond=None)[0]
    # Inverse gamma with shape 20: its mean is Σ left²/38 for the least-squares fit, more for any other.
    assert left @ left / 38 * 0.95 < noise.mean() < response @ response / 38


@pytest.mark.parametrize("shape", [0.5, 3.0, 40.0])
def test_moves_of_a_gamma_variable_leave_its_distribution(shape):
    keys = jax.random.split(jax.random.key(3), 40)
    begun = jnp.asarray(stats.gamma(shape).rvs(4000, random_state=0))

    def move(x, key):
        normal, uniform = jax.random.normal(key, x.shape), jax.random.uniform(jax.random.fold_in(key, 1), x.shape)
        moved = jax.vmap(lambda *draws: draw_gamma(jnp.asarray(shape), *draws))(x, normal, uniform)
        return moved, (moved != x).mean()

    ended, accepted = jax.jit(lambda x: jax.lax.scan(move, x, keys))(begun)
    assert stats.kstest(np.asarray(ended), stats.gamma(shape).cdf).pvalue > 0.01
    assert abs(np.corrcoef(begun, ended)[0, 1]) < 0.1  # forgotten where it began
    assert shape < 3 or accepted.mean() > 0.98


def test_twins_share_what_they_explain(problem):
    design, response, logit = problem
    twins = np.column_stack([design[:, :3], design[:, 0]]), response, np.array([-1.0, -2.0, -2.0, -1.0])
    expected = exact(*twins)
    included, _, _ = sample(twins, 6000)
    np.testing.assert_allclose(included.mean(0), expected, atol=0.02)
    assert expected[0] == pytest.approx(expected[3])

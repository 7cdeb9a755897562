"""The sampler against exact enumeration."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from dashjax.evidence.posterior import _Averaged, _Drawn
from dashjax.evidence.sampler import SLAB, Chains, draw_gamma, partners, sweep

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
    gram, moment = jnp.asarray(design.T @ design)[None], jnp.asarray(design.T @ response)[None]
    square, count = jnp.array([response @ response]), jnp.array([40.0])
    given = gram, moment, square, count, partners(gram), jnp.asarray(logit)[None], jnp.asarray(SLAB_WEIGHTS)

    def step(value, key):
        chains, included = sweep(key, Chains(value, jnp.array([NOISE])), *given, jnp.asarray(temperature))
        value = chains.coefficient
        return value, (included[0].sum(-1), value[0] != 0, chains.noise[0])

    keys = jax.random.split(jax.random.key(0), sweeps)
    return jax.jit(lambda v: jax.lax.scan(step, v, keys)[1])(jnp.array([start]))


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
        moved = draw_gamma(jnp.asarray(shape), x, normal, uniform)
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


def test_targets_do_not_see_each_other(problem):
    """Three targets at once: each as it is alone, in another unit, and with its candidates in another order."""
    design, response, logit = problem
    shuffled = np.array([2, 3, 0, 1])
    designs, responses = [design, design / 3, design[:, shuffled]], [response, response, response]
    gram = jnp.stack([jnp.asarray(d.T @ d) for d in designs])
    moment = jnp.stack([jnp.asarray(d.T @ r) for d, r in zip(designs, responses, strict=True)])
    square, count = jnp.full(3, response @ response), jnp.full(3, 40.0)
    logits = jnp.stack([jnp.asarray(logit), jnp.asarray(logit), jnp.asarray(logit[shuffled])])

    def step(chains, key):
        chains = Chains(chains.coefficient, jnp.full(3, NOISE))
        given = gram, moment, square, count, partners(gram), logits, jnp.asarray(SLAB_WEIGHTS), jnp.asarray(1.0)
        chains, included = sweep(key, chains, *given)
        return chains, included.sum(-1)

    begun = Chains(jnp.zeros((3, 4)), jnp.full(3, NOISE))
    drawn = jax.jit(lambda c: jax.lax.scan(step, c, jax.random.split(jax.random.key(0), 6000))[1])(begun).mean(0)
    for number, expected in enumerate([exact(*problem), exact(designs[1], response, logit)]):
        np.testing.assert_allclose(drawn[number], expected, atol=0.02)
    np.testing.assert_allclose(drawn[2], np.asarray(exact(*problem))[shuffled], atol=0.02)


def test_chains_are_drawn_until_their_halves_agree():
    """The average of two halves, the error between them, and where it stops."""
    halves = [jnp.array([[[0.5], [0.1]]]), jnp.array([[[0.7], [0.1]]])]
    early, late = (
        _Drawn(half * count, *[jnp.zeros((1, 2))] * 4, jnp.zeros(1)) for half, count in zip(halves, (4, 4), strict=True)
    )
    averaged = _Averaged(None, early, late, jnp.array([4.0, 4.0]), jnp.asarray(16))
    np.testing.assert_allclose(averaged.mean().included[0, :, 0], [0.6, 0.1], rtol=1e-6)
    np.testing.assert_allclose(averaged.error(), np.sqrt(0.2**2 / 0.7), rtol=1e-6)
    one_half = _Averaged(None, early, late, jnp.array([4.0, 0.0]), jnp.asarray(20))
    assert np.isinf(one_half.error())

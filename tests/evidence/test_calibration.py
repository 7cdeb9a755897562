"""Simulation-based calibration of the chains (Talts et al. 2018), where the model is exactly true.

Whatever is drawn from the prior, then observed, must look like one more draw from the posterior: its rank among the
chain's draws is uniform, and of the coefficients said to be included with probability p a share p is.

Mistakes of one line that were tried in the sampler. Caught: log odds with the wrong sign, slabs whose standard
deviation is taken for their variance, a temperature of 1.2 where it should be 1, three degrees of freedom of the noise
too few, and noise that is bounded by the response's variance (it was, until this test). Missed: one degree of freedom
too few (of 32), and slabs whose variance is 1.5 times as large.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from dashjax.evidence.posterior import _sample
from dashjax.evidence.regression import Regressions
from dashjax.evidence.sampler import SLAB, Chains, partners

#: Data sets, regulators, and observations of each data set.
SETS, SIZE, ROWS = 1500, 5, 24
#: Draws of each chain that true values are ranked among, and sweeps between two.
DRAWS, APART, WARM_UP = 39, 10, 100
SLAB_WEIGHTS = np.array([0.2, 0.3, 0.5])
#: Prior of the noise's variance: scaled inverse χ². The sampler's own is improper, so that nothing can be drawn from
#: it; this one enters as observations of which all is left over.
FREEDOM, SCALE = 8.0, 0.3


def draw_data(rng):
    """Draw odds, coefficients, noise and data of every set; return the truth and what the chains see."""
    logit = rng.uniform(-3.0, 1.0, (SETS, SIZE))
    included = rng.random((SETS, SIZE)) < 1 / (1 + np.exp(-logit))
    width = np.sqrt(np.array(SLAB))[rng.choice(len(SLAB), (SETS, SIZE), p=SLAB_WEIGHTS)]
    coefficient = included * width * rng.normal(size=(SETS, SIZE))
    noise = FREEDOM * SCALE / rng.chisquare(FREEDOM, SETS)
    design = rng.normal(size=(SETS, ROWS, SIZE))
    # Look-alikes are what the chain's pairs are for.
    design[..., 1] = 0.9 * design[..., 0] + 0.3 * design[..., 1]
    response = np.einsum("snc,sc->sn", design, coefficient) + np.sqrt(noise)[:, None] * rng.normal(size=(SETS, ROWS))
    seen = Regressions(
        candidates=jnp.tile(jnp.arange(SIZE), (SETS, 1)),
        gram=jnp.asarray(np.einsum("sni,snj->sij", design, design), jnp.float32),
        moment=jnp.asarray(np.einsum("sni,sn->si", design, response), jnp.float32),
        square=jnp.asarray((response**2).sum(axis=1) + FREEDOM * SCALE, jnp.float32),
        count=jnp.full(SETS, ROWS + FREEDOM, jnp.float32),
        scale=jnp.ones((SETS, SIZE)),
        decay=jnp.ones(SETS),
    )
    return (coefficient, noise), seen, jnp.asarray(logit, jnp.float32)


def run_chains(seen, logit, key):
    """Return draws (draw, set, …) of coefficients and noise, and probabilities of being included."""
    among = partners(seen.gram)
    slab, cold = jnp.asarray(SLAB_WEIGHTS, jnp.float32), jnp.asarray(1.0)
    sample = partial(_sample, regressions=seen, partner=among, logit=logit, slab=slab, temperature=cold)

    def draw(chains, key):
        chains, passed = sample(key, chains, sweeps=APART)
        return chains, (chains.coefficient, chains.noise, passed.included.sum(-1))

    @jax.jit
    def everything(key):
        begun = Chains(jnp.zeros((SETS, SIZE)), seen.square / seen.count)
        begun, _ = sample(key, begun, sweeps=WARM_UP)
        return jax.lax.scan(draw, begun, jax.random.split(jax.random.fold_in(key, 1), DRAWS))[1]

    coefficient, noise, included = (np.asarray(part) for part in everything(key))
    return coefficient, noise, included.mean(axis=0)


def ranks(rng, true, draws):
    """Return the rank of each true value among its draws, ties in random order."""
    below, ties = (draws < true).sum(axis=0), (draws == true).sum(axis=0)
    return below + rng.integers(0, ties + 1)


def misfit(seen, coefficient):
    """Return the squares that coefficients leave: a quantity that looks at the data too.

    Coefficients that scatter too far around where the data have them leave too much (Modrák et al. 2023).
    """
    gram, moment, square = (np.asarray(part, float) for part in (seen.gram, seen.moment, seen.square))
    explained = np.einsum("...si,sij->...sj", coefficient, gram)
    return square + np.sum(coefficient * (explained - 2 * moment), axis=-1)


def uniform(found):
    """Return the p-value of ranks being uniform: χ² of ten equal bins."""
    counts = np.bincount(found.ravel() * 10 // (DRAWS + 1), minlength=10)
    return stats.chisquare(counts).pvalue


@pytest.fixture(scope="module")
def calibrated():
    rng = np.random.default_rng(0)
    (coefficient, noise), seen, logit = draw_data(rng)
    drawn, drawn_noise, included = run_chains(seen, logit, jax.random.key(0))
    return {
        "coefficients": ranks(rng, coefficient, drawn),
        # Sizes are ranked too: a spread that is wrong on both sides leaves the mean rank as it is.
        "sizes": ranks(rng, np.abs(coefficient), np.abs(drawn)),
        "noise": ranks(rng, noise, drawn_noise),
        "misfits": ranks(rng, misfit(seen, coefficient), misfit(seen, drawn)),
        "included": included,
        "true": coefficient != 0,
    }


@pytest.mark.slow
@pytest.mark.parametrize("of", ["coefficients", "sizes", "noise", "misfits"])
def test_true_values_rank_like_draws(calibrated, of):
    assert uniform(calibrated[of]) > 0.01


@pytest.mark.slow
def test_probabilities_of_being_included_are_frequencies(calibrated):
    stated, true = calibrated["included"].ravel(), calibrated["true"].ravel()
    place = np.minimum(stated * 10, 9).astype(int)
    expected, found, variance = (
        np.bincount(place, values, minlength=10) for values in (stated, true, stated * (1 - stated))
    )
    assert (np.bincount(place, minlength=10) > 30).all()  # every probability occurs
    assert abs(found.sum() - expected.sum()) < 2.6 * np.sqrt(variance.sum())
    assert stats.chi2.sf(np.sum((found - expected) ** 2 / variance), 10) > 0.01

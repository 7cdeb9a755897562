"""Samples at rest without their noise: what was planted stays, what is noise goes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dashjax.data import Production, RestSamples, no_intervention, settle

GENES, SAMPLES, NOISE = 12, 24, 0.02
settled = jax.jit(settle)


def planted(samples=SAMPLES, outs=SAMPLES - 4, seed=0):
    """Return samples around one usual state: the last `outs` are knock-outs, each with one shift of another gene.

    Also the usual state, the true levels, and which levels were shifted.
    """
    rng = np.random.default_rng(seed)
    usual = rng.uniform(0.3, 0.7, GENES)
    true = np.tile(usual, (samples, 1))
    factor = np.ones((samples, GENES))
    shifted = np.zeros((samples, GENES), bool)
    for sample in range(samples - outs, samples):
        gene = sample % GENES
        factor[sample, gene], true[sample, gene] = 0.0, 0.0
        other = (gene + 1 + sample % 5) % GENES
        shifted[sample, other] = True
        true[sample, other] += 0.25 * (-1) ** sample
    levels = true + NOISE * rng.normal(size=true.shape)
    production = Production(jnp.asarray(factor, jnp.float32), jnp.zeros((samples, GENES)))
    return RestSamples(jnp.asarray(levels, jnp.float32), None, production), usual, true, shifted


def test_shifts_stay_and_noise_goes():
    rest, usual, true, shifted = planted()
    found = settled(rest)
    out = np.asarray(rest.production.factor == 0)
    error = np.asarray(found.levels) - true
    # A shift is as measured, but for the noise; what did not move is the usual level, closer than any measurement.
    np.testing.assert_allclose(np.asarray(found.levels)[shifted], np.asarray(rest.levels)[shifted], atol=0.01)
    assert np.abs(error[shifted]).max() < 4 * NOISE
    assert np.sqrt(np.mean(error[~shifted & ~out] ** 2)) < 0.35 * NOISE
    np.testing.assert_allclose(found.usual, usual, atol=0.015)
    assert float(np.median(found.noise)) == pytest.approx(NOISE, rel=0.2)
    # What was knocked out was at none, whatever was measured.
    assert (np.asarray(found.levels)[out] == 0).all()
    assert not found.varied.any()


def test_what_was_held_is_at_its_level_and_what_was_left_or_added_as_measured():
    rest, *_ = planted()
    factor, level = rest.production.factor, rest.production.level
    row = SAMPLES - 1
    factor, level = factor.at[row, 3].set(0.0), level.at[row, 3].set(0.9)  # a clamp
    factor = factor.at[row, 5].set(0.5)  # a knock-down
    level = level.at[row, 7].set(0.2)  # an over-expression
    held = settled(RestSamples(rest.levels, None, Production(factor, level))).levels[row]
    assert float(held[3]) == pytest.approx(0.9)
    np.testing.assert_array_equal(held[jnp.array([5, 7])], rest.levels[row, jnp.array([5, 7])])


def test_missing_levels_are_usual_and_tell_nothing():
    rest, *_ = planted()
    gene, samples = 4, np.array([1, 2, 9])
    measured = jnp.ones(rest.levels.shape, bool).at[samples, gene].set(False)

    def filled_with(value):
        return settled(RestSamples(rest.levels.at[samples, gene].set(value), measured, rest.production))

    low, high = filled_with(0.0), filled_with(50.0)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6), low, high)
    np.testing.assert_allclose(low.levels[samples, gene], low.usual[gene])


@pytest.mark.parametrize("stated", [0, 4])
def test_samples_of_which_next_to_nothing_is_stated_are_as_measured(stated):
    rng = np.random.default_rng(1)
    levels = jnp.asarray(rng.uniform(size=(SAMPLES, GENES)), jnp.float32)
    factor = no_intervention(SAMPLES, GENES).factor.at[np.arange(stated), np.arange(stated)].set(0.0)
    found = settled(RestSamples(levels, None, Production(factor, jnp.zeros_like(factor))))
    np.testing.assert_array_equal(found.varied, np.arange(SAMPLES) >= stated)
    np.testing.assert_array_equal(found.levels[stated:], levels[stated:])
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(found))


def test_patients_beside_knock_outs_vary_and_wild_types_do_not():
    rest, *_ = planted()
    assert not settled(rest).varied.any()  # four wild types, which differ by noise only
    rng = np.random.default_rng(2)
    strains = rest.levels.at[:4].add(jnp.asarray(0.2 * rng.normal(size=(4, GENES)), jnp.float32))
    found = settled(RestSamples(strains, None, rest.production))
    np.testing.assert_array_equal(found.varied, np.arange(SAMPLES) < 4)
    np.testing.assert_array_equal(found.levels[:4], strains[:4])
    # They do not make the knock-outs noisier.
    assert float(np.median(found.noise)) == pytest.approx(NOISE, rel=0.2)


def test_few_samples_and_constant_genes_stay_finite():
    rest, *_ = planted(samples=3, outs=2)
    flat = RestSamples(rest.levels.at[:, 0].set(0.5), None, rest.production)
    found = settle(flat)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(found))
    assert float(found.usual[0]) == 0.5

"""Levels at rest after interventions, from a model and from measured ones, by hand and on simulated systems."""

from itertools import combinations

import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

from dashjax import Direct, infer_network
from dashjax.data import Production, RestSamples
from dashjax.questions import Measured, measured_effects, predict_rest
from dashjax.simulate import generate_system, simulate_rest

#: A → C and B → D of five genes, E alone.
GENES = 5
HALF = np.full(GENES, 0.5)
NOTHING = np.ones(GENES), np.zeros(GENES)
FREE = Direct(
    jnp.zeros((2, 5, 5)).at[0, 2, 0].set(0.4).at[0, 3, 1].set(-0.3), jnp.zeros(5), jnp.full(5, 0.5), jnp.ones(5)
)


def knocked_out(*genes, level=0.0):
    """Return factor and level of knock-outs."""
    factor, held = np.ones(GENES), np.zeros(GENES)
    factor[list(genes)], held[list(genes)] = 0.0, level
    return factor, held


def measured_of(*experiments, error=0.01):
    """Return what was measured: pairs of production and levels."""
    production, levels = zip(*experiments, strict=True)
    factor, level = (jnp.asarray(np.stack(part), jnp.float32) for part in zip(*production, strict=True))
    there = jnp.asarray(np.stack(levels), jnp.float32)
    return Measured(
        jnp.asarray(HALF), jnp.full(5, 0.002), there, jnp.full(there.shape, error), Production(factor, level)
    )


def shifted(**shifts):
    """Return usual levels but for some genes."""
    found = HALF.copy()
    for gene, shift in shifts.items():
        found["ABCDE".index(gene)] += shift
    return found


A_OUT, B_OUT = (knocked_out(0), shifted(A=-0.5, C=-0.2)), (knocked_out(1), shifted(B=-0.5, D=0.1))


def predict(done, measured=None, members=(FREE,)):
    return predict_rest(members, *done, jnp.asarray(HALF), measured)


def test_what_was_measured_is_returned_and_disjoint_effects_add_up():
    measured = measured_of(A_OUT, B_OUT)
    told = predict(knocked_out(0), measured)
    np.testing.assert_allclose(told.level, A_OUT[1], atol=1e-6)
    assert told.deviation[0] == 0 == told.level[0]
    np.testing.assert_allclose(told.deviation[1:], np.hypot(0.01, 0.002), rtol=1e-3)
    both = predict(knocked_out(0, 1), measured)
    np.testing.assert_allclose(both.level, shifted(A=-0.5, B=-0.5, C=-0.2, D=0.1), atol=1e-6)
    np.testing.assert_array_equal(both.deviation[:2], 0)


def test_replicates_narrow_the_interval():
    once, thrice = measured_of(A_OUT), measured_of(A_OUT, A_OUT, A_OUT)
    narrow, wide = (predict(knocked_out(0), measured).deviation[2:] for measured in (thrice, once))
    np.testing.assert_allclose(narrow, np.hypot(0.01 / np.sqrt(3), 0.002), rtol=1e-3)
    assert (narrow < wide).all()


def test_a_double_that_was_measured_itself_is_returned_as_measured():
    double = knocked_out(0, 1), shifted(A=-0.5, B=-0.5, C=0.3)
    told = predict(knocked_out(0, 1), measured_of(A_OUT, B_OUT, double))
    np.testing.assert_allclose(told.level, double[1], atol=1e-6)
    # It tells nothing of its parts: the model does, here that A moves C.
    alone = predict(knocked_out(0), measured_of(double))
    assert alone.level[2] == pytest.approx(0.5 - 0.4 / 3, abs=1e-4)


def test_a_part_that_nobody_measured_comes_from_the_model_and_widens_the_interval():
    measured = measured_of(A_OUT)
    told, known = predict(knocked_out(0, 1), measured), predict(knocked_out(0), measured)
    model = predict(knocked_out(1))
    np.testing.assert_allclose(told.level[3] - 0.5, model.level[3] - model.usual[3], atol=1e-5)
    np.testing.assert_allclose(told.level[2], known.level[2], atol=1e-5)
    assert np.isfinite(told.deviation).all()
    assert (told.deviation[2:] > known.deviation[2:]).all()


def test_knock_downs_are_looked_up_by_their_share():
    half = np.where(np.arange(5) == 0, 0.5, 1.0), np.zeros(5)
    measured = measured_of((half, shifted(A=-0.25, C=-0.09)), A_OUT)
    told = predict(half, measured)
    np.testing.assert_allclose(told.level, shifted(A=-0.25, C=-0.09), atol=1e-6)
    assert told.deviation[0] > 0  # what is left of it is measured, not known
    other = predict((np.where(np.arange(5) == 0, 0.25, 1.0), np.zeros(5)), measured)
    assert not np.allclose(other.level, told.level, atol=1e-3)


def test_without_measurements_an_additive_system_settles_at_its_fixed_point():
    """A drives B, B represses C; levels at rest follow from the response φ one after the other."""
    rates = jnp.array([1.0, 0.5, 2.0, 1.0, 1.0])
    weight = jnp.zeros((2, 5, 5)).at[0, 1, 0].set(0.8).at[0, 2, 1].set(-0.6)
    field = Direct(weight, jnp.zeros(5), jnp.full(5, 0.5), rates)

    def response(level):
        return np.asarray(field.regulation(jnp.zeros(5).at[0].set(level))[1] - 0.5) / 0.8

    def rest(a):
        b = 0.5 + 0.8 * response(a)
        return np.array([a, b, 0.5 - 0.6 * response(b), 0.5, 0.5])

    told = predict(knocked_out(0, level=0.1), members=(field,))
    np.testing.assert_allclose(told.usual, rest(0.5), atol=1e-4)
    np.testing.assert_allclose(told.level, rest(0.1), atol=1e-4)
    np.testing.assert_array_equal(told.deviation, 0)  # one member has no spread


def samples(levels, production):
    factor, level = (jnp.asarray(np.stack(part), jnp.float32) for part in zip(*production, strict=True))
    return RestSamples(jnp.asarray(np.stack(levels), jnp.float32), None, Production(factor, level))


def test_measured_effects_are_those_of_stated_interventions_less_noise():
    noise = 0.01 * np.random.default_rng(0).normal(size=(8, 5))
    levels = [HALF] * 5 + [A_OUT[1], B_OUT[1], shifted(A=-0.5, B=-0.5, C=-0.2, D=0.1)]
    done = [NOTHING] * 5 + [A_OUT[0], B_OUT[0], knocked_out(0, 1)]
    known = measured_effects(samples(np.array(levels) + noise, done))
    np.testing.assert_array_equal(known.production.factor, [part[0] for part in done[5:]])
    np.testing.assert_allclose(known.usual, HALF, atol=0.015)
    np.testing.assert_allclose(known.levels, levels[5:], atol=0.05)
    np.testing.assert_array_equal(known.levels[0, 0], 0)  # what it was held at, not its noise
    assert measured_effects(None) is None
    assert measured_effects(samples([HALF] * 3, [NOTHING] * 3)) is None
    assert measured_effects(RestSamples(jnp.asarray(levels))) is None


def test_a_stimulus_counts_where_it_was_given():
    """E is a stimulus: stated in every sample, at zero in most."""
    dose = np.where(np.arange(5) == 4, 1.0, 0.0)
    stated = knocked_out(4)
    levels = [shifted(E=-0.5)] * 6 + [shifted(A=-0.5, C=-0.2, E=-0.5), shifted(D=0.3, E=0.5)]
    done = [stated] * 6 + [knocked_out(0, 4), (stated[0], dose)]
    known = measured_effects(samples(levels, done))
    np.testing.assert_array_equal(known.production.factor, [knocked_out(0)[0], stated[0]])
    np.testing.assert_array_equal(known.production.level, [np.zeros(5), dose])
    assert known.usual[4] == 0


def test_a_model_errs_by_finite_amounts_though_one_gene_alone_was_knocked_out():
    """Nothing is told of A in the knock-out of A; its error is then that of all genes."""
    told = predict(knocked_out(1), measured_of(A_OUT))
    assert np.isfinite(told.deviation).all()
    assert told.deviation[0] > 0.002


@pytest.mark.slow
def test_intervals_hold_most_double_knock_outs_that_nobody_made():
    inside, errors, changes = [], [], []
    for seed in (0, 1, 3):
        system = generate_system(12, seed=seed)
        study = simulate_rest(system, seed, knockouts=system.genes, wildtypes=4, noise=0.02)
        levels = pd.DataFrame(study.levels, index=list(study.names), columns=list(system.genes))
        done = pd.DataFrame([(one.experiment, one.gene, one.kind) for one in study.interventions])
        done = done.set_axis(["trajectory", "gene", "kind"], axis=1)
        network = infer_network(None, steady=levels, interventions=done, epochs=5, progress=False)
        pairs = list(combinations(system.genes, 2))[::3]
        truth = pd.DataFrame(
            simulate_rest(system, seed, knockouts=pairs, wildtypes=0).clean, columns=list(system.genes)
        )[list(network.genes)].to_numpy()
        for pair, true in zip(pairs, truth, strict=True):
            told = network.at_rest(knock_out=pair)
            free = ~told["gene"].isin(pair)
            inside += list(((told["low"] <= true) & (true <= told["high"]))[free])
            errors += list((told["level"] - true)[free])
            changes += list((told["usual"] - true)[free])
    assert 0.8 < np.mean(inside) < 0.98
    assert np.square(errors).mean() < 0.1 * np.square(changes).mean()

"""Samples at rest and interventions in training: what they ask of a field, and what they do not."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dashjax import DirectSpec, FitConfig, Split, make_hyperparameters, make_prior, no_pruning
from dashjax.data import Production, RestSamples, no_intervention, settle
from dashjax.dynamics import Direct, FixedSteps, under
from dashjax.training import STATUSES, OneStep, WholeTrajectory, advance, as_member, fit, observe, start
from dashjax.training.objective import rest_error

GENES = 5
KEY = jax.random.key(3)


def chain():
    """Return a field in which every gene activates the next."""
    weight = jnp.zeros((2, GENES, GENES)).at[0, jnp.arange(1, GENES), jnp.arange(GENES - 1)].set(0.8)
    return Direct(weight, jnp.zeros(GENES), jnp.full(GENES, 0.4), jnp.linspace(0.5, 1.5, GENES))


def knocked_out(*genes):
    """Return what is done in a sample per gene, and in one to which nothing was done."""
    production = no_intervention(len(genes) + 1, GENES)
    return replace(production, factor=production.factor.at[jnp.arange(len(genes)), jnp.asarray(genes)].set(0.0))


def resting(field, production):
    """Return where a field under interventions comes to rest."""
    levels = jnp.full(production.factor.shape, 0.5)
    for _ in range(GENES + 1):  # a chain settles gene by gene
        levels = under(field, production).regulation(levels)
    return levels


@pytest.fixture(scope="module")
def samples():
    production = knocked_out(*range(GENES))
    return RestSamples(resting(chain(), production), None, production)


def test_what_rests_under_its_intervention_has_no_error(samples):
    assert float(rest_error(chain(), samples, samples.levels)) == pytest.approx(0, abs=1e-12)
    undisturbed = replace(samples, production=None)
    missed = chain().regulation(samples.levels) - samples.levels
    error = float(rest_error(chain(), undisturbed, samples.levels))
    assert error == pytest.approx(float(jnp.mean(missed**2)), rel=1e-5)
    assert error > 0.01
    # Regulators are taken at the levels without noise, targets as they were measured.
    noisy = replace(samples, levels=samples.levels + 0.3)
    assert float(rest_error(chain(), noisy, samples.levels)) == pytest.approx(0.09, rel=1e-4)
    assert not np.isclose(float(rest_error(chain(), noisy, noisy.levels)), 0.09, rtol=0.01)


def test_levels_that_were_not_measured_count_in_no_error(samples):
    measured = jnp.ones(samples.levels.shape, bool).at[2, 3].set(False)
    wrong = replace(samples, levels=samples.levels.at[2, 3].add(9.0), measured=measured)
    assert float(rest_error(chain(), wrong, samples.levels)) == pytest.approx(0, abs=1e-12)
    other = replace(samples, levels=samples.levels.at[2, 2].add(1.0), measured=measured)
    size = GENES * (GENES + 1)
    assert float(rest_error(chain(), other, samples.levels)) == pytest.approx(1 / (size - 1), rel=1e-5)


def test_a_knocked_out_gene_says_nothing_about_its_own_regulators(split):
    field = replace(chain(), weight=0.1 * jax.random.normal(KEY, (2, GENES, GENES)))
    out = 2
    production = Production(jnp.ones((1, GENES)).at[0, out].set(0.0), jnp.zeros((1, GENES)))
    rest = RestSamples(jax.random.uniform(KEY, (1, GENES)), None, production)
    course = replace(split.train.of_genes(np.arange(GENES))[:1], production=production)
    errors = [lambda f: rest_error(f, rest, rest.levels)]
    for objective in (OneStep(), WholeTrajectory()):
        latent = objective.init(course)
        errors.append(lambda f, o=objective, x=latent: o.error(f, x, course, FixedSteps()))
    for error in errors:
        gradient = np.abs(jax.jit(jax.grad(error))(field).weight)
        assert not gradient[:, out].any()
        others = np.delete(np.arange(GENES), out)
        assert (gradient[0][others] > 0).all()  # of every other target, also what the gene itself does to it


def test_errors_see_what_was_done_row_by_row(split):
    """The error of several courses is the mean of theirs, each under its own intervention."""
    field = chain()
    course = split.train.of_genes(np.arange(GENES))[:3]
    production = knocked_out(1, 4)
    treated = replace(course, production=production)
    for objective in (OneStep(), WholeTrajectory()):
        latent = objective.init(treated)
        error = jax.jit(lambda latent, seen, o=objective: o.error(field, latent, seen, FixedSteps()))
        alone = [float(error(latent[jnp.array([n])], treated[jnp.array([n])])) for n in range(3)]
        assert float(error(latent, treated)) == pytest.approx(np.mean(alone), rel=1e-5)
        plain = [float(error(latent[jnp.array([n])], course[jnp.array([n])])) for n in range(3)]
        assert [a != pytest.approx(b, rel=1e-3) for a, b in zip(alone, plain, strict=True)] == [True, True, False]


@pytest.fixture(scope="module")
def at_rest(samples, split):
    nothing = split.train.of_genes(np.arange(GENES))[:0]
    return Split(nothing, nothing, None, samples)


HYPER = make_hyperparameters(no_pruning(), noise=0.01, learning_rate=1e-2)


def test_samples_at_rest_alone_train_a_field(at_rest):
    config = FitConfig(field=DirectSpec(), epochs=60)
    prior = make_prior(np.zeros((GENES, GENES)))
    result = jax.jit(lambda: fit(KEY, at_rest, prior, HYPER, config))()
    assert STATUSES[int(result.status)] == "finished"
    curves = result.curves
    assert np.isfinite(curves.train_error).all()
    assert curves.validation_error[-1] < 0.2 * curves.validation_error[0]
    assert int(result.epoch) == 1 + int(np.argmin(curves.validation_error))
    # What selects the model is by how much the samples, as the run observed them, miss being at rest.
    observed = observe(KEY, at_rest, HYPER).rest
    assert float(jnp.std(observed.levels - at_rest.rest.levels)) == pytest.approx(0.01, rel=0.5)
    expected = rest_error(result.field, observed, settle(observed).levels)
    assert float(result.validation_error) == pytest.approx(float(expected), rel=1e-4)


def test_a_run_with_samples_at_rest_is_the_same_in_several_calls(at_rest, split):
    # The knock-outs are told apart from what is observed beside them; more samples than a step sees at once.
    courses = [part.of_genes(np.arange(GENES)) for part in (split.train, split.validation)]
    many = jax.tree.map(lambda leaf: jnp.concatenate([leaf] * 7), at_rest.rest)
    data = Split(*courses, None, many)
    config = FitConfig(field=DirectSpec(), epochs=6)
    prior = make_prior(np.zeros((GENES, GENES)))
    proceed = jax.jit(lambda state, epochs: advance(KEY, data, prior, HYPER, config, state, epochs))
    begun = start(KEY, data, HYPER, config)
    whole, curves = proceed(begun, jnp.arange(1, 7))
    state, pieces = begun, []
    for first in (1, 3, 5):
        state, part = proceed(state, jnp.arange(first, first + 2))
        pieces.append(part)
    joined = jax.tree.map(lambda *leaves: jnp.concatenate(leaves), *pieces)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5), joined, curves)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6), state.field, whole.field)
    # Without them the run is another.
    other, _ = advance(KEY, Split(*courses), prior, HYPER, config, begun, jnp.arange(1, 3))
    assert not np.allclose(other.field.weight, whole.field.weight, atol=1e-4)


def test_members_see_all_samples_and_their_own_courses(at_rest, split):
    own, drawn, quiet = as_member(KEY, at_rest, HYPER, jnp.asarray(1))
    np.testing.assert_array_equal(drawn.rest.levels, observe(KEY, at_rest, HYPER).rest.levels)
    assert drawn.train.n_trajectories == 0
    assert float(quiet.noise) == 0
    courses = split.train.of_genes(np.arange(GENES))
    number = jnp.arange(courses.n_trajectories, dtype=jnp.float32)[:, None] * jnp.ones(GENES)
    treated = replace(courses, production=Production(number, number))
    _, drawn, _ = as_member(KEY, Split(treated, courses, None, None), HYPER, jnp.asarray(2))
    rows = np.asarray(drawn.train.production.level[:, 0], int)
    assert len(set(rows)) < len(rows)  # with replacement
    observed = observe(KEY, Split(treated, courses, None, None), HYPER).train.expression
    np.testing.assert_array_equal(drawn.train.expression, observed[rows])

"""From paths to probabilities: analytic cases, and recovery on simulated systems."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dashjax import Direct, Split, Trajectories, make_prior, make_trajectories, score_network
from dashjax.data import combine_priors
from dashjax.dynamics import FixedSteps
from dashjax.evidence import (
    AlongSteps,
    EdgePosterior,
    PosteriorConfig,
    edge_posterior,
    edges_at_precision,
    ensemble_posterior,
    mix_posteriors,
)
from dashjax.evidence.odds import Belief, fit_odds, graded, initial_belief, odds_features
from dashjax.evidence.paths import STEPS, Paths, follow, initial_states
from dashjax.evidence.regression import (
    _convolve,
    _left_over,
    _project_out,
    _screen,
    independent_share,
    mean_autocorrelation,
    regress,
    regress_steps,
    shared_decay,
)
from dashjax.evidence.sampler import SLAB, Chains
from dashjax.evidence.smoothing import Smoothed, smooth
from dashjax.scoring import average_precision

TIMES = np.array([0.0, 1.0, 2.5, 4.0])


def as_observed(observed):
    """Return observations as courses that nothing was smoothed away from."""
    return Smoothed(observed, jnp.asarray(1.0))


def still(genes):
    """Return a field under which nothing moves."""
    zero = jnp.zeros(genes)
    return Direct(jnp.zeros((2, genes, genes)), zero, zero, zero)


def test_a_constant_gene_starts_at_the_mean_of_its_observations():
    expression = 0.5 + 0.1 * np.random.default_rng(0).normal(size=(3, 4, 2))
    observed = make_trajectories([TIMES] * 3, list(expression))
    start = initial_states(still(2), observed, FixedSteps(), steps=100)
    np.testing.assert_allclose(start, expression.mean(axis=1), atol=2e-3)


def test_padding_does_not_move_initial_states():
    expression = 0.5 + 0.1 * np.random.default_rng(0).normal(size=(2, 4, 2))
    observed = make_trajectories([TIMES[:2], TIMES], [expression[0, :2], expression[1]])
    start = initial_states(still(2), observed, FixedSteps(), steps=100)
    np.testing.assert_allclose(start[0], expression[0, :2].mean(axis=0), atol=2e-3)
    paths = follow(still(2), start, observed)
    assert paths.observed.tolist() == [[True, False, False], [True] * 3]
    assert paths.step[0].tolist() == [pytest.approx(1 / STEPS), 0, 0]


def test_convolution_is_exact_for_straight_paths():
    steps = jnp.asarray(np.diff(TIMES)[None] / STEPS, jnp.float32)
    inner = np.concatenate([np.linspace(a, b, STEPS + 1)[None] for a, b in zip(TIMES[:-1], TIMES[1:], strict=True)])
    regressors = jnp.asarray(np.stack([inner, np.ones_like(inner)], axis=-1)[None], jnp.float32)
    filtered, constant = _convolve(regressors, steps, jnp.asarray(0.7))
    end = TIMES[1:]
    # ∫₀ᵗ e^{−v(t−s)} s ds = t/v − (1 − e^{−vt})/v², and (1 − e^{−vt})/v for x = 1.
    flat = (1 - np.exp(-0.7 * end)) / 0.7
    np.testing.assert_allclose(filtered[0, :, 0], end / 0.7 - flat / 0.7, rtol=1e-4)
    np.testing.assert_allclose(filtered[0, :, 1], flat, rtol=1e-4)
    np.testing.assert_allclose(constant[0], flat, rtol=1e-4)
    _, without_decay = _convolve(regressors, steps, jnp.asarray(0.0))
    np.testing.assert_allclose(without_decay[0], end, rtol=1e-5)


def test_projecting_out_integrates_a_coefficient():
    rng = np.random.default_rng(1)
    column, others = rng.normal(size=(20, 1)), rng.normal(size=(20, 3))
    whole = _project_out(jnp.asarray(column), jnp.asarray(others))
    np.testing.assert_allclose(column.T @ whole, 0, atol=1e-4)
    noise, belief = 0.5, 0.3
    part = _project_out(jnp.asarray(column), jnp.asarray(others), noise / belief**2)
    marginal = np.linalg.inv(noise * np.eye(20) + belief**2 * column @ column.T)
    np.testing.assert_allclose(part.T @ part / noise, others.T @ marginal @ others, rtol=1e-4, atol=1e-5)


def test_screening_keeps_prior_edges_and_finds_what_they_leave_over():
    rng = np.random.default_rng(2)
    design = rng.normal(size=(80, 20))
    response = design[:, 3] + 0.5 * design[:, 7]
    confidence = np.zeros(20)
    confidence[[3, 11]] = 1.0, 0.4
    # The last two columns are the constant, which was projected out, and the response.
    columns = jnp.asarray(np.column_stack([design, np.zeros(80), response]))

    def screen(interest):
        chosen = _screen(columns, jnp.asarray(confidence), jnp.arange(20) != 5, jnp.asarray(interest), 6).tolist()
        assert {3, 11} <= set(chosen)
        assert 5 not in chosen
        assert len(set(chosen)) == 6
        return chosen

    nothing = np.zeros(20)
    assert 7 in screen(nothing)
    # Whom samples at rest speak for is looked at too, in the same unit: standard deviations, of which chance
    # correlations almost never have five.
    asked = nothing.copy()
    asked[[5, 13, 14, 15]] = 100.0, 5.0, 5.5, 6.0
    assert {7, 13, 14, 15} <= set(screen(asked))
    asked[[13, 14, 15]] = 1e-3
    assert screen(asked) == screen(nothing)


def linear_system(trajectories=40, noise=0.01):
    """Simulate dg/dt = a x + c − v g for two targets of two of four constant regulators, exactly."""
    rng = np.random.default_rng(3)
    rates = np.zeros((2, 4))
    rates[0, 0], rates[0, 1], rates[1, 2] = 0.8, -0.6, 0.5
    decay, constant = np.array([1.0, 0.5]), np.array([0.4, 0.2])
    levels = rng.uniform(0.2, 0.8, size=(trajectories, 4))
    start = rng.uniform(0.2, 0.8, size=(trajectories, 2))
    steady = (levels @ rates.T + constant) / decay
    fine = np.concatenate([np.linspace(a, b, STEPS + 1) for a, b in zip(TIMES[:-1], TIMES[1:], strict=True)])

    def at(times):
        moved = steady[:, None] + (start - steady)[:, None] * np.exp(-decay * times[:, None])
        return np.concatenate([moved, np.repeat(levels[:, None], len(times), axis=1)], axis=2)

    states = at(fine).reshape(trajectories, len(TIMES) - 1, STEPS + 1, 6)
    paths = Paths(
        jnp.asarray(states, jnp.float32),
        jnp.asarray(np.tile(np.diff(TIMES) / STEPS, (trajectories, 1)), jnp.float32),
        jnp.ones((trajectories, len(TIMES) - 1), bool),
    )
    seen = at(TIMES) + noise * rng.normal(size=(trajectories, len(TIMES), 6))
    observed = make_trajectories([TIMES] * trajectories, list(seen))
    zero = jnp.zeros(6)
    field = Direct(jnp.zeros((2, 6, 6)), zero, zero, jnp.asarray([*decay, 0, 0, 0, 0]))
    return field, paths, observed, rates


def test_regression_recovers_a_linear_systems_rates():
    field, paths, observed, rates = linear_system(noise=0.0)
    regressions = regress(field, paths, observed, make_prior(np.zeros((6, 6))), 5, ~jnp.eye(6, dtype=bool))
    for target in range(2):
        gram, moment = np.asarray(regressions.gram[target]), np.asarray(regressions.moment[target])
        found = np.linalg.lstsq(gram, moment, rcond=1e-5)[0] * np.asarray(regressions.scale[target])
        by_gene = dict(zip(np.asarray(regressions.candidates[target]).tolist(), found.tolist(), strict=True))
        for regulator in range(4):
            assert by_gene[2 + regulator] == pytest.approx(rates[target, regulator], abs=0.02)


def test_steps_recover_a_linear_systems_rates_and_count_as_their_observations():
    _, _, observed, rates = linear_system(noise=0.0)
    pairs, prior = ~jnp.eye(6, dtype=bool), make_prior(np.zeros((6, 6)))
    regressions = regress_steps(jnp.asarray(1.0), as_observed(observed), prior, 5, pairs)
    gram, moment = np.asarray(regressions.gram[0]), np.asarray(regressions.moment[0])
    found = np.linalg.lstsq(gram, moment, rcond=1e-5)[0] * np.asarray(regressions.scale[0])
    by_gene = dict(zip(np.asarray(regressions.candidates[0]).tolist(), found.tolist(), strict=True))
    assert [by_gene[2 + regulator] for regulator in range(4)] == pytest.approx(rates[0], abs=1e-3)
    # Three steps between four observations, each of which is used twice but at the ends. Noise alone is left over.
    _, _, noisy, _ = linear_system()
    whole, half = (
        regress_steps(jnp.asarray(1.0), Smoothed(noisy, jnp.asarray(share)), prior, 5, pairs) for share in (1.0, 0.5)
    )
    np.testing.assert_allclose(whole.count, 40 * 4 / 2 - 1)
    np.testing.assert_allclose(half.count, 40 * 4 / 4 - 1)


def test_chance_correlations_of_slow_series_are_those_of_fewer_values():
    rng = np.random.default_rng(0)

    def slow(count):
        series = rng.normal(size=(1, 400, count))
        for step in range(1, 400):
            series[:, step] += 0.8 * series[:, step - 1]
        return series - series.mean(axis=1, keepdims=True)

    regressors, responses = slow(60), slow(60)
    correlation = np.corrcoef(regressors[0].T, responses[0].T)[:60, 60:]
    likeness = mean_autocorrelation(jnp.asarray(regressors))
    assert float(likeness[0]) == pytest.approx(0.8, abs=0.03)
    share = independent_share(likeness, jnp.asarray(responses))
    # 1 + 2 Σ 0.64^l = 4.6, seen both in the formula and in how far correlations scatter around zero.
    assert float(share.mean()) == pytest.approx(1 / 4.6, rel=0.25)
    assert 1 / (400 * correlation.var()) == pytest.approx(float(share.mean()), rel=0.25)
    quick = rng.normal(size=(1, 400, 60))
    assert float(independent_share(mean_autocorrelation(jnp.asarray(quick)), jnp.asarray(responses)).min()) > 0.8
    # A single step has no lag.
    assert independent_share(mean_autocorrelation(jnp.ones((5, 1, 2))), jnp.ones((5, 1, 3))).tolist() == [1.0] * 3


def test_steps_weigh_less_against_a_prior_than_alone():
    _, _, observed, _ = linear_system(trajectories=6)
    pairs = ~jnp.eye(6, dtype=bool)
    priors = make_prior(np.zeros((6, 6))), make_prior(np.eye(6)[::-1])
    alone, against = (regress_steps(jnp.asarray(1.0), as_observed(observed), prior, 5, pairs) for prior in priors)
    assert (against.count <= alone.count).all()
    assert (against.count < alone.count - 1).any()


def test_steps_count_for_less_where_what_is_left_over_is_slow():
    """What regulators explain is as slow as they are, and does not make errors slow."""
    rng = np.random.default_rng(5)
    trajectories, steps = 8, 40
    slow = np.zeros((trajectories, steps + 1, 4))
    for step in range(steps):
        slow[:, step + 1] = 0.9 * slow[:, step] + rng.normal(size=(trajectories, 4))
    times = np.arange(steps + 1.0)

    def count(error):
        # The first gene follows the second, with an error; they keep half of their level from step to step.
        levels = slow.copy()
        levels[:, 0, 0] = 0.0
        for step in range(steps):
            levels[:, step + 1, 0] = 0.5 * levels[:, step, 0] + slow[:, step, 1] + error[:, step]
        observed = make_trajectories([times] * trajectories, list(levels))
        prior = make_prior(np.eye(4)[::-1])
        found = regress_steps(jnp.asarray(np.log(2)), as_observed(observed), prior, 3, ~jnp.eye(4, dtype=bool))
        return float(found.count[0])

    most = trajectories * (steps + 1) / 2 - 1
    assert count(0.5 * rng.normal(size=(trajectories, steps))) > 0.85 * most
    assert count(np.repeat(rng.normal(size=(trajectories, steps // 8)), 8, axis=1)) < 0.5 * most


def test_a_step_sees_nothing_of_what_happens_to_regulators_later():
    _, _, observed, _ = linear_system(trajectories=6)
    pairs, prior = ~jnp.eye(6, dtype=bool), make_prior(np.zeros((6, 6)))
    later = replace(observed, expression=observed.expression.at[:, -1, 2:].add(5.0))
    # How many steps are independent depends on all of them; here smoothing leaves fewer than that.
    before, after = (
        regress_steps(jnp.asarray(1.0), Smoothed(o, jnp.asarray(0.05)), prior, 5, pairs) for o in (observed, later)
    )
    size = np.asarray(later.deviation / observed.deviation)
    # But for their scale, the regulators of genes 0 and 1 are the same.
    for target in range(2):
        order = [np.argsort(r.candidates[target]) for r in (before, after)]
        factor = size[np.sort(before.candidates[target])]
        moments = [np.asarray(r.moment[target])[o] for r, o in zip((before, after), order, strict=True)]
        np.testing.assert_allclose(moments[1] * factor, moments[0], rtol=1e-3, atol=1e-4)


def test_courses_that_explain_each_other_leave_nothing_over():
    # In single precision their equations are singular.
    course = np.sin(np.linspace(0, 3, 60))[:, None]
    design = jnp.asarray(10 * course * np.random.default_rng(0).uniform(0.5, 1.5, 39), jnp.float32)
    assert float(jnp.abs(_left_over(design, 0.01 * design[:, 0], 60)).max()) < 0.01


def test_genes_share_the_median_decay_and_never_none():
    field, _, observed, _ = linear_system(trajectories=2)
    smoothed, rough = Smoothed(observed, jnp.asarray(0.5)), as_observed(observed)
    # Most decays are zero, trajectories last 4.
    assert float(shared_decay(field, smoothed)) == pytest.approx(5 / 4)
    faster = replace(field, gene_multiplier=jnp.arange(6.0))
    assert float(shared_decay(faster, smoothed)) == pytest.approx(2.5)
    # A fit from step to step takes for decay what is noise, so rough courses go by their length alone.
    assert float(shared_decay(faster, rough)) == pytest.approx(5 / 4)


def test_missing_values_say_nothing_about_any_edge():
    field, paths, observed, _ = linear_system(trajectories=6)
    pairs, prior = ~jnp.eye(6, dtype=bool), make_prior(np.zeros((6, 6)))
    measured = jnp.ones(observed.expression.shape, bool).at[2, 1, 4].set(False)

    def with_value(value):
        filled = observed.expression.at[2, 1, 4].set(value)
        return regress(field, paths, replace(observed, expression=filled, measured=measured), prior, 5, pairs)

    moved = [with_value(0.0), with_value(50.0)]
    jax.tree.map(np.testing.assert_array_equal, *moved)
    whole = regress(field, paths, observed, prior, 5, pairs)
    # One observation less, which counts for as much as observations are independent.
    gone = np.asarray(whole.count - moved[0].count)
    assert 0.5 < gone[4] <= 1
    assert not np.delete(gone, 4).any()
    for ours, theirs in zip(jax.tree.leaves(moved[0]), jax.tree.leaves(whole), strict=True):
        np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-4, atol=1e-5)  # another gene's evidence stays


def test_odds_follow_the_prior_where_it_is_right_and_drop_it_where_it_is_not():
    rng = np.random.default_rng(4)
    truth = (rng.random((30, 30)) < 0.06) * 1.0
    np.fill_diagonal(truth, 0)
    pairs = ~np.eye(30, dtype=bool)
    for prior, low, high in ((truth, 3.0, 20.0), (rng.permutation(truth.ravel()).reshape(30, 30), -0.1, 1.5)):
        features = odds_features(make_prior(prior.T))
        belief = initial_belief(features)
        odds = fit_odds(jnp.asarray(truth), jnp.zeros((30, 30)), features, belief, jnp.asarray(pairs))
        assert low < odds[1] < high
        # The highest point of the penalised likelihood without negative trust: level, or falling at zero.
        expected = jax.nn.sigmoid(features @ odds)
        slope = np.einsum("tr,trf->f", (truth - expected) * pairs, features)
        climb = np.asarray(slope - (odds - belief.mean) / belief.deviation**2)
        at_zero = np.asarray(odds) == 0
        np.testing.assert_allclose(climb[~at_zero], 0, atol=1e-2)
        assert (climb[at_zero] <= 0).all()
        assert (odds[1:] >= 0).all()


def test_silent_pairs_have_no_say_in_the_odds():
    rng = np.random.default_rng(6)
    features = odds_features(make_prior((rng.random((30, 30)) < 0.1) * 1.0))
    belief, pairs = initial_belief(features), jnp.asarray(~np.eye(30, dtype=bool))
    # Wherever the chains were, data that left them there leave the belief.
    for before in (-4.0, 0.0, 1.0):
        log_odds = jnp.full((30, 30), before)
        odds = fit_odds(jax.nn.sigmoid(log_odds), log_odds, features, belief, pairs)
        np.testing.assert_allclose(odds, belief.mean, atol=1e-3)
    # The mode, by brute force, of a constant alone: half of the pairs e times likelier as edges, half e times less.
    factor = jnp.where(jnp.arange(30)[:, None] < 15, 1.0, -1.0) * jnp.ones((30, 30))
    ones, one = jnp.ones((30, 30, 1)), Belief(belief.mean[:1], belief.deviation[:1])
    found = fit_odds(jax.nn.sigmoid(log_odds + factor), log_odds, ones, one, pairs)
    tried = jnp.linspace(-8, 8, 16001)
    share = jax.nn.sigmoid(tried)
    bayes = [(pairs & (factor == sign)).sum() * jnp.log1p(share * (jnp.exp(sign) - 1)) for sign in (1.0, -1.0)]
    total = sum(bayes) - 0.5 * ((tried - one.mean) / one.deviation) ** 2
    np.testing.assert_allclose(found[0], tried[jnp.argmax(total)], atol=0.02)


def test_a_prior_against_which_the_data_speak_is_ignored_and_not_turned_round():
    truth = np.zeros((6, 6))
    truth[0, 1:] = 1
    against = np.zeros((6, 6))
    against[1:, 0] = 1
    pairs = ~np.eye(6, dtype=bool)
    features = odds_features(make_prior(against.T))
    belief = Belief(jnp.array([-0.4, 0.4, 0.0]), jnp.array([2.0, 3.0, 1.0]))
    odds = fit_odds(jnp.asarray(truth), jnp.zeros((6, 6)), features, belief, jnp.asarray(pairs))
    assert odds[1] == 0


def test_what_is_believed_of_a_stated_edge_before_any_data():
    stated = np.zeros((6, 6))
    stated[0, 1:] = 1
    few = initial_belief(odds_features(make_prior(stated)))
    # A third of six genes regulates each: odds of one half, and nine times that where it is stated.
    np.testing.assert_allclose(few.mean, [np.log(0.5), np.log(9), 0], rtol=1e-6)
    np.testing.assert_allclose(few.deviation, [2, 1, 1])
    many = initial_belief(odds_features(make_prior(np.pad(0.1 * stated, (0, 94)))))
    # Even odds where edges are rare; what is least sure may be raised most.
    np.testing.assert_allclose(many.mean[:2].sum(), 0, atol=1e-6)
    np.testing.assert_allclose(many.deviation, [2, 10, 1], rtol=1e-6)
    none = initial_belief(odds_features(make_prior(0 * stated)))
    np.testing.assert_allclose(none.deviation, [2, 1, 1])


def test_graded_confidence_counts_by_its_logarithm_above_a_floor():
    powers = np.array([[0.0, 1e-4, 1e-3], [1e-3, 0.0, 1e-2], [1e-3, 1e-1, 0.0]])
    scale = np.asarray(graded(jnp.asarray(powers, jnp.float32)))
    # The median of what is stated is 10⁻³, so the largest is log 101 above the floor, and keeps its value.
    np.testing.assert_allclose(scale, 0.1 * np.log1p(powers / 1e-3) / np.log(101), rtol=1e-5)
    assert scale[0, 0] == 0
    # From the floor on, a tenfold step is worth about as much everywhere.
    assert scale[1, 2] / scale[2, 1] == pytest.approx(0.52, abs=0.01)
    for value in (0.1, 1.0):
        flat = jnp.asarray(value * (powers > 2e-4), jnp.float32)
        np.testing.assert_allclose(graded(flat), flat, rtol=1e-6)
    assert not np.asarray(graded(jnp.zeros((3, 3)))).any()


def test_a_probability_for_every_pair_adds_to_what_data_say_and_data_to_it():
    """On the scale of log odds the sum is above both; where odds were linear in such numbers they were flat."""
    rng = np.random.default_rng(0)
    truth = rng.random((40, 40)) < 0.06
    np.fill_diagonal(truth, False)
    probability = np.clip(10 ** (-3.2 + 1.5 * truth + 0.8 * rng.normal(size=truth.shape)), 0, 1) * ~np.eye(
        40, dtype=bool
    )
    factor = 1.5 * truth - 0.6 + rng.normal(size=truth.shape)  # log Bayes factors of weak data
    features = odds_features(make_prior(probability))
    allowed = jnp.asarray(~np.eye(40, dtype=bool))
    before = jnp.full(truth.shape, np.log(0.06 / 0.94))
    after = jax.nn.sigmoid(before + jnp.asarray(factor.T))
    odds = fit_odds(after, before, features, initial_belief(features), allowed)
    both = np.asarray(features @ odds).T + factor

    def area(scores):
        return float(average_precision(jnp.asarray(scores), jnp.asarray(truth), allowed))

    assert area(both) > area(np.log(np.maximum(probability, 1e-9))) + 0.05
    assert area(both) > area(factor) + 0.2


def test_each_source_is_trusted_by_itself():
    rng = np.random.default_rng(5)
    truth = (rng.random((40, 40)) < 0.06) * 1.0
    np.fill_diagonal(truth, 0)
    noise = rng.permutation(truth.ravel()).reshape(40, 40)
    prior = combine_priors([make_prior(noise.T), make_prior(-0.5 * truth.T)])
    # The more confident source states the edge, sign and all; where one is silent, the other speaks.
    assert prior.edges.T[(noise == 0) & (truth == 1)].tolist() == [-0.5] * int(((noise == 0) & (truth == 1)).sum())
    assert (prior.edges.T[noise == 1] == 1).all()
    pairs = jnp.asarray(~np.eye(40, dtype=bool))
    features = odds_features(prior)
    odds = fit_odds(jnp.asarray(truth), jnp.zeros((40, 40)), features, initial_belief(features), pairs)
    assert odds[1] < 1.5 < 6 < odds[2]


def test_edge_set_of_a_precision_by_hand():
    probability = jnp.array([[0.0, 1.0, 0.9], [0.8, 0.0, 0.5], [0.5, 0.0, 0.0]])
    # Mean probabilities of the best 1, 2, 3 and (tied) 5: 1, .95, .9, .74.
    assert edges_at_precision(probability, 0.9).sum() == 3
    assert edges_at_precision(probability, 0.73).sum() == 5
    assert edges_at_precision(probability, 0.8).sum() == 3  # the tie does not enter by half
    assert edges_at_precision(probability * 0.5, 0.9).sum() == 0
    assert edges_at_precision(jnp.zeros((3, 3)), 0.5).sum() == 0


def test_ensemble_mixes_means_and_spreads():
    def member(probability, effect, spread, activation):
        one = jnp.ones((1, 1))
        return EdgePosterior(probability * one, effect * one, spread * one, activation * one, jnp.zeros(3), jnp.ones(1))

    members = [member(0.8, 1.0, 0.1, 1.0), member(0.4, -1.0, 0.1, 0.0), member(0.6, 0.6, 0.1, 0.9)]
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *members)
    mixed = mix_posteriors(stacked, 0.5)  # which the second member does not reach
    assert float(mixed.posterior.probability[0, 0]) == pytest.approx(0.6)
    assert float(mixed.posterior.spread[0, 0]) == pytest.approx(np.sqrt(0.01 + np.var([1, -1, 0.6])))
    assert float(mixed.posterior.activation[0, 0]) == pytest.approx((0.8 + 0.54) / 1.8)
    assert float(mixed.frequency[0, 0]) == pytest.approx(2 / 3)
    assert float(mixed.agreement[0, 0]) == pytest.approx(2 / 3)


@pytest.fixture(scope="module")
def weigh():
    config = PosteriorConfig(candidates=5, rounds=16, sweeps=8)
    return jax.jit(lambda key, field, seen, prior: edge_posterior(key, field, seen, prior, config=config))


def test_posterior_finds_a_linear_systems_edges_and_their_signs(weigh):
    _, _, observed, rates = linear_system(noise=0.02)
    # The field that made the data, so that its paths are right: A holds rates over decay around a level of one half.
    decay = jnp.asarray([1.0, 0.5, 0, 0, 0, 0])
    weight = jnp.zeros((2, 6, 6)).at[0, :2, 2:].set(rates / np.asarray(decay)[:2, None])
    bias = jnp.asarray([*((np.array([0.4, 0.2]) + 0.5 * rates.sum(1)) / [1.0, 0.5]), 0, 0, 0, 0])
    field = Direct(weight, jnp.zeros(6), bias, decay)
    truth = np.zeros((6, 6))
    truth[2:, :2] = np.sign(rates.T)
    false = np.zeros((6, 6))
    false[4, 0] = 1.0
    for prior in (np.zeros((6, 6)), np.abs(truth), false):
        found = weigh(jax.random.key(0), field, observed, make_prior(prior))
        assert (np.asarray(found.probability)[truth != 0] > 0.95).all()
        assert np.asarray(found.probability)[truth == 0].sum() < 1.5
        assert ((np.asarray(found.activation) > 0.5) == (truth > 0))[truth != 0].all()
        assert (np.abs(found.effect.T[:2, 2:] - rates) < 0.12).all()


def test_the_first_rounds_are_as_hot_as_they_were_told(monkeypatch):
    """A sampler that adds up the temperatures it is given, instead of drawing anything."""

    def add_up(key, chains, *arguments):
        temperature = arguments[-1]
        chains = Chains(chains.coefficient, chains.noise + temperature)
        return chains, jnp.zeros((*chains.coefficient.shape, len(SLAB)))

    monkeypatch.setattr("dashjax.evidence.posterior.sweep", add_up)
    _, _, observed, _ = linear_system(trajectories=4)

    def added(cooling):
        config = PosteriorConfig(candidates=5, rounds=5, sweeps=1, cooling=cooling)
        nothing = make_prior(np.zeros((6, 6)))
        noise = edge_posterior(jax.random.key(0), still(6), observed, nothing, config=config).noise[:2]
        return np.asarray(noise) ** 2 - 1  # in units of what it began with

    cold = added(())  # five rounds at one
    np.testing.assert_allclose(added((30.0, 10.0, 4.0, 2.0)) / cold, 47 / 5, rtol=1e-4)
    np.testing.assert_allclose(added((7.0,)) / cold, 11 / 5, rtol=1e-4)
    assert PosteriorConfig().cooling[0] > 10
    assert len(PosteriorConfig().cooling) < PosteriorConfig().least / 2  # so that what counts is cold


def test_an_edge_on_which_the_data_are_silent_keeps_its_priors_odds(weigh):
    field, _, observed, rates = linear_system(noise=0.02)
    # Without noise or motion of its own the last gene says nothing about what it does or what does it.
    quiet = Trajectories(observed.times, observed.expression.at[..., 5].set(0.5), observed.observed)
    prior = np.zeros((6, 6))
    prior[2:, :2] = rates.T != 0
    believed, unlikely = prior.copy(), prior.copy()
    believed[5, 0] = 1.0
    with_edge = weigh(jax.random.key(0), field, quiet, make_prior(believed)).probability[5, 0]
    without = weigh(jax.random.key(0), field, quiet, make_prior(unlikely)).probability[5, 0]
    assert with_edge > 0.5 > 0.2 > without


def test_posterior_is_finite_where_nothing_moves(weigh):
    observed = make_trajectories([TIMES] * 3, [np.full((4, 6), 0.5)] * 3)
    found = weigh(jax.random.key(0), still(6), observed, make_prior(np.eye(6)[::-1].copy()))
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(found))


def test_posterior_is_finite_where_regulators_cannot_be_told_apart():
    # Two lineages and inputs that are constant along each: four regulators with one and the same path.
    rng = np.random.default_rng(0)
    times = np.linspace(0, 8, 30)
    course = np.stack([np.exp(-times), 1 - np.exp(-times)])
    inputs = np.array([[0.2, 0.8, 0.1, 0.4], [0.9, 0.3, 0.5, 0.6]])
    moving = 0.3 + 0.4 * course[..., None] * rng.uniform(0.5, 1, size=(2, 1, 2)) + 0.01 * rng.normal(size=(2, 30, 2))
    expression = np.concatenate([np.repeat(inputs[:, None], 30, axis=1), moving], axis=2)
    observed = make_trajectories([times] * 2, list(expression))
    found = edge_posterior(jax.random.key(0), still(6), observed, make_prior(np.zeros((6, 6))), evidence=AlongSteps())
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(found))
    assert (np.abs(found.effect) < 100).all()


def test_evidence_along_steps_is_that_of_smoothed_courses():
    rng = np.random.default_rng(0)
    times = np.linspace(0, 10, 30)
    rate, phase = rng.uniform(0.2, 0.8, size=(2, 2, 1, 6))
    noisy = np.sin(rate * times[None, :, None] + 6 * phase) + 0.3 * rng.normal(size=(2, 30, 6))
    observed, prior, key = make_trajectories([times] * 2, list(noisy)), make_prior(np.zeros((6, 6))), jax.random.key(0)
    smoothed = smooth(observed)
    assert float(smoothed.share) < 0.5
    config = PosteriorConfig(candidates=5, rounds=3, sweeps=2, cooling=())

    @jax.jit
    def weigh(courses):
        return edge_posterior(key, still(6), observed, prior, None, config, None, AlongSteps(), courses)

    along = edge_posterior(key, still(6), observed, prior, config=config, evidence=AlongSteps())
    np.testing.assert_allclose(along.probability, weigh(smoothed).probability, atol=1e-3)
    assert np.abs(along.probability - weigh(as_observed(observed)).probability).max() > 0.02
    # Once for all members, with the same result.
    fields = jax.tree.map(lambda leaf: leaf[None], still(6))
    member, first = jax.random.key(1), jax.random.split(jax.random.key(1), 1)[0]
    mixed = ensemble_posterior(member, fields, observed, prior, config=config, evidence=AlongSteps()).posterior
    alone = edge_posterior(first, still(6), observed, prior, config=config, evidence=AlongSteps())
    np.testing.assert_allclose(mixed.probability, alone.probability, atol=1e-3)


def test_nothing_calls_lapack(weigh):
    _, _, observed, _ = linear_system()
    text = weigh.lower(jax.random.key(0), still(6), observed, make_prior(np.zeros((6, 6)))).compile().as_text()
    assert "lapack" not in text


def test_split_joins_what_was_seen(split: Split):
    seen = split.seen()
    assert seen.n_trajectories == split.train.n_trajectories + split.validation.n_trajectories
    np.testing.assert_array_equal(seen.expression[: split.train.n_trajectories], split.train.expression)


@pytest.mark.slow
def test_ensemble_beats_its_prior_and_a_bad_prior_does_no_harm(tmp_path):
    from dashjax.sweep import PRIOR_ONLY, parse_grid, run_sweep

    content = {
        "system": {"kind": "simulated", "genes": 40, "seed": 5},
        "noise": 0.025,
        "methods": ["posterior"],
        "seeds": 1,
        "epochs": 120,
        "trajectories": {"train": 60, "validation": 5, "test": 5},
        "prior_corruption": [0.1, 1.0],
    }
    results = run_sweep(parse_grid(content), tmp_path / "out")
    table = results.table.set_index(["method", "prior_corruption"])
    ours, alone = table.loc["posterior"], table.loc[PRIOR_ONLY]
    assert ours["aupr"][0.1] > alone["aupr"][0.1] + 0.1
    assert ours["aupr_outside_prior"][0.1] > 0.5
    assert ours["precision"][0.1] > 0.7
    # A prior without a single true edge leaves what the data find by themselves.
    network, problem = results.network(ours["id"][1.0]), results.cells[ours["id"][1.0]].problem
    nothing = make_prior(np.zeros_like(problem.truth))
    found = jax.jit(lambda: edge_posterior(jax.random.key(0), network.field, problem.observed, nothing).probability)()
    without = score_network(found, problem.truth, nothing.edges).aupr
    assert ours["aupr"][1.0] > 0.9 * float(without)
    assert network.posterior.posterior.odds[1] < 3.5

"""What samples at rest say about edges: by hand, and recovery from knock-outs alone."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dashjax import Direct, Trajectories, make_prior, make_trajectories
from dashjax.data import Production, RestSamples
from dashjax.evidence import PosteriorConfig, edge_posterior
from dashjax.evidence.odds import hub_odds
from dashjax.evidence.paths import STEPS, Paths
from dashjax.evidence.regression import regress, regress_nothing, regress_steps
from dashjax.evidence.smoothing import Smoothed

TIMES = np.array([0.0, 1.0, 2.5, 4.0])


def still(genes, decay=1.0):
    """Return a field of which nothing but the decay is known."""
    zero = jnp.zeros(genes)
    return Direct(jnp.zeros((2, genes, genes)), zero, zero, jnp.full(genes, decay))


def nothing_seen(genes):
    return Trajectories(jnp.zeros((0, 2)), jnp.zeros((0, 2, genes)), jnp.zeros((0, 2), bool))


# --- hubs ---------------------------------------------------------------------------------------------------


def test_hub_odds_by_hand():
    # Regulator 0 has three edges, the others none: mean ¾, variance 27/16, shape (9/16) / (27/16 − 12/16) = 0.6.
    probability = jnp.zeros((4, 4)).at[1:, 0].set(1.0)
    odds = hub_odds(probability, ~jnp.eye(4, dtype=bool))
    np.testing.assert_allclose(odds[1:, 0], np.log((3 - 1 + 0.6) / (0.75 + 0.6)), rtol=1e-5)  # its two other edges
    np.testing.assert_allclose(odds[0, 0], np.log((3 + 0.6) / (0.75 + 0.6)), rtol=1e-5)
    np.testing.assert_allclose(odds[:, 1:], np.log(0.6 / (0.75 + 0.6)), rtol=1e-5)


def test_equal_out_degrees_say_nothing_and_those_that_may_not_regulate_do_not_count():
    # A ring: every gene has one edge.
    ring = jnp.roll(jnp.eye(5), 1, axis=0)
    pairs = ~jnp.eye(5, dtype=bool)
    odds = hub_odds(ring, pairs)
    np.testing.assert_allclose(odds[ring == 0], 0, atol=1e-6)
    np.testing.assert_allclose(odds[ring == 1], np.log(10 / 11), rtol=1e-5)  # of the largest shape
    # With two regulators that have no edge because they may have none, nothing changes for the others.
    wider = jnp.zeros((7, 7)).at[:5, :5].set(ring)
    may = ~jnp.eye(7, dtype=bool) & (jnp.arange(7) < 5)
    np.testing.assert_allclose(hub_odds(wider, may)[:5, :5], odds, atol=1e-6)


def test_an_edge_does_not_confirm_itself():
    """Of two regulators with as many other edges, it does not matter which one's edge is in question is likely."""
    probability = jnp.zeros((6, 6)).at[2, 0].set(1.0).at[2, 1].set(1.0).at[3, 0].set(0.9).at[3, 1].set(0.1)
    odds = hub_odds(probability, ~jnp.eye(6, dtype=bool))
    assert float(odds[3, 0]) == pytest.approx(float(odds[3, 1]), abs=1e-6)
    assert odds[4, 0] > odds[4, 1] + 0.1


# --- interventions in courses ---------------------------------------------------------------------------------


def treated_system(trajectories=36):
    """Simulate g' = v (f R + l − g), R = (a x + c) / v, exactly: targets 0 and 1 of constant regulators 2 to 5.

    Target 0 is knocked out in every third trajectory, and at half, with ¼ added, in every third.
    """
    rng = np.random.default_rng(3)
    rates = np.array([[0.8, -0.6, 0, 0], [0, 0, 0.5, 0]])
    decay, constant = np.array([1.0, 1.0]), np.array([0.4, 0.2])
    levels = rng.uniform(0.2, 0.8, size=(trajectories, 4))
    start = rng.uniform(0.2, 0.8, size=(trajectories, 2))
    factor, level = np.ones((trajectories, 6)), np.zeros((trajectories, 6))
    factor[::3, 0], factor[1::3, 0], level[1::3, 0] = 0.0, 0.5, 0.25
    driven = factor[:, :2] * (levels @ rates.T + constant) / decay + level[:, :2]
    fine = np.concatenate([np.linspace(a, b, STEPS + 1) for a, b in zip(TIMES[:-1], TIMES[1:], strict=True)])

    def at(times):
        moved = driven[:, None] + (start - driven)[:, None] * np.exp(-decay * times[:, None])
        return np.concatenate([moved, np.repeat(levels[:, None], len(times), axis=1)], axis=2)

    states = at(fine).reshape(trajectories, len(TIMES) - 1, STEPS + 1, 6)
    paths = Paths(
        jnp.asarray(states, jnp.float32),
        jnp.asarray(np.tile(np.diff(TIMES) / STEPS, (trajectories, 1)), jnp.float32),
        jnp.ones((trajectories, len(TIMES) - 1), bool),
    )
    production = Production(jnp.asarray(factor, jnp.float32), jnp.asarray(level, jnp.float32))
    observed = replace(make_trajectories([TIMES] * trajectories, list(at(TIMES))), production=production)
    return replace(still(6, 0.0), gene_multiplier=jnp.asarray([*decay, 0, 0, 0, 0])), paths, observed, rates


@pytest.fixture(scope="module")
def regressed():
    """`regressed(kind, observed)`: the regressions along paths or along steps, and the decay of none is changed."""
    field, paths, *_ = treated_system()
    pairs, prior = ~jnp.eye(6, dtype=bool), make_prior(np.zeros((6, 6)))
    along_paths = jax.jit(lambda seen: regress(field, paths, seen, prior, 5, pairs))
    along_steps = jax.jit(
        lambda seen: regress_steps(jnp.asarray(1.0), Smoothed(seen, jnp.asarray(1.0)), prior, 5, pairs)
    )
    return {"paths": along_paths, "steps": along_steps}


@pytest.mark.parametrize("kind", ["paths", "steps"])
def test_what_is_left_of_a_production_tells_the_same_rates(regressed, kind):
    *_, observed, rates = treated_system()
    regressions = regressed[kind](observed)
    for target in range(2):
        gram, moment = np.asarray(regressions.gram[target]), np.asarray(regressions.moment[target])
        found = np.linalg.lstsq(gram, moment, rcond=1e-5)[0] * np.asarray(regressions.scale[target])
        by_gene = dict(zip(np.asarray(regressions.candidates[target]).tolist(), found.tolist(), strict=True))
        assert [by_gene[2 + n] for n in range(4)] == pytest.approx(rates[target], abs=0.02)
    np.testing.assert_array_equal(regressions.decay[:2], [1, 1])
    # The others never settle, as long as the trajectories last; at rest they must.
    np.testing.assert_allclose(regressions.decay[2:], 1 / TIMES[-1] if kind == "paths" else 1.0)
    # Trajectories in which the target was knocked out are no rows of it: a third of all.
    assert float(regressions.count[0] + 1) / float(regressions.count[1] + 1) == pytest.approx(2 / 3)


@pytest.mark.parametrize("kind", ["paths", "steps"])
def test_what_a_knocked_out_target_was_measured_at_does_not_matter(regressed, kind):
    *_, observed, _ = treated_system()
    # The other way round in time, so that the gene's standard deviation, which is its unit, is the same.
    turned = observed.expression.at[::3, :, 0].set(observed.expression[::3, ::-1, 0])
    assert float(jnp.abs(turned - observed.expression).max()) > 0.1
    before, after = regressed[kind](observed), regressed[kind](replace(observed, expression=turned))
    for name in ("candidates", "gram", "moment", "square", "count", "scale"):
        ours, theirs = (np.asarray(getattr(r, name)[0]) for r in (before, after))
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-4)
    # In a trajectory in which it was not, it does.
    other = observed.expression.at[2::3, :, 0].set(observed.expression[2::3, ::-1, 0])
    changed = regressed[kind](replace(observed, expression=other))
    assert abs(float(changed.square[0] - before.square[0])) > 1.0


def test_samples_at_rest_beside_genes_that_a_field_gives_no_decay_leave_everything_finite():
    field, _, observed, _ = treated_system()
    levels = jnp.concatenate([observed.expression[2:3, -1].repeat(6, axis=0), observed.expression[:6, -1]])
    found = edge_posterior(
        jax.random.key(0), field, observed, make_prior(np.zeros((6, 6))), rest=RestSamples(levels),
        config=PosteriorConfig(rounds=6, sweeps=4),
    )  # fmt: skip
    for name in ("probability", "effect", "spread", "activation", "odds", "noise"):
        assert np.isfinite(np.asarray(getattr(found, name))).all(), name


# --- samples at rest ------------------------------------------------------------------------------------------


def test_without_rows_candidates_are_prior_edges_and_whom_samples_speak_for():
    confidence = np.zeros((8, 8))
    confidence[[1, 2, 3, 4, 5], 0] = 1.0, 0.9, 0.8, 0.7, 0.6  # of gene 0, of which two fill places by themselves
    asked = jnp.zeros((8, 8)).at[0, 6].set(3.0).at[0, 7].set(2.0).at[0, 3].set(1.0).at[0, 0].set(99.0)
    pairs = ~jnp.eye(8, dtype=bool)
    made = regress_nothing(make_prior(confidence), 4, pairs, asked, jnp.arange(1.0, 9.0))
    assert sorted(made.candidates[0].tolist()) == [1, 2, 6, 7]
    np.testing.assert_array_equal(made.scale[:, 0], np.arange(1, 9))
    assert not made.gram.any()
    assert not made.count.any()
    # Nor do edges of one confidence, of which there are more, take all places.
    equal = regress_nothing(make_prior((confidence > 0) * 1.0), 4, pairs, asked, jnp.ones(8))
    assert {6, 7} <= set(equal.candidates[0].tolist())


def knockouts(weight, groups, noise=0.01, wild=3, seed=0, share=0.0, curved=True):
    """Simulate samples at rest of x = f ⊙ (c + W r(x)): wild types, then one sample per group of genes.

    r is a saturating response, or the identity, and a knocked-down gene keeps a share of its production.
    """
    genes = len(weight)
    rng = np.random.default_rng(seed)
    response = (lambda x: 2 * x / (x + 1)) if curved else (lambda x: x)
    constant = 0.6 - 0.3 * weight.clip(max=0).sum(axis=1)
    factor = np.ones((wild + len(groups), genes))
    for row, group in enumerate(groups, start=wild):
        factor[row, list(group)] = share
    levels = np.ones_like(factor)
    for _ in range(300):
        levels = np.maximum(factor * (constant + response(levels) @ weight.T), 0.0)
    levels = levels + noise * rng.normal(size=levels.shape)
    production = Production(jnp.asarray(factor, jnp.float32), jnp.zeros(factor.shape))
    return RestSamples(jnp.asarray(levels, jnp.float32), None, production)


def network(genes, *edges):
    """Return weights (target, regulator)."""
    weight = np.zeros((genes, genes))
    for regulator, target, size in edges:
        weight[target, regulator] = size
    return weight


@pytest.fixture(scope="module")
def weigh():
    """`weigh(rest)`: probabilities (regulator, target) from samples at rest alone, without a prior."""

    @jax.jit
    def probabilities(rest):
        genes = rest.levels.shape[1]
        nothing = make_prior(np.zeros((genes, genes)))
        return edge_posterior(jax.random.key(0), still(genes), nothing_seen(genes), nothing, rest=rest)

    return probabilities


CHAIN = network(12, (0, 1, 0.5), (1, 2, 0.5), (3, 4, -0.4))
LOOP = network(12, (0, 1, 0.5), (1, 2, 0.4), (0, 2, 0.4), (3, 4, -0.4))
SINGLE = [(gene,) for gene in range(12)] * 2


def edges_found(weigh, weight, **options):
    found = weigh(knockouts(weight, SINGLE, **options))
    return np.asarray(found.probability), np.asarray(found.activation)


def test_a_chain_is_told_from_a_feed_forward_loop(weigh):
    chain, sign = edges_found(weigh, CHAIN)
    assert min(chain[0, 1], chain[1, 2], chain[3, 4]) > 0.9
    assert chain[0, 2] < 0.5
    assert chain[CHAIN.T == 0].sum() < 1.5
    assert sign[0, 1] > 0.9 > 0.1 > sign[3, 4]
    loop, _ = edges_found(weigh, LOOP, curved=False)
    assert min(loop[0, 1], loop[1, 2], loop[0, 2], loop[3, 4]) > 0.9
    assert loop[LOOP.T == 0].sum() < 1.5
    # Where responses saturate, what a mediator does is known less well, and the direct edge is left in doubt.
    curved, _ = edges_found(weigh, LOOP)
    assert min(curved[0, 1], curved[1, 2], curved[3, 4]) > 0.9
    assert curved[0, 2] > 5 * chain[0, 2]


def test_effects_of_knock_outs_and_knock_downs_are_those_of_the_system(weigh):
    """Every regulator is moved by its own intervention alone, so that no line tells its sign or size."""
    pairs = network(12, (0, 1, 0.5), (2, 3, -0.4), (4, 5, 0.3), (6, 7, -0.6))
    for share in (0.0, 0.5):
        found = weigh(knockouts(pairs, SINGLE, curved=False, share=share))
        there = pairs.T != 0
        assert (np.asarray(found.probability)[there] > 0.9).all()
        np.testing.assert_allclose(np.asarray(found.effect)[there], pairs.T[there], atol=0.06)
        assert (np.asarray(found.spread)[there] < 0.1).all()
        np.testing.assert_array_equal(np.asarray(found.activation)[there] > 0.99, pairs.T[there] > 0)
        np.testing.assert_array_equal(np.asarray(found.activation)[there] < 0.01, pairs.T[there] < 0)


def test_a_hubs_targets_are_found_and_nothing_is_found_in_noise(weigh):
    hub = network(12, *[(0, target, 0.3 * (-1) ** target) for target in range(2, 11)])
    found, sign = edges_found(weigh, hub)
    assert (found[0, 2:11] > 0.9).all()
    assert found[hub.T == 0].sum() < 1.5
    assert ((sign[0, 2:11] > 0.5) == (hub[2:11, 0] > 0)).all()
    none, _ = edges_found(weigh, np.zeros((12, 12)))
    assert none.max() < 0.5
    assert none.sum() < 3

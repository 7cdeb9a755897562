"""Hidden prior edges: hand-computed areas, gains over regulators, and hiding that leaves nothing behind."""

import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import minimize

from dashjax.data import combine_priors, make_prior
from dashjax.evidence import PROBABILITY_BINS, FoundAgain, found_again, hidden_edges_found, hide
from dashjax.evidence.hidden import HIDDEN_SHARE, fit_logistic

GENES, REGULATORS = 60, 8


@pytest.fixture(scope="module")
def known():
    """Return a prior (regulator, target) of regulators with more and fewer targets, and its edges."""
    rng = np.random.default_rng(0)
    share = np.linspace(0.1, 0.5, REGULATORS)[:, None]
    edges = np.zeros((GENES, GENES))
    edges[:REGULATORS] = rng.uniform(size=(REGULATORS, GENES)) < share
    np.fill_diagonal(edges, 0)
    return make_prior(edges)


def test_hiding_takes_a_share_of_the_edges_out_of_every_source(known):
    left, hidden = hide(known, seed=1)
    edges = np.asarray(known.edges)
    assert hidden.sum() == round(HIDDEN_SHARE * known.n_edges)
    assert (edges[hidden] != 0).all()
    np.testing.assert_array_equal(left.edges, np.where(hidden, 0, edges))
    np.testing.assert_array_equal(hide(known, seed=1)[1], hidden)
    assert (hide(known, seed=2)[1] != hidden).any()
    both = combine_priors([known, make_prior(0.5 * edges)])
    kept, gone = hide(both, seed=1)
    assert not np.asarray(kept.sources)[:, gone].any()
    assert np.asarray(kept.sources)[:, ~gone & (edges != 0)].all()


def test_areas_are_those_of_the_two_rankings_by_hand():
    # Three regulators of one out-degree, six targets; the first four pairs of each are hidden edges, and the data put
    # all of them first but one, which comes last.
    stated = np.zeros((6, 3))
    stated[:4] = 1.0
    evidence = stated + 0.0
    evidence[0, 0] = -1.0
    probability = np.where(stated > 0, 0.75, 0.01)
    probability[0, 0], probability[5, 0] = 0.2, 1.0
    found = found_again(evidence, np.zeros((6, 3)), stated, np.ones((6, 3), bool), probability)
    assert found.edges == 12
    assert found.chance == pytest.approx(12 / 18)
    assert found.by_degree == pytest.approx(12 / 18)
    assert found.aupr == pytest.approx(11 / 12 + 12 / 18 / 12)
    # Of every bin: pairs, the sum of their probabilities, hidden edges; a limit belongs to the bin above it.
    empty = (0, 0, 0)
    expected = [(5, 0.05, 0), (1, 0.2, 1), empty, empty, (11, 8.25, 11), (1, 1, 0)]
    np.testing.assert_allclose(found.bins, expected)


def test_it_is_told_from_noise_over_regulators(known):
    rng = np.random.default_rng(1)
    left, hidden = hide(known, seed=0)
    allowed = np.arange(GENES) < REGULATORS
    noise = rng.uniform(0.01, 0.2, (GENES, GENES))
    assert not hidden_edges_found(known, noise, allowed, 0).added
    found = hidden_edges_found(known, np.where(hidden, 0.9, noise), allowed, 0)
    assert found.added
    assert found.aupr > 0.99
    assert found.edges == hidden.sum()
    # Edges that are still stated are not asked about, and what a posterior says of them does not matter.
    kept = np.asarray(left.edges) != 0
    same = hidden_edges_found(known, np.where(kept, 1.0, np.where(hidden, 0.9, noise)), allowed, 0)
    assert same == found
    # One regulator that is found does not speak for the others.
    one = hidden & (np.arange(GENES) == REGULATORS - 1)[:, None]
    assert not hidden_edges_found(known, np.where(one, 0.9, 0.1), allowed, 0).added


@pytest.mark.parametrize("seed", range(4))
def test_log_odds_are_those_of_a_general_optimiser_with_bounds(seed):
    rng = np.random.default_rng(seed)
    inputs = np.column_stack([np.ones(300), rng.normal(0, [2.0, 0.3, 5.0], (300, 3))])
    truly = inputs @ [-1.0, 0.7, -2.0, 0.1]  # the second slope would be negative and must be zero
    stated = (rng.random(300) < 1 / (1 + np.exp(-truly))) * rng.choice([1.0, 0.6], 300)
    scale = np.array([1.0, *inputs[:, 1:].std(axis=0)])

    def loss(value):
        logit = inputs @ value
        belief = 0.05 * np.sum((scale * value)[1:] ** 2)
        return np.sum(np.logaddexp(0, logit) - stated * logit) + belief

    bounds = [(None, None), *[(0, None)] * 3]
    exact = {"ftol": 1e-14, "gtol": 1e-9}
    best = minimize(loss, [-1.0, 0.1, 0.1, 0.1], method="L-BFGS-B", bounds=bounds, options=exact)
    value, likelihood = fit_logistic(inputs, stated)
    np.testing.assert_allclose(value, best.x, atol=2e-3)
    assert value[2] == 0
    logit = inputs @ value
    assert likelihood == pytest.approx(np.mean(stated * logit - np.logaddexp(0, logit)))


def test_few_edges_tell_nothing():
    edges = np.zeros((12, 12))
    edges[:3, 4:8] = 1
    assert hidden_edges_found(make_prior(edges), np.full((12, 12), 0.5), np.ones(12, bool), 0) is None


def test_numbers_survive_a_store(known):
    bins = tuple((float(number), number / 2, number / 4) for number in range(len(PROBABILITY_BINS) - 1))
    for found in (FoundAgain(12.0, 0.1, 0.2, 0.3, 2.5), FoundAgain(12.0, 0.1, 0.2, 0.3, 2.5, bins)):
        assert FoundAgain.of({name: float(value) for name, value in found.arrays().items()}) == found
    assert FoundAgain.of({"method": "dash"}) is None


def test_logistic_regression_by_hand():
    # Two groups with shares 1/4 and 3/4 stated, many of each, so that the vague belief does not matter.
    inputs = np.stack([np.ones(40_000), np.repeat([0.0, 1.0], 20_000)], axis=1)
    stated = np.concatenate([np.arange(20_000) % 4 == 0, np.arange(20_000) % 4 != 0]).astype(float)
    value, likelihood = fit_logistic(inputs, stated)
    np.testing.assert_allclose(value, [-np.log(3), 2 * np.log(3)], rtol=1e-3)
    assert likelihood == pytest.approx(0.25 * np.log(0.25) + 0.75 * np.log(0.75), rel=1e-5)
    # Evidence never counts against an edge.
    assert fit_logistic(inputs * [1, -1], stated)[0][1] == pytest.approx(0.0, abs=1e-9)


def test_hidden_priors_are_traced_like_whole_ones(known):
    left, _ = hide(known, seed=0)
    assert left.edges.shape == known.edges.shape
    assert left.edges.dtype == known.edges.dtype == jnp.float32
    assert left.sources is None

"""What a network says of itself, by hand."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import norm

from dashjax import Direct, DirectSpec, EdgePosterior, InputError, Network, make_prior
from dashjax.data import Finding, Units, as_given, no_prior
from dashjax.evidence import EnsemblePosterior
from dashjax.inference import describe, remarks

GENES = ("a", "b", "c")
PROBABILITY = np.array([[0, 0.99, 0.004], [0.6, 0, 0], [0.3, 0.002, 0]])
EFFECT = np.array([[0, 2.0, 0.1], [-0.5, 0, 0], [0.25, -0.1, 0]])
SPREAD = np.array([[0, 0.4, 0.1], [0.2, 0, 0], [0.2, 0.1, 0]])


def with_posterior(units=None, prior=None):
    mixture = EdgePosterior(PROBABILITY, EFFECT, SPREAD, (EFFECT >= 0) * 1.0, np.zeros(3), np.ones(3))
    posterior = EnsemblePosterior(mixture, PROBABILITY, PROBABILITY)
    return Network(GENES, units or as_given(3), prior or no_prior(3), posterior=posterior, how={"method": "ours"})


def with_weights(effect, prior=None, **how):
    half = jnp.full(3, 0.5)
    field = Direct(jnp.zeros((2, 3, 3)).at[0].set(jnp.asarray(effect).T), half, half, jnp.ones(3))
    fields = jax.tree.map(lambda leaf: leaf[None], field)
    return Network(
        GENES, as_given(3), prior or no_prior(3), spec=DirectSpec(), fields=fields, how={"method": "ours", **how}
    )


@pytest.mark.parametrize("units", [None, Units(jnp.asarray(2.0), jnp.zeros(3), jnp.array([1.0, 4.0, 0.5]))])
def test_an_interval_holds_nine_tenths_of_its_posterior(units):
    network = with_posterior(units)
    low, high = norm.interval(0.9, EFFECT, np.maximum(SPREAD, 1e-12))
    scale, time = (np.ones(3), 1.0) if units is None else (np.array([1.0, 4.0, 0.5]), 2.0)
    factor = scale / scale[:, None] / time
    for name, expected in (("effect", EFFECT), ("effect_low", low), ("effect_high", high)):
        np.testing.assert_allclose(network.matrix(name), expected * factor, rtol=1e-3, atol=1e-6)
    edges = network.edges.set_index(["source", "target"])
    assert edges.loc[("a", "b"), "effect_low"] == pytest.approx(low[0, 1] * factor[0, 1], rel=1e-3)
    assert edges.loc[("a", "b"), "effect_high"] == pytest.approx(high[0, 1] * factor[0, 1], rel=1e-3)


def test_listed_are_the_likely_and_all_prior_edges_returned_those_of_a_precision():
    prior = np.zeros((3, 3))
    prior[2, 1] = 1
    network = with_posterior(prior=make_prior(prior))
    edges = network.edges
    assert list(zip(edges["source"], edges["target"], strict=True)) == [("a", "b"), ("b", "a"), ("c", "a"), ("c", "b")]
    assert list(edges["returned"]) == [True, False, False, False]
    assert list(edges["in_prior"]) == [False, False, False, True]
    np.testing.assert_allclose(edges["score"], [0.99, -0.6, 0.3, -0.002])
    np.testing.assert_allclose(network.acting, np.where(np.eye(3, k=1)[[0, 2, 2]], 0.99, 0))


def test_of_equally_likely_edges_the_surest_effect_comes_first():
    network = with_posterior()
    probability = np.zeros((3, 3))
    probability[0, 1] = probability[1, 0] = probability[2, 1] = 1.0
    # Effects of 5, 2.5 and 1 standard deviations.
    posterior = replace(network.posterior, posterior=replace(network.posterior.posterior, probability=probability))
    edges = replace(network, posterior=posterior).edges
    assert list(zip(edges["source"], edges["target"], strict=True)) == [("a", "b"), ("b", "a"), ("c", "b")]


def test_it_introduces_itself_in_a_line():
    prior = np.zeros((3, 3))
    prior[2, 1] = 1
    network = replace(with_posterior(prior=make_prior(prior)), findings=(Finding("warning", "x.csv", "odd"),))
    assert repr(network) == (
        "Network(3 genes, ours: 1 edges returned, 1 of them not among 1 prior edges, 1 warnings in findings)"
    )


def test_where_no_edge_is_sure_enough_it_says_so_and_what_helps():
    *_, last = describe(replace(with_posterior(), precision=0.999))
    assert last.startswith(
        "returned: no edge, for the likeliest has a probability of 0.99 and an expected precision of 0.999"
    )
    *_, last = describe(with_posterior())
    assert last == "returned: 1 edges, 1 of them new, at an expected precision of 0.9"


def test_scores_count_the_rows_that_are_covered():
    truth = np.zeros((3, 3))
    truth[0, 1] = truth[2, 0] = 1
    network = with_posterior()
    assert float(network.score(truth).recall) == pytest.approx(0.5)
    assert float(network.score(truth, np.array([True, True, False])).recall) == 1
    assert float(network.score(truth).precision) == 1


def test_scores_count_the_columns_that_are_covered():
    truth = np.zeros((3, 3))
    truth[0, 1] = truth[2, 0] = 1
    network = with_posterior()
    first, second = np.array([True, False, False]), np.array([False, True, True])
    assert float(network.score(truth, covered_targets=first).recall) == 0
    assert float(network.score(truth, covered_targets=second).recall) == 1
    # Ranked by magnitude, pairs of a gene with itself left out: of column 0, 0.6 false before 0.3 true.
    assert float(network.score(truth, covered_targets=first).aupr) == pytest.approx(0.5)
    assert float(network.score(truth, np.array([False, False, True]), covered_targets=first).aupr) == 1


def test_what_fits_no_dynamics_says_so():
    network = with_posterior()
    for ask in (lambda: network.field, lambda: network.predict([0, 1], np.ones((1, 3))), network.dynamics):
        with pytest.raises(InputError, match="network: ours fits no dynamics"):
            ask()
    assert network.members == 0
    ranked = Network(GENES, as_given(3), no_prior(3), ranking=-np.eye(3)[::-1])
    np.testing.assert_array_equal(ranked.scores, -np.eye(3)[::-1])
    assert np.isnan(ranked.matrix("effect")).all(axis=None)


def test_many_more_edges_than_the_prior_are_remarked_upon():
    prior = np.zeros((3, 3))
    prior[0, 1] = 1
    full = np.full((3, 3), 0.5)
    (found,) = remarks(with_weights(full, make_prior(prior)))
    assert found.level == "warning"
    assert found.text.startswith("returns 9 edges where its prior has 1: ")
    assert "no more than 22% of them can be true" in found.text  # the prior's one and one more of nine
    assert len(found.text.splitlines()) == 1
    few = np.zeros((3, 3))
    few[0, 1:] = 0.5
    assert remarks(with_weights(few, make_prior(prior))) == []
    assert remarks(with_weights(full)) == []  # no prior to compare with
    assert remarks(with_posterior(prior=make_prior(prior))) == []


def test_an_empty_network_and_a_run_that_diverged_are_remarked_upon():
    (found,) = remarks(with_weights(np.zeros((3, 3))))
    assert "no regulator reaches any target" in found.text
    found = remarks(with_weights(np.eye(3), status="diverged"))
    assert [finding.text.split(";")[0] for finding in found] == ["training diverged"]

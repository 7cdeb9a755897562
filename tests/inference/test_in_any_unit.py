"""A network does not depend on the units of expression and time, and its numbers are in them."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from dashjax import infer_network, make_trajectories

TIMES = np.array([0.0, 1.0, 3.0])


def in_units(courses, scale=1.0, offset=0.0, time=1.0):
    return make_trajectories([TIMES * time] * len(courses), list(courses * scale + offset))


@pytest.fixture(scope="module")
def reference(few, trajectories, genes, net):
    return few(trajectories, net, genes=list(genes))


PER_GENE = np.array([0.01, 3.0, 1000.0, 1.0, 50.0, 0.2, 7.0, 1e4])
CHANGES = {
    "thousands": {"scale": 1000.0},
    "shifted": {"offset": 5.0},
    "per gene": {"scale": PER_GENE, "offset": -2 * PER_GENE},
    "seconds": {"time": 3600.0},
    "all": {"scale": PER_GENE[::-1], "offset": 10.0, "time": 1 / 24},
}


@pytest.mark.parametrize("change", CHANGES)
def test_rankings_and_returned_edges_are_the_same(few, reference, courses, genes, net, change):
    network = few(in_units(courses, **CHANGES[change]), net, genes=list(genes))
    assert spearmanr(network.scores.ravel(), reference.scores.ravel()).statistic > 0.99
    assert reference.returned.any()
    np.testing.assert_array_equal(network.returned, reference.returned)
    np.testing.assert_allclose(network.scores, reference.scores, atol=0.1)


@pytest.fixture(scope="module")
def exact(few, courses, genes, net):
    """Powers of two, with which no digit is lost: the network, and the factors on levels and time."""
    scale = 2.0 ** np.array([10, -3, 0, 5, 1, -7, 2, 12])
    return few(in_units(courses, scale, time=64.0), net, genes=list(genes)), scale, 64.0


def test_powers_of_two_change_no_bit_of_a_probability(exact, reference):
    network, *_ = exact
    for name in ("probability", "frequency", "activation"):
        np.testing.assert_array_equal(network.matrix(name), reference.matrix(name))


def test_effects_are_in_the_users_units(exact, reference):
    network, scale, time = exact
    factor = scale / scale[:, None] / time
    for name in ("effect", "effect_low", "effect_high"):
        assert np.abs(reference.matrix(name).to_numpy()).max() > 0
        np.testing.assert_allclose(network.matrix(name), reference.matrix(name) * factor, rtol=1e-5)
    edges = network.edges.merge(reference.edges, on=["source", "target"], suffixes=("", "_before"))
    assert len(edges) == len(reference.edges)
    place = {gene: number for number, gene in enumerate(network.genes)}
    listed = factor[edges["source"].map(place), edges["target"].map(place)]
    np.testing.assert_allclose(edges["effect"], edges["effect_before"] * listed, rtol=1e-5)


def test_predictions_and_perturbations_are_in_the_users_units(exact, reference, courses, genes):
    network, scale, time = exact
    names = list(genes)
    before = reference.predict(TIMES, courses[:, 0])[names].to_numpy()
    after = network.predict(TIMES * time, courses[:, 0] * scale)[names].to_numpy()
    np.testing.assert_allclose(after, before * scale, rtol=1e-4)
    gene = names[0]
    held = [
        one.perturb(over_express={gene: 0.75 * factor[0]}, starts=courses[:, 0] * factor, times=TIMES * unit)
        for one, factor, unit in ((reference, np.ones(8), 1.0), (network, scale, time))
    ]
    response = [table.set_index("gene")["response"][names].to_numpy() for table in held]
    assert np.abs(response[0]).max() > 0
    np.testing.assert_allclose(response[1] / scale, response[0], rtol=1e-3, atol=1e-6)
    # Influence compares genes of different units, so it is in none.
    influence = [
        one.measure_influence(courses[:, 0] * factor, TIMES * unit).mean
        for one, factor, unit in ((reference, np.ones(8), 1.0), (network, scale, time))
    ]
    np.testing.assert_allclose(influence[1], influence[0], rtol=1e-4)


def test_the_weights_of_a_method_without_posterior_convert_too(courses, genes, net, exact):
    _, scale, time = exact
    options = {"genes": list(genes), "method": "dash", "epochs": 4, "progress": False}
    before = infer_network(in_units(courses), net, **options)
    after = infer_network(in_units(courses, scale, time=time), net, **options)
    np.testing.assert_array_equal(after.scores, before.scores)
    factor = scale / scale[:, None] / time
    np.testing.assert_allclose(after.matrix("effect"), before.matrix("effect") * factor, rtol=1e-5)

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn import metrics as sk

from dashjax import score_network
from dashjax.scoring import (
    auroc,
    average_precision,
    balanced_accuracy,
    early_precision,
    edge_universe,
    score_regulators,
    score_signs,
)


@pytest.fixture(params=["distinct", "tied", "sparse"])
def network(request):
    rng = np.random.default_rng(1)
    values = {
        "distinct": rng.normal(size=(20, 20)),
        "tied": rng.integers(-3, 4, (20, 20)).astype(float),
        "sparse": rng.normal(size=(20, 20)) * (rng.random((20, 20)) < 0.1),
    }[request.param]
    truth = (rng.random((20, 20)) < 0.1 + 0.3 * (np.abs(values) > 1)).astype(float)
    prior = (rng.random((20, 20)) < 0.1 + 0.6 * truth).astype(float)
    return jnp.asarray(values, jnp.float32), truth, prior


@pytest.mark.parametrize("pairs", [None, edge_universe(20), edge_universe(20, np.arange(20) % 2 == 0)])
def test_scores_agree_with_scikit_learn_on_the_pairs_that_count(network, pairs):
    values, truth, prior = network
    scores = score_network(values, truth, prior, pairs=pairs)
    inside = np.ones((20, 20), bool) if pairs is None else np.asarray(pairs)
    y, s, p = truth[inside], np.abs(np.asarray(values))[inside], prior[inside] > 0
    assert scores.balanced_accuracy == pytest.approx(sk.balanced_accuracy_score(y, s > 0), abs=1e-5)
    assert scores.precision == pytest.approx(sk.precision_score(y, s > 0), abs=1e-5)
    assert scores.recall == pytest.approx(sk.recall_score(y, s > 0), abs=1e-5)
    assert scores.aupr == pytest.approx(sk.average_precision_score(y, s), abs=1e-5)
    assert scores.auroc == pytest.approx(sk.roc_auc_score(y, s), abs=1e-5)
    assert scores.aupr_inside_prior == pytest.approx(sk.average_precision_score(y[p], s[p]), abs=1e-5)
    assert scores.aupr_outside_prior == pytest.approx(sk.average_precision_score(y[~p], s[~p]), abs=1e-5)
    for score, part in ((scores.informedness_inside_prior, p), (scores.informedness_outside_prior, ~p)):
        expected = sk.balanced_accuracy_score(y[part], s[part] > 0, adjusted=True)
        assert score == pytest.approx(expected, abs=1e-5)
    assert scores.n_edges == (s > 0).sum()


def test_a_prior_adds_nothing_to_itself_and_the_truth_all_there_is(network):
    _, truth, prior = network
    alone, perfect = score_network(prior, truth, prior), score_network(truth, truth, prior)
    assert (alone.informedness_outside_prior, alone.informedness_inside_prior) == (0, 0)
    assert (perfect.informedness_outside_prior, perfect.informedness_inside_prior) == (1, 1)
    # With nothing false to drop there is nothing to add inside.
    assert np.isnan(score_network(truth, truth, truth).informedness_inside_prior)


def test_a_universe_leaves_out_self_loops_and_genes_that_do_not_regulate():
    pairs = edge_universe(20, np.arange(20) % 2 == 0)
    assert not pairs[1].any()
    assert pairs[0].sum() == 19
    assert edge_universe(20, self_loops=True).all()


def test_scores_do_not_depend_on_gene_order(network):
    values, truth, prior = network
    order = np.random.default_rng(2).permutation(20)
    shuffled = [np.asarray(array)[np.ix_(order, order)] for array in network]
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5),
        score_network(values, truth, prior),
        score_network(*map(jnp.asarray, shuffled)),
    )


def test_hand_computed_case():
    network = jnp.array([[0.0, 3.0, -2.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    truth = jnp.array([[0, 1, 0], [1, 0, 1], [0, 0, 0]]) > 0
    # Ranking: true, false, true, then the rest at zero with one true among six.
    score = jnp.abs(network)
    assert average_precision(score, truth) == pytest.approx((1 + 2 / 3 + 3 / 9) / 3, abs=1e-6)
    assert early_precision(score, truth) == pytest.approx(2 / 3, abs=1e-6)
    assert balanced_accuracy(network != 0, truth) == pytest.approx((2 / 3 + 5 / 6) / 2, abs=1e-6)
    # Pairs ranked right: 6 of 6 + 5 of 6 + the one at zero ties with 5 and loses to one.
    assert auroc(score, truth) == pytest.approx((6 + 5 + 2.5) / 18, abs=1e-6)


def test_early_precision_shares_places_among_ties():
    score, truth = jnp.array([[2.0, 1.0], [1.0, 0.0]]), jnp.array([[1, 1], [0, 0]]) > 0
    assert early_precision(score, truth) == pytest.approx(0.75)


def test_nothing_to_find_is_not_a_number():
    empty = jnp.zeros((3, 3))
    scores = score_network(empty, empty, empty)
    assert np.isnan(scores.aupr)
    assert np.isnan(scores.aupr_inside_prior)
    assert scores.n_edges == 0


def test_vmap_is_the_stacked_loop(network):
    values, truth, prior = network
    stacked = jnp.stack([values, -2 * values, jnp.zeros_like(values)])
    batch = jax.vmap(score_network, in_axes=(0, None, None))(stacked, jnp.asarray(truth), jnp.asarray(prior))
    for lane in range(3):
        alone = score_network(stacked[lane], truth, prior)
        jax.tree.map(lambda a, b, lane=lane: np.testing.assert_allclose(a, b[lane], rtol=1e-6, atol=1e-7), alone, batch)


def test_each_regulator_is_scored_on_its_own_row(network):
    values, truth, _ = network
    each = score_regulators(values, truth, pairs=edge_universe(20))
    off = ~np.eye(20, dtype=bool)
    for row in range(20):
        y, s = truth[row][off[row]], np.abs(np.asarray(values))[row][off[row]]
        assert each.true_targets[row] == y.sum()
        assert each.predicted_targets[row] == (s > 0).sum()
        if y.any():
            assert each.recall[row] == pytest.approx(sk.recall_score(y, s > 0), abs=1e-5)
            assert each.aupr[row] == pytest.approx(sk.average_precision_score(y, s), abs=1e-5)
        else:
            assert np.isnan(each.aupr[row])


def test_signs_are_scored_apart():
    network = jnp.array([[0.0, 3.0, -2.0], [-1.0, 0.0, 0.5], [0.0, 0.0, 0.0]])
    truth = jnp.array([[0, 1, 1], [-1, 0, 0], [0, 0, 0]])
    scores = score_signs(network, truth)
    assert scores.agreement == pytest.approx(2 / 3)
    # Activation ranks 3.0 (true), 0.5 (false), then seven pairs at zero with the other true one among them.
    assert scores.aupr_activation == pytest.approx((1 + 2 / 9) / 2, abs=1e-6)
    # Repression ranks 2.0 (it activates), then 1.0 (true).
    assert scores.aupr_repression == pytest.approx(1 / 2, abs=1e-6)

"""A sparse prior computes what a dense one does, and never becomes as large."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dashjax import InputError, PhoenixSpec, make_prior, make_sparse_prior
from dashjax.dynamics import DirectSpec
from dashjax.numerics.sparse import dense_rows, make_sparse
from dashjax.sparsity import Dash, PriorLoss, PriorWeightedL1

GENES = 30
TRUST = jnp.asarray([0.5, 0.3])


@pytest.fixture(params=[(256, 2**16), (4, 10)], scope="module")
def both(request):
    """Return the same prior, dense and sparse, in one block and in several."""
    rng = np.random.default_rng(0)
    edges = (rng.random((GENES, GENES)) < 0.2) * rng.normal(size=(GENES, GENES)) * (rng.random(GENES) < 0.6)[:, None]
    regulator, target = np.nonzero(edges)
    shuffled = rng.permutation(len(regulator))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dashjax.numerics.sparse.BLOCK_ROWS", request.param[0])
        patch.setattr("dashjax.numerics.sparse.BLOCK_ENTRIES", request.param[1])
        sparse = make_sparse_prior(regulator[shuffled], target[shuffled], edges[regulator, target][shuffled], GENES)
    return make_prior(edges), sparse


def test_products_sums_and_rows_are_the_dense_ones(both):
    dense, sparse = both
    left = jax.random.normal(jax.random.key(0), (2, 3, GENES))
    for matrix, other in ((dense.edges, sparse.edges), (dense.similarity, sparse.similarity)):
        np.testing.assert_allclose(left @ other, left @ matrix, rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(left @ (other / 2), left @ matrix / 2, rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(other.sum(), matrix.sum(), rtol=1e-4)
    np.testing.assert_allclose(left @ sparse.edges.T, left @ dense.edges.T, rtol=1e-4, atol=1e-5)
    rows = jnp.asarray([7, 0, 29])
    np.testing.assert_array_equal(dense_rows(sparse.edges, rows), dense.edges[rows])
    np.testing.assert_array_equal(dense_rows(sparse.edges), dense.edges)
    regulator, target, weight = sparse.edges.entries()
    np.testing.assert_array_equal(np.stack([regulator, target]), np.nonzero(np.asarray(dense.edges)))
    np.testing.assert_array_equal(weight, np.asarray(dense.edges)[regulator, target])
    assert int(sparse.edges.count()) == len(weight)


@pytest.mark.parametrize("spec", [PhoenixSpec(5), DirectSpec(), DirectSpec((0, 4, 9))])
def test_pruning_by_a_sparse_prior_is_pruning_by_the_dense_one(both, spec):
    field = spec.init(jax.random.key(1), GENES)
    rule = Dash()
    state = rule.init(jax.random.key(2), field)
    pruned = [rule.prune(state, field, prior, TRUST, jnp.asarray(0.6)) for prior in both]
    jax.tree.map(np.testing.assert_array_equal, pruned[0].masks, pruned[1].masks)
    for first, second in zip(pruned[0].scores, pruned[1].scores, strict=True):
        np.testing.assert_allclose(first, second, rtol=2e-2, atol=1e-6)


def test_penalties_take_either_prior(both):
    field = PhoenixSpec(5).init(jax.random.key(1), GENES)
    strengths = jnp.asarray([1.0, 0.0])
    values = [PriorLoss(8)(jax.random.key(3), field, (), prior, strengths) for prior in both]
    assert float(values[0]) == pytest.approx(float(values[1]), rel=1e-4)
    direct = DirectSpec((0, 4, 9)).init(jax.random.key(1), GENES)
    shrunk = [PriorWeightedL1().shrink(direct, prior, strengths, jnp.asarray(1e-3)) for prior in both]
    np.testing.assert_array_equal(shrunk[0].weight, shrunk[1].weight)


def test_a_genomes_prior_takes_the_memory_of_its_edges():
    genes, edges = 20_000, 100_000
    rng = np.random.default_rng(0)
    regulator = rng.integers(0, 1000, edges)
    matrix = make_sparse(regulator, rng.integers(0, genes, edges), np.ones(edges), (genes, genes))
    assert sum(leaf.nbytes for leaf in jax.tree.leaves(matrix)) < 20 * edges * 4
    assert int(matrix.count()) == edges


@pytest.mark.parametrize(
    ("edges", "message"),
    [
        (([0, 5], [1, 1], [1.0, 1.0]), "prior: a regulator is not among the 5 genes"),
        (([0], [-1], [1.0]), "prior: a target is not among the 5 genes"),
        (([0, 1], [1, 2], [1.0, np.nan]), "prior: the weight of edge 2 is not a finite number"),
        (([0, 1], [1], [1.0]), "regulators, targets and weights"),
    ],
)
def test_bad_sparse_priors_are_refused(edges, message):
    with pytest.raises(InputError, match=message):
        make_sparse_prior(*edges, genes=5)


def test_a_prior_without_edges_is_nothing():
    empty = make_sparse_prior([], [], [], 4)
    np.testing.assert_array_equal(jnp.ones((2, 4)) @ empty.edges, 0)
    assert float(empty.similarity.sum()) == 0

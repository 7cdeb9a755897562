import jax.numpy as jnp
import numpy as np
import pytest

from dashjax import InputError, combine_priors, make_prior, make_sparse_prior, shared_targets


def test_shared_targets_counts_common_targets():
    edges = jnp.array([[0.0, 1, -1], [0, 0, 1], [0, 0, 0]])
    np.testing.assert_array_equal(shared_targets(edges), [[2, 1, 0], [1, 1, 0], [0, 0, 0]])


@pytest.mark.parametrize(
    ("edges", "message"),
    [
        (np.ones((2, 3)), "square"),
        (np.array([[0, np.nan], [0, 0]]), "row 1, column 2"),
    ],
)
def test_bad_priors_are_refused(edges, message):
    with pytest.raises(InputError, match=message):
        make_prior(edges)


def test_sparse_priors_combine_to_their_most_confident_edges():
    first, second = np.zeros((2, 4, 4))
    first[0, 1], first[2, 3] = 0.5, -0.2
    second[0, 1], second[2, 3], second[3, 0] = -0.1, 0.9, 1.0
    combined = combine_priors([make_sparse_prior(*np.nonzero(m), m[np.nonzero(m)], 4) for m in (first, second)])
    dense = combine_priors([make_prior(first), make_prior(second)])
    regulator, target, weight = combined.edges.entries()
    np.testing.assert_allclose(np.asarray(dense.edges)[regulator, target], weight)
    assert combined.n_edges == dense.n_edges == 3
    np.testing.assert_array_equal(combined.pairs(), dense.pairs())
    pairs = np.array([0, 1, 2]), np.array([1, 1, 3])
    assert combined.states(*pairs).tolist() == dense.states(*pairs).tolist() == [True, False, True]

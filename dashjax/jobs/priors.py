"""Priors from edges by number: dense where all pairs of genes fit into memory, sparse beyond."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np

from dashjax.data import Prior, make_prior, make_sparse_prior
from dashjax.io import Edges
from dashjax.sparse import Matrix, make_sparse

#: Genes up to which matrices of all pairs are held.
DENSE_GENES = 4000


def prior_from_edges(edges: Edges, genes: int, similarity: Edges | None = None) -> Prior:
    """Return a prior; its C, if not given, is the number of targets that two genes share."""
    known = None if similarity is None else matrix_from_edges(similarity, genes)
    if genes > DENSE_GENES:
        return make_sparse_prior(*edges, genes=genes, similarity=known)
    return make_prior(matrix_from_edges(edges, genes), known)


def matrix_from_edges(edges: Edges, genes: int) -> Matrix:
    """Return edges as a (regulator, target) matrix."""
    if genes > DENSE_GENES:
        return make_sparse(*edges, (genes, genes))
    matrix = np.zeros((genes, genes), np.float32)
    matrix[edges.regulators, edges.targets] = edges.weights
    return jnp.asarray(matrix)

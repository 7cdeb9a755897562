"""Prior beliefs about a network, dense or sparse, from one source or several."""

from __future__ import annotations

from collections.abc import Sequence

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from dashjax.errors import InputError
from dashjax.numerics.sparse import Matrix, SharedTargets, SparseMatrix, make_sparse

#: Genes up to which matrices of all pairs are held.
DENSE_GENES = 5000


class Prior(eqx.Module):
    """A prior belief about the network.

    Both matrices may be sparse, see `make_sparse_prior`.

    Examples:
        >>> prior = make_prior([[0, 1, -1], [0, 0, 0], [0, 0, 0]])
        >>> prior.n_edges, prior.edges[0].tolist()
        (2, [0.0, 1.0, -1.0])

    Attributes:
        edges: signed weight of each (regulator, target) pair; zero means no prior edge.
        similarity: input-input knowledge C of the first-layer score; by default the number of
            targets that two genes share, |A||A|ᵀ (see `shared_targets`).
        sources: where the belief comes from several sources, the edges that each of them states; None for one.
    """

    edges: Matrix
    similarity: Matrix | SharedTargets
    sources: Float[Array, "source regulator target"] | None = None

    @property
    def n_edges(self) -> int:
        """Number of prior edges."""
        return int(self.edges.count() if isinstance(self.edges, SparseMatrix) else jnp.count_nonzero(self.edges))

    def pairs(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the numbers of the regulator and the target of every prior edge."""
        if isinstance(self.edges, SparseMatrix):
            return self.edges.entries()[:2]
        regulator, target = np.nonzero(np.asarray(self.edges))
        return regulator, target

    def states(self, regulator: np.ndarray, target: np.ndarray) -> np.ndarray:
        """Return which of some pairs of genes, by number, are prior edges."""
        if not isinstance(self.edges, SparseMatrix):
            return np.asarray(self.edges)[regulator, target] != 0
        genes = self.edges.shape[1]
        known, targets = self.pairs()
        return np.isin(np.asarray(regulator) * genes + target, known * genes + targets)


def shared_targets(edges: Float[Array, "regulator target"]) -> Float[Array, "gene gene"]:
    """Count the targets that each pair of genes shares in the prior: C = |A||A|ᵀ (DASH, appendix).

    Examples:
        >>> shared_targets(jnp.array([[0, 1, -1], [0, 0, 1], [0, 0, 0]])).tolist()
        [[2, 1, 0], [1, 1, 0], [0, 0, 0]]
    """
    magnitude = jnp.abs(edges)
    return magnitude @ magnitude.T


def make_prior(edges, similarity=None) -> Prior:
    """Check a prior adjacency matrix and derive C from it where none is given.

    Examples:
        >>> prior = make_prior([[0, 1, -1], [0, 0, 1], [0, 0, 0]])
        >>> prior.n_edges, prior.similarity[0].tolist()
        (3, [2.0, 1.0, 0.0])

    Args:
        edges: array (regulator, target) of signed weights.
        similarity: array (gene, gene), or None for the shared-target counts.

    Raises:
        InputError: on a matrix that is not square, not finite or of the wrong shape.
    """
    edges = np.asarray(edges, dtype=np.float32)
    if edges.ndim != 2 or edges.shape[0] != edges.shape[1]:
        raise InputError(f"prior: expected a square (regulator, target) matrix, got shape {edges.shape}")
    if not np.isfinite(edges).all():
        row, column = np.argwhere(~np.isfinite(edges))[0]
        raise InputError(f"prior: row {row + 1}, column {column + 1} is not a finite number")
    if similarity is None:
        similarity = shared_targets(jnp.asarray(edges))
    elif np.shape(similarity) != edges.shape:
        raise InputError(f"prior: similarity has shape {np.shape(similarity)}, expected {edges.shape}")
    return Prior(jnp.asarray(edges), jnp.asarray(similarity, dtype=jnp.float32))


def make_sparse_prior(regulator, target, weight, genes: int, similarity=None) -> Prior:
    """Put a prior of genome size together: its memory grows with the edges, not with the square of the genes.

    Scores, penalties and two-layer fields take it like a dense one, and compute the same.

    Examples:
        >>> prior = make_sparse_prior([0, 0, 1], [1, 2, 2], [1.0, -1.0, 1.0], genes=20_000)
        >>> prior.n_edges, prior.states(np.array([0, 2]), np.array([2, 0])).tolist()
        (3, [True, False])

    Args:
        regulator: number of each edge's regulator.
        target: of its target.
        weight: signed, of each edge.
        genes: how many there are.
        similarity: a `SparseMatrix` (gene, gene), or None for the shared-target counts, which are never formed.

    Raises:
        InputError: on numbers that are no gene's, or weights that are not finite.
    """
    regulator, target, weight = np.asarray(regulator), np.asarray(target), np.asarray(weight, np.float32)
    if not (regulator.shape == target.shape == weight.shape and regulator.ndim == 1):
        raise InputError(f"prior: {regulator.shape}, {target.shape}, {weight.shape} regulators, targets and weights")
    for name, numbers in (("regulator", regulator), ("target", target)):
        if numbers.size and not (0 <= numbers.min() and numbers.max() < genes):
            raise InputError(f"prior: a {name} is not among the {genes} genes")
    if not np.isfinite(weight).all():
        raise InputError(f"prior: the weight of edge {int(np.argmin(np.isfinite(weight))) + 1} is not a finite number")
    edges = make_sparse(regulator, target, weight, (genes, genes))
    return Prior(edges, SharedTargets(abs(edges), jnp.ones(())) if similarity is None else similarity)


def combine_priors(priors: Sequence[Prior]) -> Prior:
    """Join several priors over the same genes: every edge as its most confident source states it.

    The sources stay apart in `Prior.sources`, for `edge_posterior` trusts each as far as the data bear it out; not so
    those of sparse priors, which are too large for it.

    Examples:
        >>> literature, motifs = make_prior([[0, 0.5], [0, 0]]), make_prior([[0, -1], [0.25, 0]])
        >>> combine_priors([literature, motifs]).edges.tolist()
        [[0.0, -1.0], [0.25, 0.0]]
    """
    if len(priors) == 1:
        return priors[0]
    sparse = [prior.edges for prior in priors if isinstance(prior.edges, SparseMatrix)]
    if len(sparse) == len(priors):
        parts = zip(*(edges.entries() for edges in sparse), strict=True)
        regulator, target, weight = (np.concatenate(part) for part in parts)
        order = np.lexsort((-np.abs(weight), target, regulator))
        _, first = np.unique(np.stack([regulator, target])[:, order], axis=1, return_index=True)
        kept = order[first]
        return make_sparse_prior(regulator[kept], target[kept], weight[kept], sparse[0].shape[0])
    stacked = jnp.stack([jnp.asarray(prior.edges) for prior in priors])
    strongest = jnp.argmax(jnp.abs(stacked), axis=0)
    edges = jnp.take_along_axis(stacked, strongest[None], axis=0)[0]
    return Prior(edges, shared_targets(edges), stacked)


def no_prior(genes: int) -> Prior:
    """Return a prior that states no edge."""
    return prior_from_edges((np.zeros(0, int), np.zeros(0, int), np.zeros(0, np.float32)), genes)


def prior_from_edges(edges: Sequence[np.ndarray], genes: int, similarity: Sequence[np.ndarray] | None = None) -> Prior:
    """Return a prior from edges by number, sparse where there are more than `DENSE_GENES` genes.

    Args:
        edges: regulators, targets and signed weights, one per edge.
        genes: how many there are.
        similarity: C in the same form; the number of targets that two genes share if None.
    """
    known = None if similarity is None else matrix_from_edges(similarity, genes)
    if genes > DENSE_GENES:
        regulators, targets, weights = edges
        return make_sparse_prior(regulators, targets, weights, genes, known)
    return make_prior(matrix_from_edges(edges, genes), known)


def matrix_from_edges(edges: Sequence[np.ndarray], genes: int) -> Matrix:
    """Return edges by number as a (regulator, target) matrix."""
    regulators, targets, weights = edges
    if genes > DENSE_GENES:
        return make_sparse(regulators, targets, weights, (genes, genes))
    matrix = np.zeros((genes, genes), np.float32)
    matrix[regulators, targets] = weights
    return jnp.asarray(matrix)

"""The things every room receives: trajectories of expression, and a prior network.

Axis names used in shapes throughout the library:

| axis | meaning |
| --- | --- |
| `gene` | every gene of the system, as regulator and as target |
| `regulator`, `target` | the two roles of a gene in an adjacency matrix, always in this order |
| `hidden` | hidden units of a field |
| `branch` | parallel stacks of layers inside a field (additive and multiplicative in PHOENIX) |
| `out`, `in` | a layer's weight matrix, stored (out, in) |
| `trajectory`, `time` | independent time courses, and their observation times |
| `transition` | one observed step from a time to the next |
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from dashjax.errors import InputError
from dashjax.sparse import Matrix, SharedTargets, SparseMatrix, make_sparse

#: Beyond this a squared error overflows single precision.
LARGEST_EXPRESSION = 1e15


class Trajectories(eqx.Module):
    """Expression over time for several independent time courses.

    Shorter time courses are padded: `observed` is False there, padded times repeat the last time
    and padded expression repeats the last state, so arithmetic on them stays finite. Values that are
    missing are filled by interpolation, for a step must start somewhere, and never count in an error.

    Attributes:
        times: observation times, in the user's unit, increasing along each row.
        expression: expression of every gene at those times.
        observed: which (trajectory, time) entries were observed.
        measured: which values were measured at the times observed; None where none is missing.
    """

    times: Float[Array, "trajectory time"]
    expression: Float[Array, "trajectory time gene"]
    observed: Bool[Array, "trajectory time"]
    measured: Bool[Array, "trajectory time gene"] | None = None

    @property
    def n_trajectories(self) -> int:
        """Number of time courses."""
        return self.expression.shape[0]

    @property
    def n_genes(self) -> int:
        """Number of genes."""
        return self.expression.shape[-1]

    @property
    def counted(self) -> Bool[Array, "trajectory time #gene"]:
        """Which values an error may count; one for all genes of a time where no value is missing."""
        return self.observed[..., None] if self.measured is None else self.observed[..., None] & self.measured

    @property
    def deviation(self) -> Float[Array, " gene"]:
        """Standard deviation of each gene's measurements over all trajectories and times."""
        where = None if self.measured is None else self.counted
        return jnp.std(self.expression, axis=(0, 1), where=where)

    def __getitem__(self, rows) -> Trajectories:
        """Return the trajectories selected by `rows`, a slice or an index array."""
        return jax.tree.map(lambda leaf: leaf[rows], self)

    def in_time_unit(self, unit: float) -> Trajectories:
        """Return the same time courses with times counted in a unit of so many of the present ones."""
        return Trajectories(self.times / unit, self.expression, self.observed, self.measured)

    def in_steps(self) -> Trajectories:
        """Return every step between observations as a time course of its own; padding stays unobserved."""

        def pairs(leaf):
            joined = jnp.stack([leaf[:, :-1], leaf[:, 1:]], axis=2)
            return joined.reshape(-1, *joined.shape[2:])

        return jax.tree.map(pairs, self)

    def of_genes(self, order) -> Trajectories:
        """Return the same time courses of the genes selected by `order`, in that order."""
        measured = None if self.measured is None else self.measured[..., order]
        return Trajectories(self.times, self.expression[..., order], self.observed, measured)


class Prior(eqx.Module):
    """A prior belief about the network.

    Both matrices may be sparse, see `make_sparse_prior`.

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


class Split(eqx.Module):
    """Trajectories to train on, to validate on, and (where there are any) to test on."""

    train: Trajectories
    validation: Trajectories
    test: Trajectories

    def seen(self) -> Trajectories:
        """Return training and validation trajectories together: all that a model may be judged by without a test."""
        return jax.tree.map(lambda *parts: jnp.concatenate(parts), self.train, self.validation)


def canonical_order(genes: Sequence[str]) -> np.ndarray:
    """Return the positions of genes in the order of their names, numbers inside names counting as numbers.

    A run draws its initial weights and noise by position, so a study or a user's file is put into this
    order first: then the order of its rows or columns does not change the network.
    """

    def parts(position: int):
        pieces = re.split(r"(\d+)", genes[position])
        return [(int(piece), "") if number % 2 else (0, piece) for number, piece in enumerate(pieces)], genes[position]

    return np.array(sorted(range(len(genes)), key=parts), dtype=int)


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


def make_trajectories(times: Sequence, expression: Sequence) -> Trajectories:
    """Check trajectories of any lengths and pad them to one rectangular pair of arrays.

    Missing values (NaN) are marked as not measured and filled: between two measurements of the gene in the
    same trajectory by a straight line, before the first and after the last by the nearest one, and by the gene's
    mean elsewhere where the trajectory has none.

    Examples:
        >>> ragged = make_trajectories([[0, 1, 3], [0, 2]], [[[0.0], [np.nan], [3.0]], [[1.0], [2.0]]])
        >>> ragged.expression[..., 0].tolist()
        [[0.0, 1.0, 3.0], [1.0, 2.0, 2.0]]
        >>> ragged.counted[..., 0].tolist()
        [[True, False, True], [True, True, False]]

    Args:
        times: per trajectory, its increasing observation times.
        expression: per trajectory, an array (time, gene), NaN where a value is missing.

    Returns:
        Trajectories, padded where lengths differ.

    Raises:
        InputError: on shapes that do not agree, infinite values, genes without any value, or times that are
            unsorted or repeated; the message counts trajectories and rows from 1.
    """
    if len(times) != len(expression) or not len(times):
        raise InputError(f"trajectories: {len(times)} time grids for {len(expression)} expression arrays")
    times = [np.asarray(t, dtype=np.float64) for t in times]
    expression = [np.asarray(e, dtype=np.float64) for e in expression]
    genes = expression[0].shape[-1]
    for number, (t, e) in enumerate(zip(times, expression, strict=True), start=1):
        where = f"trajectory {number}"
        if e.ndim != 2 or t.ndim != 1 or e.shape != (t.shape[0], genes):
            raise InputError(f"{where}: {t.shape} times for expression of shape {e.shape} ({genes} genes)")
        if t.shape[0] < 2:
            raise InputError(f"{where}: needs at least two observation times, has {t.shape[0]}")
        if not np.isfinite(t).all():
            raise InputError(f"{where}: observation {np.argmin(np.isfinite(t)) + 1} has no finite time")
        # Nothing compares with NaN, so a missing value is not too large.
        if (np.abs(e) > LARGEST_EXPRESSION).any():
            row, column = np.argwhere(np.abs(e) > LARGEST_EXPRESSION)[0]
            raise InputError(f"{where}: expression of gene {column + 1} at time {t[row]:g} is {e[row, column]:g}")
        # In single precision, as the solver will see them: times a rounding error apart are the same.
        steps = np.diff(t.astype(np.float32))
        if not (steps > 0).all():
            at = int(np.argmax(~(steps > 0)))
            what = "appears twice" if steps[at] == 0 else f"is followed by {t[at + 1]:g}"
            raise InputError(f"{where}: times must increase, but time {t[at]:g} {what}")
    longest = max(t.shape[0] for t in times)

    def pad(values):
        extra = longest - values.shape[0]
        return np.concatenate([values, np.repeat(values[-1:], extra, axis=0)])

    measured = [~np.isnan(e) for e in expression]
    complete = all(m.all() for m in measured)
    if not complete:
        expression = _fill(times, expression, measured)
    return Trajectories(
        times=jnp.asarray(np.stack([pad(t) for t in times]), dtype=jnp.float32),
        expression=jnp.asarray(np.stack([pad(e) for e in expression]), dtype=jnp.float32),
        observed=jnp.asarray(np.stack([np.arange(longest) < t.shape[0] for t in times])),
        measured=None if complete else jnp.asarray(np.stack([pad(m) for m in measured])),
    )


def _fill(
    times: Sequence[np.ndarray], expression: Sequence[np.ndarray], measured: Sequence[np.ndarray]
) -> list[np.ndarray]:
    """Fill missing values from what is measured of the same gene."""
    everything, there = np.concatenate(expression), np.concatenate(measured)
    count = there.sum(axis=0)
    if (count == 0).any():
        raise InputError(f"expression: gene {int(np.argmin(count)) + 1} has no value at any time")
    mean = np.where(there, everything, 0.0).sum(axis=0) / count
    filled = []
    for t, e, m in zip(times, expression, measured, strict=True):
        e = e.copy()
        for gene in np.flatnonzero(~m.all(axis=0)):
            known = m[:, gene]
            e[~known, gene] = np.interp(t[~known], t[known], e[known, gene]) if known.any() else mean[gene]
        filled.append(e)
    return filled

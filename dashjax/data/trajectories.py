"""Expression over time, and how it is divided for training, validating and testing.

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
from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from dashjax.data.interventions import Production, RestSamples, no_intervention
from dashjax.errors import InputError

#: Trajectories from which on whole ones are held out.
FEW = 5
#: Beyond this a squared error overflows single precision.
LARGEST_EXPRESSION = 1e15


class Trajectories(eqx.Module):
    """Expression over time for several independent time courses.

    Shorter time courses are padded: `observed` is False there, padded times repeat the last time
    and padded expression repeats the last state, so arithmetic on them stays finite. Values that are
    missing are filled by interpolation, for a step must start somewhere, and never count in an error.

    Examples:
        >>> two = make_trajectories([[0, 1, 3], [0, 2]], [[[0.0], [1.0], [3.0]], [[1.0], [2.0]]])
        >>> two.n_trajectories, two.n_genes, two.observed.tolist()
        (2, 1, [[True, True, True], [True, True, False]])

    Attributes:
        times: observation times, in the user's unit, increasing along each row.
        expression: expression of every gene at those times.
        observed: which (trajectory, time) entries were observed.
        measured: which values were measured at the times observed; None where none is missing.
        production: what was done to the production of every gene; None where nothing was.
    """

    times: Float[Array, "trajectory time"]
    expression: Float[Array, "trajectory time gene"]
    observed: Bool[Array, "trajectory time"]
    measured: Bool[Array, "trajectory time gene"] | None = None
    production: Production | None = None

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

    def in_steps(self) -> Trajectories:
        """Return every step between observations as a time course of its own; padding stays unobserved."""

        def pairs(leaf):
            joined = jnp.stack([leaf[:, :-1], leaf[:, 1:]], axis=2)
            return joined.reshape(-1, *joined.shape[2:])

        steps = jax.tree.map(pairs, replace(self, production=None))
        each = self.times.shape[1] - 1
        return replace(steps, production=jax.tree.map(lambda leaf: jnp.repeat(leaf, each, axis=0), self.production))

    def of_genes(self, order) -> Trajectories:
        """Return the same time courses of the genes selected by `order`, in that order."""
        measured = None if self.measured is None else self.measured[..., order]
        production = jax.tree.map(lambda leaf: leaf[..., order], self.production)
        return Trajectories(self.times, self.expression[..., order], self.observed, measured, production)


class Split(eqx.Module):
    """Trajectories to train on, to validate on, and (where there are any) to test on.

    Examples:
        >>> course = make_trajectories([[0, 1]], [[[0.0], [1.0]]])
        >>> Split(train=course, validation=course).seen().n_trajectories
        2

    Attributes:
        train: what gradients are taken of.
        validation: what models are selected by.
        test: what a selected model is tested on.
        rest: samples at rest, which are trained on whatever is held out.
    """

    train: Trajectories
    validation: Trajectories
    test: Trajectories | None = None
    rest: RestSamples | None = None

    def seen(self) -> Trajectories:
        """Return training and validation trajectories together: all that a model may be judged by without a test."""
        return join(self.train, self.validation)


def join(first: Trajectories, second: Trajectories) -> Trajectories:
    """Return the trajectories of both, the shorter ones padded; values are missing where they are in either.

    Examples:
        >>> long = make_trajectories([[0, 1, 2]], [[[0.0], [1.0], [2.0]]])
        >>> short = make_trajectories([[0, 5]], [[[3.0], [np.nan]]])
        >>> both = join(long, short)
        >>> both.times.tolist(), both.counted[..., 0].tolist()
        ([[0.0, 1.0, 2.0], [0.0, 5.0, 5.0]], [[True, True, True], [True, False, False]])

    Raises:
        InputError: where they are of different numbers of genes.
    """
    if first.n_genes != second.n_genes:
        raise InputError(f"trajectories: {first.n_genes} and {second.n_genes} genes cannot be joined")
    longest = max(first.times.shape[1], second.times.shape[1])
    masked = first.measured is not None or second.measured is not None
    treated = first.production is not None or second.production is not None

    def padded(part: Trajectories) -> Trajectories:
        extra = longest - part.times.shape[1]
        measured = jnp.broadcast_to(part.counted, part.expression.shape) if masked else None

        def pad(leaf, mode="edge"):
            return jnp.pad(leaf, [(0, 0), (0, extra)] + [(0, 0)] * (leaf.ndim - 2), mode=mode)

        return Trajectories(
            pad(part.times),
            pad(part.expression),
            pad(part.observed, "constant"),
            None if not masked else pad(measured),
            (part.production or no_intervention(part.n_trajectories, part.n_genes)) if treated else None,
        )

    return jax.tree.map(lambda *parts: jnp.concatenate(parts), padded(first), padded(second))


def pieces_of(observed: Trajectories) -> Trajectories:
    """Return what can be held out one by one: whole trajectories, or single transitions where those are few.

    So that one long time course can be validated too.
    """
    return observed if observed.n_trajectories >= FEW else single_transitions(observed)


def single_transitions(observed: Trajectories) -> Trajectories:
    """Cut trajectories into pieces of two observations."""
    pieces = observed.in_steps()
    return pieces[np.flatnonzero(np.asarray(pieces.observed).all(axis=1))]


def canonical_order(genes: Sequence[str]) -> np.ndarray:
    """Return the positions of genes in the order of their names, numbers inside names counting as numbers.

    A run draws its initial weights and noise by position, so a study or a user's file is put into this
    order first: then the order of its rows or columns does not change the network.
    """

    def parts(position: int):
        pieces = re.split(r"(\d+)", genes[position])
        return [(int(piece), "") if number % 2 else (0, piece) for number, piece in enumerate(pieces)], genes[position]

    return np.array(sorted(range(len(genes)), key=parts), dtype=int)


def make_trajectories(
    times: Sequence, expression: Sequence, names: Sequence[str] = (), gene_names: Sequence[str] = ()
) -> Trajectories:
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
        names: of the trajectories, for messages; numbers from 1 without.
        gene_names: for messages; numbers from 1 without.

    Returns:
        Trajectories, padded where lengths differ.

    Raises:
        InputError: on shapes that do not agree, infinite values, genes without any value, or times that are
            unsorted or repeated; the message names trajectory and gene.
    """
    if len(times) != len(expression) or not len(times):
        raise InputError(f"trajectories: {len(times)} time grids for {len(expression)} expression arrays")
    times = [np.asarray(t, dtype=np.float64) for t in times]
    expression = [np.asarray(e, dtype=np.float64) for e in expression]
    genes = expression[0].shape[-1]
    for number, (t, e) in enumerate(zip(times, expression, strict=True)):
        where = f"trajectory {_name(names, number)}"
        if e.ndim != 2 or t.ndim != 1 or e.shape != (t.shape[0], genes):
            raise InputError(f"{where}: {t.shape} times for expression of shape {e.shape} ({genes} genes)")
        if t.shape[0] < 2:
            raise InputError(f"{where}: needs at least two observation times, has {t.shape[0]}")
        # In single precision, that is.
        usable = np.abs(t) <= np.finfo(np.float32).max
        if not usable.all():
            at = int(np.argmin(usable))
            raise InputError(f"{where}: observation {at + 1} has no finite time ({t[at]:g})")
        # Nothing compares with NaN, so a missing value is not too large.
        if (np.abs(e) > LARGEST_EXPRESSION).any():
            row, column = np.argwhere(np.abs(e) > LARGEST_EXPRESSION)[0]
            raise InputError(
                f"{where}: expression of gene {_name(gene_names, column)} at time {t[row]:g} is {e[row, column]:g}"
            )
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
        expression = _fill(times, expression, measured, gene_names)
    return Trajectories(
        times=jnp.asarray(np.stack([pad(t) for t in times]), dtype=jnp.float32),
        expression=jnp.asarray(np.stack([pad(e) for e in expression]), dtype=jnp.float32),
        observed=jnp.asarray(np.stack([np.arange(longest) < t.shape[0] for t in times])),
        measured=None if complete else jnp.asarray(np.stack([pad(m) for m in measured])),
    )


def _name(names: Sequence[str], number: int) -> str:
    return f"'{names[number][:40]}'" if len(names) else str(number + 1)


def _fill(
    times: Sequence[np.ndarray], expression: Sequence[np.ndarray], measured: Sequence[np.ndarray], names: Sequence[str]
) -> list[np.ndarray]:
    """Fill missing values from what is measured of the same gene."""
    everything, there = np.concatenate(expression), np.concatenate(measured)
    count = there.sum(axis=0)
    if (count == 0).any():
        raise InputError(f"expression: gene {_name(names, int(np.argmin(count)))} has no value at any time")
    mean = np.where(there, everything, 0.0).sum(axis=0) / count
    filled = []
    for t, e, m in zip(times, expression, measured, strict=True):
        e = e.copy()
        for gene in np.flatnonzero(~m.all(axis=0)):
            known = m[:, gene]
            e[~known, gene] = np.interp(t[~known], t[known], e[known, gene]) if known.any() else mean[gene]
        filled.append(e)
    return filled

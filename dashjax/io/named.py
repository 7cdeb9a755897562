"""What files state, with names: expression over time, and networks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import jax.numpy as jnp
import numpy as np

from dashjax.data import Trajectories, canonical_order, make_trajectories
from dashjax.errors import InputError
from dashjax.io.tables import refuse_repeats, short


@dataclass(frozen=True)
class Expression:
    """Trajectories with the names of their genes.

    Attributes:
        genes: names, in the arrays' order.
        trajectories: the data.
        source: the file they came from.
        names: of the trajectories.
        notes: what was done to the file's values on the way, one sentence each.
        file_order: the genes in the file's order, where it is not that of the arrays; empty otherwise.
    """

    genes: tuple[str, ...]
    trajectories: Trajectories
    source: str
    names: tuple[str, ...]
    notes: tuple[str, ...] = ()
    file_order: tuple[str, ...] = ()

    def unpadded(self) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Return, per trajectory, its times and its expression (time, gene), NaN where a value is missing."""
        values, counted = self.trajectories, np.asarray(self.trajectories.counted)
        expression = np.where(counted, np.asarray(values.expression), np.float32("nan"))
        lengths = np.asarray(values.observed).sum(axis=1)
        times = [np.asarray(t)[:n] for t, n in zip(values.times, lengths, strict=True)]
        return times, [e[:n] for e, n in zip(expression, lengths, strict=True)]

    def with_unmeasured(self, names: Sequence[str]) -> Expression:
        """Return the same data with further genes that were never measured; they start at 0 and count in no error."""
        new = [name for name in dict.fromkeys(names) if name not in set(self.genes)]
        if not new:
            return self
        values = self.trajectories
        shape = (*values.observed.shape, len(new))
        counted = jnp.broadcast_to(values.counted, values.expression.shape)
        trajectories = replace(
            values,
            expression=jnp.concatenate([values.expression, jnp.zeros(shape)], axis=-1),
            measured=jnp.concatenate([counted, jnp.zeros(shape, bool)], axis=-1),
        )
        note = f"{len(new):,} genes of the prior have no expression; they join without measurements"
        return replace(self, genes=(*self.genes, *new), trajectories=trajectories, notes=(*self.notes, note))

    def in_canonical_order(self) -> Expression:
        """Return the same data with its genes in the order of their names (see `canonical_order`)."""
        order = canonical_order(self.genes)
        genes = tuple(self.genes[n] for n in order)
        trajectories = self.trajectories.of_genes(order)
        return replace(self, genes=genes, trajectories=trajectories, file_order=self.file_order or self.genes)


@dataclass(frozen=True)
class CellOptions:
    """How cells become trajectories, for formats that hold cells.

    Attributes:
        layer: of an AnnData file; its X if None.
        time: column of `obs` with each cell's time or pseudotime; a usual name if None.
        trajectory: column of `obs` with each cell's trajectory, branch or replicate; all cells are one if None.
        bins: metacells along each trajectory's time; chosen from the data if None, see `average_cells`.
    """

    layer: str | None = None
    time: str | None = None
    trajectory: str | None = None
    bins: int | None = None


def make_expression(
    genes: Sequence[str],
    times: Sequence[np.ndarray],
    expression: Sequence[np.ndarray],
    path: Path | str,
    names: Sequence[str] | None = None,
    notes: Sequence[str] = (),
) -> Expression:
    """Check what a reader found and put it together; missing values (NaN) are masked, and noted.

    Raises:
        InputError: where `make_trajectories` does, or genes are repeated; the message names the file.
    """
    refuse_repeats(genes, path)
    names = [str(n + 1) for n in range(len(times))] if names is None else names
    missing = sum(int(np.isnan(e).sum()) for e in expression)
    if missing:
        never = np.all([np.isnan(e).all(axis=0) for e in expression], axis=0)
        if never.any():
            raise InputError(f"{path}: gene '{short(genes[int(np.argmax(never))])}' has no value at any time")
        total = sum(e.size for e in expression)
        notes = [*notes, f"{missing:,} of {total:,} values are missing; they are masked and count in no error"]
    try:
        trajectories = make_trajectories(times, expression)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    return Expression(tuple(genes), trajectories, str(path), tuple(names), tuple(notes))


@dataclass(frozen=True)
class NamedNetwork:
    """Edges between named genes, as a file states them, before they are matched with an expression's genes.

    Attributes:
        regulators: one per edge.
        targets: one per edge.
        weights: signed, one per edge; zero states that there is none.
        rows: the file's row of each edge.
        names: every gene that the file names, in its order.
        source: the file.
    """

    regulators: tuple[str, ...]
    targets: tuple[str, ...]
    weights: np.ndarray
    rows: np.ndarray
    names: tuple[str, ...]
    source: str


def make_network(edges: Sequence[tuple[str, str, float, int]], path: Path | str) -> NamedNetwork:
    """Put edges (regulator, target, weight, row) together.

    Raises:
        InputError: where there is none.
    """
    if not edges:
        raise InputError(f"{path}: no edges")
    regulators, targets, weights, rows = zip(*edges, strict=True)
    names = tuple(dict.fromkeys(name for pair in zip(regulators, targets, strict=True) for name in pair))
    return NamedNetwork(regulators, targets, np.array(weights), np.array(rows), names, str(path))

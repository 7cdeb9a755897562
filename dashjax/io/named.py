"""What files state, with names: expression over time and at rest, what was done to it, and networks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import jax.numpy as jnp
import numpy as np

from dashjax.data import LARGEST_EXPRESSION, Trajectories, canonical_order, make_trajectories
from dashjax.data.interventions import Intervention
from dashjax.errors import InputError, unknown
from dashjax.io.metadata import is_metadata, left_out
from dashjax.io.name_hints import GENES_IN_ROWS, name_hints
from dashjax.io.stated import applied_to_repeats, knocked_out_yet_high, refuse_misstated
from dashjax.io.tables import refuse_repeats, short


@dataclass(frozen=True)
class Samples:
    """Samples at rest of an expression: they belong to no time course.

    Attributes:
        names: of the samples.
        levels: their expression (sample, gene) in single precision, NaN where a value is missing; the genes are those
            of the `Expression` that holds them, in its order.
    """

    names: tuple[str, ...]
    levels: np.ndarray


@dataclass(frozen=True)
class NamedSamples:
    """Samples at rest as a file states them, before they are matched with an expression's genes.

    Attributes:
        names: of the samples.
        genes: names, in the file's order.
        levels: expression (sample, gene), NaN where a value is missing.
        source: the file.
    """

    names: tuple[str, ...]
    genes: tuple[str, ...]
    levels: np.ndarray
    source: str


@dataclass(frozen=True)
class Expression:
    """Trajectories with the names of their genes, samples at rest beside them, and what was done in each.

    An experiment is a trajectory or a sample; no two have one name.

    Attributes:
        genes: names, in the arrays' order.
        trajectories: the data; there may be none where there are samples at rest, see `no_trajectories`.
        source: the file they came from.
        names: of the trajectories.
        notes: what was done to the file's values on the way, one sentence each.
        file_order: the genes in the file's order, where it is not that of the arrays; empty otherwise.
        steady: samples at rest, if any.
        interventions: what was done to genes, in trajectories and samples.
    """

    genes: tuple[str, ...]
    trajectories: Trajectories
    source: str
    names: tuple[str, ...]
    notes: tuple[str, ...] = ()
    file_order: tuple[str, ...] = ()
    steady: Samples | None = None
    interventions: tuple[Intervention, ...] = ()

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
        steady = None if self.steady is None else _with_columns(self.steady, len(new))
        hints = "".join(f"; {hint}" for hint in name_hints(new, self.genes))
        note = f"{len(new):,} genes of the prior have no expression; they join without measurements{hints}"
        notes = (*self.notes, note)
        return replace(self, genes=(*self.genes, *new), trajectories=trajectories, steady=steady, notes=notes)

    def in_canonical_order(self) -> Expression:
        """Return the same data with its genes in the order of their names (see `canonical_order`)."""
        return replace(self.of_genes(canonical_order(self.genes)), file_order=self.file_order or self.genes)

    def with_experiments(
        self, steady: NamedSamples | None = None, interventions: Sequence[Intervention] = ()
    ) -> Expression:
        """Return the same data with further samples at rest, and with what was done in its experiments.

        An intervention on `X` is one on `X #2`, `X #3`, … too. A stimulus joins as a gene of its own, at its dose
        where it was given (1 where that is unknown) and at 0 in all other trajectories and samples.

            data = read_expression("series.csv")
            data = data.with_experiments(read_steady("rest.csv"), read_interventions("interventions.csv"))

        Args:
            steady: samples to join those that are there; their further genes are left out, and noted.
            interventions: to join those that are there.

        Raises:
            InputError: on names that repeat or are unknown, or an intervention that makes no sense; see
                `refuse_misstated`. The message names the file, and of interventions the row.
        """
        data = self._without_stimuli()
        if steady is not None:
            data = data._with_samples(steady)
        experiments = data.experiments
        new = applied_to_repeats(interventions, experiments)
        stated = (*self.interventions, *new)
        refuse_misstated(stated, experiments, data.genes)
        high = knocked_out_yet_high(new, experiments, data.genes, *data._observations())
        return replace(data, interventions=stated, notes=(*data.notes, *high))._with_stimuli()

    @property
    def experiments(self) -> tuple[str, ...]:
        """Names of the trajectories, then of the samples at rest."""
        return self.names if self.steady is None else (*self.names, *self.steady.names)

    def of_genes(self, order: Sequence[int] | np.ndarray) -> Expression:
        """Return the same data of some genes alone, by number, in this order."""
        order = np.asarray(order, dtype=int)
        steady = None if self.steady is None else replace(self.steady, levels=self.steady.levels[:, order])
        genes = tuple(self.genes[n] for n in order)
        return replace(self, genes=genes, trajectories=self.trajectories.of_genes(order), steady=steady)

    def _with_samples(self, samples: NamedSamples) -> Expression:
        place = {gene: number for number, gene in enumerate(samples.genes)}
        missing = [gene for gene in self.genes if gene not in place]
        if missing:
            shown = ", ".join(map(short, missing[:5])) + ("…" if len(missing) > 5 else "")
            hint = "".join(f"; {text}" for text in name_hints(missing, samples.genes))
            if 2 * len(set(samples.names) & set(self.genes)) > len(self.genes):
                hint = f"; {GENES_IN_ROWS}"
            raise InputError(
                f"{samples.source}: {len(missing)} of {len(self.genes)} genes of the expression are not among those "
                f"of the samples at rest ({shown}){hint}"
            )
        refuse_repeats((*(() if self.steady is None else self.steady.names), *samples.names), samples.source, "sample")
        for name in samples.names:
            if name in self.names:
                raise InputError(f"{samples.source}: sample '{short(name)}' has the name of a trajectory")
        notes, further = [], len(samples.genes) - len(self.genes)
        if further:
            notes.append(f"{samples.source}: {further:,} genes that the expression lacks are left out")
        joined = make_samples(
            samples.names, samples.levels[:, [place[gene] for gene in self.genes]], self.genes, samples.source
        )
        missing_values = int(np.isnan(joined.levels).sum())
        if missing_values:
            notes.append(f"{samples.source}: {missing_values:,} of {joined.levels.size:,} values are missing")
        if self.steady is not None:
            names = (*self.steady.names, *joined.names)
            joined = Samples(names, np.concatenate([self.steady.levels, joined.levels]))
        return replace(self, steady=joined, notes=(*self.notes, *notes))

    def _observations(self) -> tuple[np.ndarray, np.ndarray]:
        """Return all values (observation, gene), NaN where one is missing, and the experiment of each observation."""
        values = self.trajectories
        levels = np.where(np.asarray(values.counted), np.asarray(values.expression), np.float32("nan"))
        levels = levels.reshape(-1, len(self.genes))
        owner = np.repeat(np.arange(len(self.names)), values.times.shape[1])
        if self.steady is None:
            return levels, owner
        rest = len(self.names) + np.arange(len(self.steady.names))
        return np.concatenate([levels, self.steady.levels]), np.concatenate([owner, rest])

    def _stimuli(self) -> dict[str, dict[str, float]]:
        """Return every stimulus with its dose in the experiments it was given in."""
        doses: dict[str, dict[str, float]] = {}
        for one in self.interventions:
            if one.kind == "stimulus":
                doses.setdefault(one.gene, {})[one.experiment] = 1.0 if one.value is None else one.value
        return doses

    def _without_stimuli(self) -> Expression:
        stimuli = self._stimuli()
        if not stimuli:
            return self
        plain = self.of_genes([number for number, gene in enumerate(self.genes) if gene not in stimuli])
        return replace(plain, file_order=tuple(gene for gene in self.file_order if gene not in stimuli))

    def _with_stimuli(self) -> Expression:
        stimuli = self._stimuli()
        if not stimuli:
            return self
        doses = np.array(
            [[given.get(name, 0.0) for given in stimuli.values()] for name in self.experiments], np.float32
        )
        values, count = self.trajectories, len(self.names)
        added = np.repeat(doses[:count, None], values.times.shape[1], axis=1)
        measured = values.measured
        if measured is not None:
            measured = jnp.concatenate([measured, jnp.ones(added.shape, bool)], axis=-1)
        trajectories = replace(
            values, expression=jnp.concatenate([values.expression, jnp.asarray(added)], axis=-1), measured=measured
        )
        steady = self.steady
        if steady is not None:
            steady = replace(steady, levels=np.concatenate([steady.levels, doses[count:]], axis=1))
        file_order = (*self.file_order, *stimuli) if self.file_order else ()
        return replace(
            self, genes=(*self.genes, *stimuli), trajectories=trajectories, steady=steady, file_order=file_order
        )


#: How raw counts can be normalised.
NORMALISATIONS = ("log1p",)


@dataclass(frozen=True)
class CellOptions:
    """How cells become trajectories, for formats that hold cells.

    Attributes:
        layer: of an AnnData file; its X if None.
        time: column of `obs` with each cell's time or pseudotime; a usual name if None.
        trajectory: column of `obs` with each cell's trajectory, branch or replicate; all cells are one if None.
        bins: metacells along each trajectory's time; chosen from the data if None, see `average_cells`.
        perturbation: column of `obs` with the genes that were knocked out in each cell, `A+B` for two, see
            `average_populations`; nothing was done to any cell if None.
        control: that column's label of cells to which nothing was done; a usual name if None.
        gene_symbols: column of `var` with the genes' names; its index if None.
        normalise: "log1p" for raw counts: scaled to the same library size, then log(1 + x); None takes values as they
            are.
    """

    layer: str | None = None
    time: str | None = None
    trajectory: str | None = None
    bins: int | None = None
    perturbation: str | None = None
    control: str | None = None
    gene_symbols: str | None = None
    normalise: str | None = None

    def __post_init__(self):
        """Refuse another way to normalise.

        Raises:
            InputError: naming the argument.
        """
        if self.normalise not in (None, *NORMALISATIONS):
            raise InputError(unknown("value", self.normalise, NORMALISATIONS), "normalise")


def no_trajectories(genes: int) -> Trajectories:
    """Return trajectories of so many genes of which there are none: for data that are all at rest."""
    return Trajectories(jnp.zeros((0, 2)), jnp.zeros((0, 2, genes)), jnp.zeros((0, 2), bool))


def make_samples(names: Sequence[str], levels: np.ndarray, genes: Sequence[str], path: Path | str) -> Samples:
    """Check samples at rest and put them together.

    Raises:
        InputError: on names that repeat or values beyond any sense; the message names the file.
    """
    refuse_repeats(names, path, "sample")
    beyond = np.abs(levels) > LARGEST_EXPRESSION
    if beyond.any():
        row, column = np.argwhere(beyond)[0]
        raise InputError(
            f"{path}: expression of gene '{short(genes[column])}' in sample '{short(names[row])}' is "
            f"{levels[row, column]:g}"
        )
    return Samples(tuple(names), np.asarray(levels, np.float32))


def expression_at_rest(samples: NamedSamples) -> Expression:
    """Return samples at rest as an expression of their own, without any trajectory.

    Raises:
        InputError: on genes that repeat or have no value.
    """
    steady = make_samples(samples.names, samples.levels, samples.genes, samples.source)
    return make_expression(samples.genes, [], [], samples.source, [], steady=steady)


def _with_columns(samples: Samples, count: int) -> Samples:
    """Return samples with further genes that were never measured."""
    further = np.full((len(samples.names), count), np.nan, np.float32)
    return replace(samples, levels=np.concatenate([samples.levels, further], axis=1))


def make_expression(
    genes: Sequence[str],
    times: Sequence[np.ndarray],
    expression: Sequence[np.ndarray],
    path: Path | str,
    names: Sequence[str] | None = None,
    notes: Sequence[str] = (),
    steady: Samples | None = None,
) -> Expression:
    """Check what a reader found and put it together; missing values (NaN) are masked, and noted.

    Raises:
        InputError: where `make_trajectories` does, or genes are repeated; the message names the file.
    """
    kept = [place for place, name in enumerate(genes) if not is_metadata(name)]
    if len(kept) < len(genes):
        notes = [*notes, left_out([name for name in genes if is_metadata(name)])]
        genes = [genes[place] for place in kept]
        expression = [np.asarray(e)[:, kept] for e in expression]
        steady = None if steady is None else replace(steady, levels=steady.levels[:, kept])
    if not len(genes):
        raise InputError(f"{path}: no genes")
    refuse_repeats(genes, path)
    names = [str(n + 1) for n in range(len(times))] if names is None else names
    parts = [*expression] if steady is None else [*expression, steady.levels]
    missing = sum(int(np.isnan(e).sum()) for e in parts)
    unseen = np.zeros(len(genes), bool)
    if missing:
        never = np.all([np.isnan(e).all(axis=0) for e in parts], axis=0)
        if never.any():
            raise InputError(f"{path}: gene '{short(genes[int(np.argmax(never))])}' has no value at any time")
        total = sum(e.size for e in parts)
        notes = [*notes, f"{missing:,} of {total:,} values are missing; they are masked and count in no error"]
        if len(times) and steady is not None:
            unseen = np.all([np.isnan(e).all(axis=0) for e in expression], axis=0)
    if unseen.any():
        assert steady is not None, "they have values at rest"
        # What only samples at rest have measured begins where it rests, and counts in no error.
        rest = np.nanmean(steady.levels[:, unseen], axis=0)
        expression = [e.copy() for e in expression]
        for e in expression:
            e[:, unseen] = rest
    try:
        alone = steady is not None and not len(times)
        trajectories = no_trajectories(len(genes)) if alone else make_trajectories(times, expression, names, genes)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    if unseen.any():
        counted = jnp.broadcast_to(trajectories.counted, trajectories.expression.shape)
        trajectories = replace(trajectories, measured=counted & ~jnp.asarray(unseen))
    return Expression(tuple(genes), trajectories, str(path), tuple(names), tuple(notes), steady=steady)


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

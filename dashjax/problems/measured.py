"""Measured data with a known network, each with the prior that the data set brings: nothing about it is made up.

Where parts of the known network are the prior, what is scored is hidden from it: the edges of some targets or of some
regulators altogether. Draws of hidden parts depend on their seed and on the names of genes alone.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

import numpy as np

from dashjax.data import Problem, make_prior, make_problem, make_trajectories
from dashjax.errors import InputError
from dashjax.io import (
    Expression,
    align_network,
    read_expression,
    read_gold_standard,
    read_inferelator,
    read_network,
)
from dashjax.io.genes import read_gene_names

#: Targets that are drawn beside the regulators of a data set in the Inferelator's layout; half of them are hidden.
TARGETS = 450
#: Draws: of hidden targets and hidden regulators there, of hidden targets of the yeast cell cycle, of IRMA's half.
TARGET_DRAWS, REGULATOR_DRAWS, YEAST_DRAWS, IRMA_DRAWS = range(5), range(2), range(2), range(5)
#: Folders, what they are called, and a file without which they are not what is looked for.
FOLDERS = {
    "bsubtilis": ("B. subtilis", "meta_data.tsv"),
    "yeast": ("yeast", "meta_data.tsv"),
    "yeast3551": ("yeast cell cycle", "pramila_3551genes_1sample_24T.csv"),
    "irma": ("IRMA", "irma_timeseries_mean.csv"),
}
#: What a folder of measured data is searched for.
SOUGHT = tuple(f"{name}/{file}" for name, (_, file) in FOLDERS.items())
#: Files of the Inferelator's layout, plain or gzipped, the first that is there.
EXPRESSION, META, GOLD, FACTORS = (
    ("expression.tsv",),
    ("meta_data.tsv",),
    ("gold_standard.tsv", "gold_edges.csv"),
    ("tf_names.tsv",),
)
#: Problems by name, each loaded when it is called for.
Named = Iterator[tuple[str, Callable[[], Problem]]]


@dataclass(frozen=True)
class Known:
    """Measured data and what is known of their network.

    Attributes:
        data: expression, genes in canonical order.
        edges: known edges, signed where signs are known (regulator, target).
    """

    data: Expression
    edges: np.ndarray

    @property
    def regulators(self) -> list[str]:
        """Names of the genes with a known edge, in the order of their names."""
        return sorted(np.array(self.data.genes)[(self.edges != 0).any(axis=1)].tolist())

    @property
    def targets(self) -> list[str]:
        """Names of the genes that a known edge leads to and that are no regulators, in the order of their names."""
        reached = np.array(self.data.genes)[(self.edges != 0).any(axis=0)].tolist()
        return sorted(set(reached) - set(self.regulators))


def measured(folder: Path) -> Named:
    """Find what there is among `FOLDERS` in a folder: what is missing is left out, see `missing`."""
    for name, (label, _) in FOLDERS.items():
        if not _is_there(folder, name):
            continue
        place = folder / name
        if name == "irma":
            yield from _irma(place, label)
        elif name == "yeast3551":
            yield from _yeast_cell_cycle(place, label)
        else:
            yield from in_inferelator_layout(place, label)


def missing(folder: Path) -> list[str]:
    """Return a line per data set of `FOLDERS` that a folder lacks."""
    return [
        f"{label} is left out: no {name}/{file} in {folder}"
        for name, (label, file) in FOLDERS.items()
        if not _is_there(folder, name)
    ]


def in_inferelator_layout(folder: Path, label: str) -> Named:
    """Cross-validate a folder in the Inferelator's layout: the edges of targets, and of regulators, are hidden in turn.

    Genes are the regulators with a known edge and `TARGETS` other targets drawn by the seed, of all samples. Of hidden
    targets, half of those drawn, all regulators are asked for; of hidden regulators, half of them, all targets.

    Args:
        folder: with expression (gene × sample), meta data, a gold standard and, if it is there, the names of those who
            may regulate: edges of others are left out.
        label: what the data set is called.
    """
    known = cache(partial(read_inferelator_folder, folder))
    for seed in TARGET_DRAWS:
        name = f"{label}, hidden targets, draw {seed}"
        yield name, partial(_without_targets, known, name, f"{label}, hidden targets", seed, TARGETS, True)
    for seed in REGULATOR_DRAWS:
        name = f"{label}, hidden regulators, draw {seed}"
        yield name, partial(_without_regulators, known, name, f"{label}, hidden regulators", seed, TARGETS)


def read_inferelator_folder(folder: Path) -> Known:
    """Read a folder in the Inferelator's layout.

    Raises:
        InputError: where a file is missing or cannot be read, or no gene of the gold standard is measured.
    """
    data = read_inferelator(_file(folder, EXPRESSION), _file(folder, META)).in_canonical_order()
    network = read_gold_standard(_file(folder, GOLD))
    edges = align_network(network, data.genes, "intersect")
    factors = _find(folder, FACTORS)
    if factors is not None:
        edges = np.where(np.isin(data.genes, read_gene_names(factors)[0])[:, None], edges, 0.0)
        if not edges.any():
            raise InputError(f"{factors}: none of these genes has an edge in {network.source}")
    return Known(data, edges)


def draw_targets(known: Known, seed: int, count: int | None) -> tuple[list[str], list[str]]:
    """Draw so many targets, all if None, and half of them to be hidden; returns both, the hidden ones in order.

    The draw is that of the *B. subtilis* protocol: names are permuted, and the drawn ones are permuted again.
    """
    rng = np.random.default_rng(seed)
    drawn = rng.permutation(known.targets)[:count]
    hidden = rng.permutation(drawn)[: len(drawn) // 2]
    return drawn.tolist(), sorted(hidden.tolist())


def draw_regulators(known: Known, seed: int) -> list[str]:
    """Draw half of the regulators to be hidden, in the order of their names."""
    regulators = known.regulators
    return sorted(np.random.default_rng([seed, 1]).permutation(regulators)[: len(regulators) // 2].tolist())


def _without_targets(
    source: Callable[[], Known], name: str, group: str, seed: int, count: int | None, drawn_alone: bool
) -> Problem:
    """Hide the known edges of some targets; all others are the prior."""
    known = source()
    drawn, hidden = draw_targets(known, seed, count)
    part = _restricted(known, [*known.regulators, *drawn]) if drawn_alone else known
    covered = np.isin(part.data.genes, hidden)
    prior = np.where(covered, 0.0, part.edges)
    return _problem(part, prior, part.edges, name, group, known.regulators, known.regulators, covered)


def _without_regulators(source: Callable[[], Known], name: str, group: str, seed: int, count: int) -> Problem:
    """Hide all known edges of some regulators; those of the others are the prior."""
    known = source()
    drawn, _ = draw_targets(known, seed, count)
    hidden = draw_regulators(known, seed)
    part = _restricted(known, [*known.regulators, *drawn])
    prior = np.where(np.isin(part.data.genes, hidden)[:, None], 0.0, part.edges)
    return _problem(part, prior, part.edges, name, group, known.regulators, hidden)


def _yeast_cell_cycle(folder: Path, label: str) -> Named:
    """Two replicates of the yeast cell cycle: a motif prior for YEASTRACT's edges, and half of these for the others."""
    known = cache(partial(_read_yeast, folder))
    if _find(folder, ("motif_prior.csv",)) is not None:
        name = f"{label}, motif prior"
        yield name, partial(_with_motifs, known, folder, name)
    for seed in YEAST_DRAWS:
        name = f"{label}, hidden targets, draw {seed}"
        yield name, partial(_without_targets, known, name, f"{label}, hidden targets", seed, None, False)


def _read_yeast(folder: Path) -> Known:
    genes = _file(folder, ("pramila3551_gene_names.csv",))
    replicates = [
        read_expression(_file(folder, (f"pramila_3551genes_1{kind}_24T.csv",)), genes)
        for kind in ("sample", "VALsample")
    ]
    times, levels = ([part for one in replicates for part in one.unpadded()[number]] for number in range(2))
    first = replicates[0]
    data = Expression(
        first.genes,
        make_trajectories(times, levels),
        first.source,
        tuple(f"replicate {n + 1}" for n in range(len(times))),
    ).in_canonical_order()
    truth = read_network(_file(folder, ("yeastract_2019_both_edges.csv",)))
    return Known(data, align_network(truth, data.genes, "intersect"))


def _with_motifs(source: Callable[[], Known], folder: Path, name: str) -> Problem:
    known = source()
    genes = known.data.genes
    prior = align_network(read_network(_file(folder, ("motif_prior.csv",))), genes, "intersect")
    either = np.array(genes)[((prior != 0) | (known.edges != 0)).any(axis=1)].tolist()
    return _problem(known, prior, known.edges, name, name, either, known.regulators)


def _irma(folder: Path, label: str) -> Named:
    """Two series of five genes, without a prior and with half of the edges as one; all pairs are scored."""
    known = cache(partial(_read_irma, folder))
    yield f"{label}, no prior", lambda: _with_half(known, f"{label}, no prior", f"{label}, no prior", None)
    for draw in IRMA_DRAWS:
        name = f"{label}, half of the edges, draw {draw}"
        yield name, partial(_with_half, known, name, f"{label}, half of the edges", draw)


def _read_irma(folder: Path) -> Known:
    data = read_expression(_file(folder, ("irma_timeseries_mean.csv",))).in_canonical_order()
    return Known(data, align_network(read_network(_file(folder, ("truth.csv",))), data.genes))


def _with_half(source: Callable[[], Known], name: str, group: str, draw: int | None) -> Problem:
    known = source()
    prior = np.zeros_like(known.edges)
    if draw is not None:
        places = np.argwhere(known.edges)
        # Halves are drawn without replacement: the same one twice would be one problem under two names.
        halves = list(itertools.combinations(places, len(places) // 2))
        kept = tuple(np.transpose(halves[np.random.default_rng(0).permutation(len(halves))[draw]]))
        prior[kept] = known.edges[kept]
    return _problem(known, prior, known.edges, name, group)


def _problem(
    known: Known,
    prior: np.ndarray,
    truth: np.ndarray,
    name: str,
    group: str,
    regulators: Sequence[str] | None = None,
    covered: Sequence[str] | None = None,
    targets: np.ndarray | None = None,
) -> Problem:
    data, genes = known.data, known.data.genes
    return make_problem(
        data.trajectories,
        genes,
        make_prior(prior),
        regulators=None if regulators is None else np.isin(genes, regulators),
        truth=truth,
        covered=None if covered is None else np.isin(genes, covered),
        covered_targets=targets,
        steady=None if data.steady is None else data.steady.levels,
        samples=() if data.steady is None else data.steady.names,
        name=name,
        group=group,
        trajectories=data.names,
        source=data.source,
        notes=data.notes,
    )


def _restricted(known: Known, genes: Sequence[str]) -> Known:
    """Return the same of some genes alone."""
    chosen = np.flatnonzero(np.isin(known.data.genes, genes))
    return Known(replace(known.data.of_genes(chosen), file_order=()), known.edges[np.ix_(chosen, chosen)])


def _is_there(folder: Path, name: str) -> bool:
    return _find(folder / name, (FOLDERS[name][1],)) is not None


def _file(folder: Path, names: Sequence[str]) -> Path:
    found = _find(folder, names)
    if found is None:
        raise InputError(f"{folder}: no {' or '.join(names)}, plain or gzipped")
    return found


def _find(folder: Path, names: Sequence[str]) -> Path | None:
    places = (folder / f"{name}{ending}" for name in names for ending in ("", ".gz"))
    return next((place for place in places if place.is_file()), None)

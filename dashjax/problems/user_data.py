"""A user's own data as a problem: expression and priors as paths, frames or AnnData, read, checked and matched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from dashjax.data import (
    DENSE_GENES,
    Finding,
    Problem,
    combine_priors,
    make_problem,
    matrix_from_edges,
    no_prior,
    prior_from_edges,
)
from dashjax.errors import InputError, unknown
from dashjax.io import (
    CellOptions,
    Edges,
    Expression,
    Match,
    NamedNetwork,
    align_edges,
    load_expression,
    load_prior_network,
    read_regulators,
    similarity_edges,
)
from dashjax.io.matching import match_names
from dashjax.io.name_hints import name_hints
from dashjax.io.tables import parquet_rows, parse_numbers, read_rows, refuse_width, short
from dashjax.problems.check import check_data

#: What becomes of prior genes without expression: they are refused, left out, or join without measurements.
MATCHES = ("exact", "intersect", "union")


def read_problem(
    expression: Any,
    prior: Any = None,
    *,
    regulators: Any = None,
    cells: CellOptions | None = None,
    genes: Any = None,
    match: str = "exact",
    similarity: Any = None,
    steady: Any = None,
    truth: Any = None,
    validation: float = 0.1,
    name: str = "",
) -> Problem:
    """Read a user's data into a problem, its genes in the order of their names.

    Args:
        expression: a path, AnnData, tidy frame or `Trajectories`; see `load_expression`.
        prior: a path, a frame or a network that was read; several of them in a list; none if None.
        regulators: genes that may regulate, as a list of names or a path; all if None.
        cells: layer, time, trajectory and bins, for data of cells.
        genes: names of the genes where the expression has none: a path or a list.
        match: what becomes of names that the expression lacks: "exact" refuses them, "intersect" leaves them out, with
            "union" the prior's genes join without measurements.
        similarity: which genes act together (protein interactions), as C of DASH's first layer.
        steady: samples at rest, a path or a frame: a row per sample, a column per gene.
        truth: a reference network, as a prior is given.
        validation: share of the data held out.
        name: of the problem; the expression's source if empty.

    Returns:
        The problem, with what the checks found.

    Raises:
        InputError: on anything wrong with the data or arguments.
    """
    data, networks = read_parts(expression, prior, cells, genes, match)
    findings = check_data(data, networks, match)
    named: Match = "intersect" if match == "intersect" else "exact"
    count = len(data.genes)
    sources = [align_edges(network, data.genes, named) for network in networks]
    allowed = _allowed(regulators, data, named)
    if allowed is not None:
        barred = sum(int((~allowed[edges.regulators]).sum()) for edges in sources)
        sources = [Edges(*(part[allowed[edges.regulators]] for part in edges)) for edges in sources]
        if barred:
            text = f"{barred:,} prior edges are left out because their source may not regulate"
            findings.append(Finding("warning", "regulators", text))
    known = combine_priors([prior_from_edges(edges, count) for edges in sources]) if sources else no_prior(count)
    if similarity is not None:
        # A matrix that names no genes goes by the order of the expression's file.
        given = load_prior_network(similarity, data.file_order, "similarity")
        known = replace(known, similarity=matrix_from_edges(similarity_edges(given, data.genes, "intersect"), count))
    reference = None
    if truth is not None:
        if count > DENSE_GENES:
            raise InputError(f"{count:,} genes are too many to score; at most {DENSE_GENES:,}", "truth")
        found = load_prior_network(truth, data.file_order or data.genes, "truth")
        reference = np.asarray(matrix_from_edges(align_edges(found, data.genes, "intersect"), count))
    rest = None if steady is None else read_steady(steady, data.genes)
    if rest is not None:
        findings.append(Finding("note", "steady", f"{len(rest):,} samples at rest"))
    return make_problem(
        data.trajectories,
        data.genes,
        known,
        validation=validation,
        regulators=allowed,
        truth=reference,
        steady=rest,
        name=name or data.source,
        trajectories=data.names,
        source=data.source,
        notes=data.notes,
        findings=tuple(findings),
    )


def read_parts(
    expression: Any,
    prior: Any = None,
    cells: CellOptions | None = None,
    genes: Any = None,
    match: str = "exact",
) -> tuple[Expression, list[NamedNetwork]]:
    """Read expression, its genes in canonical order, and priors; see `read_problem`.

    Raises:
        InputError: where something cannot be read, or on an unknown `match`.
    """
    if match not in MATCHES:
        raise InputError(unknown("value", match, MATCHES), "match")
    data = load_expression(expression, genes, cells)
    priors = [] if prior is None else list(prior) if isinstance(prior, list | tuple) else [prior]
    # Matrices and triplets that name no genes go by the order of the expression's file.
    networks = [load_prior_network(one, data.genes, _source(number, priors)) for number, one in enumerate(priors)]
    if match == "union":
        data = data.with_unmeasured([name for network in networks for name in network.names])
    return data.in_canonical_order(), networks


def check_files(
    expression: Any,
    prior: Any = None,
    genes: Any = None,
    match: str = "exact",
    cells: CellOptions | None = None,
) -> list[Finding]:
    """Read a user's data and say what was found in them.

    Raises:
        InputError: where something cannot be read.
    """
    data, networks = read_parts(expression, prior, cells, genes, match)
    return check_data(data, networks, match)


def read_steady(steady: Any, genes: Sequence[str]) -> np.ndarray:
    """Return samples at rest (sample, gene): from a frame, or a file with their names in its first column.

    Raises:
        InputError: on a file that cannot be read, genes that are missing, or values that are no numbers.
    """
    import pandas as pd

    source = "steady"
    if isinstance(steady, str | Path):
        source = str(steady)
        rows = parquet_rows(steady) if Path(steady).suffix.lower() == ".parquet" else read_rows(steady)
        header = rows[0]
        values = []
        for number, row in enumerate(rows[1:], start=2):
            refuse_width(row, len(header), f"{source}, row {number}")
            values.append(parse_numbers(row[1:], f"{source}, row {number}", header[1:]))
        steady = pd.DataFrame(values, columns=header[1:])
    if not isinstance(steady, pd.DataFrame):
        raise InputError(f"expected a path or a DataFrame, got {type(steady).__name__}", "steady")
    missing = [gene for gene in genes if gene not in steady.columns]
    if missing:
        hints = "".join(f"; {text}" for text in name_hints(missing, [str(name) for name in steady.columns]))
        raise InputError(
            f"{source}: lacks {len(missing)} of the {len(genes)} genes, '{short(missing[0])}' first{hints}"
        )
    levels = steady[list(genes)].apply(pd.to_numeric, errors="coerce").to_numpy(float)
    if not np.isfinite(levels).all():
        row, column = np.argwhere(~np.isfinite(levels))[0]
        raise InputError(f"{source}: sample {row + 1} has no number for gene '{short(genes[column])}'")
    return levels


def _source(number: int, priors: Sequence[Any]) -> str:
    return "prior" if len(priors) == 1 else f"prior {number + 1}"


def _allowed(regulators: Any, data: Expression, match: Match) -> np.ndarray | None:
    if regulators is None:
        return None
    if isinstance(regulators, str | Path):
        return read_regulators(regulators, data.genes, match)
    names = [str(gene) for gene in regulators]
    match_names(names, data.genes, "regulators", match)
    return np.isin(data.genes, names)

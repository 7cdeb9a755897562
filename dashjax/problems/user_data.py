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
    expression_at_rest,
    load_expression,
    load_prior_network,
    read_interventions,
    read_regulators,
    read_steady,
    similarity_edges,
)
from dashjax.io.matching import match_names
from dashjax.problems.check import NOTHING_CHANGES, changes, check_data

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
    interventions: Any = None,
    truth: Any = None,
    validation: float = 0.1,
    name: str = "",
    transpose: bool = False,
) -> Problem:
    """Read a user's data into a problem, its genes in the order of their names.

    Examples:
        >>> import pandas as pd
        >>> rows = [["a", 0, 1.0, 0.0], ["a", 1, 0.5, 0.4], ["a", 2, 0.2, 0.6], ["a", 3, 0.1, 0.7]]
        >>> expression = pd.DataFrame(rows, columns=["trajectory", "time", "GATA1", "TAL1"])
        >>> problem = read_problem(expression, pd.DataFrame({"source": ["GATA1"], "target": ["TAL1"]}))
        >>> problem.genes, problem.prior.n_edges
        (('GATA1', 'TAL1'), 1)

    Args:
        expression: a path, AnnData, tidy frame or `Trajectories`; see `load_expression`. None where all samples are at
            rest.
        prior: a path, a frame or a network that was read; several of them in a list; none if None.
        regulators: genes that may regulate, as a list of names or a path; all if None.
        cells: layer, time, trajectory and bins, for data of cells.
        genes: names of the genes where the expression has none: a path or a list.
        match: what becomes of names that the expression lacks: "exact" refuses them, "intersect" leaves them out, with
            "union" the prior's genes join without measurements.
        similarity: which genes act together (protein interactions), as C of DASH's first layer.
        steady: samples at rest, a path or a frame: a row per sample, a column per gene.
        interventions: what was done in which trajectory or sample, a path or a frame
            `trajectory,gene,kind[,value]`.
        truth: a reference network, as a prior is given.
        validation: share of the data held out.
        name: of the problem; the expression's source if empty.
        transpose: whether genes stand in the rows of the tables of expression and of samples at rest.

    Returns:
        The problem, with what the checks found.

    Raises:
        InputError: on anything wrong with the data or arguments.
    """
    data, networks = read_parts(expression, prior, cells, genes, match, steady, interventions, transpose)
    if not changes(data).any():
        raise InputError(f"{data.source}: {NOTHING_CHANGES}")
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
    return make_problem(
        data.trajectories,
        data.genes,
        known,
        validation=validation,
        regulators=allowed,
        truth=reference,
        steady=None if data.steady is None else data.steady.levels,
        samples=() if data.steady is None else data.steady.names,
        interventions=data.interventions,
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
    steady: Any = None,
    interventions: Any = None,
    transpose: bool = False,
) -> tuple[Expression, list[NamedNetwork]]:
    """Read expression and experiments, genes in canonical order, and priors; see `read_problem`.

    Raises:
        InputError: where something cannot be read, or on an unknown `match`.
    """
    if match not in MATCHES:
        raise InputError(unknown("value", match, MATCHES), "match")
    if expression is None:
        if steady is None:
            raise InputError("needs expression over time, samples at rest, or both", "expression")
        data, steady = expression_at_rest(read_steady(steady, (), transpose)), None
    else:
        data = load_expression(expression, genes, cells, transpose)
    if steady is not None or interventions is not None:
        data = data.with_experiments(
            None if steady is None else read_steady(steady, data.genes, transpose),
            () if interventions is None else read_interventions(interventions),
        )
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
    steady: Any = None,
    interventions: Any = None,
    transpose: bool = False,
) -> list[Finding]:
    """Read a user's data and say what was found in them.

    Raises:
        InputError: where something cannot be read.
    """
    data, networks = read_parts(expression, prior, cells, genes, match, steady, interventions, transpose)
    return check_data(data, networks, match)


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

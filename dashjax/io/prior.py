"""Prior networks: edge tables and matrices, aligned to the expression's genes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from dashjax.errors import InputError
from dashjax.io.expression import read_gene_names
from dashjax.io.tables import parse_number, parse_numbers, read_rows

#: Header names of an edge table's columns, in lower case.
SOURCE_NAMES = ("source", "regulator", "from", "tf", "gene1")
TARGET_NAMES = ("target", "to", "gene2")
WEIGHT_NAMES = ("weight", "prior_weight", "importance")

#: What becomes of names that the expression lacks.
Match = Literal["exact", "intersect"]


def read_prior(path: Path | str, genes: Sequence[str], match: Match = "exact") -> np.ndarray:
    """Read a prior network into the order of `genes`.

    Three layouts, told apart by the first row: an edge table with a header naming a source and a target
    column (and optionally a weight, 1 without it); a matrix with target names in the first row and
    regulator names in the first column; a bare numeric matrix, regulators in rows, in the order of
    `genes`.

    Args:
        path: the file.
        genes: the expression's genes.
        match: "exact" refuses prior genes that the expression lacks, "intersect" leaves them out.

    Returns:
        Signed weights (regulator, target).

    Raises:
        InputError: on unreadable cells, wrong shapes, repeated edges or genes that do not match.
    """
    rows = read_rows(path)
    lower = [cell.lower() for cell in rows[0]]
    if any(name in lower for name in SOURCE_NAMES) and any(name in lower for name in TARGET_NAMES):
        network = _edge_table(rows, lower, path, genes, match)
    elif all(parse_number(cell) is not None for cell in rows[0]):
        network = _bare_matrix(rows, path, genes)
    else:
        network = _named_matrix(rows, path, genes, match)
    if not network.any():
        raise InputError(f"{path}: no edge with a weight other than zero among the expression's genes")
    return network


def read_regulators(path: Path | str, genes: Sequence[str], match: Match = "exact") -> np.ndarray:
    """Read which genes may regulate: their names, one per line, with or without a header as in `read_gene_names`.

    Args:
        path: the file.
        genes: names of the expression's genes.
        match: "exact" refuses names that are not among them, "intersect" leaves those out.

    Returns:
        An array (gene,), True for genes that are named.

    Raises:
        InputError: on unknown or repeated names; the message names the file and the row or the names.
    """
    names, _ = read_gene_names(path)
    _match(names, genes, path, match)
    return np.isin(genes, names)


def write_edges(path: Path | str, edges) -> None:
    """Write an edge list (a frame with source, target, weight, …) as TSV."""
    edges.to_csv(path, sep="\t", index=False)


def _edge_table(rows, lower, path, genes, match) -> np.ndarray:
    def column(names):
        return next((lower.index(name) for name in names if name in lower), None)

    source, target, weight = column(SOURCE_NAMES), column(TARGET_NAMES), column(WEIGHT_NAMES)
    edges: dict[tuple[str, str], float] = {}
    for number, row in enumerate(rows[1:], start=2):
        where = f"{path}, row {number}"
        if len(row) != len(lower):
            raise InputError(f"{where}: {len(row)} columns, the header has {len(lower)}")
        value = 1.0 if weight is None else parse_numbers([row[weight]], where, [lower[weight]])[0]
        if np.isnan(value):
            raise InputError(f"{where}, column {lower[weight]}: the value is missing (NaN)")
        pair = (row[source], row[target])
        if pair in edges:
            raise InputError(f"{where}: the edge {pair[0]} → {pair[1]} appears twice")
        edges[pair] = value
    index = _match([gene for pair in edges for gene in pair], genes, path, match)
    network = np.zeros((len(genes), len(genes)))
    for (regulator, gene), value in edges.items():
        if regulator in index and gene in index:
            network[index[regulator], index[gene]] = value
    return network


def _bare_matrix(rows, path, genes) -> np.ndarray:
    if len(rows) != len(genes):
        raise InputError(f"{path}: {len(rows)} rows, but the expression has {len(genes)} genes")
    return np.stack([_matrix_row(row, len(genes), f"{path}, row {n}") for n, row in enumerate(rows, start=1)])


def _named_matrix(rows, path, genes, match) -> np.ndarray:
    if len(rows) < 2 or len(rows[0]) < 2:
        raise InputError(
            f"{path}, row 1: expected an edge table (source,target[,weight]) or a regulator × target matrix, "
            f"found '{','.join(rows[0])[:40]}'"
        )
    targets = rows[0][1:] if len(rows) > 1 and len(rows[0]) == len(rows[1]) else rows[0]
    regulators = [row[0] for row in rows[1:]]
    for role, names in (("target", targets), ("regulator", regulators)):
        if len(set(names)) != len(names):
            repeated = next(name for name in names if names.count(name) > 1)
            raise InputError(f"{path}: {role} '{repeated}' appears twice")
    index = _match([*regulators, *targets], genes, path, match)
    network = np.zeros((len(genes), len(genes)))
    columns = [(place, index[name]) for place, name in enumerate(targets) if name in index]
    for number, row in enumerate(rows[1:], start=2):
        values = _matrix_row(row[1:], len(targets), f"{path}, row {number}")
        if row[0] in index:
            for place, column in columns:
                network[index[row[0]], column] = values[place]
    return network


def _matrix_row(cells, length, where) -> np.ndarray:
    if len(cells) != length:
        raise InputError(f"{where}: {len(cells)} values, expected {length}")
    values = parse_numbers(cells, where)
    if np.isnan(values).any():
        raise InputError(f"{where}, column {int(np.argmax(np.isnan(values))) + 1}: the value is missing (NaN)")
    return values


def _match(names: Sequence[str], genes: Sequence[str], path, match) -> dict[str, int]:
    """Return the expression index of each gene, having checked that the prior's names are among them."""
    index = {gene: number for number, gene in enumerate(genes)}
    named = list(dict.fromkeys(names))
    unknown = [name for name in named if name not in index]
    if unknown and (match == "exact" or len(unknown) == len(named)):
        shown = ", ".join(unknown[:5]) + ("…" if len(unknown) > 5 else "")
        by_lower = {gene.lower(): gene for gene in genes}
        cased = [(name, by_lower[name.lower()]) for name in unknown if name.lower() in by_lower]
        hint = f"; {len(cased)} differ only in case ('{cased[0][0]}' is '{cased[0][1]}' there)" if cased else ""
        mend = "" if len(unknown) == len(named) else "; --match intersect leaves them out"
        raise InputError(
            f"{path}: {len(unknown)} of {len(named)} genes are not in the expression ({shown}){hint}{mend}"
        )
    return index

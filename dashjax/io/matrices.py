"""Networks as matrices: dense with or without names, and 1-based triplets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float

from dashjax.errors import InputError
from dashjax.io.named import NamedNetwork, make_network
from dashjax.io.tables import (
    named_columns,
    parse_number,
    parse_numbers,
    parse_present,
    refuse_missing,
    refuse_repeats,
    refuse_width,
    short,
)

_MARKET = "%%matrixmarket"
_TRIPLET_HEADERS = (("i", "j", "x"), ("row", "col", "value"), ("row", "column", "value"))


def is_market(rows: list[list[str]]) -> bool:
    """Say whether a file is MatrixMarket's."""
    return rows[0][0].lower().startswith(_MARKET)


def is_triplets(rows: list[list[str]], genes: Sequence[str]) -> bool:
    """Say whether rows are regulator number, target number and weight.

    Three genes' 3 × 3 matrix wins over three triplets, and numbers that are the genes' names over numbers that count.
    """
    if tuple(cell.lower() for cell in rows[0]) in _TRIPLET_HEADERS:
        return True
    whole = all(len(row) == 3 and row[0].isdecimal() and row[1].isdecimal() for row in rows)
    return whole and not (len(genes) == len(rows) == 3) and rows[0][0] not in set(genes)


def parse_market(rows: list[list[str]], path: Path | str, genes: Sequence[str]) -> NamedNetwork:
    """Read a MatrixMarket coordinate matrix, regulators in rows, both in the order of the expression's genes.

        network = read_network("prior.mtx", genes)

    Raises:
        InputError: on other kinds of MatrixMarket files, and numbers that are none, naming the row.
    """
    kind = rows[0][0].lower().split()
    if kind[1:3] != ["matrix", "coordinate"] or kind[3:] not in (["real", "general"], ["integer", "general"]):
        raise InputError(f"{path}, row 1: only 'matrix coordinate real general' is read, found '{rows[0][0][:60]}'")
    body = [(n, " ".join(row).split()) for n, row in enumerate(rows[1:], start=2) if row and row[0][:1] != "%"]
    if not body:
        raise InputError(f"{path}: no sizes below the header")
    size = len(genes)
    if body[0][1][:2] != [str(size), str(size)]:
        raise InputError(
            f"{path}, row {body[0][0]}: a matrix of {' × '.join(body[0][1][:2])}, but the expression has {size} genes"
        )
    stated = body[0][1][2:]
    if stated != [str(len(body) - 1)]:
        raise InputError(f"{path}: {len(body) - 1} entries, row {body[0][0]} states {' '.join(stated)[:20] or 'none'}")
    return _triplets(body[1:], path, genes)


def parse_triplets(rows: list[list[str]], path: Path | str, genes: Sequence[str]) -> NamedNetwork:
    """Read triplets: regulator, target (both counted from 1 in the expression's order) and weight.

        # prior.csv     1,17,1
        network = read_network("prior.csv", genes)

    Raises:
        InputError: on numbers outside the genes, naming row and column.
    """
    start = 0 if rows[0][0].isdecimal() else 1
    return _triplets([(n, row) for n, row in enumerate(rows[start:], start=start + 1)], path, genes)


def _triplets(rows: list[tuple[int, list[str]]], path, genes) -> NamedNetwork:
    edges = []
    for number, row in rows:
        where = f"{path}, row {number}"
        refuse_width(row, 3, where, "a triplet")
        for column in (0, 1):
            if not (row[column].isdecimal() and len(row[column]) < 10 and 1 <= int(row[column]) <= len(genes)):
                raise InputError(
                    f"{where}, column {column + 1}: expected a gene's number from 1 to {len(genes)}, "
                    f"found '{short(row[column])}'"
                )
        weight = parse_present(row[2], where, "3")
        edges.append((genes[int(row[0]) - 1], genes[int(row[1]) - 1], weight, number))
    return make_network(edges, path)


def is_bare(rows: list[list[str]]) -> bool:
    """Say whether a table's first row holds nothing but numbers.

    Where its first cell is blank, they are the targets' names: a matrix of Entrez ids, say.
    """
    return rows[0][0] != "" and all(parse_number(cell) is not None for cell in rows[0])


def parse_bare(rows: list[list[str]], path: Path | str, genes: Sequence[str]) -> NamedNetwork:
    """Read a square matrix without names, regulators in rows, both in the order of the expression's genes.

        network = read_network("edge_prior_matrix_simu_350_noise_0.05.csv", genes)

    Raises:
        InputError: on another shape, or cells that are no numbers, naming row and column.
    """
    if len(rows) != len(genes):
        raise InputError(f"{path}: {len(rows)} rows, but the expression has {len(genes)} genes")
    return _dense(rows, genes, genes, path, first_row=1, columns=None)


def parse_named(rows: list[list[str]], path: Path | str) -> NamedNetwork:
    """Read a matrix with target names in the first row and regulator names in the first column.

        # prior.csv      ,TAL1,KLF1
        #           GATA1,1,-0.5
        network = read_network("prior.csv")

    Raises:
        InputError: on repeated names, and cells that are no numbers, naming row and column.
    """
    if len(rows) < 2 or len(rows[0]) < 2:
        raise InputError(
            f"{path}, row 1: expected an edge table (source,target[,weight]), a regulator × target matrix or "
            f"regulator, target, weight without a header, found '{','.join(rows[0])[:40]}'"
        )
    _refuse_edges(rows, path)
    targets = named_columns(rows)
    regulators = [row[0] if row else "" for row in rows[1:]]
    refuse_repeats(targets, path, "target")
    refuse_repeats(regulators, path, "regulator")
    return _dense([row[1:] for row in rows[1:]], regulators, targets, path, first_row=2, columns=targets)


def _refuse_edges(rows: list[list[str]], path: Path | str) -> None:
    """Refuse a table of few columns, the first two of names: edges whose columns are not called so."""
    body = [row for row in rows[1:] if len(row) > 1]
    if len(rows[0]) <= 4 and body and all(parse_number(row[1]) is None for row in body):
        raise InputError(
            f"{path}, row 1: no column is called source or target, found '{short(','.join(rows[0]))}'; these look like "
            "edges, so call the columns source,target[,weight]"
        )


def _dense(rows, regulators, targets, path, first_row: int, columns: Sequence[str] | None) -> NamedNetwork:
    weights = np.empty((len(regulators), len(targets)))
    for place, row in enumerate(rows):
        where = f"{path}, row {place + first_row}"
        if len(row) != len(targets):
            raise InputError(f"{where}: {len(row)} values, expected {len(targets)}")
        weights[place] = refuse_missing(parse_numbers(row, where, columns), where, columns)
    return matrix_network(weights, regulators, targets, path, first_row)


def matrix_network(
    weights: Float[np.ndarray, "regulator target"],
    regulators: Sequence[str],
    targets: Sequence[str],
    path: Path | str,
    first_row: int,
) -> NamedNetwork:
    """Return the edges of a matrix, none of whose weights is missing.

    Args:
        weights: signed, zero where there is no edge.
        regulators: names of the rows.
        targets: names of the columns.
        path: what to name in messages.
        first_row: the number of the first row there.

    Raises:
        InputError: where all weights are zero.
    """
    row, column = np.nonzero(weights)
    if not len(row):
        raise InputError(f"{path}: no edge with a weight other than zero")
    names = tuple(dict.fromkeys([*regulators, *targets]))
    sources = tuple(regulators[place] for place in row.tolist())
    return NamedNetwork(
        sources,
        tuple(targets[place] for place in column.tolist()),
        weights[row, column],
        row + first_row,
        names,
        str(path),
    )

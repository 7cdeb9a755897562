"""Edge lists in: tables with a header, netZoo's headerless ones, gene sets, and our own edges.tsv."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dashjax.errors import InputError
from dashjax.io.named import NamedNetwork, make_network
from dashjax.io.result_folder import refuse_changed
from dashjax.io.table_files import TableFile
from dashjax.io.tables import (
    find_column,
    parse_number,
    parse_present,
    read_text,
    refuse_repeated_columns,
    refuse_width,
    short,
)

if TYPE_CHECKING:
    import pandas as pd

#: Header names of an edge table's columns, in lower case.
SOURCE_NAMES = ("source", "regulator", "from", "tf", "gene1", "reg", "source_genesymbol")
TARGET_NAMES = ("target", "to", "gene2", "aff", "gene", "target_genesymbol")
WEIGHT_NAMES = ("weight", "prior_weight", "mor", "importance", "confidence", "score", "edgeweight")
SIGN_NAMES = ("sign", "type", "effect", "regulation", "mode", "moa", "mode_of_regulation")
#: DoRothEA's grades of confidence, with the weights that decoupler gives them: 1, 1/2, 1/3, 1/4; and E as 1/5.
GRADES = {grade: 1 / (number + 1) for number, grade in enumerate("ABCDE")}

_ACTIVATES = {"+", "1", "+1", "1.0", "activation", "activates", "activator", "positive", "stimulation", "up"}
_REPRESSES = {"-", "-1", "-1.0", "−", "repression", "represses", "repressor", "inhibition", "negative", "down"}
_UNSIGNED = {"", "na", "nan", "0", "0.0", "?", "unknown", "both", "dual"}


def is_edge_table(rows: list[list[str]]) -> bool:
    """Say whether a table's header names a source and a target."""
    return find_column(rows[0], SOURCE_NAMES) is not None and find_column(rows[0], TARGET_NAMES) is not None


def is_headerless(rows: list[list[str]], genes: Sequence[str] = ()) -> bool:
    """Say whether a table's first row is an edge: regulator, target, weight; a number may be a gene's name."""
    first = rows[0]
    named = parse_number(first[0]) is None or first[0] in set(genes)
    return len(first) == 3 and named and parse_number(first[2]) is not None


def parse_edge_table(rows: list[list[str]], path: Path | str, first_row: int = 2) -> NamedNetwork:
    """Read an edge table: a source and a target column, and optionally a weight and a sign.

    A sign (`+`, `-`, activation, repression, …) goes before the weight's magnitude; unknown ones count as `+`, and a
    weight is 1 without a column. Weights may be DoRothEA's grades, see `GRADES`. The names `SOURCE_NAMES` and so on
    cover decoupler and CollecTRI nets (`source,target,weight`), GRNBoost's `TF,target,importance` and BEELINE's
    `Gene1,Gene2,Type`.

        # prior.csv     source,target,weight,sign
        #               GATA1,TAL1,0.9,+
        network = read_network("prior.csv")

    Args:
        rows: the header, then an edge each.
        path: what to name in messages.
        first_row: the number of the first edge's row there.

    Raises:
        InputError: on missing names, numbers or signs, naming row and column.
    """
    header = rows[0]
    refuse_repeated_columns(header, path)
    source, target = find_column(header, SOURCE_NAMES), find_column(header, TARGET_NAMES)
    weight, sign = find_column(header, WEIGHT_NAMES), find_column(header, SIGN_NAMES)
    assert source is not None, "told by is_edge_table"
    assert target is not None, "told by is_edge_table"
    graded = weight is not None and all(len(row) > weight and row[weight] in GRADES for row in rows[1:])
    edges = []
    for number, row in enumerate(rows[1:], start=first_row):
        where = f"{path}, row {number}"
        refuse_width(row, len(header), where)
        for column in (source, target):
            if not row[column]:
                raise InputError(f"{where}, column {short(header[column])}: no gene name")
        value = 1.0
        if weight is not None:
            value = GRADES[row[weight]] if graded else parse_present(row[weight], where, header[weight])
        if sign is not None:
            value = _signed(value, row[sign], where, header[sign])
        edges.append((row[source], row[target], value, number))
    return make_network(edges, path)


def parse_headerless(rows: list[list[str]], path: Path | str) -> NamedNetwork:
    """Read rows of regulator, target and weight without a header: netZoo motif and PPI files, DREAM gold standards.

        network = read_network("ToyMotifData.txt")

    Raises:
        InputError: on rows of another form, naming row and column.
    """
    edges = []
    for number, row in enumerate(rows, start=1):
        where = f"{path}, row {number}"
        refuse_width(row, 3, where, "the first row")
        for column in (0, 1):
            if not row[column]:
                raise InputError(f"{where}, column {column + 1}: no gene name")
        edges.append((row[0], row[1], parse_present(row[2], where, "3"), number))
    return make_network(edges, path)


def read_gene_sets(path: Path | str) -> NamedNetwork:
    """Read a GMT file: per line a regulator's name, a description, and its targets, separated by tabs.

        # sets.gmt      GATA1<tab>ChIP-seq<tab>TAL1<tab>KLF1
        network = read_gene_sets("sets.gmt")

    Raises:
        InputError: on lines without a name or targets, or a regulator on two lines, naming the row.
    """
    edges: list[tuple[str, str, float, int]] = []
    seen: set[str] = set()
    for number, line in enumerate(read_text(path).rstrip("\n").split("\n"), start=1):
        where = f"{path}, row {number}"
        cells = [cell.strip() for cell in line.rstrip("\t ").split("\t")]
        if not cells[0]:
            raise InputError(f"{where}, column 1: no name of a gene set")
        if len(cells) < 3:
            raise InputError(f"{where}: expected a name, a description and genes, separated by tabs")
        if cells[0] in seen:
            raise InputError(f"{where}: gene set '{short(cells[0])}' appears twice")
        seen.add(cells[0])
        for column, target in enumerate(cells[2:], start=3):
            if not target:
                raise InputError(f"{where}, column {column}: no gene name")
            edges.append((cells[0], target, 1.0, number))
    return make_network(edges, path)


def read_edges(path: Path | str) -> pd.DataFrame:
    """Read an edge list of ours, that `write_table` wrote: names as text, truth values as such, the rest as numbers.

    Raises:
        InputError: where a column or value is missing, naming row and column.
    """
    import pandas as pd

    refuse_changed(path)
    rows = TableFile(Path(path)).rows
    header = rows[0]
    for name in ("source", "target", "weight"):
        if name not in header:
            raise InputError(f"{path}, row 1: no column {name}; an edge list has source, target, weight")
    if len(set(header)) != len(header):
        raise InputError(f"{path}, row 1: a column appears twice")
    for number, row in enumerate(rows[1:], start=2):
        refuse_width(row, len(header), f"{path}, row {number}")
    columns: dict[str, object] = {}
    for place, name in enumerate(header):
        cells = [row[place] for row in rows[1:]]
        if name in ("source", "target"):
            columns[name] = [
                _filled(cell, f"{path}, row {number}, column {name}") for number, cell in enumerate(cells, 2)
            ]
        elif {"True", "False"} & set(cells):
            columns[name] = np.array(
                [_truth(cell, f"{path}, row {n}, column {name}") for n, cell in enumerate(cells, 2)]
            )
        elif name == "weight":
            columns[name] = np.array([parse_present(cell, f"{path}, row {n}", name) for n, cell in enumerate(cells, 2)])
        else:
            columns[name] = _numbers(cells, path, name)
    return pd.DataFrame(columns)


def _filled(cell: str, where: str) -> str:
    if not cell:
        raise InputError(f"{where}: no gene name")
    return cell


def _truth(cell: str, where: str) -> bool:
    if cell not in ("True", "False"):
        raise InputError(f"{where}: expected True or False, found '{short(cell)}'")
    return cell == "True"


def _numbers(cells: list[str], path, name: str) -> np.ndarray:
    values = [parse_number(cell) for cell in cells]
    for number, (cell, value) in enumerate(zip(cells, values, strict=True), start=2):
        if value is None:
            raise InputError(f"{path}, row {number}, column {name}: expected a number, found '{short(cell)}'")
    return np.array(values, dtype=float)


def _signed(weight: float, sign: str, where: str, column: str) -> float:
    sign = sign.lower()
    if sign in _REPRESSES:
        return -abs(weight)
    if sign in _ACTIVATES:
        if weight < 0:
            raise InputError(f"{where}, column {column}: the sign is '{short(sign)}' and the weight {weight:g}")
        return weight
    if sign in _UNSIGNED:
        return weight
    raise InputError(f"{where}, column {column}: expected + or -, found '{short(sign)}'")

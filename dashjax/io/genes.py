"""Lists of gene names, one per line, and tables of a value per gene."""

from __future__ import annotations

from pathlib import Path

from dashjax.errors import InputError
from dashjax.io.result_folder import refuse_changed
from dashjax.io.table_files import TableFile
from dashjax.io.tables import find_column, parse_present, refuse_repeated_columns, refuse_repeats, refuse_width, short

_HEADERS = ("x", "gene", "genes", "name", "node", "regulator", "tf")


def read_gene_names(path: Path | str) -> tuple[list[str], list[bool]]:
    """Read gene names, one per line, with or without a header `x`, `gene` or `name`.

        names, inputs = read_gene_names("gene_names_350.csv")

    Returns:
        The names, and which carried the published suffix `_input` (removed here).

    Raises:
        InputError: on blank or repeated names, naming file and row.
    """
    rows = TableFile(Path(path)).rows
    start = 1 if rows[0][0].lower() in _HEADERS else 0
    names, inputs = [], []
    for number, row in enumerate(rows[start:], start=start + 1):
        if not row or not row[0]:
            raise InputError(f"{path}, row {number}: no gene name")
        names.append(row[0].removesuffix("_input"))
        inputs.append(row[0].endswith("_input"))
    if not names:
        raise InputError(f"{path}: no gene name below the header")
    refuse_repeats(names, path)
    return names, inputs


def read_gene_values(path: Path | str, column: str) -> dict[str, float]:
    """Read one column of a table that has a row per gene and a header.

        influence = read_gene_values("influence.tsv", "influence")

    Raises:
        InputError: on missing columns or values, numbers that are none or repeated genes, naming row and column.
    """
    refuse_changed(path)
    rows = TableFile(Path(path)).rows
    refuse_repeated_columns(rows[0], path)
    places = [find_column(rows[0], (name,)) for name in ("gene", column)]
    if None in places:
        raise InputError(f"{path}, row 1: expected columns gene and {column}, found '{','.join(rows[0])[:60]}'")
    values = {}
    for number, row in enumerate(rows[1:], start=2):
        where = f"{path}, row {number}"
        refuse_width(row, len(rows[0]), where)
        gene, cell = (row[place] for place in places if place is not None)
        if gene in values:
            raise InputError(f"{where}: gene '{short(gene)}' appears twice")
        values[gene] = parse_present(cell, where, column)
    return values

"""Lists of gene names, one per line."""

from __future__ import annotations

from pathlib import Path

from dashjax.errors import InputError
from dashjax.io.tables import read_rows, refuse_repeats

_HEADERS = ("x", "gene", "genes", "name", "node", "regulator", "tf")


def read_gene_names(path: Path | str) -> tuple[list[str], list[bool]]:
    """Read gene names, one per line, with or without a header `x`, `gene` or `name`.

        names, inputs = read_gene_names("gene_names_350.csv")

    Returns:
        The names, and which carried the published suffix `_input` (removed here).

    Raises:
        InputError: on blank or repeated names, naming file and row.
    """
    rows = read_rows(path)
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

"""PHOENIX trajectory CSV: gene × time blocks, one below the other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from dashjax.errors import InputError
from dashjax.io.files import write_atomically
from dashjax.io.genes import read_gene_names
from dashjax.io.named import Expression, make_expression
from dashjax.io.table_files import TableFile
from dashjax.io.tables import LARGEST_TABLE, parse_numbers, short


def read_phoenix(path: Path | str, genes_file: Path | str | None = None) -> Expression:
    """Read a PHOENIX trajectory CSV.

    Row 1 holds the numbers of genes and trajectories. Then, per trajectory, one row per gene with its
    expression over time and one row with the times; blank cells pad shorter trajectories, and a blank cell where
    the trajectory has a time is a missing value.

        data = read_phoenix("simu_350genes_10samples_for_testing.csv", "gene_names_350.csv")

    Args:
        path: the file.
        genes_file: its gene names, see `read_gene_names`; G1, G2, … without.

    Raises:
        InputError: on anything that cannot be read, naming file, row and column.
    """
    return parse_phoenix(TableFile(Path(path)).rows, path, genes_file)


def write_phoenix(path: Path | str, times: Sequence, expression: Sequence) -> None:
    """Write trajectories as a PHOENIX trajectory CSV; missing values (NaN) are left blank.

    Args:
        path: file to write.
        times: per trajectory, its times.
        expression: per trajectory, expression (time, gene).
    """
    longest = max(2, *(len(t) for t in times))
    genes = np.shape(expression[0])[1]

    def line(values) -> str:
        cells = ["" if np.isnan(value) else repr(float(value)) for value in values]
        return ",".join(cells + [""] * (longest - len(cells))) + "\n"

    def write(part: Path) -> None:
        with part.open("w", encoding="utf-8") as file:
            file.write(",".join([str(genes), str(len(times))] + [""] * (longest - 2)) + "\n")
            for t, e in zip(times, expression, strict=True):
                file.writelines(line(gene) for gene in np.asarray(e).T)
                file.write(line(t))

    write_atomically(Path(path), write)


def is_phoenix(rows: list[list[str]]) -> bool:
    """Say whether a table's first row begins with two whole numbers."""
    try:
        _, _ = (int(cell) for cell in rows[0][:2])
    except ValueError:
        return False
    return True


def parse_phoenix(rows: list[list[str]], path: Path | str, genes_file: Path | str | None) -> Expression:
    """Read the rows of a PHOENIX trajectory CSV; see `read_phoenix`."""
    try:
        genes, count = (int(cell) for cell in rows[0][:2])
    except ValueError:
        raise InputError(
            f"{path}, row 1: expected 'genes,trajectories' as two whole numbers, found '{','.join(rows[0])[:40]}'"
        ) from None
    if not (0 < genes < LARGEST_TABLE and 0 < count < LARGEST_TABLE):
        raise InputError(f"{path}, row 1: {short(str(genes))} genes and {short(str(count))} trajectories")
    expected = 1 + count * (genes + 1)
    if len(rows) != expected:
        raise InputError(
            f"{path}: {count} trajectories of {genes} genes need {expected} rows, the file has {len(rows)}"
        )
    names = read_gene_names(genes_file)[0] if genes_file is not None else [f"G{n + 1}" for n in range(genes)]
    if len(names) != genes:
        raise InputError(f"{genes_file}: {len(names)} gene names, but {path} has {genes} genes")
    times, expression = [], []
    for number in range(count):
        first = 1 + number * (genes + 1)
        block = [
            parse_numbers(rows[first + offset], f"{path}, row {first + offset + 1}") for offset in range(genes + 1)
        ]
        where = f"{path}, row {first + genes + 1}"
        t = block[-1]
        length = int(np.isfinite(t).sum())
        if length == 0 or not np.isfinite(t[:length]).all():
            raise InputError(f"{where}: times must be numbers followed by padding only")
        for offset, row in enumerate(block):
            if len(row) < length:
                raise InputError(f"{path}, row {first + offset + 1}: {len(row)} values for {length} times")
            if np.isfinite(row[length:]).any():
                raise InputError(f"{path}, row {first + offset + 1}: more values than times ({length})")
        steps = np.diff(t[:length])
        if (steps <= 0).any():
            at = int(np.argmax(steps <= 0)) + 1
            problem = "appears twice" if steps[at - 1] == 0 else "comes after a later time"
            raise InputError(f"{where}, column {at + 1}: time {t[at]:g} {problem}")
        times.append(t[:length])
        expression.append(np.stack([row[:length] for row in block[:-1]], axis=1))
    return make_expression(names, times, expression, path)

"""Expression files: PHOENIX trajectory CSV and tidy tables."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dashjax.data import Trajectories, canonical_order, make_trajectories
from dashjax.errors import InputError
from dashjax.io.tables import parse_numbers, read_rows


@dataclass(frozen=True)
class Expression:
    """Trajectories with the names of their genes.

    Attributes:
        genes: names, in the arrays' order.
        trajectories: the data.
        source: the file they came from.
    """

    genes: tuple[str, ...]
    trajectories: Trajectories
    source: str

    def in_canonical_order(self) -> Expression:
        """Return the same data with its genes in the order of their names (see `canonical_order`)."""
        order = canonical_order(self.genes)
        values = self.trajectories
        reordered = Trajectories(values.times, values.expression[..., order], values.observed)
        return Expression(tuple(self.genes[n] for n in order), reordered, self.source)


def read_expression(path: Path | str, genes_file: Path | str | None = None) -> Expression:
    """Read a PHOENIX trajectory CSV or a tidy table, told apart by the first line.

    Args:
        path: a tidy CSV/TSV whose header starts with `trajectory,time`, or a PHOENIX trajectory CSV.
        genes_file: gene names for a PHOENIX CSV, which has none; G1, G2, … without it.

    Raises:
        InputError: on anything that cannot be read, naming file, row and column.
    """
    rows = read_rows(path)
    if {"trajectory", "time"} <= {cell.lower() for cell in rows[0]}:
        if genes_file is not None:
            raise InputError(f"{genes_file}: gene names were given, but {path} names its own")
        return _tidy(rows, path)
    times, expression = _phoenix(rows, path)
    count = expression[0].shape[1]
    genes = read_gene_names(genes_file)[0] if genes_file is not None else [f"G{n + 1}" for n in range(count)]
    if len(genes) != count:
        raise InputError(f"{genes_file}: {len(genes)} gene names, but {path} has {count} genes")
    return _checked(genes, times, expression, path)


def read_phoenix(path: Path | str) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Read a PHOENIX trajectory CSV.

    Row 1 holds the numbers of genes and trajectories. Then, per trajectory, one row per gene with its
    expression over time and one row with the times; blank cells pad shorter trajectories.

    Returns:
        Per trajectory its times, and its expression (time, gene).
    """
    return _phoenix(read_rows(path), path)


def write_phoenix(path: Path | str, times, expression) -> None:
    """Write trajectories as a PHOENIX trajectory CSV.

    Args:
        path: file to write.
        times: per trajectory, its times.
        expression: per trajectory, expression (time, gene).
    """
    longest = max(len(t) for t in times)
    genes = np.shape(expression[0])[1]
    with Path(path).open("w", encoding="utf-8") as file:

        def write(values):
            cells = [repr(float(value)) for value in values]
            file.write(",".join(cells + [""] * (longest - len(cells))) + "\n")

        file.write(",".join([str(genes), str(len(times))] + [""] * (longest - 2)) + "\n")
        for t, e in zip(times, expression, strict=True):
            for gene in np.asarray(e).T:
                write(gene)
            write(t)


def read_gene_names(path: Path | str) -> tuple[list[str], list[bool]]:
    """Read gene names, one per line, with or without a header `x`, `gene` or `name`.

    Returns:
        The names, and which carried the published suffix `_input` (removed here).
    """
    rows = read_rows(path)
    start = 1 if rows[0][0].lower() in ("x", "gene", "genes", "name", "node") else 0
    names, inputs = [], []
    for number, row in enumerate(rows[start:], start=start + 1):
        if not row[0]:
            raise InputError(f"{path}, row {number}: no gene name")
        names.append(row[0].removesuffix("_input"))
        inputs.append(row[0].endswith("_input"))
    _refuse_repeats(names, path)
    return names, inputs


def _phoenix(rows: list[list[str]], path) -> tuple[list[np.ndarray], list[np.ndarray]]:
    try:
        genes, count = (int(cell) for cell in rows[0][:2])
    except ValueError:
        raise InputError(
            f"{path}, row 1: expected a header 'trajectory,time,GENE,…' (tidy table) or "
            f"'genes,trajectories' as two whole numbers (PHOENIX CSV), found '{','.join(rows[0])[:40]}'"
        ) from None
    if genes < 1 or count < 1:
        raise InputError(f"{path}, row 1: {genes} genes and {count} trajectories")
    expected = 1 + count * (genes + 1)
    if len(rows) != expected:
        raise InputError(
            f"{path}: {count} trajectories of {genes} genes need {expected} rows, the file has {len(rows)}"
        )
    times, expression = [], []
    for number in range(count):
        first = 1 + number * (genes + 1)
        block = []
        for offset in range(genes + 1):
            block.append(parse_numbers(rows[first + offset], f"{path}, row {first + offset + 1}"))
        t = block[-1]
        length = int(np.isfinite(t).sum())
        if length == 0 or not np.isfinite(t[:length]).all():
            raise InputError(f"{path}, row {first + genes + 1}: times must be numbers followed by padding only")
        for offset, row in enumerate(block):
            if len(row) < length:
                raise InputError(f"{path}, row {first + offset + 1}: {len(row)} values for {length} times")
            missing = ~np.isfinite(row[:length])
            if missing.any():
                column = int(np.argmax(missing)) + 1
                raise InputError(f"{path}, row {first + offset + 1}, column {column}: the value is missing")
            if np.isfinite(row[length:]).any():
                raise InputError(f"{path}, row {first + offset + 1}: more values than times ({length})")
        times.append(t[:length])
        expression.append(np.stack([row[:length] for row in block[:-1]], axis=1))
        _check_times(times[-1], f"{path}, row {first + genes + 1}")
    return times, expression


def _tidy(rows: list[list[str]], path) -> Expression:
    header = rows[0]
    lower = [cell.lower() for cell in header]
    group, when = lower.index("trajectory"), lower.index("time")
    columns = [number for number in range(len(header)) if number not in (group, when)]
    genes = [header[number] for number in columns]
    if not genes:
        raise InputError(f"{path}, row 1: no gene columns beside trajectory and time")
    if "" in genes:
        raise InputError(f"{path}, row 1, column {columns[genes.index('')] + 1}: no gene name")
    by_trajectory: dict[str, list[tuple[int, np.ndarray]]] = {}
    for number, row in enumerate(rows[1:], start=2):
        where = f"{path}, row {number}"
        if len(row) != len(header):
            raise InputError(f"{where}: {len(row)} columns, the header has {len(header)}")
        values = parse_numbers([row[when], *(row[c] for c in columns)], where, ["time", *genes])
        if np.isnan(values).any():
            missing = ["time", *genes][int(np.argmax(np.isnan(values)))]
            raise InputError(f"{where}, column {missing}: the value is missing (NaN)")
        by_trajectory.setdefault(row[group], []).append((number, values))
    times, expression = [], []
    for name, observations in by_trajectory.items():
        block = np.stack([values for _, values in observations])
        steps = np.diff(block[:, 0])
        if (steps <= 0).any():
            at = int(np.argmax(steps <= 0)) + 1
            problem = "appears twice" if steps[at - 1] == 0 else "comes after a later time"
            raise InputError(
                f"{path}, row {observations[at][0]}, column time: {block[at, 0]:g} {problem} in trajectory '{name}'"
            )
        times.append(block[:, 0])
        expression.append(block[:, 1:])
    return _checked(genes, times, expression, path)


def _check_times(times: np.ndarray, where: str) -> None:
    steps = np.diff(times)
    if (steps <= 0).any():
        at = int(np.argmax(steps <= 0)) + 1
        problem = "appears twice" if steps[at - 1] == 0 else "comes after a later time"
        raise InputError(f"{where}, column {at + 1}: time {times[at]:g} {problem}")


def _checked(genes, times, expression, path) -> Expression:
    _refuse_repeats(genes, path)
    try:
        trajectories = make_trajectories(times, expression)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    return Expression(tuple(genes), trajectories, str(path))


def _refuse_repeats(names: list[str], path) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise InputError(f"{path}: gene '{name}' appears twice")
        seen.add(name)

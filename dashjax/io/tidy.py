"""Tidy tables of expression, as CSV, TSV or Parquet: a row per observation, or per value."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dashjax.errors import InputError
from dashjax.io.named import Expression, make_expression
from dashjax.io.tables import find_column, parquet_rows, parse_numbers, read_rows, refuse_missing, refuse_width, short

#: Header names, in lower case.
TRAJECTORY_NAMES = ("trajectory", "replicate", "branch", "series")
TIME_NAMES = ("time", "pseudotime")
GENE_NAMES = ("gene",)
VALUE_NAMES = ("expression", "value")


def read_tidy(path: Path | str) -> Expression:
    """Read a tidy table: `trajectory,time,GENE,GENE,…` or, one row per value, `trajectory,time,gene,expression`.

    Blank cells and NA are missing values. Rows of one trajectory stand in the order of their times in the first
    form, and in any order in the second.

        # expression.csv           trajectory,time,GATA1,TAL1
        #                          mouse_1,0,0.31,0.72
        #                          mouse_1,2,0.35,NA
        data = read_tidy("expression.csv")
        data.genes, data.trajectories.expression.shape   # ('GATA1', 'TAL1'), (1, 2, 2)

    Raises:
        InputError: on anything that cannot be read, naming file, row and column.
    """
    return parse_tidy(parquet_rows(path) if Path(path).suffix.lower() == ".parquet" else read_rows(path), path)


def write_tidy(path: Path | str, data: Expression) -> None:
    """Write expression as a table `trajectory,time,GENE,…`, by the file's name as CSV, TSV or Parquet.

    What `read_tidy` reads back is the same, missing values included, to the last bit.
    """
    import pandas as pd

    times, expression = data.unpadded()
    table = pd.DataFrame(np.concatenate(expression), columns=list(data.genes))
    table.insert(0, "time", np.concatenate(times))
    table.insert(0, "trajectory", np.repeat(np.asarray(data.names, dtype=object), [len(t) for t in times]))
    if Path(path).suffix.lower() == ".parquet":
        table.to_parquet(path, index=False)
    else:
        table.to_csv(path, index=False, sep="\t" if Path(path).suffix.lower() == ".tsv" else ",", na_rep="NA")


def is_tidy(rows: list[list[str]]) -> bool:
    """Say whether a table's header has a trajectory and a time, or a gene and a value at a time."""
    header = rows[0]
    time, trajectory = find_column(header, TIME_NAMES), find_column(header, TRAJECTORY_NAMES)
    return time is not None and (trajectory is not None or _is_long(header))


def parse_tidy(rows: list[list[str]], path: Path | str) -> Expression:
    """Read the rows of a tidy table; see `read_tidy`."""
    if find_column(rows[0], TIME_NAMES) is None:
        raise InputError(f"{path}, row 1: no column time; a tidy table has trajectory,time,GENE,…")
    for number, row in enumerate(rows[1:], start=2):
        refuse_width(row, len(rows[0]), f"{path}, row {number}")
    return _parse_long(rows, path) if _is_long(rows[0]) else _parse_wide(rows, path)


def _is_long(header: list[str]) -> bool:
    return len(header) <= 4 and None not in (find_column(header, GENE_NAMES), find_column(header, VALUE_NAMES))


def _columns(header: list[str]) -> tuple[int | None, int]:
    time = find_column(header, TIME_NAMES)
    assert time is not None, "told by is_tidy"
    return find_column(header, TRAJECTORY_NAMES), time


def _parse_wide(rows, path) -> Expression:
    header = rows[0]
    group, when = _columns(header)
    columns = [number for number in range(len(header)) if number not in (group, when)]
    genes = [header[number] for number in columns]
    if not genes:
        raise InputError(f"{path}, row 1: no gene columns beside trajectory and time")
    if "" in genes:
        raise InputError(f"{path}, row 1, column {columns[genes.index('')] + 1}: no gene name")
    by_trajectory: dict[str, list[tuple[int, np.ndarray]]] = {}
    for number, row in enumerate(rows[1:], start=2):
        where = f"{path}, row {number}"
        values = parse_numbers([row[when], *(row[c] for c in columns)], where, ["time", *genes])
        refuse_missing(values[:1], where, ["time"])
        by_trajectory.setdefault("1" if group is None else row[group], []).append((number, values))
    times, expression = [], []
    for name, observations in by_trajectory.items():
        block = np.stack([values for _, values in observations])
        steps = np.diff(block[:, 0])
        if (steps <= 0).any():
            at = int(np.argmax(steps <= 0)) + 1
            problem = "appears twice" if steps[at - 1] == 0 else "comes after a later time"
            raise InputError(
                f"{path}, row {observations[at][0]}, column time: {block[at, 0]:g} {problem} in trajectory "
                f"'{short(name)}'"
            )
        times.append(block[:, 0])
        expression.append(block[:, 1:])
    return make_expression(genes, times, expression, path, list(by_trajectory))


def _parse_long(rows, path) -> Expression:
    header = rows[0]
    group, when = _columns(header)
    gene, value = find_column(header, GENE_NAMES), find_column(header, VALUE_NAMES)
    assert gene is not None, "told by is_tidy"
    assert value is not None, "told by is_tidy"
    found: dict[str, dict[float, dict[str, float]]] = {}
    genes: dict[str, None] = {}
    for number, row in enumerate(rows[1:], start=2):
        where = f"{path}, row {number}"
        time, level = parse_numbers([row[when], row[value]], where, [header[when], header[value]])
        refuse_missing(np.array([time]), where, [header[when]])
        if not row[gene]:
            raise InputError(f"{where}, column {header[gene]}: no gene name")
        name = "1" if group is None else row[group]
        here = found.setdefault(name, {}).setdefault(float(time), {})
        if row[gene] in here:
            raise InputError(f"{where}: gene '{short(row[gene])}' appears twice at time {time:g}")
        here[row[gene]] = float(level)
        genes.setdefault(row[gene])
    times, expression = [], []
    for observations in found.values():
        ordered = sorted(observations)
        times.append(np.array(ordered))
        # A gene that is not listed at a time was not measured then.
        levels = [[observations[time].get(name, np.nan) for name in genes] for time in ordered]
        expression.append(np.array(levels))
    return make_expression(list(genes), times, expression, path, list(found))

"""Tidy tables of expression, as CSV, TSV or Parquet: a row per observation, or per value."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float

from dashjax.errors import InputError
from dashjax.io.files import write_frame
from dashjax.io.metadata import is_metadata, left_out
from dashjax.io.named import Expression, Samples, make_expression, make_samples
from dashjax.io.stated import numbered
from dashjax.io.table_files import TableFile
from dashjax.io.tables import find_column, parse_numbers, refuse_missing, refuse_repeated_columns, refuse_width, short

#: Header names, in lower case.
TRAJECTORY_NAMES = ("trajectory", "replicate", "branch", "series")
TIME_NAMES = ("time", "pseudotime")
GENE_NAMES = ("gene",)
VALUE_NAMES = ("expression", "value")
#: What stands in the place of a time in rows of samples at rest, in lower case.
REST = ("steady", "rest", "inf")


def read_tidy(path: Path | str) -> Expression:
    """Read a tidy table: `trajectory,time,GENE,GENE,…` or, one row per value, `trajectory,time,gene,expression`.

    Blank cells and NA are missing values. Rows of one trajectory stand in the order of their times in the first
    form, and in any order in the second.

        # expression.csv           trajectory,time,GATA1,TAL1
        #                          mouse_1,0,0.31,0.72
        #                          mouse_1,2,0.35,NA
        data = read_tidy("expression.csv")
        data.genes, data.trajectories.expression.shape   # ('GATA1', 'TAL1'), (1, 2, 2)

    A row whose time is the word `steady` (or `rest`, or `inf`) is a sample at rest, named as its trajectory; further
    ones of that name are called `X #2`, `X #3`, …. All rows may be.

        # expression.csv           trajectory,time,GATA1,TAL1
        #                          liver,steady,0.31,0.72
        read_tidy("expression.csv").steady.names   # ('liver',)

    Raises:
        InputError: on anything that cannot be read, naming file, row and column.
    """
    return parse_tidy(TableFile(Path(path)).rows, path)


def write_tidy(path: Path | str, data: Expression) -> None:
    """Write expression as a table `trajectory,time,GENE,…`, by the file's name as CSV, TSV or Parquet.

    What `read_tidy` reads back is the same, missing values included, to the last bit; interventions are not written.
    """
    import pandas as pd

    times, expression = data.unpadded()
    labels = np.repeat(np.asarray(data.names, dtype=object), np.array([len(t) for t in times], dtype=int))
    if data.steady is not None:
        rest = len(data.steady.names)
        times, expression = [*times, np.full(rest, np.inf, np.float32)], [*expression, data.steady.levels]
        labels = np.concatenate([labels, np.asarray(data.steady.names, dtype=object)])
    table = pd.DataFrame(np.concatenate(expression), columns=list(data.genes))
    time = np.concatenate(times)
    in_words = data.steady is not None and Path(path).suffix.lower() != ".parquet"
    table.insert(0, "time", np.where(np.isinf(time), REST[0], time.astype(object)) if in_words else time)
    table.insert(0, "trajectory", labels)
    write_frame(path, table, missing="NA")


def is_tidy(rows: list[list[str]]) -> bool:
    """Say whether a table's header has a trajectory and a time, or a gene and a value at a time."""
    header = rows[0]
    time, trajectory = find_column(header, TIME_NAMES), find_column(header, TRAJECTORY_NAMES)
    return time is not None and (trajectory is not None or is_long(header))


def parse_tidy(rows: list[list[str]], path: Path | str) -> Expression:
    """Read the rows of a tidy table; see `read_tidy`."""
    if find_column(rows[0], TIME_NAMES) is None:
        raise InputError(f"{path}, row 1: no column time; a tidy table has trajectory,time,GENE,…")
    if len(rows) < 2:
        raise InputError(f"{path}: no observations below the header")
    for number, row in enumerate(rows[1:], start=2):
        refuse_width(row, len(rows[0]), f"{path}, row {number}")
    return _parse_long(rows, path) if is_long(rows[0]) else _parse_wide(rows, path)


def is_long(header: Sequence[str]) -> bool:
    """Say whether a tidy table's header is that of a row per value."""
    return len(header) <= 4 and None not in (find_column(header, GENE_NAMES), find_column(header, VALUE_NAMES))


def _columns(header: list[str]) -> tuple[int | None, int]:
    time = find_column(header, TIME_NAMES)
    assert time is not None, "told by is_tidy"
    return find_column(header, TRAJECTORY_NAMES), time


def _parse_wide(rows, path) -> Expression:
    header = rows[0]
    group, when = _columns(header)
    columns, notes = gene_columns(header, (group, when))
    names = [header[number] for number in (when, *columns)]
    refuse_nameless(names[1:], columns, f"{path}, row 1")
    numbers = np.empty((len(rows) - 1, len(names)))
    for place, row in enumerate(rows[1:]):
        cells = [_or_zero(row[when]), *(row[c] for c in columns)]
        numbers[place] = parse_numbers(cells, f"{path}, row {place + 2}", names)
    numbers[at_rest([row[when] for row in rows[1:]]), 0] = np.inf
    labels = ["1" if group is None else row[group] for row in rows[1:]]
    return wide_expression(labels, numbers, names, path, first_row=2, notes=notes)


def gene_columns(header: Sequence[str], others: Sequence[int | None]) -> tuple[list[int], list[str]]:
    """Return which columns are genes', and a note of those that are left out because they are called as metadata.

    Args:
        header: the columns' names.
        others: places of columns that are known to be something else.
    """
    free = [number for number in range(len(header)) if number not in others]
    genes = [number for number in free if not is_metadata(header[number])]
    return genes, [left_out([header[n] for n in free if n not in set(genes)])] if len(genes) < len(free) else []


def at_rest(cells: Sequence[str]) -> np.ndarray:
    """Say of every cell of a column of times whether it says that its row is at rest."""
    return np.array([cell.lower() in REST for cell in cells], dtype=bool)


def _or_zero(cell: str) -> str:
    """Return a time's cell for parsing, where infinity is refused: rest has its place kept by a zero."""
    return "0" if cell.lower() in REST else cell


def refuse_nameless(genes: Sequence[str], places: Sequence[int], where: str) -> None:
    """Refuse a tidy table without gene columns, or with one that has no name.

    Args:
        genes: the columns' names.
        places: where the columns stand in the table, from 0.
        where: what to name in messages.

    Raises:
        InputError: naming the column.
    """
    if not genes:
        raise InputError(f"{where}: no gene columns beside trajectory and time")
    if "" in genes:
        raise InputError(f"{where}, column {places[genes.index('')] + 1}: no gene name")


def wide_expression(
    labels: Sequence[str],
    numbers: Float[np.ndarray, "row column"],
    names: Sequence[str],
    path: Path | str,
    first_row: int,
    notes: Sequence[str] = (),
) -> Expression:
    """Put the rows of a tidy table of a row per observation together.

    Args:
        labels: each row's trajectory.
        numbers: each row's time, infinite at rest, then its expression, NaN where a value is missing.
        names: of these columns: the time's, then the genes.
        path: what to name in messages.
        first_row: the number of the first row there.
        notes: what was done to the table on the way.

    Raises:
        InputError: on missing times, or times out of order, naming row and column.
    """
    absent = np.isnan(numbers[:, 0])
    if absent.any():
        refuse_missing(numbers[absent][0, :1], f"{path}, row {np.argmax(absent) + first_row}", names[:1])
    rest = np.flatnonzero(np.isinf(numbers[:, 0]))
    rows_of: dict[str, list[int]] = {}
    for place in np.flatnonzero(~np.isinf(numbers[:, 0])).tolist():
        rows_of.setdefault(labels[place], []).append(place)
    times, expression = [], []
    for name, rows in rows_of.items():
        block = numbers[rows]
        steps = np.diff(block[:, 0])
        if (steps <= 0).any():
            at = int(np.argmax(steps <= 0)) + 1
            problem = "appears twice" if steps[at - 1] == 0 else "comes after a later time"
            raise InputError(
                f"{path}, row {rows[at] + first_row}, column {short(names[0])}: {block[at, 0]:g} {problem} "
                f"in trajectory '{short(name)}'"
            )
        times.append(block[:, 0])
        expression.append(block[:, 1:])
    steady = _samples([labels[place] for place in rest.tolist()], numbers[rest, 1:], names[1:], path, list(rows_of))
    return make_expression(names[1:], times, expression, path, list(rows_of), notes, steady)


def _samples(
    labels: Sequence[str], levels: np.ndarray, genes: Sequence[str], path: Path | str, taken: Sequence[str]
) -> Samples | None:
    """Return rows at rest as samples of names of their own; None where there is no row."""
    if not len(labels):
        return None
    return make_samples(numbered(labels, taken), levels, genes, path)


def _parse_long(rows, path) -> Expression:
    header = rows[0]
    refuse_repeated_columns(header, path)
    group, when = _columns(header)
    gene, value = find_column(header, GENE_NAMES), find_column(header, VALUE_NAMES)
    assert gene is not None, "told by is_tidy"
    assert value is not None, "told by is_tidy"
    names = [header[place] for place in (when, gene, value)]
    numbers = np.empty((len(rows) - 1, 2))
    for place, row in enumerate(rows[1:]):
        cells = [_or_zero(row[when]), row[value]]
        numbers[place] = parse_numbers(cells, f"{path}, row {place + 2}", [names[0], names[2]])
    numbers[at_rest([row[when] for row in rows[1:]]), 0] = np.inf
    labels = ["1" if group is None else row[group] for row in rows[1:]]
    return long_expression(labels, numbers, [row[gene] for row in rows[1:]], names, path, first_row=2)


def long_expression(
    labels: Sequence[str],
    numbers: Float[np.ndarray, "row 2"],
    genes: Sequence[str],
    names: Sequence[str],
    path: Path | str,
    first_row: int,
) -> Expression:
    """Put the rows of a tidy table of a row per value together.

    Args:
        labels: each row's trajectory.
        numbers: each row's time, infinite at rest, and value, NaN where the value is missing.
        genes: each row's gene.
        names: of the columns of times, genes and values.
        path: what to name in messages.
        first_row: the number of the first row there.

    Raises:
        InputError: on missing names or times, or repeated values, naming row and column.
    """
    found: dict[str, dict[float, dict[str, float]]] = {}
    rest: dict[str, dict[str, list[float]]] = {}
    for place, (label, (time, level), gene) in enumerate(zip(labels, numbers.tolist(), genes, strict=True)):
        where = f"{path}, row {place + first_row}"
        refuse_missing(np.array([time]), where, names[:1])
        if not gene:
            raise InputError(f"{where}, column {names[1]}: no gene name")
        if np.isinf(time):
            rest.setdefault(label, {}).setdefault(gene, []).append(level)
            continue
        here = found.setdefault(label, {}).setdefault(time, {})
        if gene in here:
            raise InputError(f"{where}: gene '{short(gene)}' appears twice at time {time:g}")
        here[gene] = level
    order = list(dict.fromkeys(genes))
    times, expression = [], []
    for observations in found.values():
        ordered = sorted(observations)
        times.append(np.array(ordered))
        # A gene that is not listed at a time was not measured then.
        levels = [[observations[time].get(name, np.nan) for name in order] for time in ordered]
        expression.append(np.array(levels))
    resting, levels_at_rest = _long_rest(rest, order, path)
    steady = _samples(resting, levels_at_rest, order, path, list(found))
    return make_expression(order, times, expression, path, list(found), steady=steady)


def _long_rest(
    rest: dict[str, dict[str, list[float]]], genes: Sequence[str], path: Path | str
) -> tuple[list[str], np.ndarray]:
    """Return labels and levels (sample, gene) of samples at rest; a gene's n-th value belongs to the n-th sample."""
    labels, levels = [], []
    for label, values in rest.items():
        counts = {gene: len(found) for gene, found in values.items()}
        count, least = max(counts.values()), min(counts, key=lambda gene: counts[gene])
        if counts[least] != count:
            raise InputError(
                f"{path}: '{short(label)}' has {count} values at rest of one gene and {counts[least]} of "
                f"'{short(least)}'; name each sample"
            )
        labels += [label] * count
        levels += [[values[gene][n] if gene in values else np.nan for gene in genes] for n in range(count)]
    return labels, np.array(levels, dtype=float).reshape(len(labels), len(genes))

"""DREAM4 in-silico time series: `Time` and a column per gene, blank lines between series."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dashjax.errors import InputError
from dashjax.io.named import Expression, make_expression
from dashjax.io.tables import parse_numbers, read_rows, refuse_missing, refuse_width

#: The challenge's time grid, and when it lifts the perturbation.
TIMES = np.arange(0.0, 1001.0, 50.0)
LIFTED = 500.0


def read_dream4(path: Path | str) -> Expression:
    """Read DREAM4 time series.

    Series on the challenge's grid (0 to 1000 in steps of 50) are cut at 500, when their perturbation is lifted: what
    drives the genes is not the same before and after, so each half is a trajectory of its own, and both have the
    observation at 500. Series on any other grid stay whole.

        data = read_dream4("insilico_size10_1_timeseries.tsv")
        data.names     # ('series 1, perturbed', 'series 1, released', …)

    Raises:
        InputError: on anything that cannot be read, naming file, row and column.
    """
    rows = read_rows(path)
    if not is_dream4(rows):
        raise InputError(f"{path}, row 1: expected a header 'Time GENE …', found '{','.join(rows[0])[:40]}'")
    return parse_dream4(rows, path)


def is_dream4(rows: list[list[str]]) -> bool:
    """Say whether a table's header begins with a time and names genes after it."""
    return rows[0][0].lower() == "time" and len(rows[0]) > 1


def parse_dream4(rows: list[list[str]], path: Path | str) -> Expression:
    """Read the rows of DREAM4 time series; see `read_dream4`."""
    header = rows[0]
    series: list[list[np.ndarray]] = []
    begins = True
    for number, row in enumerate(rows[1:], start=2):
        if not any(row):
            begins = True
            continue
        where = f"{path}, row {number}"
        refuse_width(row, len(header), where)
        values = parse_numbers(row, where, header)
        refuse_missing(values[:1], where, header)
        if begins:
            series.append([])
        elif values[0] <= series[-1][-1][0]:
            raise InputError(
                f"{where}, column {header[0]}: {values[0]:g} does not come after {series[-1][-1][0]:g}; "
                f"a blank line separates series"
            )
        series[-1].append(values)
        begins = False
    blocks = [np.stack(block) for block in series]
    names = [f"series {number}" for number in range(1, len(blocks) + 1)]
    notes = []
    if blocks and all(np.array_equal(block[:, 0], TIMES) for block in blocks):
        notes.append(f"each of {len(blocks)} series is two trajectories: perturbed until {LIFTED:g}, then released")
        names = [f"{name}, {half}" for name in names for half in ("perturbed", "released")]
        blocks = [half for block in blocks for half in (block[block[:, 0] <= LIFTED], block[block[:, 0] >= LIFTED])]
    if not blocks:
        raise InputError(f"{path}: no observations below the header")
    return make_expression(
        header[1:], [block[:, 0] for block in blocks], [block[:, 1:] for block in blocks], path, names, notes
    )

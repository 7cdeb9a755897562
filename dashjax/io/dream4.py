"""DREAM4 in-silico time series: `Time` and a column per gene, blank lines between series; its experiments at rest."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from dashjax.data.interventions import Intervention, Kind
from dashjax.errors import InputError
from dashjax.io.experiments import read_steady
from dashjax.io.named import Expression, NamedSamples, make_expression
from dashjax.io.stated import numbered
from dashjax.io.table_files import TableFile
from dashjax.io.tables import parse_numbers, refuse_missing, refuse_width

#: The challenge's time grid, and when it lifts the perturbation.
TIMES = np.arange(0.0, 1001.0, 50.0)
LIFTED = 500.0
#: How files of time series are called, after the network's name.
SERIES = "_timeseries"
#: Files of samples at rest: what samples are called, and what was done to the gene of the row.
_BESIDE: dict[str, tuple[str, tuple[Kind, float | None] | None]] = {
    "wildtype": ("wild type", None),
    "multifactorial": ("multifactorial", None),
    "knockouts": ("knock-out", ("knockout", None)),
    "knockdowns": ("knock-down", ("knockdown", 0.5)),
}


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
    rows = TableFile(Path(path)).rows
    if not is_dream4(rows):
        raise InputError(f"{path}, row 1: expected a header 'Time GENE …', found '{','.join(rows[0])[:40]}'")
    return parse_dream4(rows, path)


def read_dream4_experiments(path: Path | str) -> Expression:
    """Read DREAM4 time series with the samples at rest that lie beside them, and what was done in those.

    The files are called as that of the series, with `wildtype`, `multifactorial`, `knockouts` or `knockdowns` in the
    place of `timeseries`; those that are absent are left out. Row i of the last two is of the experiment on their
    i-th gene. Multifactorial samples differ in the production of all genes by amounts that no file states: they
    count as samples to which nothing was done.

        data = read_dream4_experiments("insilico_size10_1_timeseries.tsv")
        data.steady.names     # ('wild type', 'multifactorial 1', …, 'knock-out G1', …, 'knock-down G1', …)

    Args:
        path: of the time series.

    Raises:
        InputError: where no such file is beside the series, or one cannot be read, naming file, row and column.
    """
    path = Path(path)
    data = read_dream4(path)
    stem, mark, end = path.name.rpartition(SERIES)
    if not mark:
        raise InputError(f"{path}: expected a file called …{SERIES}.tsv, beside which others may lie")
    beside = {what: path.with_name(f"{stem}_{what}{end}") for what in _BESIDE}
    there = {what: file for what, file in beside.items() if file.is_file()}
    if not there:
        raise InputError(f"{path}: nothing at rest beside it, such as {beside['knockouts'].name}")
    for what, file in there.items():
        data = data.with_experiments(*_at_rest(file, what, data.genes))
    return data


def _at_rest(file: Path, what: str, genes: tuple[str, ...]) -> tuple[NamedSamples, list[Intervention]]:
    """Return a file's samples at rest, with names that say what they are, and the interventions in them."""
    name, done = _BESIDE[what]
    found, interventions = read_steady(file, genes), []
    if done is not None:
        if len(found.names) != len(found.genes):
            raise InputError(f"{file}: {len(found.names)} rows, expected one per gene, which are {len(found.genes)}")
        names = [f"{name} {gene}" for gene in found.genes]
        for row, (label, gene) in enumerate(zip(names, found.genes, strict=True), start=2):
            interventions.append(Intervention(label, gene, *done, f"{file}, row {row}"))
    elif what == "wildtype":
        names = numbered([name] * len(found.names))
    else:
        names = [f"{name} {number}" for number in range(1, len(found.names) + 1)]
    return replace(found, names=tuple(names)), interventions


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

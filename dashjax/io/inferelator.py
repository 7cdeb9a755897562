"""The Inferelator's files: expression, meta data that say which samples follow one another, and a gold standard."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dashjax.errors import InputError, suggest
from dashjax.io.edge_tables import is_edge_table, parse_edge_table
from dashjax.io.named import Expression, NamedNetwork, make_expression, make_network, make_samples
from dashjax.io.tables import find_column, parse_present, read_levels, read_rows, refuse_width, short

#: Columns of meta data, in lower case: the sample, whether it is of a time series, its place there (first, middle,
#: last, or e where it is of none), the sample before it and the time since.
_COLUMNS = ("condname", "ists", "is1stlast", "prevcol", "del.t")
_TRUE, _FALSE = ("true", "t", "1", "yes"), ("false", "f", "0", "no", "na", "")


@dataclass(frozen=True)
class _Row:
    """A sample's row of meta data: the sample before it, None for a first one, and the time since."""

    before: str | None
    since: float
    where: str


def read_inferelator(expression_path: Path | str, meta_path: Path | str) -> Expression:
    """Read expression gene × sample, and the Inferelator's meta data about its samples.

    Samples of time series follow the one that `prevCol` names, `del.t` later; a sample that two follow begins both
    of their series. All others are samples at rest.

        # meta_data.tsv     isTs   is1stLast  prevCol  del.t  condName
        #                   TRUE   f          NA       NA     S0_1
        #                   TRUE   l          S0_1     60     S1_1
        #                   FALSE  e          NA       NA     LB_1
        data = read_inferelator("expression.tsv.gz", "meta_data.tsv")
        data.names, data.steady.names     # ('S0_1 to S1_1',), ('LB_1',)

    Args:
        expression_path: a row per gene, a column per sample, plain or gzipped.
        meta_path: a row per sample, as above.

    Raises:
        InputError: on anything that cannot be read, naming file, row and column.
    """
    samples, genes, levels = read_levels(expression_path, "sample")
    place = {name: number for number, name in enumerate(samples)}
    meta = _read_meta(meta_path, place, expression_path)
    chains = _chains({name: row for name, row in meta.items() if row is not None}, meta_path)
    rest = [name for name, row in meta.items() if row is None]
    times = [np.cumsum([0.0, *(since for _, since in chain[1:])]) for chain in chains]
    series = [levels[:, [place[name] for name, _ in chain]].T for chain in chains]
    names = [f"{chain[0][0]} to {chain[-1][0]}" for chain in chains]
    steady = make_samples(rest, levels[:, [place[name] for name in rest]].T, genes, expression_path) if rest else None
    absent = len(samples) - len(meta)
    notes = [f"{absent:,} samples without meta data are left out"] if absent else []
    return make_expression(genes, times, series, expression_path, names, notes, steady)


def read_gold_standard(path: Path | str) -> NamedNetwork:
    """Read a gold standard or prior of the Inferelator: a matrix with a row per target and a column per regulator.

    Matrices elsewhere have a row per regulator. An edge table with a header is read as one.

        network = read_gold_standard("gold_standard.tsv")

    Raises:
        InputError: on anything that cannot be read, naming file, row and column, or where there is no edge.
    """
    rows = read_rows(path)
    if is_edge_table(rows):
        return parse_edge_table(rows, path)
    regulators, targets, weights = read_levels(path, "regulator")
    found = [
        (regulators[column], targets[row], float(weights[row, column]), int(row) + 2)
        for row, column in np.argwhere(np.nan_to_num(weights))
    ]
    return make_network(found, path)


def _read_meta(path: Path | str, samples: dict[str, int], expression: Path | str) -> dict[str, _Row | None]:
    """Return every sample's row; None where it is at rest. A sample may be listed twice with the same content."""
    rows = read_rows(path)
    header = rows[0]
    found = [find_column(header, [name]) for name in _COLUMNS]
    if None in found:
        raise InputError(f"{path}, row 1: no column {_COLUMNS[found.index(None)]}; needed are {', '.join(_COLUMNS)}")
    name, timed, part, before, since = (place for place in found if place is not None)
    meta: dict[str, _Row | None] = {}
    for number, row in enumerate(rows[1:], start=2):
        where = f"{path}, row {number}"
        refuse_width(row, len(header), where)
        if row[name] not in samples:
            hint = suggest(row[name], tuple(samples))
            raise InputError(f"{where}: sample '{short(row[name])}' is not in {expression}{hint}")
        entry: _Row | None = None
        if _truth(row[timed], f"{where}, column {header[timed]}") and row[part].lower() != "e":
            if row[part].lower() not in ("f", "m", "l"):
                raise InputError(f"{where}, column {header[part]}: expected f, m, l or e, found '{short(row[part])}'")
            first = row[part].lower() == "f"
            step = 0.0 if first else parse_present(row[since], where, header[since])
            if not first and step <= 0:
                raise InputError(f"{where}, column {header[since]}: {step:g} is no time that passes")
            entry = _Row(None if first else row[before], step, where)
        if row[name] in meta and not _same(meta[row[name]], entry):
            raise InputError(f"{where}: sample '{short(row[name])}' appears twice, with another content")
        meta.setdefault(row[name], entry)
    return meta


def _same(first: _Row | None, second: _Row | None) -> bool:
    if first is None or second is None:
        return first is second
    return (first.before, first.since) == (second.before, second.since)


def _chains(rows: dict[str, _Row], path: Path | str) -> list[list[tuple[str, float]]]:
    """Return series as chains of samples with the time since the one before, a chain for each that none follows."""
    followed = {row.before for row in rows.values()}
    for row in rows.values():
        if row.before is not None and row.before not in rows:
            hint = suggest(row.before, tuple(rows))
            raise InputError(f"{row.where}: the sample before, '{short(row.before)}', is in no time series{hint}")
    chains, reached = [], set()
    for last in (name for name in rows if name not in followed):
        chain, name = [], last
        while True:
            chain.append((name, rows[name].since))
            reached.add(name)
            before = rows[name].before
            if before is None:
                break
            name = before
        if len(chain) < 2:
            raise InputError(f"{rows[last].where}: no sample follows '{short(last)}', a series has at least two")
        chains.append(chain[::-1])
    circling = [row for name, row in rows.items() if name not in reached]
    if circling:
        raise InputError(f"{circling[0].where}: the samples before this one lead back to it")
    return chains


def _truth(cell: str, where: str) -> bool:
    if cell.lower() not in (*_TRUE, *_FALSE):
        raise InputError(f"{where}: expected TRUE or FALSE, found '{short(cell)}'")
    return cell.lower() in _TRUE

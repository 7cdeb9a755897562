"""Tables: runs grouped by what was varied, as text and as summary.json."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd

from dashjax.sweep import PRIOR_ONLY, SCORES

#: What identifies a row of the summary; a column that never varies is left out of printed tables.
GROUP = ["method", "data", "prior", "noise", "prior_corruption", "lambda_1", "lambda_2", "strength", "target_sparsity"]
#: Columns of results.parquet, in order, before those that vary with the version.
COLUMNS = [
    "method",
    "seed",
    "noise",
    "prior_corruption",
    "lambda_1",
    "lambda_2",
    "epochs",
    "sparsity",
    "balanced_accuracy",
    "precision",
    "aupr",
    "auroc",
    "aupr_outside_prior",
    "aupr_inside_prior",
    "test_mse",
    "validation_mse",
    "n_edges",
    "status",
]
METRICS = ["sparsity", *SCORES, "test_mse", "validation_mse"]

#: Heading (long, short) and format of the printed table's columns.
PRINTED: dict[str, tuple[str, str, str]] = {
    "sparsity": ("sparsity", "sparsity", "{:.3f}"),
    "balanced_accuracy": ("balanced accuracy", "bal.\nacc.", "{:.3f}"),
    "precision": ("precision", "prec.", "{:.3f}"),
    "aupr": ("AUPR", "AUPR", "{:.3f}"),
    "aupr_outside_prior": ("AUPR outside prior", "AUPR\nout", "{:.3f}"),
    "aupr_inside_prior": ("AUPR inside prior", "AUPR\nin", "{:.3f}"),
    "n_edges": ("edges", "edges", "{:,.0f}"),
    "test_mse": ("test MSE", "test\nMSE", "{:.1e}"),
}


#: Format of the sd beside a mean of some format; other means stand alone.
_SPREADS = {"{:.3f}": "{:.3f}", "{:.2e}": "{:.0e}"}
_SHORT = {"lambda_1": "λ₁", "lambda_2": "λ₂", "prior_corruption": "corruption", "target_sparsity": "target"}


def order_columns(table: pd.DataFrame) -> pd.DataFrame:
    """Return the results table with its contract's columns first."""
    return table[[*COLUMNS, *[name for name in table.columns if name not in COLUMNS]]]


def summarise(table: pd.DataFrame, metrics: Sequence[str] = METRICS) -> list[dict[str, Any]]:
    """Return one row per method and varied value: run count, and mean and sd of every metric.

    Means are over runs that ended with a finite model; `n_diverged` counts the others. A single run has
    sd null, a metric that does not exist for a row is null.
    """
    rows = []
    present = [name for name in GROUP if name in table]
    for keys, group in table.groupby(present, dropna=False, sort=False):
        healthy = group[group["status"] != "diverged"]
        row: dict[str, Any] = {name: _plain(key) for name, key in zip(present, keys, strict=True)}
        row["n_runs"] = len(group)
        row["n_diverged"] = len(group) - len(healthy)
        for metric in metrics:
            values = healthy[metric].dropna()
            row[metric] = {
                "mean": _plain(values.mean()) if len(values) else None,
                "sd": _plain(values.std(ddof=1)) if len(values) > 1 else None,
            }
        rows.append(row)
    return sorted(rows, key=lambda row: row["method"] == PRIOR_ONLY)


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return value
    return None if math.isnan(value) else float(value)


def varied(rows: list[dict[str, Any]]) -> list[str]:
    """Return the group columns, beside the method, that take several values for one method."""
    names = []
    for name in GROUP[1:]:
        by_method: dict[str, set] = {}
        for row in rows:
            if row["method"] != PRIOR_ONLY or name in ("prior_corruption", "data", "prior"):
                by_method.setdefault(row["method"], set()).add(row.get(name))
        if any(len(values) > 1 for values in by_method.values()):
            names.append(name)
    return names


def label(row: dict[str, Any], names: list[str]) -> str:
    """Return a row's method with the values of the varied columns."""
    values = [_value(name, row[name]) for name in names if row.get(name) not in (None, "")]
    return row["method"] + (f" ({', '.join(values)})" if values else "")


def _value(name: str, value: Any) -> str:
    return f"{_SHORT.get(name, name)} {value}" if isinstance(value, str) else f"{_SHORT.get(name, name)} {value:g}"


def row_labels(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Return the labels of a summary's rows."""
    names = varied(list(rows))
    return [label(row, names) for row in rows]


def format_metric(value: dict[str, float | None], form: str, spread: bool = True) -> str:
    """Return a metric as tables show it: its mean, and its sd unless that would print as zero."""
    mean, sd = value["mean"], value["sd"]
    text = "–" if mean is None else form.format(mean)
    if spread and sd is not None and form in _SPREADS and float(_SPREADS[form].format(sd)) > 0:
        text += f" ± {_SPREADS[form].format(sd)}"
    return text


def printed_rows(rows: list[dict[str, Any]], compact: bool = False) -> tuple[list[str], list[list[str]]]:
    """Return headings and cells of the table that people read.

    Args:
        rows: the summary.
        compact: means only and short headings, for a terminal; otherwise "mean ± sd".
    """
    names = varied(rows)
    cells = []
    for row in rows:
        line = [label(row, names), str(row["n_runs"])]
        for metric, (_, _, form) in PRINTED.items():
            line.append(format_metric(row[metric], form, spread=not compact))
        cells.append(line)
    headings = [short if compact else long for long, short, _ in PRINTED.values()]
    return ["method", "runs", *headings], cells

"""What a comparison found: means by method, a table, a figure, a page."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from dashjax.compare.comparison import describe_prior
from dashjax.io.files import write_atomically, write_frame
from dashjax.io.result_folder import published
from dashjax.report.figure_files import provenance, to_png
from dashjax.report.figures import colour
from dashjax.report.page import render_page
from dashjax.rivals import PRIOR_ONLY

_MEASURED = (
    "aupr",
    "auroc",
    "early_precision",
    "aupr_outside_prior",
    "aupr_inside_prior",
    "beeline_auprc",
    "beeline_early_precision_ratio",
    "precision",
    "recall",
    "n_edges",
    "seconds",
    "peak_memory_mib",
)
_COLUMNS = {
    "aupr": ("AUPR", "{:.3f}"),
    "aupr_outside_prior": ("AUPR outside prior", "{:.3f}"),
    "auroc": ("AUROC", "{:.3f}"),
    "early_precision": ("early precision", "{:.3f}"),
    "beeline_early_precision_ratio": ("BEELINE's ratio", "{:.2f}"),
    "seconds": ("seconds", "{:,.1f}"),
    "peak_memory_mib": ("peak MiB", "{:,.0f}"),
}
#: What fits a terminal.
_COMPACT = ("aupr", "auroc", "seconds")


def write_comparison(rows: pd.DataFrame, out: Path, title: str) -> pd.DataFrame:
    """Write results.parquet, summary.json, comparison.png and report.html of a comparison.

    Args:
        rows: of `compare`.
        out: results folder.
        title: of the page.

    Returns:
        Means per group of problems, prior and method; in each group and prior the highest AUPR first.
    """
    means = rows.groupby(["group", "corruption", "method"], dropna=False, sort=False)[list(_MEASURED)].mean()
    means.insert(0, "problems", rows.groupby(["group", "corruption", "method"], dropna=False, sort=False).size())
    means = means.reset_index()
    order = means["aupr"].rank(ascending=False)
    means = means.assign(_order=order).sort_values(["group", "corruption", "_order"], na_position="first")
    means = means.drop(columns="_order").reset_index(drop=True)
    kept = rows.drop(columns=["id", "chunk"], errors="ignore")
    plain = [{key: _plain(value) for key, value in row.items()} for row in means.to_dict("records")]
    summary = json.dumps({"rows": plain, "versions": provenance()}, indent=1) + "\n"
    picture = to_png(draw_comparison(means))
    headings, cells = table_of(means)
    page = render_page(
        title,
        f"{rows['problem'].nunique()} networks, {rows['method'].nunique()} methods, means over the networks of a group",
        [
            "All methods see the same trajectories and the same prior; rivals that cannot weigh a prior rank its edges "
            "first. Of samples at rest, rivals see what they are made for. Scores count ordered pairs of genes without "
            "self loops."
        ],
        headings,
        cells,
        {"AUPR by prior": (picture, "Each line is a method; the prior alone is dashed.")},
        provenance(),
    )
    with published(out, "compare") as part:
        write_frame(part / "results.parquet", kept)
        files = {"summary.json": summary.encode(), "comparison.png": picture, "report.html": page.encode()}
        for name, content in files.items():
            write_atomically(part / name, partial(Path.write_bytes, data=content))
    return means


def table_of(means: pd.DataFrame, compact: bool = False) -> tuple[list[str], list[list[str]]]:
    """Return headings and cells of the table of means, rows named by method, group and prior; fewer for a terminal."""
    columns = {name: _COLUMNS[name] for name in _COMPACT} if compact else _COLUMNS
    headings = ["method", "data", "prior", *(heading for heading, _ in columns.values())]
    cells = []
    for row in means.to_dict("records"):
        corruption = None if pd.isna(row["corruption"]) else row["corruption"]
        values = ["–" if pd.isna(row[name]) else form.format(row[name]) for name, (_, form) in columns.items()]
        words = _short_prior(corruption) if compact else describe_prior(corruption)
        cells.append([str(row["method"]), str(row["group"]), words, *values])
    return headings, cells


def draw_comparison(means: pd.DataFrame) -> Figure:
    """Draw AUPR over the prior's corruption, a panel per group of problems, a line per method."""
    groups = list(dict.fromkeys(means["group"]))
    figure = Figure(figsize=(1.5 + 3.4 * len(groups), 4.2), layout="constrained")
    panels = figure.subplots(1, len(groups), squeeze=False, sharey=True)[0]
    given = sorted({value for value in means["corruption"] if not pd.isna(value)}, reverse=True)
    places = {None: 0, **{value: number for number, value in enumerate(given, start=1)}}
    names = [_short_prior(value) for value in (None, *given)]
    for panel, group in zip(panels, groups, strict=True):
        for method in dict.fromkeys(means["method"]):
            mine = means[(means["group"] == group) & (means["method"] == method)]
            at = [places[None if pd.isna(value) else value] for value in mine["corruption"]]
            line = np.array(sorted(zip(at, mine["aupr"], strict=True))).reshape(-1, 2)
            style = "--" if method == PRIOR_ONLY.name else "-"
            panel.plot(line[:, 0], line[:, 1], style, marker="o", markersize=4, color=colour(method), label=method)
        panel.set(title=group, xlabel="prior", ylim=(0, 1.02))
        panel.set_xticks(range(len(names)), names, rotation=30, ha="right", fontsize=8)
        panel.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("AUPR")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right center", frameon=False)
    return figure


def _short_prior(corruption: float | None) -> str:
    return "none" if corruption is None else f"{corruption:.0%} wrong"


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and np.isnan(value) else value

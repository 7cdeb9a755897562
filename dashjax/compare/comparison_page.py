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
from dashjax.compare.findings import what_data_add
from dashjax.io.files import write_atomically, write_frame
from dashjax.io.result_folder import published
from dashjax.report.figure_files import provenance, to_png
from dashjax.report.figures import colour
from dashjax.report.network_page import made_facts, read_record
from dashjax.report.page import Section, facts, hint, paragraphs, render_page, static_figure, static_table, table_view
from dashjax.rivals import PRIOR_ONLY

_MEASURED = (
    "aupr",
    "chance",
    "sure",
    "sure_true",
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
    "chance": ("chance", "{:.3f}"),
    "aupr_outside_prior": ("AUPR outside prior", "{:.3f}"),
    "auroc": ("AUROC", "{:.3f}"),
    "early_precision": ("early precision", "{:.3f}"),
    "sure": ("pairs above p = .9", "{:,.0f}"),
    "sure_true": ("of them true", "{:.2f}"),
    "beeline_early_precision_ratio": ("BEELINE's ratio", "{:.2f}"),
    "seconds": ("seconds", "{:,.1f}"),
    "peak_memory_mib": ("peak MiB", "{:,.0f}"),
}
#: What fits a terminal, and what does of measured problems.
_COMPACT, _COMPACT_OWN = ("aupr", "auroc", "seconds"), ("aupr", "chance", "sure", "sure_true", "seconds")
_SHORT = {"sure": "p > .9", "sure_true": "true"}


def write_comparison(rows: pd.DataFrame, out: Path, title: str) -> pd.DataFrame:
    """Write results.parquet, summary.json, comparison.png and report.html of a comparison.

    Args:
        rows: of `compare`.
        out: results folder.
        title: of the page.

    Returns:
        Means per group of problems, prior and method; in each group and prior the highest AUPR first.
    """
    # What no row of this comparison has, or an earlier version's rows lack.
    absent = [name for name in (*_MEASURED, "own_prior") if name not in rows]
    rows = rows.assign(**dict.fromkeys(absent, np.nan))
    rows["own_prior"] = rows["own_prior"].eq(True)
    parts = rows.groupby(["group", "own_prior", "corruption", "method"], dropna=False, sort=False)
    means = parts[list(_MEASURED)].mean()
    means.insert(0, "problems", parts.size())
    means = means.reset_index()
    order = means["aupr"].rank(ascending=False)
    means = means.assign(_order=order)
    means = means.sort_values(["group", "own_prior", "corruption", "_order"], na_position="first")
    means = means.drop(columns="_order").reset_index(drop=True)
    kept = rows.drop(columns=["id", "chunk"], errors="ignore")
    plain = [{key: _plain(value) for key, value in row.items()} for row in means.to_dict("records")]
    summary = json.dumps({"rows": plain, "versions": provenance()}, indent=1) + "\n"
    own = bool(means["own_prior"].all())
    picture = to_png(draw_measured(means) if own else draw_comparison(means[~means["own_prior"]]))
    caption = "Each dot is a method; chance is dashed." if own else "Each line is a method; the prior alone is dashed."
    words = (
        "All methods see the same trajectories and the same prior; rivals that cannot weigh a prior rank its edges "
        "first. Of samples at rest, rivals see what they are made for. Scores count ordered pairs of genes without "
        "self loops; where a part of the known network was hidden from the prior, those of that part alone. Chance "
        "is the share of true pairs among them, the AUPR of any order drawn at random."
    )
    headings, cells, best = matrix_of(means)
    named = means.assign(
        prior=[
            describe_prior(None if pd.isna(c) else c, bool(o))
            for c, o in zip(means["corruption"], means["own_prior"], strict=True)
        ]
    )
    labels = {"method": "method", "group": "data", "prior": "prior", "problems": "networks"}
    labels |= {name: heading for name, (heading, _) in _COLUMNS.items() if means[name].notna().any()}
    count = rows["problem"].nunique()
    page = render_page(
        title,
        f"{count} network{'' if count == 1 else 's'}, {rows['method'].nunique()} methods, means over those of a group",
        [
            Section(
                "Who ranks edges best?",
                [
                    paragraphs(*what_data_add(means), words),
                    hint("AUPR; the best of each column is marked, the prior alone and chance stand below."),
                    static_table(headings, cells, best),
                ],
                "AUPR",
            ),
            Section("Figure", [static_figure("AUPR" if own else "AUPR by prior", picture, caption)]),
            Section("All scores", [table_view("comparison", named, labels, "scores", filters=("aupr",))]),
            Section("How was it made?", [facts(made_facts(read_record(out) or provenance()))], "How it was made"),
        ],
    )  # fmt: skip
    with published(out, "compare") as part:
        write_frame(part / "results.parquet", kept)
        files = {"summary.json": summary.encode(), "comparison.png": picture, "report.html": page.encode()}
        for name, content in files.items():
            write_atomically(part / name, partial(Path.write_bytes, data=content))
    return means


def table_of(means: pd.DataFrame, compact: bool = False) -> tuple[list[str], list[list[str]]]:
    """Return headings and cells of the table of means, rows named by method, group and prior; fewer for a terminal."""
    own = means["own_prior"].all()
    shown = (_COMPACT_OWN if own else _COMPACT) if compact else tuple(_COLUMNS)
    columns = {name: _COLUMNS[name] for name in shown if means[name].notna().any()}
    headings = ["method", "data", "prior", *(_SHORT.get(n, h) if compact else h for n, (h, _) in columns.items())]
    cells = []
    for row in means.to_dict("records"):
        corruption = None if pd.isna(row["corruption"]) else row["corruption"]
        values = ["–" if pd.isna(row[name]) else form.format(row[name]) for name, (_, form) in columns.items()]
        mine = bool(row["own_prior"])
        words = _short_prior(corruption, mine) if compact else describe_prior(corruption, mine)
        cells.append([str(row["method"]), str(row["group"]), words, *values])
    return headings, cells


def matrix_of(means: pd.DataFrame) -> tuple[list[str], list[list[str]], set[tuple[int, int]]]:
    """Return AUPR as a table of methods × data: headings, cells, and which cells are the best of their column.

    Methods stand in the order of their mean rank, the prior alone and chance below all others, and are never marked.
    """
    keys = ["group", "own_prior", "corruption"]
    columns = [tuple(row) for row in means[keys].drop_duplicates().itertuples(index=False)]
    place = {_key(column): number for number, column in enumerate(columns)}
    values: dict[str, list[float]] = {}
    chance = [np.nan] * len(columns)
    for row in means.to_dict("records"):
        at = place[_key(tuple(row[name] for name in keys))]
        values.setdefault(str(row["method"]), [np.nan] * len(columns))[at] = row["aupr"]
        chance[at] = row["chance"] if np.isnan(chance[at]) else chance[at]
    methods = [name for name in values if name != PRIOR_ONLY.name]
    table = np.array([values[name] for name in methods]).reshape(len(methods), len(columns))
    # Ranks, for columns differ in how hard they are; a missing value is the last of its column.
    ranks = pd.DataFrame(-table).rank(na_option="bottom").mean(axis=1).to_numpy()
    methods = [methods[number] for number in np.argsort(ranks, kind="stable")]
    shown = [*methods, *([PRIOR_ONLY.name] if PRIOR_ONLY.name in values else [])]
    lines = [values[name] for name in shown]
    best = set()
    for column in range(len(columns)):
        told = [round(line[column], 3) for line in lines[: len(methods)]]
        top = np.nanmax(told) if np.isfinite(told).any() else np.nan
        best |= {(number, column + 1) for number, value in enumerate(told) if value == top}
    if np.isfinite(chance).any():
        shown, lines = [*shown, "chance"], [*lines, chance]
    short = [
        f"{group}, {describe_prior(None if pd.isna(corruption) else corruption, bool(own))}"
        for group, own, corruption in columns
    ]
    cells = [
        [name, *("–" if np.isnan(value) else f"{value:.3f}" for value in line)]
        for name, line in zip(shown, lines, strict=True)
    ]
    return ["method", *short], cells, best


def _key(column: tuple) -> tuple:
    return tuple(None if pd.isna(value) else value for value in column)


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


def draw_measured(means: pd.DataFrame) -> Figure:
    """Draw the AUPR of every method on measured problems, a panel per group, chance beside."""
    groups = list(dict.fromkeys(means["group"]))
    methods = list(dict.fromkeys(means["method"]))
    columns = min(3, len(groups))
    lines = -(-len(groups) // columns)
    figure = Figure(figsize=(2 + 3.4 * columns, lines * (1.0 + 0.26 * len(methods))), layout="constrained")
    panels = figure.subplots(lines, columns, squeeze=False, sharey=True).ravel()
    for panel, group in zip(panels, groups, strict=False):
        mine = means[means["group"] == group]
        for method, aupr in zip(mine["method"], mine["aupr"], strict=True):
            panel.plot(aupr, methods.index(method), "o", color=colour(method))
        panel.axvline(mine["chance"].mean(), color="0.6", linestyle="--", linewidth=1)
        panel.set(title=group, xlim=(0, 1.02))
        panel.title.set_fontsize(9)
        panel.set_yticks(range(len(methods)), methods, fontsize=8)
        panel.spines[["top", "right"]].set_visible(False)
    for panel in panels[len(groups) :]:
        panel.set_axis_off()
    panels[0].invert_yaxis()
    figure.supxlabel("AUPR", fontsize=9)
    return figure


def _short_prior(corruption: float | None, own: bool = False) -> str:
    if own and corruption is not None:
        return "own"
    return "none" if corruption is None else f"{corruption:.0%} wrong"


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and np.isnan(value) else value

"""Writing a results folder: table, summary, figures and page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from dashjax.io import write_atomically
from dashjax.io.provenance import provenance
from dashjax.io.result_folder import published
from dashjax.report import figures as draw
from dashjax.report.figure_files import write_figure
from dashjax.report.page import render_page
from dashjax.report.summary import GROUP, order_columns, printed_rows, row_labels, summarise
from dashjax.sweep import PRIOR_ONLY, Grid, Results

CAPTIONS = {
    "sparsity_accuracy": (
        "Sparsity against accuracy",
        "One dot per run. The dashed line is the prior scored as if it were a fitted network: a method earns its keep "
        "only by what it adds to that.",
    ),
    "training_curves": (
        "Training",
        "Errors jump where weights are cut and recover between cuts. The model returned is the one of lowest "
        "validation error among the epochs at the method's target sparsity.",
    ),
    "effects": (
        "True and inferred effects",
        "Rows are regulators with the most targets on top, columns targets grouped by their main regulator; red "
        "activates, blue represses; for an ensemble, the probability of each edge. First seed of each method; lone "
        "edges are drawn one pixel wider.",
    ),
    "precision_recall": (
        "Precision and recall",
        "Edges ranked by the size of their relative effect, or by their probability for an ensemble, first seed of "
        "each method. The star is the prior itself, which ranks nothing.",
    ),
}


def write_results(results: Results, grid: Grid, title: str) -> list[dict[str, Any]]:
    """Write results.parquet, summary.json, figures and report.html into the results folder.

    Returns:
        The summary's rows.
    """
    folder = results.store.folder
    table = order_columns(results.table.drop(columns="chunk", errors="ignore"))
    rows = summarise(results.table)
    with published(folder, "sweep") as part:
        write_atomically(part / "results.parquet", lambda path: table.to_parquet(path, index=False))
        facts = provenance() | {"compiled programs": str(results.compilations)}
        summary = json.dumps({"title": title, "provenance": facts, "rows": rows}, indent=1, ensure_ascii=False)
        write_atomically(part / "summary.json", lambda path: path.write_text(summary + "\n", encoding="utf-8"))

        shown = {}
        for name, figure in _draw(results, rows).items():
            heading, caption = CAPTIONS[name]
            shown[heading] = (write_figure(part, name, figure), caption)
        headings, cells = printed_rows(rows)
        page = render_page(title, describe(grid, results), conclusions(rows), headings, cells, shown, facts)
        write_atomically(part / "report.html", lambda path: path.write_text(page, encoding="utf-8"))
    return rows


def describe(grid: Grid, results: Results) -> str:
    """Return one line on what was run."""
    problem = next(iter(results.cells.values())).problem
    epochs = sorted({cell.run_epochs for cell in results.cells.values()})
    ran = f"{len(grid.seeds)} seeds, {' or '.join(map(str, epochs))} epochs."
    if grid.data is not None:
        files = ", ".join(sorted({str(cell.coordinates["data"]) for cell in results.cells.values()}))
        return f"{files}: {len(problem.genes)} genes, {problem.observed.n_trajectories} trajectories; {ran}"
    truth = np.asarray(problem.truth)
    plan = grid.trajectories

    def listed(values):
        return ", ".join(f"{100 * value:g} %" for value in values)

    return (
        f"{len(truth)} genes, {int((truth != 0).sum())} true edges; {plan.train} training trajectories at times "
        f"{', '.join(f'{time:g}' for time in plan.times)}; noise sd {', '.join(f'{n:g}' for n in grid.noise)}; "
        f"prior with {listed(grid.prior_corruption)} of its edges misplaced; {ran}"
    )


def conclusions(rows: list[dict[str, Any]]) -> list[str]:
    """Say in words what the table shows, above all what each method adds to its prior."""
    prior = [row for row in rows if row["method"] == PRIOR_ONLY]
    fitted = [row for row in rows if row["method"] != PRIOR_ONLY and row["aupr"]["mean"] is not None]
    if not prior or not fitted:
        return []
    bar = max(prior, key=lambda row: row["aupr"]["mean"])
    best = max(fitted, key=lambda row: row["aupr"]["mean"])
    above = [row["method"] for row in fitted if row["aupr"]["mean"] > bar["aupr"]["mean"]]
    lines = [
        f"The prior alone has balanced accuracy {bar['balanced_accuracy']['mean']:.3f} and AUPR "
        f"{bar['aupr']['mean']:.3f}. "
        + (
            f"Above it in AUPR: {', '.join(dict.fromkeys(above))}."
            if above
            else f"No method here ranks edges better than that; the closest is {best['method']} "
            f"(AUPR {best['aupr']['mean']:.3f})."
        )
    ]
    # A prior may hold all true edges, or none, and then nothing can be ranked on that side of it.
    outside = [row for row in fitted if row["aupr_outside_prior"]["mean"] is not None]
    inside = [row for row in fitted if row["aupr_inside_prior"]["mean"] is not None]
    said = []
    if outside:
        found = max(outside, key=lambda row: row["aupr_outside_prior"]["mean"])
        chance = bar["aupr_outside_prior"]["mean"]
        said.append(
            f"edges that the prior lacks are found best by {found['method']} (AUPR outside the prior "
            f"{found['aupr_outside_prior']['mean']:.3f}" + (")" if chance is None else f", chance {chance:.4f})")
        )
    if inside:
        chance = bar["aupr_inside_prior"]["mean"]
        said.append(
            "true prior edges are ranked above false ones at AUPR "
            + ", ".join(f"{row['aupr_inside_prior']['mean']:.3f} by {row['method']}" for row in inside)
            + ("" if chance is None else f" (chance {chance:.3f})")
        )
    if said:
        lines.append(f"What fitting adds: {'; '.join(said)}.")
    diverged = sum(row["n_diverged"] for row in rows)
    if diverged:
        lines.append(f"{diverged} runs diverged and are left out of the means; their status is in results.parquet.")
    return lines


def _draw(results: Results, rows: list[dict[str, Any]]) -> dict[str, Any]:
    table = results.table
    fitted = [row for row in rows if row["method"] != PRIOR_ONLY]
    labels = row_labels(fitted)
    curves: dict[str, list[Mapping[str, np.ndarray]]] = {}
    networks: dict[str, np.ndarray] = {}
    # More lines or maps than a page can carry say nothing: the first rows stand for the rest.
    for row, name in list(zip(fitted, labels, strict=True))[:24]:
        runs = _runs_of(table, row)
        arrays: list[Mapping[str, np.ndarray]] = [results.store[str(identity)] for identity in runs["id"][:5]]
        curves[name] = arrays
        healthy = runs.loc[runs["status"] != "diverged", "id"]
        if len(healthy):
            networks[name] = results.network(healthy.iloc[0]).scores
    first = next(iter(results.cells.values())).problem
    curves_drawn = {"training_curves": draw.training_curves(curves)}
    if first.truth is None:
        return curves_drawn
    truth, prior = first.truth, np.asarray(first.prior.edges)
    return {
        "sparsity_accuracy": draw.sparsity_accuracy(table, rows),
        **curves_drawn,
        "effects": draw.effect_maps(truth, networks, prior),
        "precision_recall": draw.precision_recall(truth, networks, prior),
    }


def _runs_of(table: pd.DataFrame, row: dict[str, Any]) -> pd.DataFrame:
    mask = np.ones(len(table), bool)
    for name in GROUP:
        mask &= (table[name] == row[name]) | (table[name].isna() & (row[name] is None))
    return table[mask].sort_values("seed")

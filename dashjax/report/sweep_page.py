"""Writing a results folder: table, summary, figures and page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from dashjax.io import write_atomically
from dashjax.io.result_folder import published
from dashjax.report import figures as draw
from dashjax.report.figure_files import provenance, write_figure
from dashjax.report.network_folder import write_page
from dashjax.report.network_page import made_facts, read_record
from dashjax.report.page import (
    Measure,
    Part,
    Section,
    facts,
    hint,
    paragraphs,
    render_page,
    scatter_view,
    static_figure,
    static_table,
    table_view,
)
from dashjax.report.summary import COLUMNS, GROUP, order_columns, printed_rows, row_labels, summarise
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
        made = provenance() | {"compiled programs": str(results.compilations)}
        summary = json.dumps({"title": title, "provenance": made, "rows": rows}, indent=1, ensure_ascii=False)
        write_atomically(part / "summary.json", lambda path: path.write_text(summary + "\n", encoding="utf-8"))

        shown = {}
        for name, figure in _draw(results, rows).items():
            named, caption = CAPTIONS[name]
            shown[name] = static_figure(named, write_figure(part, name, figure), caption)
        record = read_record(part, folder) or made
        write_page(part, sweep_page(title, describe(grid, results), rows, table, shown, record))
    return rows


def sweep_page(
    title: str,
    subtitle: str,
    rows: list[dict[str, Any]],
    table: pd.DataFrame,
    figures: Mapping[str, Part],
    record: Mapping[str, Any],
) -> str:
    """Return the page of a sweep.

    Args:
        title: its heading.
        subtitle: what was run.
        rows: the summary.
        table: runs.
        figures: by name, see `CAPTIONS`.
        record: how it was made.
    """
    headings, cells = printed_rows(rows)
    said = [paragraphs(*conclusions(rows))] if conclusions(rows) else []
    others = [Section(CAPTIONS[name][0], [figure]) for name, figure in figures.items() if name != "sparsity_accuracy"]
    runs = table_view("runs", table, _run_labels(table), "runs", filters=("aupr", "sparsity"))
    return render_page(
        title,
        subtitle,
        [
            Section("What did the methods add to the prior?", [*said, static_table(headings, cells)], "Summary"),
            Section("Sparsity against score", _pareto(table, figures.get("sparsity_accuracy")), "Sparsity and score"),
            Section("Every run", [runs], "Runs"),
            *others,
            Section("How was it made?", [facts(made_facts(record))], "How it was made"),
        ],
    )  # fmt: skip


#: Quantities that runs are drawn by, in the order they are offered.
DRAWN = {
    "aupr": "AUPR",
    "balanced_accuracy": "balanced accuracy",
    "aupr_outside_prior": "AUPR outside prior",
    "aupr_inside_prior": "AUPR inside prior",
    "precision": "precision",
    "test_mse": "test MSE",
    "validation_mse": "validation MSE",
}


def _pareto(table: pd.DataFrame, instead: Part | None) -> list[Part]:
    """Return every run's score against its sparsity, with the prior alone as a line."""
    runs, prior = table[table["method"] != PRIOR_ONLY], table[table["method"] == PRIOR_ONLY]
    measures = {}
    for name, heading in DRAWN.items():
        if name in runs and runs[name].notna().any():
            level = prior[name].mean() if name in prior else np.nan
            measures[name] = Measure(heading, runs[name], {} if pd.isna(level) else {"prior only": float(level)})
    if not measures:
        return [] if instead is None else [instead]
    varying = [name for name in ("seed", *GROUP[1:]) if name in runs and runs[name].nunique() > 1]
    names = [
        ", ".join([str(run["method"]), *(f"{name} {run[name]}" for name in varying if not pd.isna(run[name]))])
        for run in runs.to_dict("records")
    ]
    across = Measure("weights that are exactly zero (%)", 100 * runs["sparsity"])
    words = "One point per run; a method is hidden and shown by its name. The dashed line is the prior alone."
    return [hint(words), scatter_view("pareto", across, measures, names, list(runs["method"]), instead)]


def _run_labels(table: pd.DataFrame) -> dict[str, str]:
    """Return headings of the columns that say something of a run."""
    hidden = {"id", "chunk"}
    told = [str(name) for name in table if name not in hidden and table[name].notna().any() and _is_plain(table[name])]
    # What is the same in all runs says nothing, unless it is a result.
    varied = [name for name in told if name in COLUMNS or table[name].nunique(dropna=False) > 1]
    return {name: DRAWN.get(name, name.replace("_", " ")) for name in varied}


def _is_plain(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column) or pd.api.types.is_string_dtype(column)


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

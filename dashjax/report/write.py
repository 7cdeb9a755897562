"""Writing a results folder: table, summary, figures and page."""

from __future__ import annotations

import io
import json
import platform
from collections.abc import Mapping
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pandas as pd

from dashjax.report import figures as draw
from dashjax.report.page import render_page
from dashjax.report.tables import GROUP, order_columns, printed_rows, row_labels, summarise
from dashjax.sweep import PRIOR_ONLY, Grid, Results
from dashjax.sweep.store import write_atomically

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
    table = order_columns(results.table.drop(columns="chunk"))
    write_atomically(folder / "results.parquet", lambda path: table.to_parquet(path, index=False))
    rows = summarise(results.table)
    facts = provenance() | {"compiled programs": str(results.compilations)}
    summary = json.dumps({"title": title, "provenance": facts, "rows": rows}, indent=1, ensure_ascii=False)
    write_atomically(folder / "summary.json", lambda path: path.write_text(summary + "\n", encoding="utf-8"))

    shown = {}
    for name, figure in _draw(results, rows).items():
        heading, caption = CAPTIONS[name]
        shown[heading] = (write_figure(folder, name, figure), caption)
    headings, cells = printed_rows(rows)
    page = render_page(title, describe(grid, results), conclusions(rows), headings, cells, shown, facts)
    write_atomically(folder / "report.html", lambda path: path.write_text(page, encoding="utf-8"))
    return rows


def describe(grid: Grid, results: Results) -> str:
    """Return one line on what was run."""
    truth = results.study.system.truth
    plan = grid.trajectories

    def listed(values):
        return ", ".join(f"{100 * value:g} %" for value in values)

    return (
        f"{len(truth)} genes, {int((truth != 0).sum())} true edges; {plan.train} training trajectories at times "
        f"{', '.join(f'{time:g}' for time in plan.times)}; noise sd {', '.join(f'{n:g}' for n in grid.noise)}; "
        f"prior with {listed(grid.prior_corruption)} of its edges misplaced; {len(grid.seeds)} seeds, "
        f"{grid.epochs} epochs."
    )


def conclusions(rows: list[dict[str, Any]]) -> list[str]:
    """Say in words what the table shows, above all what each method adds to its prior."""
    prior = [row for row in rows if row["method"] == PRIOR_ONLY]
    fitted = [row for row in rows if row["method"] != PRIOR_ONLY and row["aupr"]["mean"] is not None]
    if not prior or not fitted:
        return []
    bar = max(prior, key=lambda row: row["aupr"]["mean"])
    best = max(fitted, key=lambda row: row["aupr"]["mean"])
    found = max(fitted, key=lambda row: row["aupr_outside_prior"]["mean"] or 0)
    above = [row["method"] for row in fitted if row["aupr"]["mean"] > bar["aupr"]["mean"]]
    lines = [
        f"The prior alone has balanced accuracy {bar['balanced_accuracy']['mean']:.3f} and AUPR "
        f"{bar['aupr']['mean']:.3f}. "
        + (
            f"Above it in AUPR: {', '.join(dict.fromkeys(above))}."
            if above
            else f"No method here ranks edges better than that; the closest is {best['method']} "
            f"(AUPR {best['aupr']['mean']:.3f})."
        ),
        f"What fitting adds: edges that the prior lacks are found best by {found['method']} (AUPR outside the prior "
        f"{found['aupr_outside_prior']['mean']:.3f}, chance {bar['aupr_outside_prior']['mean']:.4f}); true prior edges "
        f"are ranked above false ones at AUPR "
        + ", ".join(
            f"{row['aupr_inside_prior']['mean']:.3f} by {row['method']}"
            for row in fitted
            if row["aupr_inside_prior"]["mean"] is not None
        )
        + (
            f" (chance {bar['aupr_inside_prior']['mean']:.3f})."
            if bar["aupr_inside_prior"]["mean"] is not None
            else "."
        ),
    ]
    diverged = sum(row["n_diverged"] for row in rows)
    if diverged:
        lines.append(f"{diverged} runs diverged and are left out of the means; their status is in results.parquet.")
    return lines


def provenance() -> dict[str, str]:
    """Return versions and device, as every benchmark records them."""
    device = jax.devices()[0]
    packages = ("dashjax", "jax", "jaxlib", "equinox", "diffrax", "optax", "numpy")
    return {
        "device": f"{device.platform}: {device.device_kind}" if device.platform != "cpu" else cpu_name(),
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
        "precision": "float32",
    }


def cpu_name() -> str:
    """Return the processor's name and the cores in use."""
    from dashjax.sweep.local import usable_cores

    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        name = lines[0].split(":", 1)[1].strip() if lines else name
    return f"cpu: {name}, {usable_cores()} cores"


def to_png(figure) -> bytes:
    """Render a figure."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=130)
    return buffer.getvalue()


def write_figure(folder: Path, name: str, figure) -> bytes:
    """Write a figure into the `figures` of a results folder, and return its PNG."""
    png = to_png(figure)
    (folder / "figures").mkdir(exist_ok=True)
    write_atomically(folder / "figures" / f"{name}.png", partial(Path.write_bytes, data=png))
    return png


def _draw(results: Results, rows: list[dict[str, Any]]) -> dict[str, Any]:
    study, table = results.study, results.table
    fitted = [row for row in rows if row["method"] != PRIOR_ONLY]
    labels = row_labels(fitted)
    curves: dict[str, list[Mapping[str, np.ndarray]]] = {}
    networks: dict[str, np.ndarray] = {}
    # More lines or maps than a page can carry say nothing: the first rows stand for the rest.
    for row, name in list(zip(fitted, labels, strict=True))[:24]:
        runs = _runs_of(table, row)
        arrays: list[Mapping[str, np.ndarray]] = [
            results.store.arrays(str(chunk), str(identity))
            for chunk, identity in zip(runs["chunk"][:5], runs["id"][:5], strict=True)
        ]
        curves[name] = arrays
        healthy = [a for a, status in zip(arrays, runs["status"], strict=False) if status != "diverged"]
        if healthy:
            networks[name] = study.network_of(row["method"], healthy[0])
    truth = study.system.truth
    first = table.iloc[0]
    prior = np.asarray(study.prior(float(first["prior_corruption"]), int(first["seed"])).edges)
    return {
        "sparsity_accuracy": draw.sparsity_accuracy(table, rows),
        "training_curves": draw.training_curves(curves),
        "effects": draw.effect_maps(truth, networks, prior),
        "precision_recall": draw.precision_recall(truth, networks, prior),
    }


def _runs_of(table: pd.DataFrame, row: dict[str, Any]) -> pd.DataFrame:
    mask = np.ones(len(table), bool)
    for name in GROUP:
        mask &= (table[name] == row[name]) | (table[name].isna() & (row[name] is None))
    return table[mask].sort_values("seed")

"""Pages of what was asked of a fitted network: influence, pathways, perturbations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from dashjax.questions import RELATIONS, Response
from dashjax.report.network_page import made_facts
from dashjax.report.page import (
    BarSet,
    Layer,
    Measure,
    Section,
    bar_rows,
    bars_view,
    courses_view,
    facts,
    hint,
    paragraphs,
    render_page,
    scatter_view,
    static_figure,
    table_view,
    tiles,
)

#: Bars of a page, genes whose trajectories it keeps, and starts that a band is taken over.
BARS, TRAJECTORIES = 25, 300
#: Share of the strongest response below which a gene is not drawn, and of the levels below which it is rounding.
SMALL, ROUNDING = 0.02, 1e-6
_INFLUENCE = {
    "gene": "gene",
    "influence": "influence",
    "standard_error": "± standard error",
    "out_degree": "targets",
    "activates": "activates",
    "represses": "represses",
    "total_effect": "Σ|weight|",
}
_PATHWAYS = {
    "pathway": "pathway",
    "genes": "genes",
    "tested": "tested",
    "z": "z",
    "p": "p",
    "benjamini_hochberg": "false discovery rate",
    "bonferroni": "Bonferroni",
    "score": "summed influence",
    "expected": "expected",
    "strongest": "strongest genes",
}
_RESPONSE = {
    "gene": "gene",
    "relation": "how reached",
    "path_length": "edges away",
    "response": "mean Δ",
    "response_low": "Δ, 5 %",
    "response_high": "Δ, 95 %",
    "final": "Δ at the end",
    "unperturbed": "level without",
    "perturbed": "level with",
}
_AT_REST = {"gene": "gene", "change": "Δ", "usual": "usual level", "level": "level then", "low": "5 %", "high": "95 %"}


def influence_page(table: pd.DataFrame, png: bytes, record: Mapping[str, Any] | None) -> str:
    """Return the page of `influence_table`."""
    top = table[table["influence"] > 0].head(BARS)
    shown = static_figure("influence", png)
    error = top["standard_error"]
    rows = bar_rows(top["gene"], top["influence"], top["influence"] - error, top["influence"] + error)
    bars = bars_view(
        "top", "most influential genes", "mean |Δ| of the other genes, ± standard error", [BarSet("all", rows)],
        fallback=shown,
    )  # fmt: skip
    targets = Measure("targets", table["out_degree"])
    measures = {
        "influence": Measure("influence", table["influence"]), "total": Measure("Σ|weight|", table["total_effect"])
    }  # fmt: skip
    spread = scatter_view("against", targets, measures, list(table["gene"]))
    words = (
        "Each gene is pushed by the same share of its range, and all others are followed: how far the push carries. "
        f"{len(table):,} genes, {int((table['out_degree'] > 0).sum()):,} of which have targets in the network."
    )
    none = "No push of any gene reaches another one."
    return render_page(
        "Influence of genes",
        words,
        [
            Section("Who has most influence?", [bars] if rows else [paragraphs(none)], "Most influence"),
            Section("Is it more than many targets?", [hint("Every point is a gene."), spread], "Against targets"),
            Section("All genes", [table_view("influence", table, _INFLUENCE, "genes", filters=("influence",))]),
            _made(record),
        ],
    )  # fmt: skip


def pathways_page(table: pd.DataFrame, png: bytes, record: Mapping[str, Any] | None) -> str:
    """Return the page of `pathway_table`."""
    tested = table[table["tested"]]
    found = tested["benjamini_hochberg"] < 0.05
    top = tested[tested["z"].notna()].head(BARS)
    names = [f"{name} ({count})" for name, count in zip(top["pathway"], top["genes"], strict=True)]
    rows = bar_rows(names, top["z"], groups=top["benjamini_hochberg"] >= 0.05)
    bars = bars_view(
        "top", "pathways", "z: summed influence against permuted gene labels", [BarSet("all", rows)],
        ("false discovery rate below 5 %", "not significant"), fallback=static_figure("pathways", png),
    )  # fmt: skip
    counts = {
        "gene sets tested": f"{len(tested):,}",
        "at a false discovery rate of 5 %": f"{int(found.sum()):,}",
        "left out, too few genes": f"{len(table) - len(tested):,}",
    }
    return render_page(
        "Pathways of influence",
        "Sets of genes that together have more influence than as many genes drawn at random.",
        [
            Section("Which pathways?", [tiles(counts), *([bars] if rows else [])], "Pathways"),
            Section("All gene sets", [table_view("pathways", table, _PATHWAYS, "gene sets", filters=("tested",))]),
            _made(record),
        ],
    )


def response_page(
    table: pd.DataFrame,
    response: Response,
    genes: Sequence[str],
    words: str,
    figures: Mapping[str, bytes],
    at_rest: pd.DataFrame | None,
    record: Mapping[str, Any] | None,
) -> str:
    """Return the page of a perturbation.

    Args:
        table: of `response_table`.
        response: behind it.
        genes: names in its order.
        words: what was done.
        figures: pictures for where scripts do not run: response, trajectories, at_rest.
        at_rest: of `Network.at_rest`, or None.
        record: what is known of the run.
    """
    others = responders(table)
    relations = [name for name in RELATIONS if name != "perturbed"]
    top = others.head(BARS)
    reached = [relations.index(name) for name in top["relation"]]
    rows = bar_rows(top["gene"], top["response"], top["response_low"], top["response_high"], reached)
    bars = bars_view(
        "top", "strongest responses", "mean Δ of expression, with 90 % of starts and members", [BarSet("all", rows)],
        relations, fallback=static_figure("strongest responses", figures["response"]),
    )  # fmt: skip
    counts = {f"genes respond, {name}": f"{int((others['relation'] == name).sum()):,}" for name in relations}
    place = {gene: number for number, gene in enumerate(genes)}
    order = table["gene"].head(TRAJECTORIES)
    kept = np.array([place[gene] for gene in order])
    held = order[table["relation"].head(TRAJECTORIES) == "perturbed"]
    # The course that is shown first is that of the strongest response.
    kept = np.array([place[gene] for gene in [*order.drop(held.index), *held]])
    with_, without = (np.asarray(part)[:, :, kept] for part in (response.perturbed, response.unperturbed))
    times = np.asarray(response.times)
    layers = [
        Layer("with", "line", "c1", times, with_.mean(axis=0), *np.quantile(with_, [0.05, 0.95], axis=0)),
        Layer("without", "dashed", "c7", times, without.mean(axis=0)),
    ]
    courses = courses_view(
        "courses", [genes[gene] for gene in kept], {"mean over starts": layers}, None, "90 % of starts and members",
        beside=", and the genes of the strongest response",
        fallback=static_figure("trajectories", figures["trajectories"]),
    )  # fmt: skip
    rest = []
    if at_rest is not None:
        instead = static_figure("levels at rest", figures["at_rest"])
        ranked = at_rest.reindex(at_rest["change"].abs().sort_values(ascending=False, kind="stable").index)
        moved = ranked[ranked["change"] != 0].head(BARS)
        shown = bar_rows(moved["gene"], moved["change"], moved["low"] - moved["usual"], moved["high"] - moved["usual"])
        axis = "change of the level at rest, and 90 % of it"
        rest = [bars_view("rest", "levels at rest", axis, [BarSet("all", shown)], fallback=instead)] if shown else []
        rest.append(table_view("at_rest", ranked, _AT_REST, "levels at rest"))
    nobody = "No other gene responds."
    return render_page(
        f"What follows: {words}",
        f"{len(genes):,} genes, to time {times[-1]:.3g}; responses below {SMALL:.0%} of the strongest are not drawn.",
        [
            Section("Who responds?", [tiles(counts), bars] if rows else [paragraphs(nobody)], "Who responds"),
            Section("How do they respond over time?", [courses], "Courses"),
            Section("Where do they settle?", rest, "At rest"),
            Section("All genes", [table_view("response", table, _RESPONSE, "responses", filters=())]),
            _made(record),
        ],
    )  # fmt: skip


def responders(table: pd.DataFrame) -> pd.DataFrame:
    """Return the genes whose response is worth a bar, the strongest first."""
    others = table[table["relation"] != "perturbed"]
    size = others["response"].abs()
    return others[(size > ROUNDING * max(1e-12, table["unperturbed"].abs().max())) & (size >= SMALL * size.max())]


def _made(record: Mapping[str, Any] | None) -> Section:
    return Section("How was it made?", [facts(made_facts(record or {}))], "How it was made")

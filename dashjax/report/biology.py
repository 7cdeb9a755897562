"""Figures of what a fitted model says about its genes, drawn with matplotlib."""

from __future__ import annotations

import textwrap

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from dashjax.report.asked_pages import responders
from dashjax.report.figures import make_panels, plain, say_nothing

_DARK, _PALE = "#0072B2", "#999999"
#: How a perturbation reaches a gene.
_RELATIONS = {"direct": "#D55E00", "downstream": _DARK, "unconnected": _PALE}


def influence_figure(table: pd.DataFrame) -> Figure:
    """Draw the most influential genes, and influence against the number of targets.

    Args:
        table: of `influence_table`.
    """
    top = table[table["influence"] > 0].head(20).iloc[::-1]
    regulates = bool((table["out_degree"] > 0).any())
    figure, grid = make_panels(2 if regulates else 1, width=9 if regulates else 6, height=0.2 * len(top) + 1.6)
    bars = grid[0, 0]
    if not len(top):
        say_nothing(bars, "no gene influences another")
        return figure
    error = top["standard_error"].fillna(0.0)
    rows = range(len(top))
    bars.barh(rows, top["influence"], xerr=error, color=_DARK, error_kw={"elinewidth": 1, "ecolor": "0.3"})
    bars.set_yticks(rows, [plain(name) for name in top["gene"]], fontsize=8)
    bars.set(xlabel="mean |Δ| of the other genes, ± standard error", title="most influential genes")
    if not regulates:
        return figure
    dots = grid[0, 1]
    dots.plot(table["out_degree"], table["influence"], "o", color=_DARK, markersize=4, alpha=0.6, markeredgewidth=0)
    for row in table.head(5).to_dict("records"):
        at = (row["out_degree"], row["influence"])
        dots.annotate(plain(row["gene"]), at, xytext=(4, 3), textcoords="offset points", fontsize=8)
    dots.xaxis.get_major_locator().set_params(integer=True)
    dots.set(xlabel="targets", ylabel="influence", title="influence against out-degree")
    return figure


def pathways_figure(table: pd.DataFrame) -> Figure:
    """Draw the pathways whose influence is most above that of permuted labels.

    Args:
        table: of `pathway_table`.
    """
    top = table[table["tested"]].head(25).iloc[::-1]
    figure, ((axes,),) = make_panels(width=8, height=0.24 * len(top) + 1.6)
    found = top["benjamini_hochberg"] < 0.05
    names = [
        f"{plain(name.replace('_', ' '), 48)} ({genes})"
        for name, genes in zip(top["pathway"], top["genes"], strict=True)
    ]
    axes.barh(range(len(top)), top["z"].fillna(0.0), color=[_DARK if yes else _PALE for yes in found])
    axes.set_yticks(range(len(top)), names, fontsize=8)
    axes.axvline(0, color="0.3", linewidth=0.8)
    axes.set(xlabel="z: summed influence against permuted gene labels", title="pathways (genes of the model)")
    handles = [Patch(color=_DARK, label="FDR below 5 %"), Patch(color=_PALE, label="not significant")]
    axes.legend(handles=handles, frameon=False, fontsize=8, loc="lower right")
    return figure


def response_figure(table: pd.DataFrame, words: str) -> Figure:
    """Draw the strongest responses to a perturbation, coloured by how it reaches the gene.

    Args:
        table: of `response_table`.
        words: what was done.
    """
    top = responders(table).head(30).iloc[::-1]
    figure, ((axes,),) = make_panels(width=6.4, height=0.2 * len(top) + 1.6)
    if not len(top):
        say_nothing(axes, "no other gene responds", _wrapped(words))
        return figure
    spread = {"elinewidth": 1, "ecolor": "0.3"}
    colours = [_RELATIONS[relation] for relation in top["relation"]]
    rows = range(len(top))
    axes.barh(rows, top["response"], xerr=top["spread"], color=colours, error_kw=spread)
    axes.set_yticks(rows, [plain(name) for name in top["gene"]])
    axes.axvline(0, color="0.3", linewidth=0.8)
    axes.tick_params(axis="y", labelsize=8)
    axes.set(xlabel="mean Δ of expression, ± sd over starts", title=_wrapped(words), ylim=(-0.8, len(top) - 0.2))
    handles = [Patch(color=shade, label=relation) for relation, shade in _RELATIONS.items()]
    axes.legend(handles=handles, frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


def at_rest_figure(table: pd.DataFrame, words: str) -> Figure:
    """Draw the genes whose level at rest changes most, with the interval of that level.

    Args:
        table: of `Network.at_rest`.
        words: what was done.
    """
    order = table["change"].abs().sort_values(ascending=False, kind="stable").index
    top = table.loc[order].head(30).iloc[::-1]
    figure, ((axes,),) = make_panels(width=6.4, height=0.2 * len(top) + 1.6)
    sides = [top["level"] - top["low"], top["high"] - top["level"]]
    rows = range(len(top))
    axes.plot(top["usual"], rows, "|", color="0.3", markersize=9, label="usual")
    axes.errorbar(top["level"], rows, xerr=sides, fmt="o", color=_DARK, markersize=4, elinewidth=1, label="then")
    axes.set_yticks(rows, [plain(name) for name in top["gene"]], fontsize=8)
    axes.set(xlabel="level at rest, and 90 % of it", title=_wrapped(words), ylim=(-0.8, len(top) - 0.2))
    axes.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


def trajectories_figure(table: pd.DataFrame, trajectories: pd.DataFrame) -> Figure:
    """Draw the mean trajectories of the genes that respond most, with and without the perturbation.

    Args:
        table: of `response_table`.
        trajectories: columns gene, time, unperturbed, perturbed.
    """
    held = table[table["relation"] == "perturbed"].head(2)
    shown = pd.concat([held, table[table["relation"] != "perturbed"].head(9 - len(held))])
    across = min(3, len(shown))
    down = -(-len(shown) // across)
    figure, grid = make_panels(across, down, width=3 * across, height=2.2 * down + 0.4, sharex=True)
    for axes in grid.ravel()[len(shown) :]:
        axes.set_visible(False)
    by_gene = dict(list(trajectories.groupby("gene", sort=False)))
    for axes, row in zip(grid.ravel(), shown.to_dict("records"), strict=False):
        path, shade = by_gene[row["gene"]], _RELATIONS.get(row["relation"], "black")
        axes.plot(path["time"], path["unperturbed"], color="0.6", linestyle="--", label="without")
        axes.plot(path["time"], path["perturbed"], color=shade, label="with")
        axes.set_title(f"{plain(row['gene'])} ({row['relation']})", fontsize=9)
        axes.tick_params(labelsize=8)
    for axes in grid[-1]:
        axes.set_xlabel("time")
    for axes in grid[:, 0]:
        axes.set_ylabel("expression")
    grid[0, 0].legend(frameon=False, fontsize=8)
    return figure


def _wrapped(words: str) -> str:
    return plain("\n".join(textwrap.wrap(words, 60)), 300)

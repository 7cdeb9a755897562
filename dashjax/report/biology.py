"""Figures of what a fitted model says about its genes, made of `dashjax.plot`."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from dashjax.plot import answers
from dashjax.plot.answers import RELATIONS
from dashjax.plot.style import BLUE, make_panels, name_rows, plain, wrapped


def influence_figure(table: pd.DataFrame) -> Figure:
    """Draw the most influential genes, and influence against the number of targets where any gene has one.

    Args:
        table: of `influence_table`.
    """
    regulates = bool((table["out_degree"] > 0).any())
    rows = min(20, int((table["influence"] > 0).sum()))
    figure, grid = make_panels(2 if regulates else 1, width=9 if regulates else 6, height=0.2 * rows + 1.6)
    answers.influence(table, grid[0, 0])
    if not regulates or not rows:
        return figure
    dots = grid[0, 1]
    dots.plot(table["out_degree"], table["influence"], "o", color=BLUE, markersize=4, alpha=0.6, markeredgewidth=0)
    for row in table.head(5).to_dict("records"):
        at = (row["out_degree"], row["influence"])
        dots.annotate(plain(row["gene"]), at, xytext=(4, 3), textcoords="offset points", fontsize=8)
    dots.xaxis.get_major_locator().set_params(integer=True)
    dots.set(xlabel="targets", ylabel="influence", title="influence against out-degree")
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
    axes.errorbar(top["level"], rows, xerr=sides, fmt="o", color=BLUE, markersize=4, elinewidth=1, label="then")
    name_rows(axes, list(top["gene"]))
    axes.set(xlabel="level at rest, and 90 % of it", title=wrapped(words))
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
        path, shade = by_gene[row["gene"]], RELATIONS.get(row["relation"], "black")
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

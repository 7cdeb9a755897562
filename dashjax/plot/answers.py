"""Plots of what was asked of a network: responses to a perturbation, influence of genes, pathways."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashjax.plot.style import BLUE, GREY, VERMILION, axes_or_new, name_colours, name_rows, plain, say_nothing, wrapped
from dashjax.questions import responders

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

#: How a perturbation reaches a gene.
RELATIONS = {"direct": VERMILION, "downstream": BLUE, "unconnected": GREY}
_ERROR = {"elinewidth": 1, "ecolor": "0.3"}


def response(table: pd.DataFrame, ax: Axes | None = None, *, most: int = 30, title: str = "") -> Axes:
    """Draw the strongest responses to a perturbation, coloured by how it reaches the gene.

        dj.plot.response(network.perturb(knock_out=["GATA1"]), title="GATA1 knocked out")

    Args:
        table: of `Network.perturb`.
        ax: where to draw; a new figure if None.
        most: genes, the strongest.
        title: what was done.
    """
    top = responders(table).head(most).iloc[::-1]
    axes = axes_or_new(ax, 6.4, 0.2 * len(top) + 1.6)
    if not len(top):
        return say_nothing(axes, "no other gene responds", wrapped(title))
    colours = [RELATIONS[relation] for relation in top["relation"]]
    axes.barh(range(len(top)), top["response"], xerr=top["spread"], color=colours, error_kw=_ERROR)
    name_rows(axes, list(top["gene"]))
    axes.axvline(0, color="0.3", linewidth=0.8)
    axes.set(xlabel="mean Δ of expression, ± sd over starts", title=wrapped(title))
    name_colours(axes, RELATIONS)
    return axes


def influence(table: pd.DataFrame, ax: Axes | None = None, *, most: int = 20) -> Axes:
    """Draw the genes whose push carries furthest through the dynamics.

        dj.plot.influence(network.influence())

    Args:
        table: of `Network.influence`.
        ax: where to draw; a new figure if None.
        most: genes, the most influential.
    """
    top = table[table["influence"] > 0].head(most).iloc[::-1]
    axes = axes_or_new(ax, 5, 0.2 * len(top) + 1.6)
    if not len(top):
        return say_nothing(axes, "no gene influences another")
    axes.barh(range(len(top)), top["influence"], xerr=top["standard_error"].fillna(0.0), color=BLUE, error_kw=_ERROR)
    name_rows(axes, list(top["gene"]))
    axes.set(xlabel="mean |Δ| of the other genes, ± standard error", title="most influential genes", xlim=(0, None))
    return axes


def pathways(table: pd.DataFrame, ax: Axes | None = None, *, most: int = 25) -> Axes:
    """Draw the pathways whose influence is most above that of permuted labels.

    Args:
        table: of `pathway_table`, or a `pathways.tsv` that was read.
        ax: where to draw; a new figure if None.
        most: pathways, the first of the table.
    """
    top = table[table["tested"]].head(most).iloc[::-1]
    axes = axes_or_new(ax, 8, 0.24 * len(top) + 1.6)
    if not len(top):
        return say_nothing(axes, "no pathway was tested")
    found = top["benjamini_hochberg"] < 0.05
    names = [
        f"{plain(name.replace('_', ' '), 48)} ({genes})"
        for name, genes in zip(top["pathway"], top["genes"], strict=True)
    ]
    axes.barh(range(len(top)), top["z"].fillna(0.0), color=[BLUE if yes else GREY for yes in found])
    axes.set_yticks(range(len(top)), names, fontsize=8)
    axes.axvline(0, color="0.3", linewidth=0.8)
    axes.set(xlabel="z: summed influence against permuted gene labels", title="pathways (genes of the model)")
    name_colours(axes, {"FDR below 5 %": BLUE, "not significant": GREY})
    return axes

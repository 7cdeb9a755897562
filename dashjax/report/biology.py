"""Figures of what a fitted model says about its genes, drawn with matplotlib."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from dashjax.report.figures import make_panels

_DARK, _LIGHT = "#0072B2", "#999999"


def influence_figure(table: pd.DataFrame) -> Figure:
    """Draw the most influential genes, and influence against the number of targets.

    Args:
        table: of `influence_table`.
    """
    top = table[table["influence"] > 0].head(20).iloc[::-1]
    figure, ((bars, dots),) = make_panels(2, width=9, height=0.2 * len(top) + 1.6)
    error = top["standard_error"].fillna(0.0)
    bars.barh(top["gene"], top["influence"], xerr=error, color=_DARK, error_kw={"elinewidth": 1, "ecolor": "0.3"})
    bars.tick_params(axis="y", labelsize=8)
    bars.set(xlabel="mean |Δ| of the other genes, ± standard error", title="most influential genes")
    dots.plot(table["out_degree"], table["influence"], "o", color=_DARK, markersize=4, alpha=0.6, markeredgewidth=0)
    for row in table.head(5).to_dict("records"):
        at = (row["out_degree"], row["influence"])
        dots.annotate(row["gene"], at, xytext=(4, 3), textcoords="offset points", fontsize=8)
    dots.xaxis.get_major_locator().set_params(integer=True)
    dots.set(xlabel="targets", ylabel="influence", title="influence against out-degree")
    return figure

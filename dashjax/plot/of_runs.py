"""Plots of runs: what sparsity costs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from dashjax.errors import InputError, unknown
from dashjax.plot.style import ALONE, axes_or_new, colour, marker, plain

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

#: What a score is called, and the range that is drawn of it.
SCORES = {
    "aupr": ("AUPR", (-0.02, 1.02)),
    "balanced_accuracy": ("balanced accuracy", (0.45, 1.02)),
    "auroc": ("AUROC", (0.45, 1.02)),
    "precision": ("precision of the edges returned", (-0.02, 1.02)),
    "aupr_outside_prior": ("AUPR outside the prior", (-0.02, 1.02)),
    "aupr_inside_prior": ("AUPR inside the prior", (-0.02, 1.02)),
    "informedness_outside_prior": ("missing edges found", (-0.25, 1.05)),
    "informedness_inside_prior": ("false prior edges dropped", (-0.25, 1.05)),
}


def pareto(
    table: pd.DataFrame,
    ax: Axes | None = None,
    *,
    score: str = "aupr",
    legend: bool = True,
    among: Sequence[str] | None = None,
) -> Axes:
    """Draw a score against sparsity, one mark per run, the prior alone, and the runs that no other beats in both.

        dj.plot.pareto(pandas.read_parquet("results/results.parquet"))

    Args:
        table: runs of a sweep, with columns method, sparsity and the score.
        ax: where to draw; a new figure if None.
        score: a column of it, see `SCORES`.
        legend: whether to name the methods.
        among: all methods of a figure of several plots, so that each has one mark in all; the table's own if None.

    Raises:
        InputError: on a score that the table lacks.
    """
    if score not in table:
        raise InputError(unknown("value", score, [name for name in SCORES if name in table]), "score")
    label, limits = SCORES.get(score, (score.replace("_", " "), (None, None)))
    names = list(dict.fromkeys(table["method"] if among is None else among))
    axes = axes_or_new(ax, 6.4, max(4, 0.27 * len(names)))
    runs = table[(table["method"] != ALONE) & table[score].notna() & table["sparsity"].notna()]
    for name, group in runs.groupby("method", sort=False):
        method = str(name)
        shape = marker(method, names)
        edge: dict[str, Any] = {} if shape == "x" else {"markeredgecolor": "white", "markeredgewidth": 0.6}
        style: dict[str, Any] = {"marker": shape, "linestyle": "", "color": colour(method), "alpha": 0.65}
        axes.plot(100 * group["sparsity"], group[score], label=plain(method), **style, **edge)
    front = _front(runs["sparsity"].to_numpy(float), runs[score].to_numpy(float))
    axes.step(
        100 * front[:, 0], front[:, 1], where="pre", color="0.35", linewidth=0.9, zorder=0.9, label="no run beats it"
    )
    prior = table.loc[table["method"] == ALONE, score].mean()
    if not np.isnan(prior):
        axes.axhline(prior, color=colour(ALONE), linestyle="--", label="prior only")
    axes.set(xlabel="weights that are exactly zero (%)", ylabel=label, xlim=(-3, 103), ylim=limits)
    if legend:
        axes.legend(loc="upper left", frameon=False, bbox_to_anchor=(1.0, 1.0))
    return axes


def _front(sparsity: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Return the pairs (sparsity, score) that no other beats in both, the least sparse first.

    Examples:
        >>> _front(np.array([0.1, 0.5, 0.5, 0.9, 0.7]), np.array([0.9, 0.8, 0.7, 0.3, 0.2])).tolist()
        [[0.1, 0.9], [0.5, 0.8], [0.9, 0.3]]
    """
    order = np.lexsort((-score, -sparsity))
    best = np.maximum.accumulate(np.concatenate([[-np.inf], score[order]]))
    kept = order[score[order] > best[:-1]][::-1]
    return np.column_stack([sparsity[kept], score[kept]])

"""Figures of runs: how sparse, how accurate, how they trained and what network they found, drawn with matplotlib."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from dashjax.plot import pareto
from dashjax.plot.style import colour, diverging, make_panels, marker, plain
from dashjax.sweep import PRIOR_ONLY


def sparsity_accuracy(table, rows: Sequence[dict[str, Any]]) -> Figure:
    """Draw balanced accuracy and AUPR against sparsity, one mark per run, with the prior as a line."""
    figure, (panels,) = make_panels(2, width=9, height=max(4, 0.27 * table["method"].nunique()))
    pareto(table, panels[0], score="balanced_accuracy", legend=False)
    pareto(table, panels[1], score="aupr")
    panels[0].set_title("edges found")
    panels[1].set_title("edges ranked (needs precision)")
    return figure


def added_to_prior(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw what runs add to the prior against their sparsity: missing edges found above, false ones dropped below.

    Both are informedness, so the prior alone and guesses of any number lie at zero.

    Args:
        tables: runs by the name of their panels, each as `pareto` takes them.
    """
    names = list(dict.fromkeys(method for table in tables.values() for method in table["method"]))
    width = 3.0 * len(tables) + 1.8
    figure, panels = make_panels(len(tables), 2, width=width, height=max(6, 0.24 * len(names)), sharex=True)
    scores = ("informedness_outside_prior", "informedness_inside_prior")
    for row, score in zip(panels, scores, strict=True):
        for axes, (name, table) in zip(row, tables.items(), strict=True):
            pareto(table, axes, score=score, legend=False, among=names)
            axes.label_outer()
            if score == scores[0]:
                axes.set_title(name)
    marks, labels = zip(*(axes.get_legend_handles_labels() for axes in panels.ravel()), strict=True)
    handles = dict(zip(sum(labels, []), sum(marks, []), strict=True))
    figure.legend(handles.values(), handles.keys(), loc="outside right upper", frameon=False)
    return figure


def sparsity_error(table: pd.DataFrame, no_change: float) -> Figure:
    """Draw test error against sparsity, one dot per run, with the error of saying that nothing changes as a line.

    Args:
        table: runs, with columns method, sparsity and test_mse; rows without a test error are left out.
        no_change: that error.
    """
    runs = table.dropna(subset=["test_mse"])
    figure, ((axes,),) = make_panels(width=7, height=4)
    for method in dict.fromkeys(runs["method"]):
        group = runs[runs["method"] == method]
        shape = dict(
            marker=marker(method, list(dict.fromkeys(runs["method"]))), linestyle="", color=colour(method), alpha=0.65
        )
        axes.plot(100 * group["sparsity"], group["test_mse"], label=method, **shape)
    axes.axhline(no_change, color="0.4", linestyle="--", label="nothing changes")
    axes.set(xlabel="weights that are exactly zero (%)", ylabel="test MSE, one step ahead", xlim=(-3, 103))
    axes.set_ylim(bottom=0)
    axes.legend(loc="upper left", frameon=False, bbox_to_anchor=(1.0, 1.0))
    return figure


def training_curves(curves: Mapping[str, Sequence[Mapping[str, np.ndarray]]]) -> Figure:
    """Draw validation and training error by epoch, each run a line, and the share of pruned weights.

    Args:
        curves: per label (its first word the method), per run, arrays by name.
    """
    figure, (panels,) = make_panels(2, width=9, height=max(3.6, 0.28 * len(curves)), width_ratios=[2, 1])
    for name, runs in curves.items():
        for number, run in enumerate(runs):
            epochs = np.arange(1, len(run["validation_error"]) + 1)
            shade = colour(name.split(" ")[0])
            first = dict(label=name) if number == 0 else {}
            panels[0].plot(epochs, run["validation_error"], color=shade, linewidth=1.2, alpha=0.8, **first)
            panels[0].plot(epochs, run["train_error"], color=shade, linewidth=1.2, alpha=0.8, linestyle=(0, (1.5, 1.2)))
            panels[1].plot(epochs, 100 * run["pruned"], color=shade, linewidth=1.2, alpha=0.8)
    panels[0].set(yscale="log", xlabel="epoch", ylabel="one-step-ahead MSE")
    panels[0].set_title("validation (solid) and training (dotted) error")
    panels[1].set(xlabel="epoch", ylabel="pruned weights (%)", ylim=(-3, 103), title="pruning")
    handles, names = panels[0].get_legend_handles_labels()
    panels[1].legend(handles, names, loc="upper left", frameon=False, bbox_to_anchor=(1.0, 1.0))
    return figure


def tuning_curve(tried: pd.DataFrame) -> Figure:
    """Draw cross-validated error against sparsity for every setting tried, the limit of choice, and the choice.

    Args:
        tried: columns lambda_1, lambda_2, strength, validation_mse, standard_error, sparsity, chosen.
    """
    figure, ((axes,),) = make_panels(width=6.4, height=4)
    tried = tried.sort_values("sparsity")
    best = tried.sort_values("validation_mse").iloc[0]
    axes.errorbar(
        100 * tried["sparsity"], tried["validation_mse"], tried["standard_error"],
        color="0.4", marker="o", markersize=4, linewidth=1, capsize=2,
    )  # fmt: skip
    for row in tried.to_dict("records"):
        name = f"λ {row['lambda_1']:g}, {row['lambda_2']:g}" if np.isnan(row["strength"]) else f"{row['strength']:g}"
        at = (100 * row["sparsity"], row["validation_mse"])
        axes.annotate(name, at, xytext=(4, 5), textcoords="offset points", fontsize=7)
    limit = best["validation_mse"] + best["standard_error"]
    axes.axhline(limit, color=colour(PRIOR_ONLY), linestyle="--", linewidth=1, label="best + one standard error")
    chosen = tried[tried["chosen"]]
    axes.plot(100 * chosen["sparsity"], chosen["validation_mse"], "*", markersize=14, color="#0072B2", label="chosen")
    axes.set(xlabel="weights that are exactly zero (%)", ylabel="validation error", title="sparsity against error")
    axes.legend(frameon=False, fontsize=8)
    return figure


def effect_maps(truth: np.ndarray, networks: Mapping[str, np.ndarray], prior: np.ndarray | None) -> Figure:
    """Draw the true network beside each inferred one, genes sorted so that hubs come first.

    Args:
        truth: signed true edges (regulator, target).
        networks: relative effects by label.
        prior: the prior's signed edges, drawn second, or None.
    """
    rows = np.argsort(-np.abs(truth).sum(1), kind="stable")
    keep = rows[: max(1, int((np.abs(truth).sum(1) > 0).sum()))]
    dominant = np.argmax(np.abs(truth[keep]) > 0, axis=0) + len(keep) * (np.abs(truth[keep]).sum(0) == 0)
    columns = np.argsort(dominant, kind="stable")
    panels = {"true effects": truth} | ({"prior": prior} if prior is not None else {}) | dict(networks)
    across = min(3, len(panels))
    down = -(-len(panels) // across)
    figure, grid = make_panels(across, down, width=3.6 * across, height=2.7 * down, sharex=True, sharey=True)
    for axes in grid.ravel()[len(panels) :]:
        axes.set_visible(False)
    for axes, (name, network) in zip(grid.ravel(), panels.items(), strict=False):
        shown = np.asarray(network)[np.ix_(keep, columns)]
        extent = np.quantile(np.abs(shown[shown != 0]), 0.98) if (shown != 0).any() else 1.0
        image = _thicken(shown / extent)
        drawn = axes.imshow(image, cmap=diverging(), vmin=-1, vmax=1, aspect="auto", interpolation="nearest")
        axes.set_title(plain(name, 40))
        axes.set_xticks([])
        axes.set_yticks([])
    for axes in grid[:, 0]:
        axes.set_ylabel("regulators, hubs on top")
    for axes in grid[-1]:
        axes.set_xlabel("targets")
    figure.colorbar(drawn, ax=grid, label="effect, as a share of each map's strongest", shrink=0.6, aspect=40)
    return figure


def _thicken(image: np.ndarray) -> np.ndarray:
    """Let each pixel take its strongest neighbour's value, so that lone edges survive printing."""
    if image.size < 20_000:
        return image
    padded = np.pad(image, 1)
    height, width = image.shape
    shifts = np.stack([padded[i : i + height, j : j + width] for i in range(3) for j in range(3)])
    return np.take_along_axis(shifts, np.abs(shifts).argmax(0)[None], 0)[0]


def precision_recall(truth: np.ndarray, networks: Mapping[str, np.ndarray], prior: np.ndarray | None) -> Figure:
    """Draw precision against recall for each ranking, and the prior as the point it is."""
    figure, ((axes,),) = make_panels(width=6.4, height=4)
    edge = np.asarray(truth).ravel() != 0
    for name, network in networks.items():
        score = np.abs(np.asarray(network)).ravel()
        order = np.argsort(-score, kind="stable")
        order = order[score[order] > 0]
        hits = np.cumsum(edge[order])
        axes.plot(
            hits / edge.sum(),
            hits / np.arange(1, len(order) + 1),
            color=colour(name.split(" ")[0]),
            label=name,
        )
    if prior is not None:
        known = np.asarray(prior).ravel() != 0
        hit = (known & edge).sum()
        axes.plot(hit / edge.sum(), hit / known.sum(), "*", markersize=14, color=colour(PRIOR_ONLY), label="prior only")
    axes.axhline(edge.mean(), color="0.7", linewidth=0.8, linestyle="--", label="chance")
    axes.set(xlabel="recall", ylabel="precision", xlim=(-0.02, 1.02), ylim=(-0.02, 1.05))
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure

"""Figures of runs: how sparse, how accurate, how they trained and what network they found, drawn with matplotlib."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import TwoSlopeNorm
from matplotlib.figure import Figure

from dashjax.methods import METHODS
from dashjax.sweep import PRIOR_ONLY

#: One colour per method wherever it appears (Okabe and Ito's palette, safe for colour-blind readers).
COLOURS = {
    "dense": "#999999",
    "imp": "#E69F00",
    "bioprune": "#009E73",
    "dash": "#0072B2",
    PRIOR_ONLY: "#D55E00",
    "sparseflow": "#8C510A",
    "synflow": "#D8B365",
    "dst": "#F0E442",
    "l0": "#CC79A7",
    "pathreg": "#882255",
    "cnode": "#332288",
    "pinn": "#56B4E9",
    "pinn_mp": "#44AA99",
    "pinn+dash": "#000000",
    "direct+l1": "#A50026",
    "direct+dash": "#F46D43",
    "posterior": "#7B2CBF",
    "posterior_steps": "#E7298A",
    "activity": "#1B9E77",
    "dyngenie3": "#009E73",
    "genie3": "#56B4E9",
    "lasso": "#E69F00",
    "ridge": "#0072B2",
    "sindy": "#8C510A",
    "correlation": "#999999",
}
_SPARE = ["#CC79A7", "#56B4E9", "#F0E442", "#000000"]


def make_panels(across: int = 1, down: int = 1, *, width: float, height: float, **options) -> tuple[Figure, np.ndarray]:
    """Return a figure outside pyplot's global state, and its axes as an array (down, across)."""
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots(down, across, squeeze=False, **options)
    for panel in axes.ravel():
        panel.spines[["top", "right"]].set_visible(False)
    return figure, axes


def plain(text: Any, longest: int = 28) -> str:
    """Return a name for a figure: cut, without line breaks of its own kind, and with `$` as the sign it is."""
    text = "".join(letter if letter.isprintable() or letter == "\n" else "�" for letter in str(text))
    text = text if len(text) <= longest else text[: longest - 1] + "…"
    return text.replace("$", r"\$")


def say_nothing(axes: Axes, text: str, title: str = "") -> None:
    """Say in a figure that there is nothing to draw."""
    axes.set_axis_off()
    axes.set_title(title)
    axes.text(0.5, 0.5, text, ha="center", va="center", transform=axes.transAxes, color="0.35")


def colour(method: str) -> str:
    """Return a method's colour; variants (`NAME_…`) take their method's."""
    method = next((known.name for known in METHODS.values() if method in known.aliases), method)
    base = next((name for name in (method, method.rpartition("_")[0]) if name in COLOURS), None)
    return COLOURS[base] if base else _SPARE[sum(map(ord, method)) % len(_SPARE)]


def marker(method: str, among: Sequence[str] = ()) -> str:
    """Return a cross for a variant of a method, else a shape by its place among those drawn with it.

    So methods whose dots cover each other, or whose colours look alike, are still told apart.
    """
    if method not in COLOURS and method.rpartition("_")[0] in COLOURS:
        return "x"
    return "os^Dv<>Ph*"[list(among).index(method) % 10] if method in among else "o"


def sparsity_accuracy(table, rows: Sequence[dict[str, Any]]) -> Figure:
    """Draw balanced accuracy and AUPR against sparsity, one dot per run, with the prior as a line."""
    names = list(dict.fromkeys(table["method"]))
    figure, (panels,) = make_panels(2, width=9, height=max(4, 0.27 * len(names)))
    for axes, metric, title in zip(panels, ("balanced_accuracy", "aupr"), ("balanced accuracy", "AUPR"), strict=True):
        prior = table.loc[table["method"] == PRIOR_ONLY, metric].mean()
        for method, group in table[table["method"] != PRIOR_ONLY].groupby("method", sort=False):
            shape = dict(marker=marker(method, names), linestyle="", color=colour(method), alpha=0.65)
            edge = {} if shape["marker"] == "x" else dict(markeredgecolor="white", markeredgewidth=0.6)
            axes.plot(100 * group["sparsity"], group[metric], label=plain(method), **shape, **edge)
        axes.axhline(prior, color=colour(PRIOR_ONLY), linestyle="--", label="prior only")
        axes.set(xlabel="weights that are exactly zero (%)", ylabel=title, xlim=(-3, 103))
        axes.set_ylim(0.45 if metric == "balanced_accuracy" else -0.02, 1.02)
    panels[0].set_title("edges found")
    panels[1].set_title("edges ranked (needs precision)")
    panels[1].legend(loc="upper left", frameon=False, bbox_to_anchor=(1.0, 1.0))
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
        drawn = axes.imshow(image, cmap="RdBu_r", norm=TwoSlopeNorm(0, -1, 1), aspect="auto", interpolation="nearest")
        axes.set_title(plain(name, 40))
        axes.set_xticks([])
        axes.set_yticks([])
    for axes in grid[:, 0]:
        axes.set_ylabel("regulators, hubs on top")
    for axes in grid[-1]:
        axes.set_xlabel("targets")
    figure.colorbar(drawn, ax=grid, label="effect, as a share of each map's strongest", shrink=0.6, aspect=40)
    return figure


#: Targets that a map names, and the share of the strongest effect below which a target is not drawn.
NAMED_TARGETS, LEAST_DRAWN = 80, 0.05


def effect_map(network: np.ndarray, genes: Sequence[str], label: str = "relative effect") -> Figure:
    """Draw one inferred network, its regulators with the largest total effect and their targets named.

    Args:
        network: signed values (regulator, target).
        genes: their names.
        label: what the values are.
    """
    strength = np.abs(network).sum(1)
    top = np.argsort(-strength, kind="stable")[: min(25, max(1, int((strength > 0).sum())))]
    figure, ((axes,),) = make_panels(width=10, height=0.22 * len(top) + 2.4)
    columns = np.argsort(np.abs(network[top]).argmax(0), kind="stable")
    shown = network[np.ix_(top, columns)]
    # Targets that none of these regulates say nothing here.
    columns = columns[np.abs(shown).max(axis=0) > LEAST_DRAWN * max(np.abs(shown).max(), 1e-12)]
    shown = network[np.ix_(top, columns)]
    limit = float(np.abs(shown).max()) if shown.size else 1.0
    image = axes.imshow(
        shown, cmap="RdBu_r", norm=TwoSlopeNorm(0, -limit, limit), aspect="auto", interpolation="nearest"
    )
    axes.set_yticks(range(len(top)), [plain(genes[number]) for number in top], fontsize=8)
    # As many names as there is room for.
    every = -(-max(len(columns), 1) // NAMED_TARGETS)
    places = range(0, len(columns), every)
    axes.set_xticks(places, [plain(genes[columns[at]], 16) for at in places], rotation=90, fontsize=6)
    axes.set(title="strongest regulators and their targets")
    axes.set_xlabel("targets" if every == 1 else f"targets (every {every}th named)")
    figure.colorbar(image, ax=axes, label=label, shrink=0.9, aspect=30)
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

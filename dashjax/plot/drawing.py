"""A network drawn as one: genes as dots, edges as arrows, arranged by forces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from dashjax.errors import InputError, suggest
from dashjax.plot.style import ACTIVATES, REPRESSES, axes_or_new, plain, say_nothing

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from dashjax.networks import Network

#: Steps of the arrangement, and what holds dots together in the middle.
STEPS, GRAVITY = 400, 1.5


def network(
    network: Network | pd.DataFrame, genes: Sequence[str] = (), ax: Axes | None = None, *, most: int = 40, seed: int = 0
) -> Axes:
    """Draw the likeliest edges as arrows between genes: blue ones activate, orange bars repress, dashed ones are new.

        dj.plot.network(network)
        dj.plot.network(network, ["GATA1"])  # and its neighbours

    Args:
        network: as fitted, or a frame of edges with columns source and target, as `Network.edges` has them.
        genes: only edges from or to these; all if empty.
        ax: where to draw; a new figure if None.
        most: edges, the likeliest that are returned.
        seed: of the arrangement.

    Raises:
        InputError: on a gene that has no edge.
    """
    told: Any = network
    table: pd.DataFrame = getattr(told, "edges", told)
    shown = table[table["returned"]] if "returned" in table else table
    known = set(shown["source"]) | set(shown["target"])
    for gene in genes:
        if gene not in known:
            raise InputError(f"gene '{gene}' has no edge{suggest(gene, sorted(known))}", "genes")
    if genes:
        shown = shown[shown["source"].isin(genes) | shown["target"].isin(genes)]
    shown = shown[shown["source"] != shown["target"]].head(most)
    if not len(shown):
        return say_nothing(axes_or_new(ax, 5, 4), "no edge is returned")
    names = list(dict.fromkeys([*shown["source"], *shown["target"]]))
    place = {name: number for number, name in enumerate(names)}
    source, target = (np.array([place[name] for name in shown[end]]) for end in ("source", "target"))
    side = float(np.clip(2.2 + 0.75 * np.sqrt(len(names)), 4, 11))
    axes = axes_or_new(ax, 1.15 * side, side)
    at = arrange(source, target, len(names), seed)
    _draw_edges(axes, shown, at[source], at[target])
    # A name stands where fewest of the gene's edges are.
    above = np.zeros(len(names))
    np.add.at(above, source, at[target, 1] - at[source, 1])
    np.add.at(above, target, at[source, 1] - at[target, 1])
    _draw_genes(axes, names, at, np.bincount(source, minlength=len(names)), above > 0)
    axes.set_axis_off()
    axes.set_aspect("equal")
    axes.margins(0.08)
    _legend(axes, "in_prior" in shown)
    return axes


def _draw_edges(axes: Axes, shown: pd.DataFrame, begin: np.ndarray, end: np.ndarray) -> None:
    """Draw edges as bent arrows; the likelier, the darker."""
    sign = next((shown[name] for name in ("score", "effect", "weight") if name in shown), None)
    represses = np.zeros(len(shown), bool) if sign is None else sign.to_numpy(float) < 0
    likely = shown["probability"].to_numpy(float) if "probability" in shown else np.full(len(shown), np.nan)
    old = shown["in_prior"].to_numpy(bool) if "in_prior" in shown else np.ones(len(shown), bool)
    for number in range(len(shown)):
        sure = 1.0 if np.isnan(likely[number]) else float(likely[number])
        style = "|-|,widthA=0,widthB=0.35" if represses[number] else "-|>,head_width=0.22,head_length=0.5"
        axes.annotate(
            "", end[number], begin[number],
            arrowprops={
                "arrowstyle": style,
                "color": REPRESSES if represses[number] else ACTIVATES,
                "alpha": 0.25 + 0.75 * sure,
                "linewidth": 0.6 + 0.9 * sure,
                "linestyle": "-" if old[number] else (0, (4, 2)),
                "shrinkA": 5, "shrinkB": 8, "connectionstyle": "arc3,rad=0.12",
            },
        )  # fmt: skip


def _draw_genes(axes: Axes, names: Sequence[str], at: np.ndarray, targets: np.ndarray, below: np.ndarray) -> None:
    """Draw genes: regulators dark and larger by their targets, others pale; names above, or below where told."""
    from matplotlib.patheffects import withStroke

    regulates = targets > 0
    sizes = 30 + 22 * np.sqrt(targets)
    for mine, shade in ((~regulates, "#D5D5D5"), (regulates, "#333333")):
        axes.scatter(at[mine, 0], at[mine, 1], s=sizes[mine], color=shade, edgecolors="white", linewidths=0.8, zorder=3)
    outline = [withStroke(linewidth=2.2, foreground="white")]
    for name, (x, y), mine, under in zip(names, at, regulates, below, strict=True):
        axes.annotate(plain(name, 14), (x, y), xytext=(0, -6 if under else 6), textcoords="offset points",
                      ha="center", va="top" if under else "bottom",
                      fontsize=8 if mine else 7, fontweight="bold" if mine else "normal", path_effects=outline,
                      zorder=4)  # fmt: skip


def _legend(axes: Axes, told: bool) -> None:
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], color=ACTIVATES, label="activates"), Line2D([], [], color=REPRESSES, label="represses")]
    if told:
        handles += [
            Line2D([], [], color="0.3", label="in the prior"),
            Line2D([], [], color="0.3", linestyle=(0, (4, 2)), label="new"),
        ]
    axes.legend(handles=handles, frameon=False, fontsize=8, loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=4)


def arrange(source: np.ndarray, target: np.ndarray, count: int, seed: int = 0) -> np.ndarray:
    """Return places (gene, 2): all push each other apart, edges pull (Fruchterman and Reingold 1991).

    Args:
        source: number of each edge's regulator.
        target: of its target.
        count: genes.
        seed: of the places that they start from.
    """
    angle = 2 * np.pi * np.arange(count) / count
    at = np.column_stack([np.cos(angle), np.sin(angle)])
    at += 0.05 * np.random.default_rng(seed).normal(size=at.shape)
    rest = 1.0 / np.sqrt(count)
    for step in range(STEPS):
        apart = at[:, None] - at[None]
        distance = np.maximum(np.linalg.norm(apart, axis=-1), 1e-3)
        force = (apart * (rest**2 / distance**2)[..., None]).sum(axis=1)
        pull = (at[source] - at[target]) * np.linalg.norm(at[source] - at[target], axis=1, keepdims=True) / rest
        np.add.at(force, source, -pull)
        np.add.at(force, target, pull)
        force -= GRAVITY * at
        size = np.maximum(np.linalg.norm(force, axis=1, keepdims=True), 1e-9)
        at = at + force / size * np.minimum(size, 0.12 * (1 - step / STEPS))
    return at - at.mean(axis=0)

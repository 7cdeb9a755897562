"""Plots of a fitted network: its edges, its effects, its courses, and whether its probabilities are frequencies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from dashjax.data import DENSE_GENES, Trajectories
from dashjax.dynamics import under
from dashjax.errors import InputError, suggest
from dashjax.io import Expression, load_expression
from dashjax.networks import Network, network_matrix
from dashjax.plot.style import (
    ACTIVATES,
    BLUE,
    GREEN,
    GREY,
    REPRESSES,
    axes_or_new,
    diverging,
    name_colours,
    name_rows,
    plain,
)
from dashjax.questions import member_paths
from dashjax.scoring import reliability

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Who says that there is an edge.
STATED = {"in the prior": "#555555", "new": GREEN}
#: Targets that a map names, and the share of the strongest effect below which a target is not drawn.
NAMED_TARGETS, LEAST_DRAWN = 80, 0.05
#: Standard errors of a 95 % interval.
WIDE = 1.96
#: Points of a path.
PATH_POINTS = 100


def edges(network: Network, ax: Axes | None = None, *, most: int = 20) -> Axes:
    """Draw the likeliest edges: their effects, with 90 % of the posterior, and the probability of each beside.

        dj.plot.edges(network)

    Without a posterior, it draws what edges are ranked by.

    Args:
        network: as fitted.
        ax: where to draw; a new figure if None.
        most: edges, the first of `Network.edges`.
    """
    top = network.edges.head(most).iloc[::-1]
    axes = axes_or_new(ax, 6.4, 0.21 * len(top) + 1.3)
    rows = np.arange(len(top))
    value = top["effect"] if network.posterior is not None else top["score"]
    colours = [STATED["in the prior" if known else "new"] for known in top["in_prior"]]
    if network.posterior is not None:
        axes.hlines(rows, top["effect_low"], top["effect_high"], color=colours, linewidth=1.4)
        beside: dict[str, Any] = {"transform": axes.get_yaxis_transform(), "fontsize": 8}
        for row, probability in zip(rows, top["probability"], strict=True):
            axes.text(1.01, float(row), f"{probability:.2f}", va="center", **beside)
        axes.text(1.01, len(top) - 0.2, "p", va="bottom", **beside)
    axes.scatter(value, rows, c=colours, s=22, zorder=3)
    axes.axvline(0, color="0.3", linewidth=0.8)
    arrows = ["⊣" if sign < 0 else "→" for sign in top["score"]]
    sources, targets = ([str(name)[:16] for name in top[end]] for end in ("source", "target"))
    name_rows(axes, [" ".join(parts) for parts in zip(sources, arrows, targets, strict=True)], 40)
    axes.set(xlabel="effect, and 90 % of its posterior" if network.posterior is not None else "relative effect")
    name_colours(axes, STATED, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    return axes


def effects(network: Network, ax: Axes | None = None, *, most: int = 25) -> Axes:
    """Draw the regulators with the largest total effect and their targets as a map.

        dj.plot.effects(network)

    Where there is a posterior, it draws the probability of each edge with the sign of its effect.

    Args:
        network: as fitted.
        ax: where to draw; a new figure if None.
        most: regulators.

    Raises:
        InputError: where there are more genes than a map can hold.
    """
    if len(network.genes) > DENSE_GENES:
        raise InputError(f"{len(network.genes):,} genes are too many for a map of all pairs; see edges", "network")
    label = "relative effect" if network.posterior is None else "probability, with the sign of the effect"
    return effect_map(network.scores, network.genes, label, ax, most)


def effect_map(
    values: np.ndarray, genes: Sequence[str], label: str = "relative effect", ax: Axes | None = None, most: int = 25
) -> Axes:
    """Draw signed values (regulator, target) as `effects` does."""
    strength, strongest = np.abs(values).sum(1), np.abs(values).max(1)
    rows = max(1, int((strongest > LEAST_DRAWN * max(strongest.max(), 1e-12)).sum()))
    top = np.argsort(-strength, kind="stable")[: min(most, rows)]
    columns = np.argsort(np.abs(values[top]).argmax(0), kind="stable")
    shown = values[np.ix_(top, columns)]
    # Targets that none of these regulates say nothing here.
    columns = columns[np.abs(shown).max(axis=0) > LEAST_DRAWN * max(np.abs(shown).max(), 1e-12)]
    shown = values[np.ix_(top, columns)]
    axes = axes_or_new(ax, min(10.0, 3.0 + 0.16 * len(columns)), 0.22 * len(top) + 2.4)
    limit = float(np.abs(shown).max()) if shown.size else 1.0
    image = axes.imshow(shown, cmap=diverging(), vmin=-limit, vmax=limit, aspect="auto", interpolation="nearest")
    axes.set_yticks(range(len(top)), [plain(genes[number]) for number in top], fontsize=8)
    # As many names as there is room for.
    every = -(-max(len(columns), 1) // NAMED_TARGETS)
    places = range(0, len(columns), every)
    axes.set_xticks(places, [plain(genes[columns[at]], 16) for at in places], rotation=90, fontsize=6)
    axes.set(title="strongest regulators and their targets")
    axes.set_xlabel("targets" if every == 1 else f"targets (every {every}th named)")
    axes.figure.colorbar(image, ax=axes, label=label, shrink=0.9, aspect=30)
    return axes


def course(network: Network, gene: str, observed: Any, ax: Axes | None = None, *, trajectory: str | int = 0) -> Axes:
    """Draw what was observed of a gene over time, and the path that the fitted dynamics take from the first state.

        dj.plot.course(network, "GATA1", "expression.csv")

    The line is the mean of the members, the band from the lowest to the highest of them.

    Args:
        network: as fitted.
        gene: name of a gene.
        observed: what it was fitted to, or other trajectories: a path, a tidy frame, an `Expression`, or `Trajectories`
            with the network's genes.
        ax: where to draw; a new figure if None.
        trajectory: name or number of the trajectory.

    Raises:
        InputError: on an unknown gene or trajectory, a gene that the data lack, or a network without dynamics.
    """
    if gene not in network.genes:
        raise InputError(f"the network has no gene '{gene}'{suggest(gene, list(network.genes))}", "gene")
    times, expression, seen, members = _paths_of(network, observed, trajectory)
    place = network.genes.index(gene)
    fine = np.linspace(times[0], times[-1], PATH_POINTS)
    paths = member_paths(members, jnp.asarray(expression[None, 0]), jnp.asarray(fine[None]))[:, 0, :, place]
    axes = axes_or_new(ax, 5, 3.2)
    if len(paths) > 1:
        label = f"lowest to highest of {len(paths)} members"
        axes.fill_between(fine, paths.min(axis=0), paths.max(axis=0), color=BLUE, alpha=0.25, linewidth=0, label=label)
    axes.plot(fine, paths.mean(axis=0), color=BLUE, label="fitted")
    axes.plot(
        times[seen[:, place]], expression[seen[:, place], place], "o", color="black", markersize=4, label="observed"
    )
    axes.set(xlabel="time", ylabel="expression", title=plain(gene))
    axes.legend(frameon=False, fontsize=8)
    return axes


def _paths_of(network: Network, observed: Any, trajectory: str | int):
    """Return times, expression and what was seen of one trajectory, genes in the network's order, and the dynamics."""
    if isinstance(observed, Trajectories):
        numbers = tuple(str(number + 1) for number in range(observed.n_trajectories))
        observed = Expression(network.genes, observed, "observed", numbers)
    data = observed if isinstance(observed, Expression) else load_expression(observed)
    names = list(data.names)
    number = trajectory if isinstance(trajectory, int) else names.index(trajectory) if trajectory in names else -1
    if not 0 <= number < len(names):
        raise InputError(f"there is no trajectory '{trajectory}' among {len(names)}", "trajectory")
    place = {name: at for at, name in enumerate(data.genes)}
    absent = [name for name in network.genes if name not in place]
    if absent:
        raise InputError(f"lacks gene '{absent[0]}' of the network", "observed")
    mine = data.trajectories.of_genes([place[name] for name in network.genes])[number : number + 1]
    steps = np.asarray(mine.observed[0])
    seen = steps[:, None] & np.isfinite(np.asarray(mine.expression[0]))
    members = [under(one, mine.production) for one in network.dynamics()]
    count = int(steps.sum())
    return np.asarray(mine.times[0])[:count], np.asarray(mine.expression[0])[:count], seen[:count], members


def calibration(
    network: Network, truth: Any, ax: Axes | None = None, *, bins: int = 10, least: float = 0.05, label: str = ""
) -> Axes:
    """Draw the share of edges that are true against the probability stated of them.

        dj.plot.calibration(network, reference)

    On the diagonal, probabilities are frequencies. Bars are Wilson's 95 % interval of each share.

    Args:
        network: with a posterior.
        truth: true edges: an array (regulator, target), or a frame with columns source and target.
        ax: where to draw; a new figure if None. Several networks may share it.
        bins: of probability, equally wide.
        least: pairs that are less likely than this do not count; nearly all pairs are no edges and said not to be.
        label: of this network.

    Raises:
        InputError: where the network has no probabilities, or the truth is of other genes.
    """
    if network.posterior is None:
        raise InputError("gives no probabilities, so they cannot be compared with frequencies", "network")
    true = network_matrix(truth, network.genes) if hasattr(truth, "columns") else np.asarray(truth)
    count = len(network.genes)
    if true.shape != (count, count):
        raise InputError(f"{true.shape} for a network of {count} genes", "truth")
    pairs = jnp.asarray(~np.eye(count, dtype=bool))
    found = jax.tree.map(np.asarray, reliability(jnp.abs(network.scores), jnp.asarray(true), pairs, bins, least))
    some = found.pairs > 0
    size = found.pairs[some]
    stated, share = found.expected[some] / size, found.true[some] / size
    axes = axes_or_new(ax, 4.4, 4.2)
    if not axes.lines:
        axes.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1)
    sides = np.abs(_interval(share, size) - share)
    shade = [BLUE, GREEN, ACTIVATES, REPRESSES][len(axes.containers) % 4]
    axes.errorbar(stated, share, yerr=sides, fmt="o", color=shade, markersize=5, linewidth=1, elinewidth=0.8,
                  label=plain(label) or None)  # fmt: skip
    if not label:
        for x, y, pairs_here in zip(stated, share, size, strict=True):
            axes.annotate(
                f"{pairs_here:.0f}", (x, y), xytext=(5, 4), textcoords="offset points", fontsize=7, color="0.3"
            )
    axes.set(xlabel="probability stated", ylabel="share that is true", xlim=(-0.03, 1.03), ylim=(-0.03, 1.03))
    axes.set_title("numbers: pairs in each bin" if not label else "", fontsize=9)
    if label:
        axes.legend(frameon=False, fontsize=8)
    return axes


def _interval(share: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Return Wilson's interval of some shares, (side, share): unlike others it stays between 0 and 1.

    Examples:
        >>> _interval(np.array([0.0, 0.5]), np.array([10.0, 100.0])).round(2).tolist()
        [[0.0, 0.4], [0.28, 0.6]]
    """
    middle = (share + WIDE**2 / (2 * size)) / (1 + WIDE**2 / size)
    half = WIDE * np.sqrt(share * (1 - share) / size + (WIDE / (2 * size)) ** 2) / (1 + WIDE**2 / size)
    return np.clip([middle - half, middle + half], 0.0, 1.0)

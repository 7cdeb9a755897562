"""What all plots share: figures without global state, one colour for one thing, names as they are."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from dashjax.methods import METHODS
from dashjax.rivals import PRIOR_ONLY

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Okabe and Ito's palette, safe for colour-blind readers.
BLUE, ORANGE, GREEN, VERMILION, PURPLE, GREY = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#999999"
#: What an edge does.
ACTIVATES, REPRESSES = BLUE, VERMILION
#: Negative to positive, from what represses to what activates.
DIVERGING = (VERMILION, "#F5B899", "#FFFFFF", "#93C1DE", BLUE)
#: Name of the prior alone, as tables have it.
ALONE = PRIOR_ONLY.name
#: One colour per method wherever it appears.
COLOURS = {
    "dense": GREY,
    "imp": ORANGE,
    "bioprune": GREEN,
    "dash": BLUE,
    ALONE: VERMILION,
    "sparseflow": "#8C510A",
    "synflow": "#D8B365",
    "dst": "#F0E442",
    "l0": PURPLE,
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
    "dyngenie3": GREEN,
    "genie3": "#56B4E9",
    "lasso": ORANGE,
    "ridge": BLUE,
    "sindy": "#8C510A",
    "correlation": GREY,
}
_SPARE = [PURPLE, "#56B4E9", "#F0E442", "#000000"]


def make_panels(across: int = 1, down: int = 1, *, width: float, height: float, **options) -> tuple[Figure, np.ndarray]:
    """Return a figure outside pyplot's global state, and its axes as an array (down, across)."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots(down, across, squeeze=False, **options)
    for panel in axes.ravel():
        panel.spines[["top", "right"]].set_visible(False)
    return figure, axes


def axes_or_new(ax: Axes | None, width: float, height: float) -> Axes:
    """Return the axes given, or those of a new figure of that size, in inches."""
    return make_panels(width=width, height=height)[1][0, 0] if ax is None else ax


def plain(text: Any, longest: int = 28) -> str:
    """Return a name for a figure: cut, without line breaks of its own kind, and with `$` as the sign it is."""
    text = "".join(letter if letter.isprintable() or letter == "\n" else "�" for letter in str(text))
    text = text if len(text) <= longest else text[: longest - 1] + "…"
    return text.replace("$", r"\$")


def wrapped(words: str) -> str:
    """Return a title in lines."""
    return plain("\n".join(textwrap.wrap(words, 60)), 300)


def name_rows(axes: Axes, names: Sequence[Any], longest: int = 28) -> None:
    """Name the rows of bars from below."""
    axes.set_yticks(range(len(names)), [plain(name, longest) for name in names], fontsize=8)
    axes.set_ylim(-0.8, max(len(names), 1) - 0.2)


def say_nothing(axes: Axes, text: str, title: str = "") -> Axes:
    """Say in a figure that there is nothing to draw."""
    axes.set_axis_off()
    axes.set_title(title)
    axes.text(0.5, 0.5, text, ha="center", va="center", transform=axes.transAxes, color="0.35")
    return axes


def name_colours(axes: Axes, colours: Mapping[str, str], **options) -> None:
    """Add a legend of colours, beside the axes unless told otherwise."""
    from matplotlib.patches import Patch

    handles = [Patch(color=shade, label=label) for label, shade in colours.items()]
    place = {"loc": "center left", "bbox_to_anchor": (1.0, 0.5)} | options
    axes.legend(handles=handles, frameon=False, fontsize=8, **place)


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


def diverging() -> Any:
    """Return the colour map from what represses to what activates, white where there is nothing."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("effects", DIVERGING)

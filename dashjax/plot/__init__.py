"""Plots of networks, of what was asked of them, and of runs: matplotlib axes in and out.

    import dashjax as dj

    axes = dj.plot.edges(network)
    axes.figure.savefig("edges.png")

Every function takes `ax` and returns it; without one it makes a figure of its own, outside of pyplot, of a size that
suits what is drawn. Colours are told apart by colour-blind readers, and names are shown as they are, `$` included.
Matplotlib is imported when something is drawn.
"""

from dashjax.plot.answers import influence, pathways, response
from dashjax.plot.drawing import network
from dashjax.plot.of_networks import calibration, course, edges, effects
from dashjax.plot.of_runs import pareto

__all__ = [
    "calibration",
    "course",
    "edges",
    "effects",
    "influence",
    "network",
    "pareto",
    "pathways",
    "response",
]

"""Sweeps: grids of runs on simulated systems or a user's data."""

from dashjax.sweep.grid import Combination, Grid, expand, load_grid, parse_grid
from dashjax.sweep.sweep import PRIOR_ONLY, SCORES, Results, collect_sweep, make_cells, run_sweep

__all__ = [
    "PRIOR_ONLY",
    "SCORES",
    "Combination",
    "Grid",
    "Results",
    "collect_sweep",
    "expand",
    "load_grid",
    "make_cells",
    "parse_grid",
    "run_sweep",
]

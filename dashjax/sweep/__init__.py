"""Sweeps: grids of runs, batched, resumable, on every device there is."""

from dashjax.sweep.grid import Cell, Grid, expand, load_grid, parse_grid
from dashjax.sweep.run import PRIOR_ONLY, SCORES, Progress, Results, collect, run_sweep
from dashjax.sweep.store import Store, read_manifest
from dashjax.sweep.study import Study, make_study

__all__ = [
    "PRIOR_ONLY",
    "SCORES",
    "Cell",
    "Grid",
    "Progress",
    "Results",
    "Store",
    "Study",
    "collect",
    "expand",
    "load_grid",
    "make_study",
    "parse_grid",
    "read_manifest",
    "run_sweep",
]

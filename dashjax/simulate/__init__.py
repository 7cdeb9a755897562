"""Ground truth: systems, their trajectories, and priors that are wrong by a known amount."""

from dashjax.simulate.at_rest import RestStudy, simulate_rest
from dashjax.simulate.cells import Cells, simulate_cells
from dashjax.simulate.corruption import add_edges, drop_edges, flip_signs, relocate_edges
from dashjax.simulate.disturbed import simulate_disturbed
from dashjax.simulate.generator import generate_system
from dashjax.simulate.study import PUBLISHED_TIMES, simulate_study
from dashjax.simulate.system import System, draw_initial_states, make_system, simulate_expression

__all__ = [
    "PUBLISHED_TIMES",
    "Cells",
    "RestStudy",
    "System",
    "add_edges",
    "draw_initial_states",
    "drop_edges",
    "flip_signs",
    "generate_system",
    "make_system",
    "relocate_edges",
    "simulate_cells",
    "simulate_disturbed",
    "simulate_expression",
    "simulate_rest",
    "simulate_study",
]

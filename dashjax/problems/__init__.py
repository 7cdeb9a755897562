"""Where problems come from: a user's data, simulated systems, and public benchmarks."""

from dashjax.problems.benchmarks import DATASETS, load_problems
from dashjax.problems.check import check_data, verdict
from dashjax.problems.simulated import simulated_problem, with_corrupted_prior
from dashjax.problems.simulated_files import simulate_files
from dashjax.problems.user_data import check_files, read_parts, read_problem

__all__ = [
    "DATASETS",
    "check_data",
    "check_files",
    "load_problems",
    "read_parts",
    "read_problem",
    "simulate_files",
    "simulated_problem",
    "verdict",
    "with_corrupted_prior",
]

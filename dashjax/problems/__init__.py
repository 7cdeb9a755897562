"""Where problems come from: a user's data, simulated systems, and public benchmarks."""

from dashjax.problems.benchmarks import DATASETS, OWN_PRIORS, load_problems
from dashjax.problems.check import check_data, verdict
from dashjax.problems.measured import missing
from dashjax.problems.simulated import simulated_problem, with_corrupted_prior
from dashjax.problems.simulated_files import simulate_files
from dashjax.problems.user_data import check_files, read_parts, read_problem

__all__ = [
    "DATASETS",
    "OWN_PRIORS",
    "check_data",
    "check_files",
    "load_problems",
    "missing",
    "read_parts",
    "read_problem",
    "simulate_files",
    "simulated_problem",
    "verdict",
    "with_corrupted_prior",
]

"""The two file-to-file jobs: fit a user's own data, and simulate a study to files."""

from dashjax.jobs.fit import fit_files
from dashjax.jobs.simulate import simulate_files

__all__ = ["fit_files", "simulate_files"]

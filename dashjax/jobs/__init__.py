"""Jobs on a user's files: check and fit them, score, export and read what was found, simulate a study."""

from dashjax.jobs.check import Finding, check_files, verdict
from dashjax.jobs.export import export_files
from dashjax.jobs.fit import fit_files
from dashjax.jobs.fitted import StartOptions
from dashjax.jobs.influence import influence_files
from dashjax.jobs.pathways import pathways_files
from dashjax.jobs.perturb import perturb_files
from dashjax.jobs.score import score_files
from dashjax.jobs.simulate import simulate_files

__all__ = [
    "Finding",
    "StartOptions",
    "check_files",
    "export_files",
    "fit_files",
    "influence_files",
    "pathways_files",
    "perturb_files",
    "score_files",
    "simulate_files",
    "verdict",
]

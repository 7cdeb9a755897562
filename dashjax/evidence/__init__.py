"""From a fitted field and a prior to the probability of every edge."""

from dashjax.evidence.kinds import AbstractEvidence, AlongPaths, AlongSteps
from dashjax.evidence.mixture import EnsemblePosterior, ensemble_posterior
from dashjax.evidence.paths import initial_states, path_and_step_error
from dashjax.evidence.posterior import EdgePosterior, PosteriorConfig, edge_posterior, edges_at_precision

__all__ = [
    "AbstractEvidence",
    "AlongPaths",
    "AlongSteps",
    "EdgePosterior",
    "EnsemblePosterior",
    "PosteriorConfig",
    "edge_posterior",
    "edges_at_precision",
    "ensemble_posterior",
    "initial_states",
    "path_and_step_error",
]

"""From a fitted field and a prior to the probability of every edge."""

from dashjax.evidence.ensemble import EnsemblePosterior, ensemble_posterior
from dashjax.evidence.paths import initial_states
from dashjax.evidence.posterior import EdgePosterior, PosteriorConfig, edge_posterior, edges_at_precision

__all__ = [
    "EdgePosterior",
    "EnsemblePosterior",
    "PosteriorConfig",
    "edge_posterior",
    "edges_at_precision",
    "ensemble_posterior",
    "initial_states",
]

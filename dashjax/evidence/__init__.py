"""From a fitted field and a prior to the probability of every edge."""

from dashjax.evidence.activity import activity_posterior, carried_by_activity
from dashjax.evidence.edge_posterior import EdgePosterior
from dashjax.evidence.hidden import (
    ASKABLE,
    PROBABILITY_BINS,
    FoundAgain,
    found_again,
    hidden_edges_found,
    hide,
)
from dashjax.evidence.kinds import AbstractEstimator, AbstractEvidence, AlongPaths, AlongSteps, ByActivity
from dashjax.evidence.mixture import EnsemblePosterior, ensemble_posterior, mix_posteriors
from dashjax.evidence.paths import initial_states, path_and_step_error
from dashjax.evidence.posterior import PosteriorConfig, edge_posterior, edges_at_precision

__all__ = [
    "ASKABLE",
    "AbstractEstimator",
    "AbstractEvidence",
    "AlongPaths",
    "AlongSteps",
    "ByActivity",
    "EdgePosterior",
    "EnsemblePosterior",
    "FoundAgain",
    "PROBABILITY_BINS",
    "PosteriorConfig",
    "activity_posterior",
    "carried_by_activity",
    "edge_posterior",
    "edges_at_precision",
    "ensemble_posterior",
    "found_again",
    "hidden_edges_found",
    "hide",
    "initial_states",
    "mix_posteriors",
    "path_and_step_error",
]

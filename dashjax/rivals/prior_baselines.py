"""What a prior says by itself: the bar that every method has to clear."""

from __future__ import annotations

import numpy as np

from dashjax.data import Trajectories
from dashjax.rivals.base import Rival


def prior_network(observed: Trajectories, prior: np.ndarray, seed: int) -> np.ndarray:
    """Return the prior."""
    return np.asarray(prior, float)


def degree_network(observed: Trajectories, prior: np.ndarray, seed: int) -> np.ndarray:
    """Score every pair by the prior confidence of its regulator in all other targets.

    Who is known to regulate many genes regulates this one too; on measured data a strong baseline.
    """
    confidence = np.abs(np.asarray(prior, float))
    scores = confidence.sum(axis=1, keepdims=True) - confidence
    np.fill_diagonal(scores, 0.0)
    return scores


PRIOR_ONLY = Rival("prior_only", "the prior as it is", prior_network, knows_prior=True, needs_prior=True)
DEGREE = Rival(
    "degree",
    "the prior's regulators by how many targets they have",
    degree_network,
    knows_prior=True,
    needs_prior=True,
    aliases=("out_degree",),
)

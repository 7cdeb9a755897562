"""Rivals for measured data: ridge regression on regulators' levels or activities in all samples, in few lines."""

from __future__ import annotations

import numpy as np

from dashjax.rivals.base import AllSamples, Rival

#: Penalty of the regressions, per sample and of standardised inputs, and the least singular value of the prior's edges
#: that activities are solved with, as a share of the largest. Both are those of the published *B. subtilis* figures.
PENALTY, LEAST_SINGULAR = 0.3, 1e-2
#: What a regulator without any other target counts for beside the log of the others' out-degrees.
WITHOUT_TARGETS = 0.3


def mrna_ridge_network(samples: AllSamples, prior: np.ndarray, seed: int) -> np.ndarray:
    """Score pairs by a ridge regression of each gene on all regulators' levels at the same time, its own left out."""
    levels = _standard(samples.levels)
    return _ridge(levels[:, samples.regulators], levels, samples.regulators)


def activity_ridge_network(samples: AllSamples, prior: np.ndarray, seed: int) -> np.ndarray:
    """Score pairs by a ridge regression of each gene on all regulators' activities (network component analysis).

    Activities A solve Y ≈ A Pᵀ by least squares, Y being standardised levels (sample, gene) and P the prior's
    confidence (gene, regulator); a regulator without targets keeps its level. A target is not left out of the
    activities that it is tested against, so prior edges prove themselves; ours, `activity`, does leave it out.
    Scores are magnitudes: a prior without signs does not tell the sign of an activity.
    """
    levels = _standard(samples.levels)
    edges = np.abs(np.asarray(prior, float))[samples.regulators].T
    activity = np.linalg.lstsq(edges, levels.T, rcond=LEAST_SINGULAR)[0].T
    silent = ~edges.any(axis=0)
    activity[:, silent] = levels[:, samples.regulators[silent]]
    return np.abs(_ridge(_standard(activity), levels, samples.regulators))


def activity_ridge_degree_network(samples: AllSamples, prior: np.ndarray, seed: int) -> np.ndarray:
    """Score pairs as `activity_ridge_network`, times 0.3 + log(1 + out-degree of the regulator among other targets)."""
    confidence = np.abs(np.asarray(prior, float))
    degree = np.log1p(confidence.sum(axis=1, keepdims=True) - confidence)
    return activity_ridge_network(samples, prior, seed) * (WITHOUT_TARGETS + degree)


def _ridge(inputs: np.ndarray, outputs: np.ndarray, regulators: np.ndarray) -> np.ndarray:
    """Return coefficients (gene, gene) of a ridge regression of every gene on the regulators' inputs.

    A regulator is no input of its own: with H the inverse of the penalised Gram matrix, taking input r out of a
    regression changes its coefficients β by −H[:, r] βᵣ / Hᵣᵣ.
    """
    inverse = np.linalg.inv(inputs.T @ inputs / len(inputs) + PENALTY * np.eye(len(regulators)))
    coefficient = inverse @ (inputs.T @ outputs / len(inputs))
    own = coefficient[np.arange(len(regulators)), regulators]
    coefficient[:, regulators] -= inverse * (own / np.diag(inverse))
    scores = np.zeros((outputs.shape[1], outputs.shape[1]))
    scores[regulators] = coefficient
    np.fill_diagonal(scores, 0.0)
    return scores


def _standard(values: np.ndarray) -> np.ndarray:
    return (values - values.mean(axis=0)) / (values.std(axis=0) + 1e-9)


MRNA_RIDGE = Rival(
    "mrna_ridge", "ridge regression on regulators' levels in all samples", mrna_ridge_network, needs_samples=True
)
ACTIVITY_RIDGE = Rival(
    "activity_ridge",
    "ridge regression on regulators' activities, which the prior's targets tell, in all samples",
    activity_ridge_network,
    knows_prior=True,
    needs_prior=True,
    needs_samples=True,
)
ACTIVITY_RIDGE_DEGREE = Rival(
    "activity_ridge_degree",
    "the same times the log of the regulator's out-degree in the prior",
    activity_ridge_degree_network,
    knows_prior=True,
    needs_prior=True,
    needs_samples=True,
)

"""GENIE3 and dynGENIE3: one random forest per target, regulators scored by how much variance they explain."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np

from dashjax.data import RestSamples, Trajectories
from dashjax.rivals.base import Rival, need_sklearn, transitions_of

#: Trees of each forest, as in both papers.
TREES = 1000


def genie3_network(
    observed: Trajectories, prior: np.ndarray, seed: int, trees: int = TREES, targets: Sequence[int] | None = None
) -> np.ndarray:
    """Score pairs as GENIE3 (Huynh-Thu et al., PLoS ONE 2010): each gene from all others at the same time.

    The output has unit variance; time is ignored. Where only some targets are asked for, the others' scores are zero.
    """
    return _genie3(np.asarray(observed.expression, float)[np.asarray(observed.observed)], seed, trees, targets)


def genie3_rest_network(
    rest: RestSamples, prior: np.ndarray, seed: int, trees: int = TREES, targets: Sequence[int] | None = None
) -> np.ndarray:
    """Score pairs as GENIE3 from samples at rest; what was done in them it does not know."""
    return _genie3(np.asarray(rest.levels, float), seed, trees, targets)


def dyngenie3_network(
    observed: Trajectories, prior: np.ndarray, seed: int, trees: int = TREES, targets: Sequence[int] | None = None
) -> np.ndarray:
    """Score pairs as dynGENIE3 (Huynh-Thu and Geurts, Scientific Reports 2018), from time series alone.

    Each gene's Δx/Δt + α x from all genes at the step's start; importances are shares of what a forest explains. The
    gene itself is an input, but not a regulator. Where only some targets are asked for, the others' scores are zero.
    """
    steps = transitions_of(observed)
    rate = decay_rates(observed)
    outputs = (steps.end - steps.start) / steps.duration[:, None] + rate * steps.start
    return _forests(steps.start, outputs, seed, trees, targets, own_is_input=True, shares=True)


def decay_rates(observed: Trajectories) -> np.ndarray:
    """Return dynGENIE3's α (gene,): the fastest exponential decay between any trajectory's extremes.

    α = max over trajectories of (log(x_max − c) − log(x_min − c))/|t_max − t_min|, c just below all values.
    """
    expression, times, seen = (np.asarray(part) for part in (observed.expression, observed.times, observed.observed))
    floor = expression[seen].min() - 1e-6
    genes = np.arange(expression.shape[-1])
    fastest = np.zeros(len(genes))
    for states, when, there in zip(expression.astype(float), times.astype(float), seen, strict=True):
        states, when = states[there], when[there]
        high, low = states.argmax(axis=0), states.argmin(axis=0)
        fall = np.log(np.maximum(states[high, genes] - floor, 1e-6)) - np.log(
            np.maximum(states[low, genes] - floor, 1e-6)
        )
        apart = np.abs(when[high] - when[low])
        fastest = np.maximum(fastest, np.where(apart > 0, fall / np.where(apart > 0, apart, 1.0), 0.0))
    return fastest


def _genie3(states: np.ndarray, seed: int, trees: int, targets: Sequence[int] | None) -> np.ndarray:
    deviation = states.std(axis=0)
    outputs = states / np.where(deviation > 0, deviation, 1.0)
    return _forests(states, outputs, seed, trees, targets, own_is_input=False, shares=False)


def _forests(inputs, outputs, seed, trees, targets, own_is_input: bool, shares: bool) -> np.ndarray:
    need_sklearn()
    from sklearn.ensemble import RandomForestRegressor

    genes = inputs.shape[1]
    scores = np.zeros((genes, genes))
    for target in range(genes) if targets is None else targets:
        used = np.arange(genes) if own_is_input else np.delete(np.arange(genes), target)
        forest = RandomForestRegressor(trees, max_features="sqrt", n_jobs=os.cpu_count(), random_state=seed)
        forest.fit(inputs[:, used], outputs[:, target])
        explained = [tree.tree_.compute_feature_importances(normalize=False) for tree in forest.estimators_]
        scores[used, target] = np.mean(explained, axis=0)
        scores[target, target] = 0.0
    if shares:
        total = scores.sum(axis=0)
        scores /= np.where(total > 0, total, 1.0)
    return scores


GENIE3 = Rival("genie3", "random forests on states, time ignored", genie3_network)
GENIE3_REST = Rival("genie3_rest", "random forests on samples at rest", genie3_rest_network, needs_rest=True)
DYNGENIE3 = Rival("dyngenie3", "random forests on derivatives and decay", dyngenie3_network)

"""Linear rivals: correlation, ridge and prior-weighted lasso."""

from __future__ import annotations

import warnings

import numpy as np

from dashjax.data import Trajectories
from dashjax.rivals.base import Rival, need_sklearn, transitions_of

#: Share of the lasso's penalty that a prior edge pays.
ON_PRIOR = 0.1


def correlation_network(observed: Trajectories, prior: np.ndarray, seed: int) -> np.ndarray:
    """Score pairs by the correlation of their states: no direction, no time."""
    states = np.asarray(observed.expression, float)[np.asarray(observed.observed)]
    return _off_diagonal(_correlation(states, states))


def ridge_network(observed: Trajectories, prior: np.ndarray, seed: int) -> np.ndarray:
    """Score pairs by a ridge regression of each gene's steady state on all genes at a step's start.

    The level that a gene with decay v heads for in a step from x(t) to x(t + d) is (x(t + d) − e^{−vd} x(t)) /
    (1 − e^{−vd}); v is five over the median duration of a trajectory. All are standardised, and the penalty is the
    number of steps: half way between regression and marginal correlation.
    """
    steps = transitions_of(observed)
    times, seen = np.asarray(observed.times, float), np.asarray(observed.observed)
    lasts = np.median([t[s][-1] - t[s][0] for t, s in zip(times, seen, strict=True)])
    keep = np.exp(-5.0 * steps.duration / lasts)[:, None]
    level = (steps.end - keep * steps.start) / (1 - keep)
    inputs, outputs = _standard(steps.start), _standard(level)
    gram = inputs.T @ inputs / len(inputs)
    return _off_diagonal(np.linalg.solve(gram + np.eye(len(gram)), inputs.T @ outputs / len(inputs)))


def lasso_network(
    observed: Trajectories, prior: np.ndarray, seed: int = 0, folds: int = 3, alphas: int = 20
) -> np.ndarray:
    """Score pairs by a prior-weighted lasso on finite-difference derivatives: a careful afternoon with scikit-learn.

    Each target's slope between two observations is regressed on the mean state between them; the target's own level
    enters unpenalised, as its decay. A column's penalty is scaled by dividing the column (adaptive lasso, Zou 2006),
    and its strength is chosen by cross-validation. Weights are in standard deviations of the regulator.
    """
    need_sklearn()
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LassoCV

    steps = transitions_of(observed)
    slope = (steps.end - steps.start) / steps.duration[:, None]
    state = _standard((steps.start + steps.end) / 2)
    network = np.zeros(prior.shape)
    with warnings.catch_warnings():
        # The few paths that stop early lose nothing that the choice of the penalty sees.
        warnings.simplefilter("ignore", ConvergenceWarning)
        for target in range(len(prior)):
            factor = np.where(prior[:, target] != 0, 1 / ON_PRIOR, 1.0)
            factor[target] = 1e3
            fit = LassoCV(cv=folds, alphas=alphas, max_iter=5000, tol=1e-2).fit(state * factor, slope[:, target])
            network[:, target] = fit.coef_ * factor
    return _off_diagonal(network)


def _standard(values: np.ndarray) -> np.ndarray:
    deviation = values.std(axis=0)
    return (values - values.mean(axis=0)) / np.where(deviation > 0, deviation, 1.0)


def _correlation(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return _standard(first).T @ _standard(second) / len(first)


def _off_diagonal(scores: np.ndarray) -> np.ndarray:
    np.fill_diagonal(scores, 0.0)
    return scores


CORRELATION = Rival("correlation", "correlation of states, no direction", correlation_network)
RIDGE = Rival("ridge", "ridge regression on steady states", ridge_network)
LASSO = Rival("lasso", "prior-weighted lasso on derivatives", lasso_network, knows_prior=True)

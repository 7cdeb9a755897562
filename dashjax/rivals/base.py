"""The interface of a rival, and what all of them do with trajectories and priors."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dashjax.data import Trajectories
from dashjax.errors import InputError


@dataclass(frozen=True)
class Rival:
    """A method of network inference.

    Attributes:
        name: as in tables.
        summary: one line.
        infer: from trajectories, a prior (regulator, target) and a seed to scores (regulator, target), the larger the
            likelier, with the sign of the effect where the method knows it; zero on the diagonal.
        knows_prior: whether it uses the prior itself; `prior_first` gives it to the others.
        needs_prior: whether it says nothing without one.
        version: changes whenever the same inputs would give other scores.
    """

    name: str
    summary: str
    infer: Callable[[Trajectories, np.ndarray, int], np.ndarray]
    knows_prior: bool = False
    needs_prior: bool = False
    version: int = 1

    def with_prior(self, scores: np.ndarray, prior: np.ndarray) -> np.ndarray:
        """Return what it found, with the prior's edges first where it could not weigh them itself."""
        return scores if self.knows_prior or not prior.any() else prior_first(scores, prior)


@dataclass(frozen=True)
class Steps:
    """Every step from one observation to the next.

    Attributes:
        start: states at the beginning (step, gene).
        end: states at the end (step, gene).
        duration: of each (step,).
    """

    start: np.ndarray
    end: np.ndarray
    duration: np.ndarray


def transitions_of(observed: Trajectories) -> Steps:
    """Return the steps of all trajectories, padding left out."""
    expression, times = np.asarray(observed.expression, float), np.asarray(observed.times, float)
    seen = np.asarray(observed.observed)
    valid = seen[:, 1:] & seen[:, :-1]
    return Steps(expression[:, :-1][valid], expression[:, 1:][valid], np.diff(times, axis=1)[valid])


def prior_first(scores: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """Rank prior edges before all others, and both by their scores.

    What a method gains from a prior that it cannot weigh: AUPR is then that of the prior, improved by the order
    inside and outside of it.
    """
    magnitude = np.abs(scores)
    top = magnitude.max()
    if top == 0:
        return prior.astype(float)
    lifted = np.where(prior != 0, 1.0 + magnitude / top, magnitude / top)
    return np.where(scores < 0, -lifted, lifted)


def need_sklearn() -> None:
    """Refuse to go on without scikit-learn.

    Raises:
        InputError: where it is not installed.
    """
    if importlib.util.find_spec("sklearn") is None:
        raise InputError("this method needs scikit-learn: pip install 'dashjax[compare]'")

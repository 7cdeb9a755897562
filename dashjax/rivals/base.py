"""The interface of a rival, and what all of them do with trajectories and priors."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from dashjax.data import Problem, RestSamples, Trajectories, floor_of
from dashjax.errors import InputError


@dataclass(frozen=True)
class Rival:
    """A method of network inference.

    Attributes:
        name: as in tables.
        summary: one line.
        infer: from trajectories or, where it needs them, samples at rest, a prior (regulator, target) and a seed to
            scores (regulator, target), the larger the likelier, with the sign of the effect where the method knows it;
            zero on the diagonal. Data are in the user's units.
        knows_prior: whether it uses the prior itself; `prior_first` gives it to the others.
        needs_prior: whether it says nothing without one.
        needs_rest: whether it looks at samples at rest, instead of trajectories.
        needs_knockouts: whether some of these must be of single knock-outs.
        needs_package: what it needs beyond the extra `compare`, so that it runs on demand alone; nothing if empty.
        version: changes whenever the same inputs would give other scores.
    """

    name: str
    summary: str
    infer: Callable[[Any, np.ndarray, int], np.ndarray]
    knows_prior: bool = False
    needs_prior: bool = False
    needs_rest: bool = False
    needs_knockouts: bool = False
    needs_package: str = ""
    version: int = 1

    def suits(self, problem: Problem) -> bool:
        """Say whether a problem has what it needs."""
        if self.needs_prior:
            return problem.prior.n_edges > 0
        if not self.needs_rest:
            return problem.observed.n_trajectories > 0
        rest = problem.given_rest
        return rest is not None and not (self.needs_knockouts and not knocked_out(rest).any())

    def rank(self, problem: Problem, seed: int) -> np.ndarray:
        """Return the scores (regulator, target) of a problem that suits it."""
        given = problem.given_rest if self.needs_rest else problem.given
        return np.asarray(self.infer(given, np.asarray(problem.prior.edges), seed))

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


def measured_levels(rest: RestSamples) -> np.ndarray:
    """Return the levels of samples at rest (sample, gene), NaN where one was not measured."""
    return np.where(np.asarray(rest.counted), np.asarray(rest.levels, float), np.nan)


def knocked_out(rest: RestSamples) -> np.ndarray:
    """Return in which samples which gene was knocked out and nothing else was done, booleans (sample, gene).

    A knock-out is a gene held at the level that stands for no expression, see `floor_of`. A stimulus is a gene that is
    held in every sample, at zero where it was not given.
    """
    if rest.production is None:
        return np.zeros(rest.levels.shape, bool)
    factor, level = np.asarray(rest.production.factor), np.asarray(rest.production.level)
    levels = np.asarray(rest.levels)
    # Levels have been to training units and back.
    slack = 1e-3 * (levels.max(axis=0) - levels.min(axis=0))
    is_input = (factor == 0).all(axis=0)
    done = np.where(is_input, np.abs(level) > slack, np.asarray(rest.production.touched))
    low = (factor == 0) & (level <= floor_of(levels) + slack)
    return done & low & ~is_input & (done.sum(axis=1) == 1)[:, None]


def prior_first(scores: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """Rank prior edges before all others, and both by their scores.

    What a method gains from a prior that it cannot weigh: AUPR is then that of the prior, improved by the order
    inside and outside of it.
    """
    magnitude = np.abs(scores)
    top = magnitude.max()
    if top == 0:
        return prior.astype(float)
    # Further than the best of the others, for a method may score prior edges zero.
    lifted = np.where(prior != 0, 2.0 + magnitude / top, magnitude / top)
    return np.where(scores < 0, -lifted, lifted)


def need_sklearn() -> None:
    """Refuse to go on without scikit-learn.

    Raises:
        InputError: where it is not installed.
    """
    if importlib.util.find_spec("sklearn") is None:
        raise InputError("this method needs scikit-learn: pip install 'dashjax[compare]'")

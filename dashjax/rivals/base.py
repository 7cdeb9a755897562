"""The interface of a rival, and what all of them do with trajectories and priors."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from dashjax.data import Problem, RestSamples, Trajectories, floor_of
from dashjax.errors import InputError


@dataclass(frozen=True)
class AllSamples:
    """Every sample there is, whether of a time course or at rest, and who may regulate.

    Attributes:
        levels: (sample, gene); time courses first.
        regulators: numbers of the genes that may regulate, increasing.
    """

    levels: np.ndarray
    regulators: np.ndarray


@dataclass(frozen=True)
class Rival:
    """A method of network inference.

    Attributes:
        name: as in tables.
        summary: one line.
        infer: from data, a prior (regulator, target) and a seed to scores (regulator, target), the larger the likelier,
            with the sign of the effect where the method knows it; zero on the diagonal. Data are trajectories,
            `RestSamples` or `AllSamples`, see below, in the user's units.
        knows_prior: whether it uses the prior itself; `prior_first` gives it to the others.
        needs_prior: whether it says nothing without one.
        needs_rest: whether it looks at samples at rest, instead of trajectories.
        needs_knockouts: whether some of these must be of single knock-outs.
        needs_samples: whether it looks at all samples, instead of trajectories, and is told who may regulate.
        needs_package: what it needs beyond the extra `compare`, so that it runs on demand alone; nothing if empty.
        version: changes whenever the same inputs would give other scores.
        aliases: names that it had before.
    """

    name: str
    summary: str
    infer: Callable[[Any, np.ndarray, int], np.ndarray]
    knows_prior: bool = False
    needs_prior: bool = False
    needs_rest: bool = False
    needs_knockouts: bool = False
    needs_samples: bool = False
    needs_package: str = ""
    version: int = 1
    aliases: tuple[str, ...] = ()

    def suits(self, problem: Problem) -> bool:
        """Say whether a problem has what it needs."""
        if self.needs_prior and not problem.prior.n_edges:
            return False
        if self.needs_prior or self.needs_samples:
            # Every problem has samples.
            return True
        if not self.needs_rest:
            return problem.observed.n_trajectories > 0
        rest = problem.given_rest
        return rest is not None and not (self.needs_knockouts and not knocked_out(rest).any())

    def rank(self, problem: Problem, seed: int) -> np.ndarray:
        """Return the scores (regulator, target) of a problem that suits it."""
        given: Any = problem.given_rest if self.needs_rest else problem.given
        if self.needs_samples:
            given = all_samples(problem)
        return np.asarray(self.infer(given, np.asarray(problem.prior.edges), seed))

    def with_prior(self, scores: np.ndarray, prior: np.ndarray) -> np.ndarray:
        """Return what it found, with the prior's edges first where it could not weigh them itself."""
        return scores if self.knows_prior or not prior.any() else prior_first(scores, prior)

    @property
    def package(self) -> str:
        """Return the package that it needs, with the version installed; empty where it needs none."""
        if not self.needs_package:
            return ""
        try:
            return f"{self.needs_package} {importlib.metadata.version(self.needs_package)}"
        except importlib.metadata.PackageNotFoundError:
            return self.needs_package


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


def all_samples(problem: Problem) -> AllSamples:
    """Return all samples of a problem in the user's units; where a level is missing, it is the one filled in."""
    courses, rest = problem.given, problem.given_rest
    levels = np.asarray(courses.expression, float)[np.asarray(courses.observed)]
    if rest is not None:
        levels = np.concatenate([levels, np.asarray(rest.levels, float)])
    return AllSamples(levels, np.flatnonzero(problem.may_regulate))


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

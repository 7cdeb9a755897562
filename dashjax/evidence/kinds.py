"""Along what evidence for an edge is weighed. A new kind is a class here or elsewhere, given to a method."""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import Any

import numpy as np

from dashjax.data import Prior, Problem, Trajectories
from dashjax.dynamics import AbstractField
from dashjax.dynamics.solve import Solve
from dashjax.evidence.activity import activity_posterior, carried_by_activity
from dashjax.evidence.edge_posterior import EdgePosterior
from dashjax.evidence.hidden import FoundAgain
from dashjax.evidence.paths import follow, initial_states
from dashjax.evidence.regression import (
    LEAST_RELAXATIONS,
    Interest,
    Pairs,
    Regressions,
    regress,
    regress_steps,
    shared_decay,
)
from dashjax.evidence.smoothing import smooth
from dashjax.numerics.sparse import dense_rows


class AbstractEvidence(abc.ABC):
    """How data and a fitted field become one regression per target. Hashable and stateless."""

    def prepare(self, observed: Trajectories) -> Any:
        """Return what the observations alone say, computed once for all members of an ensemble; nothing by default."""
        return ()

    @abc.abstractmethod
    def regress(
        self,
        field: AbstractField,
        observed: Trajectories,
        courses: Any,
        prior: Prior,
        candidates: int,
        allowed: Pairs,
        solve: Solve,
        interest: Interest | None = None,
    ) -> Regressions:
        """Return every target's regression on its most promising regulators.

        Args:
            field: fitted to the observations.
            observed: all trajectories as observed.
            courses: what `prepare` returned.
            prior: prior edges, for who is tested.
            candidates: regulators tested per target.
            allowed: (target, regulator) pairs that may be edges.
            solve: how to integrate while initial states are estimated.
            interest: what samples at rest say about whom to test.
        """


@dataclass(frozen=True)
class AlongPaths(AbstractEvidence):
    """Along the field's whole paths: for dynamics without disturbance, observed with noise."""

    def regress(self, field, observed, courses, prior, candidates, allowed, solve, interest=None):
        """Return `regress` along the paths from the estimated initial states."""
        paths = follow(field, initial_states(field, observed, solve), observed)
        return regress(field, paths, observed, prior, candidates, allowed, interest)


@dataclass(frozen=True)
class AlongSteps(AbstractEvidence):
    """From each observation to the next, of the field only its decay: for dynamics that are disturbed themselves."""

    def prepare(self, observed):
        """Return the observations, smoothed where they are clearly smooth."""
        return smooth(observed)

    def regress(self, field, observed, courses, prior, candidates, allowed, solve, interest=None):
        """Return `regress_steps` of the smoothed courses."""
        return regress_steps(shared_decay(field, courses), courses, prior, candidates, allowed, interest)


class AbstractEstimator(abc.ABC):
    """How edges are found from samples and a prior at once, without fitting any dynamics. Hashable and stateless."""

    @abc.abstractmethod
    def estimate(self, problem: Problem, seed: int) -> tuple[EdgePosterior, FoundAgain | None]:
        """Return the probability of every edge, and how well hidden prior edges were found again."""

    @abc.abstractmethod
    def suits(self, problem: Problem, seed: int) -> bool:
        """Say whether the data are better explained this way than by fitted dynamics."""


@dataclass(frozen=True)
class ByActivity(AbstractEstimator):
    """From regulators' activities, which their known targets tell; see `dashjax.evidence.activity`."""

    def estimate(self, problem, seed):
        """Return `activity_posterior` of all samples."""
        return activity_posterior(problem.states, np.asarray(problem.prior.edges), problem.may_regulate, seed)

    def suits(self, problem, seed):
        """Return whether the prior's own edges show in activities rather than in levels, `carried_by_activity`."""
        if not problem.prior.n_edges:
            return False
        edges = np.asarray(dense_rows(problem.prior.edges))
        return carried_by_activity(problem.states, _steps(problem.observed), edges, problem.may_regulate, seed)


def _steps(observed: Trajectories) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the level that each gene is heading for in every step, and all levels at its start.

    A gene that decays at rate v heads in a step of duration d for (x(t + d) − e^{−vd} x(t)) / (1 − e^{−vd}); v is
    `LEAST_RELAXATIONS` per median trajectory.
    """
    if not observed.n_trajectories:
        return None
    expression, times, seen = (np.asarray(part) for part in (observed.expression, observed.times, observed.observed))
    valid = seen[:, 1:] & seen[:, :-1]
    if not valid.any():
        return None
    lasts = np.median([t[s][-1] - t[s][0] for t, s in zip(times, seen, strict=True)])
    keep = np.exp(-LEAST_RELAXATIONS * np.diff(times, axis=1)[valid] / lasts)[:, None]
    start, end = expression[:, :-1][valid], expression[:, 1:][valid]
    return (end - keep * start) / (1 - keep), start

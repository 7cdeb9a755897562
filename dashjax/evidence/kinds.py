"""Along what evidence for an edge is weighed. A new kind is a class here or elsewhere, given to a method."""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import Any

from dashjax.data import Prior, Trajectories
from dashjax.dynamics import AbstractField
from dashjax.dynamics.solve import Solve
from dashjax.evidence.paths import follow, initial_states
from dashjax.evidence.regression import Pairs, Regressions, regress, regress_steps, shared_decay
from dashjax.evidence.smoothing import smooth


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
        """


@dataclass(frozen=True)
class AlongPaths(AbstractEvidence):
    """Along the field's whole paths: for dynamics without disturbance, observed with noise."""

    def regress(self, field, observed, courses, prior, candidates, allowed, solve):
        """Return `regress` along the paths from the estimated initial states."""
        paths = follow(field, initial_states(field, observed, solve), observed)
        return regress(field, paths, observed, prior, candidates, allowed)


@dataclass(frozen=True)
class AlongSteps(AbstractEvidence):
    """From each observation to the next, of the field only its decay: for dynamics that are disturbed themselves."""

    def prepare(self, observed):
        """Return the observations, smoothed where they are clearly smooth."""
        return smooth(observed)

    def regress(self, field, observed, courses, prior, candidates, allowed, solve):
        """Return `regress_steps` of the smoothed courses."""
        return regress_steps(shared_decay(field, observed), courses, prior, candidates, allowed)

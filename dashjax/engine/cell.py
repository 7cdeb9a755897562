"""Cells: one network to find, whatever finds it, named by nothing but what determines its numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property, lru_cache
from typing import Any

import jax
import numpy as np

from dashjax.data import Problem, identity_of
from dashjax.dynamics import DirectSpec
from dashjax.errors import LARGEST_SEED, InputError, refuse_outside
from dashjax.evidence import ASKABLE
from dashjax.methods import DEFAULT_TRUST, Method, find_method
from dashjax.rivals import Rival
from dashjax.training import NUMERICS_VERSION, FitConfig, Hyperparameters
from dashjax.training.config import ADAM

#: Coordinates of a cell that are not its own: what a grid varied to make its problem.
Coordinates = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Cell:
    """One network of a method.

    Attributes:
        problem: what is known before.
        method: what fits it.
        seed: seeds weights, noise, the order of steps, hold-out, resampling and chains.
        config: what shapes the program, without the method's parts.
        epochs: passes over the training data of every run; the method's own if None.
        trust: λ of both layers, where the method leaves it open.
        strength: the method's own number; its default if None.
        noise: standard deviation of the noise added to the observations.
        fold: which piece of the data is held out, from 1, see `Problem.rows`; 0 for the problem's own hold-out.
        target_sparsity: least pruned share of a selected model; the method's own if None.
        precision: expected precision of the edges that a posterior returns.
        label: the method's name in tables.
        coordinates: further columns of its row.
    """

    problem: Problem
    method: Method
    seed: int = 0
    config: FitConfig = field(default_factory=FitConfig)
    epochs: int | None = None
    trust: tuple[float, float] = DEFAULT_TRUST
    strength: float | None = None
    noise: float = 0.0
    fold: int = 0
    target_sparsity: float | None = None
    precision: float = 0.9
    label: str = ""
    coordinates: Coordinates = field(default_factory=dict)

    def __post_init__(self):
        """Refuse settings that no run can use.

        Raises:
            InputError: naming the argument.
        """
        for name, value in zip(("lambda_1", "lambda_2"), self.trust, strict=True):
            if not 0 <= value <= 1:
                raise InputError(f"must be between 0 and 1, got {value:g}", name)
        if not 0 < self.precision < 1:
            raise InputError(f"must be between 0 and 1, got {self.precision:g}", "precision")
        if self.method.estimator is None and self.run_epochs < 1:
            raise InputError(f"must be at least 1, got {self.run_epochs}", "epochs")
        refuse_outside(self.seed, 0, LARGEST_SEED, "seed")
        if self.strength is not None:
            self.method.check_strength(self.strength)

    @property
    def run_epochs(self) -> int:
        """Epochs of every run."""
        return self.method.epochs if self.epochs is None else self.epochs

    @cached_property
    def run_config(self) -> FitConfig:
        """What shapes the program of every run: the configuration with the method's parts."""
        config = self.method.configure(replace(self.config, epochs=self.run_epochs))
        if self.problem.regulators is not None and config.field == DirectSpec():
            config = replace(config, field=DirectSpec(self.problem.regulators))
        return config

    @cached_property
    def hyper(self) -> Hyperparameters:
        """Traced numbers of every run."""
        return _hyper(self.method, self.run_epochs, self.trust, self.strength, self.noise, self.target_sparsity)

    @cached_property
    def resolved(self) -> Cell:
        """The cell that is done in its place: its method's alternative where that suits the problem better."""
        if self.method.alternative is None:
            return self
        other = find_method(self.method.alternative)
        return (
            replace(self, method=other, epochs=None, strength=None) if _suits(other, self.problem, self.seed) else self
        )

    @property
    def runs(self) -> int:
        """How many runs it takes: the members of an ensemble, or one."""
        if self.method.estimator is not None:
            return 0
        return self.method.members if self.method.evidence is not None else 1

    @property
    def hides(self) -> bool:
        """Whether evidence is weighed once more without some prior edges, to say how much the data add to the prior.

        Few edges would tell nothing.
        """
        return self.method.evidence is not None and self.problem.prior.n_edges >= ASKABLE

    def identity_of_run(self, member: int | None) -> str:
        """Return the identity of a run, or of an ensemble's member by number."""
        numbers = [np.asarray(leaf).tolist() for leaf in jax.tree.leaves(self.hyper)]
        return identity_of(
            NUMERICS_VERSION, self.problem.fingerprint, describe(self.run_config), numbers, self.seed, self.fold, member
        )

    def identity_of_evidence(self, member: int, hidden: bool = False) -> str:
        """Return the identity of what the evidence along a member's run says, some prior edges hidden or none."""
        parts = [self.method.members, self.method.evidence, *["hidden"] * hidden]
        return identity_of(self.identity_of_run(member), *parts)

    @cached_property
    def identity(self) -> str:
        """A name that depends on nothing but what determines the network's numbers."""
        if self.method.estimator is not None:
            return identity_of(
                NUMERICS_VERSION, self.problem.fingerprint, self.method.estimator, self.seed, self.precision
            )
        if self.method.evidence is None:
            return self.identity_of_run(None)
        instead = None if self.method.fallback is None else self.fallback.identity
        parts = [self.method.members, self.method.evidence, self.precision, instead]
        return identity_of(self.identity_of_run(0), *parts)

    @property
    def source(self) -> str:
        """Identity under which the network's arrays are kept."""
        return self.identity

    @property
    def judgement(self) -> str:
        """Identity under which it is kept whether paths miss the observations."""
        return f"{self.identity}-judged"

    @cached_property
    def fallback(self) -> Cell:
        """The cell that takes over where the method's paths miss the observations."""
        assert self.method.fallback is not None
        other = replace(find_method(self.method.fallback), members=self.method.members)
        return replace(self, method=other)

    def row(self) -> dict[str, Any]:
        """Return the columns of its row that say what it is."""
        strength = self.method.strength if self.strength is None else self.strength
        trust = self.method.trust or self.trust
        return {
            "method": self.label or self.method.name,
            "seed": self.seed,
            "noise": self.noise,
            "lambda_1": trust[0],
            "lambda_2": trust[1],
            "strength": np.nan if strength is None else strength,
            "fold": self.fold,
            "epochs": self.run_epochs,
            "target_sparsity": 0.0 if self.method.estimator is not None else float(self.hyper.target_sparsity),
            **self.coordinates,
        }


@dataclass(frozen=True, eq=False)
class RivalCell:
    """One network of a rival, which has no settings.

    Attributes:
        problem: what is known before.
        rival: what ranks the edges.
        seed: of forests.
        label: the rival's name in tables.
        coordinates: further columns of its row.
    """

    problem: Problem
    rival: Rival
    seed: int = 0
    label: str = ""
    coordinates: Coordinates = field(default_factory=dict)

    runs, run_epochs = 1, 1

    @cached_property
    def identity(self) -> str:
        """A name that depends on nothing but what determines the network's numbers."""
        return identity_of(self.source, self.problem.fingerprint)

    @cached_property
    def source(self) -> str:
        """Identity under which its ranking is kept: the same with every prior where the rival knows none."""
        seen = [self.problem.fingerprint if self.rival.knows_prior else self.problem.data_fingerprint]
        if self.rival.needs_samples:
            # Who may regulate is told, and is none of the data.
            seen.append(str(self.problem.regulators))
        if self.rival.needs_package:
            seen.append(self.rival.package)
        return identity_of(self.rival.name, self.rival.version, *seen, self.seed)

    def row(self) -> dict[str, Any]:
        """Return the columns of its row that say what it is."""
        package = {"package": self.rival.package} if self.rival.needs_package else {}
        return {"method": self.label or self.rival.name, "seed": self.seed, **package, **self.coordinates}


AnyCell = Cell | RivalCell


def describe(value: Any) -> str:
    """Return text that is the same in every process for configurations that give the same numbers.

    Functions, as optimisers are made of, count by name and by the values that they close over.
    """
    if isinstance(value, FitConfig):
        parts = {part.name: getattr(value, part.name) for part in fields(value)}
        # What came later counts only away from its default, so that finished runs stay finished.
        return describe({name: part for name, part in parts.items() if part is not ADAM})
    if isinstance(value, Mapping):
        return ", ".join(f"{name}={describe(part)}" for name, part in value.items())
    if isinstance(value, tuple) and not hasattr(value, "_fields"):
        return f"({', '.join(map(describe, value))})"
    if callable(value) and hasattr(value, "__qualname__"):
        inside = [cell.cell_contents for cell in value.__closure__ or ()]
        return f"{value.__module__}.{value.__qualname__}({', '.join(map(describe, inside))})"
    if isinstance(value, tuple):
        return f"{type(value).__name__}({', '.join(map(describe, value))})"
    return repr(value)


def _suits(method: Method, problem: Problem, seed: int) -> bool:
    """Say whether a method's estimator suits a problem; asked once per problem and seed."""
    key = (method.estimator, problem.fingerprint, seed)
    if key not in _suited:
        assert method.estimator is not None, "an alternative has one"
        _suited[key] = method.estimator.suits(problem, seed)
    return _suited[key]


_suited: dict[Any, bool] = {}


@lru_cache(maxsize=4096)
def _hyper(method: Method, epochs: int, trust, strength, noise: float, target_sparsity) -> Hyperparameters:
    return method.hyperparameters(epochs, trust, strength, noise, target_sparsity)

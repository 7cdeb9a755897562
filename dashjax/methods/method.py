"""What a method is: a named choice of a run's parts, and of the numbers its user may turn."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from dataclasses import field as dataclass_field

import jax.numpy as jnp

from dashjax.dynamics import AbstractSpec
from dashjax.errors import InputError
from dashjax.evidence import AbstractEstimator, AbstractEvidence
from dashjax.sparsity import (
    AbstractGate,
    AbstractPenalty,
    AbstractRule,
    Dash,
    NoGate,
    NoPenalty,
    Schedule,
    simulated_schedule,
)
from dashjax.training import AbstractObjective, FitConfig, Hyperparameters, make_hyperparameters

#: λ of DASH on the simulated studies, for a method that leaves the choice open.
DEFAULT_TRUST = (0.05, 0.01)
#: What is tried where λ is tuned, from little trust in the prior to much.
TRUST_GRID = tuple(itertools.product((0.05, 0.5, 0.95), (0.01, 0.1, 0.5)))


@dataclass(frozen=True)
class Setting:
    """The numbers of a method that a user may choose, or tuning may.

    Attributes:
        trust: λ of both layers.
        strength: the method's own number, see `Method.summary`; None for methods without one.
    """

    trust: tuple[float, float]
    strength: float | None = None


@dataclass(frozen=True)
class Method:
    """A named way to reach a sparse network.

    Attributes:
        name: what grids and tables call it.
        summary: one line for a table of methods; says what its strength is.
        trust: λ of both layers where the method fixes it, or None where the user chooses.
        schedule: makes the pruning schedule from the number of epochs and the strength.
        complete: whether its model is selected among the epochs after the schedule's last cut; otherwise
            among all epochs.
        field: the vector field where the method needs its own, or None for the study's.
        objective: what training trajectories are compared with where the method needs its own, or None.
        rule: which weights the schedule's cuts take.
        gate: what stands between the weights and the dynamics.
        penalty: what is added to the data's error.
        strength: the default strength, or None for a method that has none.
        largest: the largest strength that makes sense.
        strengths: what is tried where the strength is tuned, from weak to strong.
        weights: the loss's numbers (`data_weight`, `strengths`) from the strength.
        learning_rate: Adam's initial rate.
        epochs: passes over the training data of every run, unless the user says otherwise.
        evidence: how the probability of every edge is found from the fitted runs; None for a method whose network is
            its weights.
        estimator: how every edge is found from samples and prior at once; None for methods that fit dynamics.
        alternative: name of the method with an estimator that takes over where that explains the prior's own edges
            better, see `AbstractEstimator.suits`; None for a method that stands by its dynamics.
        members: runs on resampled trajectories whose evidence is averaged; 1 without evidence.
        fallback: name of the method that takes over where this one's paths miss the observations by more than single
            steps do, see `path_and_step_error`; None for a method that stands by its result.
        aliases: names it had before.
    """

    name: str
    summary: str
    trust: tuple[float, float] | None = (0.0, 0.0)
    schedule: Callable[[int, float], Schedule] = lambda epochs, strength: simulated_schedule()
    complete: bool = True
    field: AbstractSpec | None = None
    objective: AbstractObjective | None = None
    rule: AbstractRule = dataclass_field(default_factory=Dash)
    gate: AbstractGate = dataclass_field(default_factory=NoGate)
    penalty: AbstractPenalty = dataclass_field(default_factory=NoPenalty)
    strength: float | None = None
    largest: float = math.inf
    strengths: tuple[float, ...] = ()
    weights: Callable[[float], dict] = lambda strength: {}
    learning_rate: float = 1e-3
    epochs: int = 200
    evidence: AbstractEvidence | None = None
    estimator: AbstractEstimator | None = None
    alternative: str | None = None
    members: int = 1
    fallback: str | None = None
    aliases: tuple[str, ...] = ()

    @property
    def settings(self) -> tuple[Setting, ...]:
        """What tuning tries; one setting for a method with nothing to tune."""
        if self.strengths:
            return tuple(Setting(self.trust or DEFAULT_TRUST, strength) for strength in self.strengths)
        if self.trust is None:
            return tuple(Setting(trust, self.strength) for trust in TRUST_GRID)
        return (Setting(self.trust, self.strength),)

    def check_strength(self, strength: float) -> None:
        """Refuse a strength that the method cannot use.

        Raises:
            InputError: where it has none, or on a value out of range.
        """
        if self.strength is None:
            raise InputError(f"{self.name} has no strength")
        if not 0 <= strength <= self.largest:
            limits = "must not be negative" if math.isinf(self.largest) else f"must be between 0 and {self.largest:g}"
            raise InputError(f"strength of {self.name} {limits}, got {strength:g}")

    def configure(self, config: FitConfig) -> FitConfig:
        """Return a configuration with this method's parts, for one run."""
        config = replace(
            config,
            field=self.field or config.field,
            objective=self.objective or config.objective,
            rule=self.rule,
            gate=self.gate,
            penalty=self.penalty,
        )
        if self.evidence is None:
            return config
        # A member is there to smooth its trajectories: one step's noisy validation error would end it too early.
        return replace(config, select="last", stop_patience=config.epochs)

    def with_evidence(self, evidence: AbstractEvidence, members: int) -> Method:
        """Return the method as an ensemble whose network is the posterior of its edges.

        Raises:
            InputError: on fewer than one member.
        """
        if members < 1:
            raise InputError(f"must be at least 1, got {members}", "members")
        if self.estimator is not None:
            raise InputError(f"{self.name} fits no dynamics, so it has no members", "members")
        return replace(self, evidence=self.evidence or evidence, members=members)

    def hyperparameters(
        self,
        epochs: int,
        trust: tuple[float, float] = DEFAULT_TRUST,
        strength: float | None = None,
        noise: float = 0.0,
        target_sparsity: float | None = None,
    ) -> Hyperparameters:
        """Return a run's numbers; all but the epochs may be traced.

        Args:
            epochs: of the run.
            trust: λ, where the method leaves it open.
            strength: the method's own number; its default if None.
            noise: standard deviation of the observation noise to add.
            target_sparsity: least pruned share of a selected model; the method's own if None.
        """
        strength = self._strength(strength)
        target = self.target_sparsity(epochs, strength) if target_sparsity is None else target_sparsity
        return make_hyperparameters(
            schedule=self.schedule(epochs, strength),
            trust=self.trust or trust,
            noise=noise,
            learning_rate=self.learning_rate,
            target_sparsity=target,
            **self.weights(strength),
        )

    def target_sparsity(self, epochs: int, strength: float | None = None):
        """Return the pruned share at which a model may be selected in a run of so many epochs."""
        if not self.complete:
            return 0.0
        # A cut in the last epoch's place is never made: nothing would be trained after it.
        return self.schedule(epochs, self._strength(strength)).planned_sparsity(jnp.asarray(epochs - 1))

    def _strength(self, strength):
        chosen = self.strength if strength is None else strength
        return 0.0 if chosen is None else chosen

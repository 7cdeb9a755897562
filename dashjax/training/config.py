"""What a run is told: the numbers that may be swept, and what shapes its compiled program."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Literal, get_args

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float

from dashjax.dynamics import AbstractSpec, FixedSteps, PhoenixSpec
from dashjax.dynamics.solve import Solve
from dashjax.errors import InputError, unknown
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
from dashjax.training.objective import AbstractObjective, OneStep

#: Which epoch's model a run returns.
Select = Literal["best_validation", "last"]
#: The paper's optimiser. One object, so that configurations that use it are equal and share their programs.
ADAM = optax.scale_by_adam()


class Hyperparameters(eqx.Module):
    """Everything of a run that may be swept without recompiling; every leaf is an array.

    Examples:
        >>> hyper = make_hyperparameters(trust=(0.5, 0.25), learning_rate=0.5)
        >>> hyper.trust.tolist(), hyper.learning_rate.item()
        ([0.5, 0.25], 0.5)

    Attributes:
        schedule: when to prune and how much.
        trust: λ of the input and of the output layer, each in [0, 1].
        noise: standard deviation of the noise added to training and validation observations.
        learning_rate: Adam's initial rate, to which it returns after each pruning.
        target_sparsity: least share of pruned weights at which a model may be selected.
        data_weight: factor on the data's error in the loss, τ of physics-informed methods.
        strengths: factors of the configuration's penalty, which may use one or both.
    """

    schedule: Schedule
    trust: Float[Array, " layer"]
    noise: Float[Array, ""]
    learning_rate: Float[Array, ""]
    target_sparsity: Float[Array, ""]
    data_weight: Float[Array, ""]
    strengths: Float[Array, " strength"]


def make_hyperparameters(
    schedule: Schedule | None = None,
    trust=(0.05, 0.01),
    noise=0.0,
    learning_rate=1e-3,
    target_sparsity=0.0,
    data_weight=1.0,
    strengths=(0.0, 0.0),
) -> Hyperparameters:
    """Build hyperparameters from plain or traced numbers; the defaults are DASH's on the simulated studies.

    Examples:
        >>> make_hyperparameters(trust=(0.5, 2.0))
        Traceback (most recent call last):
        dashjax.errors.InputError: trust: must be between 0 and 1, got (0.5, 2.0)

    Raises:
        InputError: on plain numbers out of range; traced ones are taken as they are.
    """
    for name, value, most in (
        ("trust", trust, 1.0),
        ("target_sparsity", target_sparsity, 1.0),
        ("data_weight", data_weight, 1.0),
        ("noise", noise, np.inf),
        ("learning_rate", learning_rate, np.inf),
    ):
        if not any(isinstance(part, jax.core.Tracer) for part in jax.tree.leaves(value)):
            numbers = np.asarray(value, float)
            if not ((numbers >= 0) & (numbers <= most)).all():
                limits = "must not be negative" if np.isinf(most) else "must be between 0 and 1"
                raise InputError(f"{limits}, got {value}", name)

    def number(value):
        return jnp.asarray(value, jnp.float32)

    both = number(trust)
    return Hyperparameters(
        simulated_schedule() if schedule is None else schedule,
        # One number is that of both layers.
        both if both.ndim else jnp.full(2, both),
        number(noise),
        number(learning_rate),
        number(target_sparsity),
        number(data_weight),
        number(strengths),
    )


@dataclass(frozen=True)
class FitConfig:
    """Everything of a run that shapes its compiled program; hashable.

    Examples:
        >>> from dashjax import DirectSpec
        >>> config = FitConfig(field=DirectSpec(), epochs=100)
        >>> hash(config) == hash(FitConfig(field=DirectSpec(), epochs=100))
        True

    Attributes:
        field: which vector field to fit.
        solve: how to integrate it.
        objective: what the training trajectories are compared with; validation and test errors are one-step
            errors whatever it is.
        rule: which weights go when the schedule says so.
        gate: what stands between the weights and the dynamics.
        penalty: what is added to the data's error.
        epochs: passes over the training trajectories, at most.
        select: which model is returned: "best_validation" takes the lowest validation error among
            the epochs whose sparsity is at least `Hyperparameters.target_sparsity` (the last model
            where there is none), "last" the last one.
        trajectories_per_step: trajectories whose error makes one gradient step; the paper takes 1.
        plateau_patience: epochs without improvement before the learning rate falls.
        plateau_factor: by what it is then multiplied.
        plateau_threshold: least improvement of the validation error that counts.
        learning_rate_floor: the learning rate never falls below.
        stop_patience: epochs without improvement, at the target sparsity, before the run stops.
        optimiser: makes an update of unit size out of gradients; the run multiplies it by its learning rate, which
            falls on plateaus, and by the field's relative rates.
    """

    field: AbstractSpec = dataclass_field(default_factory=PhoenixSpec)
    solve: Solve = dataclass_field(default_factory=FixedSteps)
    objective: AbstractObjective = dataclass_field(default_factory=OneStep)
    rule: AbstractRule = dataclass_field(default_factory=Dash)
    gate: AbstractGate = dataclass_field(default_factory=NoGate)
    penalty: AbstractPenalty = dataclass_field(default_factory=NoPenalty)
    epochs: int = 200
    select: Select = "best_validation"
    trajectories_per_step: int = 1
    plateau_patience: int = 3
    plateau_factor: float = 0.9
    plateau_threshold: float = 1e-6
    learning_rate_floor: float = 4e-5
    stop_patience: int = 40
    optimiser: optax.GradientTransformation = ADAM

    def __post_init__(self):
        """Refuse what no run can use.

        Raises:
            InputError: naming the argument.
        """
        if self.select not in (known := get_args(Select)):
            raise InputError(unknown("value", self.select, known), "select")
        for name in ("epochs", "trajectories_per_step"):
            if getattr(self, name) < 1:
                raise InputError(f"must be at least 1, got {getattr(self, name)}", name)

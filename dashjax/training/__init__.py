"""Fitting: one run as one pure function."""

from dashjax.training.config import FitConfig, Hyperparameters, make_hyperparameters
from dashjax.training.fit import NUMERICS_VERSION, advance, allow_regulators, finish, fit, observe, start
from dashjax.training.member import as_member
from dashjax.training.objective import (
    OBJECTIVES,
    AbstractObjective,
    OneStep,
    Transitions,
    WholeTrajectory,
    add_observation_noise,
    one_step_error,
    transitions,
)
from dashjax.training.state import STATUSES, Curves, FitResult, RunState

__all__ = [
    "NUMERICS_VERSION",
    "OBJECTIVES",
    "STATUSES",
    "Curves",
    "FitConfig",
    "FitResult",
    "Hyperparameters",
    "OneStep",
    "RunState",
    "Transitions",
    "WholeTrajectory",
    "add_observation_noise",
    "AbstractObjective",
    "advance",
    "allow_regulators",
    "as_member",
    "finish",
    "fit",
    "make_hyperparameters",
    "observe",
    "one_step_error",
    "start",
    "transitions",
]

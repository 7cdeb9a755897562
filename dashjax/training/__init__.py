"""Fitting: one run as one pure function, and the methods as named choices of its parts."""

from dashjax.training.config import FitConfig, Hyperparameters, make_hyperparameters
from dashjax.training.ensemble import advance_members, finish_members, start_members
from dashjax.training.fit import advance, allow_regulators, finish, fit, observe, start
from dashjax.training.methods import METHODS, Method, Setting, find_method
from dashjax.training.objective import (
    Along,
    OneStep,
    Transitions,
    WholeTrajectory,
    add_observation_noise,
    one_step_error,
    transitions,
)
from dashjax.training.state import STATUSES, Curves, FitResult, RunState

__all__ = [
    "Along",
    "METHODS",
    "STATUSES",
    "Curves",
    "FitConfig",
    "FitResult",
    "Hyperparameters",
    "Method",
    "OneStep",
    "RunState",
    "Setting",
    "Transitions",
    "WholeTrajectory",
    "add_observation_noise",
    "advance",
    "advance_members",
    "allow_regulators",
    "find_method",
    "finish",
    "finish_members",
    "fit",
    "make_hyperparameters",
    "observe",
    "one_step_error",
    "start",
    "start_members",
    "transitions",
]

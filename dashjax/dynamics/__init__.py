"""What a model is: vector fields, and how they are integrated."""

from dashjax.dynamics.field import AbstractField, Layers
from dashjax.dynamics.phoenix import Phoenix, PhoenixSpec
from dashjax.dynamics.solve import (
    Adaptive,
    ExponentialMidpoint,
    FixedSteps,
    integrate,
    semilinear_terms,
    solve_trajectory,
)

__all__ = [
    "AbstractField",
    "Adaptive",
    "ExponentialMidpoint",
    "FixedSteps",
    "Layers",
    "Phoenix",
    "PhoenixSpec",
    "integrate",
    "semilinear_terms",
    "solve_trajectory",
]

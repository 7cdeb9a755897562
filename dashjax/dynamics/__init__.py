"""What a model is: vector fields, and how they are integrated."""

from dashjax.dynamics.direct import Direct, DirectSpec
from dashjax.dynamics.field import AbstractDynamics, AbstractField, AbstractSpec, Layers
from dashjax.dynamics.mlp import DeepPerceptron, DeepPerceptronSpec, Perceptron, PerceptronSpec
from dashjax.dynamics.phoenix import Phoenix, PhoenixSpec
from dashjax.dynamics.solve import (
    Adaptive,
    ExponentialMidpoint,
    FixedSteps,
    integrate,
    semilinear_terms,
    solve_trajectories,
)

__all__ = [
    "AbstractDynamics",
    "AbstractField",
    "AbstractSpec",
    "Adaptive",
    "DeepPerceptron",
    "DeepPerceptronSpec",
    "Direct",
    "DirectSpec",
    "ExponentialMidpoint",
    "FixedSteps",
    "Layers",
    "Perceptron",
    "PerceptronSpec",
    "Phoenix",
    "PhoenixSpec",
    "integrate",
    "semilinear_terms",
    "solve_trajectories",
]

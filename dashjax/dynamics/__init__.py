"""What a model is: vector fields, and how they are integrated."""

from dashjax.dynamics.direct import Direct, DirectSpec
from dashjax.dynamics.field import AbstractDynamics, AbstractField, AbstractSpec, Layers, field_of_arrays
from dashjax.dynamics.in_units import InUnits
from dashjax.dynamics.intervened import Intervened, repeated, under
from dashjax.dynamics.perceptron import DeepPerceptron, DeepPerceptronSpec, Perceptron, PerceptronSpec
from dashjax.dynamics.phoenix import Phoenix, PhoenixSpec
from dashjax.dynamics.solve import (
    Adaptive,
    ExponentialMidpoint,
    FixedSteps,
    integrate,
    semilinear_terms,
    solve_trajectories,
)

#: Fields by the name that grids and the command line call them. A new one is a file and an entry.
FIELDS: dict[str, type[AbstractSpec]] = {
    "phoenix": PhoenixSpec,
    "mlp": PerceptronSpec,
    "deep_mlp": DeepPerceptronSpec,
    "direct": DirectSpec,
}

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
    "FIELDS",
    "FixedSteps",
    "InUnits",
    "Intervened",
    "Layers",
    "Perceptron",
    "PerceptronSpec",
    "Phoenix",
    "PhoenixSpec",
    "field_of_arrays",
    "integrate",
    "repeated",
    "semilinear_terms",
    "solve_trajectories",
    "under",
]

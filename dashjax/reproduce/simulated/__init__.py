"""The published studies of simulated expression, every method tuned by cross-validation."""

from dashjax.reproduce.simulated.run import reproduce_simulated
from dashjax.reproduce.simulated.studies import SIMULATED_STUDIES, Condition, SimulatedStudy
from dashjax.reproduce.simulated.tuning import Choice, choose, tuning_grid

__all__ = [
    "SIMULATED_STUDIES",
    "Choice",
    "Condition",
    "SimulatedStudy",
    "choose",
    "reproduce_simulated",
    "tuning_grid",
]

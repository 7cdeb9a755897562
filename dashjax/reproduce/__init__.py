"""The published studies, simulated and measured, each in one command and set beside the published figures."""

from dashjax.reproduce.catalogue import find_study
from dashjax.reproduce.measured import MEASURED_STUDIES, DataSet, MeasuredStudy, reproduce_measured
from dashjax.reproduce.simulated import (
    SIMULATED_STUDIES,
    Choice,
    Condition,
    SimulatedStudy,
    choose,
    reproduce_simulated,
    tuning_grid,
)

__all__ = [
    "MEASURED_STUDIES",
    "SIMULATED_STUDIES",
    "Choice",
    "Condition",
    "DataSet",
    "MeasuredStudy",
    "SimulatedStudy",
    "choose",
    "find_study",
    "reproduce_measured",
    "reproduce_simulated",
    "tuning_grid",
]

"""The published studies, simulated and measured, each in one command and set beside the published figures."""

from dashjax.reproduce.all_studies import reproduce_all
from dashjax.reproduce.catalogue import find_study
from dashjax.reproduce.cross_validation import Choice, choose, tuning_grid
from dashjax.reproduce.measured_run import reproduce_measured
from dashjax.reproduce.measured_studies import MEASURED_STUDIES, DataSet, MeasuredStudy
from dashjax.reproduce.simulated_run import reproduce_simulated
from dashjax.reproduce.simulated_studies import SIMULATED_STUDIES, Condition, SimulatedStudy

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
    "reproduce_all",
    "reproduce_measured",
    "reproduce_simulated",
    "tuning_grid",
]

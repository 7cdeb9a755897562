"""The published studies, synthetic and measured, each in one command and set beside the published figures."""

from dashjax.reproduce.real import REAL_STUDIES, DataSet, RealStudy
from dashjax.reproduce.real_run import reproduce_real
from dashjax.reproduce.run import reproduce
from dashjax.reproduce.studies import STUDIES, Condition, StudyPlan, find_study, quick
from dashjax.reproduce.tuning import Choice, choose, tuning_grid

__all__ = [
    "REAL_STUDIES",
    "STUDIES",
    "Choice",
    "Condition",
    "DataSet",
    "RealStudy",
    "StudyPlan",
    "choose",
    "find_study",
    "quick",
    "reproduce",
    "reproduce_real",
    "tuning_grid",
]

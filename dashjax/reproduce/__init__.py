"""The published studies, each in one command: tuned, run, and set beside the published figures."""

from dashjax.reproduce.run import reproduce
from dashjax.reproduce.studies import STUDIES, Condition, StudyPlan, find_study, quick
from dashjax.reproduce.tuning import Choice, choose, tuning_grid

__all__ = ["STUDIES", "Choice", "Condition", "StudyPlan", "choose", "find_study", "quick", "reproduce", "tuning_grid"]

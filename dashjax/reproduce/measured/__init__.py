"""The published studies of measured expression, on the public files of a folder."""

from dashjax.reproduce.measured.run import reproduce_measured
from dashjax.reproduce.measured.studies import MEASURED_STUDIES, DataSet, MeasuredStudy

__all__ = ["MEASURED_STUDIES", "DataSet", "MeasuredStudy", "reproduce_measured"]

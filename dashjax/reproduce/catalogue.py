"""The studies by the name that the command line calls them."""

from __future__ import annotations

from dashjax.errors import InputError, unknown
from dashjax.reproduce.measured_studies import MEASURED_STUDIES, MeasuredStudy
from dashjax.reproduce.simulated_studies import SIMULATED_STUDIES, SimulatedStudy


def find_study(name: str) -> SimulatedStudy | MeasuredStudy:
    """Return a study by name.

    Raises:
        InputError: on an unknown name; the message lists the known ones.
    """
    studies = SIMULATED_STUDIES | MEASURED_STUDIES
    if name not in studies:
        raise InputError(unknown("study", name, [*studies, "all"]))
    return studies[name]

"""Our methods against what users would pick instead, on public, measured and simulated data with known networks."""

from dashjax.compare.comparison import CORRUPTIONS, MEASURED_METHODS, METHOD_NAMES, compare
from dashjax.compare.comparison_page import table_of, write_comparison
from dashjax.compare.findings import what_data_add

__all__ = [
    "CORRUPTIONS",
    "MEASURED_METHODS",
    "METHOD_NAMES",
    "compare",
    "table_of",
    "what_data_add",
    "write_comparison",
]

"""Our methods against what users would pick instead, on public and simulated data with known networks."""

from dashjax.compare.comparison import CORRUPTIONS, METHOD_NAMES, compare
from dashjax.compare.comparison_page import table_of, write_comparison

__all__ = ["CORRUPTIONS", "METHOD_NAMES", "compare", "table_of", "write_comparison"]

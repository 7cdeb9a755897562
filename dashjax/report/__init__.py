"""Showing results: tables, figures and one self-contained page."""

from dashjax.report.tables import printed_rows, summarise
from dashjax.report.write import write_results

__all__ = ["printed_rows", "summarise", "write_results"]

"""Showing results: tables, figures and one self-contained page."""

from dashjax.report.network_folder import (
    perturbation_name,
    write_at_rest,
    write_influence,
    write_network,
    write_pathways,
    write_response,
)
from dashjax.report.summary import printed_rows, summarise
from dashjax.report.sweep_page import write_results

__all__ = [
    "perturbation_name",
    "printed_rows",
    "summarise",
    "write_at_rest",
    "write_influence",
    "write_network",
    "write_pathways",
    "write_response",
    "write_results",
]

"""Showing results: tables, figures and self-contained pages."""

from dashjax.report.network_folder import (
    perturbation_name,
    write_influence,
    write_network,
    write_network_page,
    write_pathways,
    write_response,
)
from dashjax.report.network_page import Observed, network_page, observed_of
from dashjax.report.summary import printed_rows, summarise
from dashjax.report.sweep_page import write_results

__all__ = [
    "Observed",
    "network_page",
    "observed_of",
    "perturbation_name",
    "printed_rows",
    "summarise",
    "write_influence",
    "write_network",
    "write_network_page",
    "write_pathways",
    "write_response",
    "write_results",
]

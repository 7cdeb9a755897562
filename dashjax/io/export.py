"""Edge lists out: tables, decoupler nets, GraphML for Cytoscape. BEELINE's ranked edges stand in `beeline`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dashjax.errors import InputError
from dashjax.io.beeline import write_ranked_edges
from dashjax.io.tables import parquet_rows, parse_number, read_rows, refuse_width, short

if TYPE_CHECKING:
    import pandas as pd


def write_edges(path: Path | str, edges: pd.DataFrame) -> None:
    """Write an edge list (a frame with source, target, weight, …), by the file's name as TSV, CSV or Parquet.

    `read_edges` reads back the same values.
    """
    suffix = Path(path).suffix.lower()
    if suffix == ".parquet":
        edges.to_parquet(path, index=False)
    else:
        edges.to_csv(path, sep="," if suffix == ".csv" else "\t", index=False)


def read_edges(path: Path | str) -> pd.DataFrame:
    """Read an edge list that `write_edges` wrote: names as text, truth values as such, the rest as numbers.

    Raises:
        InputError: where a column or value is missing, naming row and column.
    """
    import pandas as pd

    rows = parquet_rows(path) if Path(path).suffix.lower() == ".parquet" else read_rows(path)
    header = rows[0]
    for name in ("source", "target", "weight"):
        if name not in header:
            raise InputError(f"{path}, row 1: no column {name}; an edge list has source, target, weight")
    if len(set(header)) != len(header):
        raise InputError(f"{path}, row 1: a column appears twice")
    for number, row in enumerate(rows[1:], start=2):
        refuse_width(row, len(header), f"{path}, row {number}")
    columns: dict[str, object] = {}
    for place, name in enumerate(header):
        cells = [row[place] for row in rows[1:]]
        if name in ("source", "target"):
            columns[name] = cells
        elif cells and set(cells) <= {"True", "False"}:
            columns[name] = np.array(cells) == "True"
        else:
            columns[name] = _numbers(cells, path, name)
    return pd.DataFrame(columns)


def _numbers(cells: list[str], path, name: str) -> np.ndarray:
    values = [parse_number(cell) for cell in cells]
    for number, (cell, value) in enumerate(zip(cells, values, strict=True), start=2):
        if value is None:
            raise InputError(f"{path}, row {number}, column {name}: expected a number, found '{short(cell)}'")
    return np.array(values, dtype=float)


def write_decoupler(path: Path | str, edges: pd.DataFrame) -> None:
    """Write a decoupler net: a CSV of source, target, weight, the weight signed."""
    edges[["source", "target", "weight"]].to_csv(path, index=False)


def write_graphml(path: Path | str, edges: pd.DataFrame) -> None:
    """Write a directed graph as GraphML, for Cytoscape and others, with all columns as attributes of its edges.

    Raises:
        InputError: where networkx is not installed.
    """
    try:
        import networkx as nx
    except ImportError:
        raise InputError("GraphML needs networkx: pip install 'dashjax[graph]'") from None
    graph = nx.DiGraph()
    attributes = [name for name in edges.columns if name not in ("source", "target")]
    for row in edges.to_dict("records"):
        values = {str(name): row[name] for name in attributes}
        graph.add_edge(row["source"], row["target"], **values, interaction=_interaction(row["weight"]))
    nx.write_graphml(graph, path)


def _interaction(weight: float) -> str:
    return "activates" if weight > 0 else "represses" if weight < 0 else "unknown"


#: What an edge list can be written as: what it is for, and how.
EXPORTS: dict[str, tuple[str, Callable[[Path, pd.DataFrame], None]]] = {
    "tsv": ("all columns, tab-separated", write_edges),
    "csv": ("all columns, comma-separated", write_edges),
    "parquet": ("all columns", write_edges),
    "beeline": ("rankedEdges.csv: Gene1, Gene2, EdgeWeight", write_ranked_edges),
    "decoupler": ("net: source, target, weight", write_decoupler),
    "graphml": ("graph for Cytoscape, all columns as edge attributes", write_graphml),
}

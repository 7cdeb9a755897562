"""Edge lists out: tables, decoupler nets, GraphML for Cytoscape; BEELINE's ranked edges stand in `beeline`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from dashjax.errors import InputError
from dashjax.io.beeline import write_ranked_edges
from dashjax.io.files import write_atomically, write_frame
from dashjax.io.tables import write_table

if TYPE_CHECKING:
    import pandas as pd


def write_decoupler(path: Path | str, edges: pd.DataFrame) -> None:
    """Write a decoupler net: a CSV of source, target, weight, the weight signed."""
    write_frame(path, edges[["source", "target", "weight"]], ",")


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
    write_atomically(Path(path), lambda part: nx.write_graphml(graph, part))


def _interaction(weight: float) -> str:
    return "activates" if weight > 0 else "represses" if weight < 0 else "unknown"


#: What an edge list can be written as: what it is for, and how.
EXPORTS: dict[str, tuple[str, Callable[[Path, pd.DataFrame], None]]] = {
    "tsv": ("all columns, tab-separated", write_table),
    "csv": ("all columns, comma-separated", write_table),
    "parquet": ("all columns", write_table),
    "beeline": ("rankedEdges.csv: Gene1, Gene2, EdgeWeight", write_ranked_edges),
    "decoupler": ("net: source, target, weight", write_decoupler),
    "graphml": ("graph for Cytoscape, all columns as edge attributes", write_graphml),
}

"""Writing a fitted network for other programs."""

from __future__ import annotations

from pathlib import Path

from dashjax.errors import InputError, unknown
from dashjax.io import make_folder, read_edges
from dashjax.io.export import EXPORTS
from dashjax.jobs.fitted import edges_file


def export_files(source: Path, kind: str, out: Path, everything: bool = False) -> list[str]:
    """Write the edges of a fit for another program.

    Args:
        source: the folder that `dashjax fit` wrote, or an edge list.
        kind: one of `EXPORTS`.
        out: file to write.
        everything: also the edges that a posterior lists but does not return; BEELINE's ranking always has all.

    Returns:
        Lines that say what was written.

    Raises:
        InputError: on an unknown kind, or an edge list that cannot be read.
    """
    if kind not in EXPORTS:
        raise InputError(f"--to: {unknown('value', kind, list(EXPORTS))}")
    edges = read_edges(edges_file(source))
    listed = len(edges)
    if "returned" in edges and not everything and kind != "beeline":
        edges = edges[edges["returned"]]
    make_folder(out.parent)
    EXPORTS[kind][1](out, edges)
    return [f"{len(edges):,} of {listed:,} edges: {out}"]

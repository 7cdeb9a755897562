"""BEELINE folders: cells with pseudotimes along one or more branches."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dashjax.errors import InputError
from dashjax.io.files import write_frame
from dashjax.io.metacells import average_cells
from dashjax.io.named import CellOptions, Expression
from dashjax.io.tables import named_columns, parse_numbers, read_levels, read_rows, refuse_repeats, refuse_width, short

if TYPE_CHECKING:
    import pandas as pd


def read_beeline(folder: Path | str, options: CellOptions | None = None) -> Expression:
    """Read a BEELINE folder: `ExpressionData.csv` (gene × cell) and `PseudoTime.csv` (a column per branch).

    Cells off a branch have a blank or NA there. Each branch becomes a trajectory of metacells; a cell on two
    branches counts in both.

        data = read_beeline("mCAD-2000-1")
        data.names     # ('PseudoTime1', 'PseudoTime2')

    Args:
        folder: with the two files.
        options: only `bins` applies.

    Raises:
        InputError: on anything that cannot be read, naming file, row and column.
    """
    folder, options = Path(folder), options or CellOptions()
    for name in ("layer", "time", "trajectory", "perturbation", "control", "gene_symbols", "normalise"):
        if getattr(options, name) is not None:
            raise InputError(f"{folder}: '{name}' applies to .h5ad files, not to a BEELINE folder")
    cells, genes, levels = read_levels(folder / "ExpressionData.csv", "cell")
    branches, pseudotime = _read_pseudotime(folder / "PseudoTime.csv", cells)
    columns = list(zip(branches, pseudotime.T, strict=True))
    return average_cells([levels.T], genes, columns, folder, options.bins)


def write_ranked_edges(path: Path | str, edges: pd.DataFrame) -> None:
    """Write edges as BEELINE's `rankedEdges.csv`: tab-separated Gene1, Gene2, EdgeWeight, the strongest first.

    Where edges have a probability, that is the EdgeWeight, with the sign of the weight: BEELINE ranks by magnitude.

    Args:
        path: file to write.
        edges: a frame with source, target, weight and perhaps probability, as in `edges.tsv`.
    """
    import pandas as pd

    weight = np.sign(edges["weight"]) * edges["probability"] if "probability" in edges else edges["weight"]
    table = pd.DataFrame({"Gene1": edges["source"], "Gene2": edges["target"], "EdgeWeight": weight})
    order = np.argsort(-np.abs(table["EdgeWeight"].to_numpy()), kind="stable")
    write_frame(path, table.iloc[order], "\t")


def _read_pseudotime(path: Path, cells: list[str]) -> tuple[list[str], np.ndarray]:
    """Return branches and the pseudotimes (cell, branch) in the order of `cells`."""
    rows = read_rows(path)
    if len(rows) < 2:
        raise InputError(f"{path}: no cells below the header")
    branches = named_columns(rows)
    refuse_repeats(branches, path, "branch")
    place = {cell: number for number, cell in enumerate(cells)}
    pseudotime = np.full((len(cells), len(branches)), np.nan)
    seen: set[str] = set()
    for number, row in enumerate(rows[1:], start=2):
        where = f"{path}, row {number}"
        refuse_width(row[1:], len(branches), where)
        if row[0] not in place:
            raise InputError(f"{where}: cell '{short(row[0])}' is not in ExpressionData.csv")
        if row[0] in seen:
            raise InputError(f"{where}: cell '{short(row[0])}' appears twice")
        seen.add(row[0])
        pseudotime[place[row[0]]] = parse_numbers(row[1:], where, branches)
    absent = len(cells) - len(seen)
    if absent:
        raise InputError(f"{path}: {absent} of {len(cells)} cells of ExpressionData.csv have no pseudotime row")
    return branches, pseudotime

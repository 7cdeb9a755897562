"""Expression over time, whatever its format."""

from __future__ import annotations

from pathlib import Path

from dashjax.errors import InputError
from dashjax.io.beeline import read_beeline
from dashjax.io.dream4 import is_dream4, parse_dream4
from dashjax.io.h5ad import read_h5ad
from dashjax.io.named import CellOptions, Expression
from dashjax.io.phoenix import parse_phoenix
from dashjax.io.tables import parquet_rows, read_rows
from dashjax.io.tidy import is_tidy, parse_tidy


def read_expression(
    path: Path | str, genes_file: Path | str | None = None, cells: CellOptions | None = None
) -> Expression:
    """Read expression over time, whatever its format.

        data = read_expression("expression.csv")                    # tidy: trajectory,time,GENE,…
        data = read_expression("phoenix.csv", "gene_names.csv")     # PHOENIX trajectory CSV
        data = read_expression("insilico_size10_1_timeseries.tsv")  # DREAM4 time series
        data = read_expression("mCAD-2000-1/")                      # BEELINE folder
        data = read_expression("cells.h5ad", cells=CellOptions(time="dpt_pseudotime", bins=40))

    Folders are BEELINE's; `.h5ad` and `.parquet` are told by the name, and text by its first line: see `read_tidy`,
    `read_dream4` and `read_phoenix`.

    Args:
        path: the file or folder.
        genes_file: gene names for a PHOENIX CSV, which has none; G1, G2, … without it.
        cells: for formats that hold cells.

    Raises:
        InputError: on anything that cannot be read, naming file, row and column.
    """
    path = Path(path)
    options = cells or CellOptions()
    kind = "beeline" if path.is_dir() else path.suffix.lower()
    if genes_file is not None and kind in ("beeline", ".h5ad", ".parquet"):
        raise InputError(f"{genes_file}: gene names were given, but {path} names its own")
    if cells is not None and kind not in ("beeline", ".h5ad"):
        raise InputError(f"{path}: holds no cells, so layer, time, trajectory and bins do not apply")
    if kind == "beeline":
        return read_beeline(path, options)
    if kind == ".h5ad":
        return read_h5ad(path, options)
    rows = parquet_rows(path) if kind == ".parquet" else read_rows(path)
    named = is_tidy(rows) or is_dream4(rows)
    if named and genes_file is not None:
        raise InputError(f"{genes_file}: gene names were given, but {path} names its own")
    if is_tidy(rows):
        return parse_tidy(rows, path)
    if is_dream4(rows):
        return parse_dream4(rows, path)
    return parse_phoenix(rows, path, genes_file)

"""Expression over time, whatever its format."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dashjax.errors import InputError
from dashjax.io.beeline import read_beeline
from dashjax.io.dream4 import is_dream4, parse_dream4
from dashjax.io.h5ad import read_h5ad
from dashjax.io.name_hints import GENES_IN_ROWS, looks_transposed
from dashjax.io.named import CellOptions, Expression
from dashjax.io.phoenix_csv import is_phoenix, parse_phoenix
from dashjax.io.sample_names import is_sampled, parse_sampled
from dashjax.io.table_files import TableFile, transposed
from dashjax.io.tables import short
from dashjax.io.tidy import is_tidy, parse_tidy


@dataclass(frozen=True)
class ExpressionFormat:
    """A format of expression over time; see `EXPRESSION_FORMATS`.

    Attributes:
        name: what it is called.
        recognises: says whether a file is of this format, by its path or its rows.
        read: reads a file, given gene names' file (None unless such a file applies) and options for cells.
        by_name: whether `recognises` looks at the path alone; such formats are asked first.
        names_genes: whether files name their genes, so that no file of names applies.
        holds_cells: whether options for cells apply.
    """

    name: str
    recognises: Callable[[TableFile], bool]
    read: Callable[[TableFile, Path | str | None, CellOptions], Expression]
    by_name: bool = False
    names_genes: bool = True
    holds_cells: bool = False


#: What `read_expression` reads: the first format that recognises a file reads it.
EXPRESSION_FORMATS: dict[str, ExpressionFormat] = {
    entry.name: entry
    for entry in (
        ExpressionFormat(
            "beeline",
            lambda file: file.path.is_dir(),
            lambda file, _, cells: read_beeline(file.path, cells),
            by_name=True,
            holds_cells=True,
        ),
        ExpressionFormat(
            "h5ad",
            lambda file: file.path.suffix.lower() == ".h5ad",
            lambda file, _, cells: read_h5ad(file.path, cells),
            by_name=True,
            holds_cells=True,
        ),
        ExpressionFormat("tidy", lambda file: is_tidy(file.rows), lambda file, *_: parse_tidy(file.rows, file.name)),
        ExpressionFormat(
            "dream4", lambda file: is_dream4(file.rows), lambda file, *_: parse_dream4(file.rows, file.name)
        ),
        ExpressionFormat(
            "named samples", lambda file: is_sampled(file.rows), lambda file, *_: parse_sampled(file.rows, file.name)
        ),
        ExpressionFormat(
            "phoenix",
            lambda file: is_phoenix(file.rows),
            lambda file, names, _: parse_phoenix(file.rows, file.name, names),
            names_genes=False,
        ),
    )
}


def read_expression(
    path: Path | str,
    genes_file: Path | str | None = None,
    cells: CellOptions | None = None,
    transpose: bool = False,
) -> Expression:
    """Read expression over time, whatever its format.

        data = read_expression("expression.csv")                    # tidy: trajectory,time,GENE,…
        data = read_expression("phoenix.csv", "gene_names.csv")     # PHOENIX trajectory CSV
        data = read_expression("insilico_size10_1_timeseries.tsv")  # DREAM4 time series
        data = read_expression("mCAD-2000-1/")                      # BEELINE folder
        data = read_expression("cells.h5ad", cells=CellOptions(time="dpt_pseudotime", bins=40))

        data = read_expression("levels.xlsx", transpose=True)       # a row per gene, a column per sample

    Folders are BEELINE's; `.h5ad`, `.parquet` and `.xlsx` are told by the name, and tables by their first line: see
    `read_tidy`, `read_dream4` and `read_phoenix`; or by the names of their rows, see `parse_sampled`. Further formats
    are entries of `EXPRESSION_FORMATS`.

    Args:
        path: the file or folder.
        genes_file: gene names for a PHOENIX CSV, which has none; G1, G2, … without it.
        cells: for formats that hold cells.
        transpose: whether genes stand in the table's rows, and samples in its columns.

    Raises:
        InputError: on anything that cannot be read, naming file, row and column.
    """
    file = TableFile(Path(path), transpose)
    # A name tells at once; rows are not to be sought in a folder or a binary file.
    for entry in sorted(EXPRESSION_FORMATS.values(), key=lambda entry: not entry.by_name):
        if entry.recognises(file):
            if transpose and entry.by_name:
                raise InputError(f"{path}: is no table that could be transposed", "transpose")
            if genes_file is not None and entry.names_genes:
                raise InputError(f"{genes_file}: gene names were given, but {path} names its own")
            if cells is not None and not entry.holds_cells:
                raise InputError(
                    f"{path}: holds no cells, so layer, time, trajectory, bins, perturbation and control do not apply"
                )
            return entry.read(file, genes_file, cells or CellOptions())
    raise InputError(
        f"{file.name}, row 1: expected a header 'trajectory,time,GENE,…' (tidy table), 'Time GENE …' (DREAM4) or "
        f"'genes,trajectories' as two whole numbers (PHOENIX CSV), or samples named as T0_rep1, found "
        f"'{short(','.join(file.rows[0]))}'{_hint(file)}"
    )


def _hint(file: TableFile) -> str:
    """Say that a table which no format recognises may be the other way round, where it would be recognised then."""
    if file.transpose:
        return ""
    try:
        turned = transposed(file.rows, file.path)
    except InputError:
        return ""
    if is_tidy(turned) or is_dream4(turned) or is_sampled(turned):
        return f"; {GENES_IN_ROWS}"
    return f"; {GENES_IN_ROWS}, with a row 'time'" if looks_transposed(file.rows) else ""

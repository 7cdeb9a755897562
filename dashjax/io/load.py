"""Expression and priors given as files or as objects in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from dashjax.data import Trajectories
from dashjax.errors import InputError
from dashjax.io.expression import read_expression
from dashjax.io.frames import expression_from_frame, network_from_frame
from dashjax.io.genes import read_gene_names
from dashjax.io.h5ad import expression_from_anndata
from dashjax.io.named import CellOptions, Expression, NamedNetwork
from dashjax.io.network_formats import read_network
from dashjax.io.tables import refuse_repeats

if TYPE_CHECKING:
    import anndata
    import pandas as pd

_ALL_OPTIONS = tuple(field.name for field in fields(CellOptions))


def load_expression(
    value: Path | str | pd.DataFrame | anndata.AnnData | Trajectories | Expression,
    genes: Path | str | Sequence[str] | None = None,
    cells: CellOptions | None = None,
    transpose: bool = False,
) -> Expression:
    """Return expression over time that is given as a file or as an object in memory.

        load_expression("cells.h5ad", cells=CellOptions(time="day"))
        load_expression(frame)                                   # see `expression_from_frame`
        load_expression(adata, cells=CellOptions(time="day"))    # see `expression_from_anndata`
        load_expression(trajectories, ["GATA1", "TAL1"])

    Args:
        value: a path of any format of `read_expression`, a DataFrame, an AnnData object or Trajectories; Expression is
            returned as it is.
        genes: gene names where `value` has none: a file of them, or for Trajectories a sequence; G1, G2, … if None.
        cells: for cells; of a DataFrame, its columns of times and trajectories.
        transpose: whether genes stand in the rows of a table or DataFrame, and samples in its columns.

    Raises:
        InputError: on anything that cannot be used.
    """
    if isinstance(value, str | Path):
        if not (genes is None or isinstance(genes, str | Path)):
            raise InputError(f"genes: expected a file of gene names for {value}, got {type(genes).__name__}")
        return read_expression(value, genes, cells, transpose)
    if transpose and not _is(value, "pandas", "DataFrame"):
        raise InputError(f"{type(value).__name__} is no table that could be transposed", "transpose")
    if isinstance(value, Trajectories):
        _refuse_cells(cells, _ALL_OPTIONS, "Trajectories")
        return _named_trajectories(value, genes)
    frame, adata = _is(value, "pandas", "DataFrame"), _is(value, "anndata", "AnnData")
    if not (frame or adata or isinstance(value, Expression)):
        raise InputError(f"expression: expected a path, DataFrame, AnnData or Trajectories, got {type(value).__name__}")
    if genes is not None:
        raise InputError(f"genes: gene names were given, but the {type(value).__name__} names its own")
    if adata:
        return expression_from_anndata(value, cells or CellOptions())  # type: ignore[arg-type]
    if frame:
        _refuse_cells(cells, ("layer", "bins", "perturbation", "control", "gene_symbols", "normalise"), "a DataFrame")
        cells = cells or CellOptions()
        return expression_from_frame(value, "expression", cells.time, cells.trajectory, transpose)  # type: ignore[arg-type]
    _refuse_cells(cells, _ALL_OPTIONS, "Expression")
    assert isinstance(value, Expression)
    return value


def load_prior_network(
    value: Path | str | pd.DataFrame | NamedNetwork, genes: Sequence[str] = (), source: str = "prior"
) -> NamedNetwork:
    """Return a network that is given as a file or as an object in memory, not yet matched with anything.

    Args:
        value: a path of any format of `read_network`, or a DataFrame, see `network_from_frame`; NamedNetwork is
            returned as it is.
        genes: the expression's genes, for files of matrices that name none.
        source: what to call an object in messages.

    Raises:
        InputError: on anything that cannot be used.
    """
    if isinstance(value, str | Path):
        return read_network(value, genes)
    if isinstance(value, NamedNetwork):
        return value
    if _is(value, "pandas", "DataFrame"):
        return network_from_frame(value, source)
    raise InputError(f"{source}: expected a path, DataFrame or NamedNetwork, got {type(value).__name__}")


def _named_trajectories(trajectories: Trajectories, genes: Path | str | Sequence[str] | None) -> Expression:
    count = trajectories.n_genes
    if isinstance(genes, str | Path):
        names = read_gene_names(genes)[0]
    else:
        names = [f"G{n + 1}" for n in range(count)] if genes is None else [str(name) for name in genes]
    if len(names) != count:
        raise InputError(f"genes: {len(names)} gene names for the {count} genes of the Trajectories")
    refuse_repeats(names, "genes")
    labels = tuple(str(n + 1) for n in range(trajectories.n_trajectories))
    return Expression(tuple(names), trajectories, "expression", labels)


def _refuse_cells(cells: CellOptions | None, options: Sequence[str], what: str) -> None:
    for name in options:
        if cells is not None and getattr(cells, name) is not None:
            raise InputError(f"{name}: does not apply to {what}, which holds no cells")


def _is(value: object, package: str, name: str) -> bool:
    """Say whether a value is of a class of a package, without importing the package."""
    return any(kind.__name__ == name and kind.__module__.split(".")[0] == package for kind in type(value).__mro__)

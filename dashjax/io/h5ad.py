"""AnnData files (`.h5ad`): cells with a time or pseudotime, read in blocks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from dashjax.errors import InputError
from dashjax.io.cells import average_cells
from dashjax.io.named import CellOptions, Expression
from dashjax.io.tables import LARGEST_TABLE, refuse_repeats

#: Values read at a time.
BLOCK = 2**23
#: Bytes of the largest attribute: names of columns and encodings.
LARGEST_ATTRIBUTE = 2**20
#: Columns of `obs` that hold a time, tried in this order.
TIME_COLUMNS = ("time", "pseudotime", "dpt_pseudotime", "latent_time", "palantir_pseudotime", "day", "hours")


def read_h5ad(path: Path | str, options: CellOptions | None = None) -> Expression:
    """Read an AnnData file; needs the extra `h5ad`.

    The matrix is read in blocks of cells, so a file may be larger than memory.

        data = read_h5ad("cells.h5ad")                                            # obs['pseudotime'], X
        data = read_h5ad("cells.h5ad", CellOptions(layer="spliced", time="dpt_pseudotime"))
        data = read_h5ad("cells.h5ad", CellOptions(time="day", trajectory="donor"))

    Args:
        path: the file.
        options: layer, columns of `obs`, and bins.

    Raises:
        InputError: where the file is damaged, lacks the layer or columns asked for, or anndata is not installed.
    """
    options = options or CellOptions()
    try:
        import anndata
        import h5py
    except ImportError:
        raise InputError(f"{path}: reading .h5ad needs anndata: pip install 'dashjax[h5ad]'") from None
    if not Path(path).is_file():
        raise InputError(f"{path}: no such file")
    try:
        with h5py.File(path, "r") as file:
            _refuse_sizes(file, path)
            obs = anndata.io.read_elem(file["obs"])
            genes = [str(name) for name in anndata.io.read_elem(file["var"]).index]
            matrix = _matrix(file, options.layer, path)
            if matrix.shape != (len(obs), len(genes)):
                raise InputError(f"{path}: the matrix is {matrix.shape}, for {len(obs)} cells and {len(genes)} genes")
            refuse_repeats(genes, path)
            return average_cells(_blocks(matrix, path), genes, _branches(obs, options, path), path, options.bins)
    except InputError:
        raise
    except Exception as error:
        # HDF5 and anndata raise almost any exception on a damaged file.
        first = (str(error).splitlines() or [""])[0][:120]
        raise InputError(f"{path}: cannot be read as .h5ad ({type(error).__name__}: {first})") from None


def _refuse_sizes(file, path) -> None:
    """Refuse a file whose parts state sizes that no real file has, before any of it is unpacked."""
    import h5py

    def check(name: str, item) -> None:
        for place in range(h5py.h5a.get_num_attrs(item.id)):
            attribute = h5py.h5a.open(item.id, index=place)
            size = attribute.get_space().get_simple_extent_npoints() * attribute.get_type().get_size()
            if size > LARGEST_ATTRIBUTE:
                raise InputError(f"{path}: an attribute of {name} is too large")
        if isinstance(item, h5py.Dataset):
            values, chunk = item.size or 0, int(np.prod(item.chunks or 0, dtype=object))
            if max(values, chunk) > LARGEST_TABLE and not name.startswith(("X", "layers")) or chunk > LARGEST_TABLE:
                raise InputError(f"{path}: {name} has {max(values, chunk):,} values, more than {LARGEST_TABLE:,}")

    for part in ("obs", "var"):
        if part not in file:
            raise InputError(f"{path}: no '{part}'; not an AnnData file")
    for part in ("obs", "var", "X", "layers"):
        if part in file:
            check(part, file[part])
            if isinstance(file[part], h5py.Group):
                file[part].visititems(lambda name, item, part=part: check(f"{part}/{name}", item))


def _matrix(file, layer: str | None, path):
    """Return X or a layer without reading it: an HDF5 dataset, or anndata's sparse one."""
    import anndata
    import h5py

    layers = list(file["layers"]) if "layers" in file else []
    if layer is not None and layer not in layers:
        raise InputError(f"{path}: no layer '{layer}'; there are: {', '.join(layers) or 'none'}")
    if layer is None and "X" not in file:
        raise InputError(f"{path}: no X; choose a layer: {', '.join(layers) or 'none'}")
    item = file["X"] if layer is None else file["layers"][layer]
    return item if isinstance(item, h5py.Dataset) else anndata.io.sparse_dataset(item)


def _blocks(matrix, path) -> Iterator[np.ndarray]:
    cells, genes = matrix.shape
    rows = max(1, BLOCK // max(genes, 1))
    for begin in range(0, cells, rows):
        block = matrix[begin : begin + rows]
        block = np.asarray(block.toarray() if hasattr(block, "toarray") else block, dtype=np.float64)
        if np.isinf(block).any():
            cell, gene = np.argwhere(np.isinf(block))[0]
            raise InputError(f"{path}: cell {begin + cell + 1}, gene {gene + 1}: the value is infinite")
        yield block


def _branches(obs, options: CellOptions, path) -> list[tuple[str, np.ndarray]]:
    """Return name and time of all cells on each trajectory."""
    import pandas as pd

    known = [str(name) for name in obs.columns]
    column = options.time or next((name for name in TIME_COLUMNS if name in known), None)
    if column is None:
        raise InputError(
            f"{path}: which column of obs is the time? there are: {', '.join(known[:20]) or 'none'} (--time)"
        )
    for asked in (column, options.trajectory):
        if asked is not None and asked not in known:
            raise InputError(f"{path}: obs has no column '{asked}'; there are: {', '.join(known[:20]) or 'none'}")
    values = obs[column]
    time = pd.to_numeric(values.astype(str) if values.dtype == "category" else values, errors="coerce")
    time = np.asarray(time, dtype=float)
    time[~np.isfinite(time)] = np.nan  # unreachable cells have an infinite pseudotime
    if np.isnan(time).all():
        raise InputError(f"{path}: column '{column}' of obs holds no numbers (first: '{values.iloc[0]}')")
    if options.trajectory is None:
        return [("all cells", time)]
    label = obs[options.trajectory].astype(str).to_numpy()
    return [(name, np.where(label == name, time, np.nan)) for name in sorted(set(label))]

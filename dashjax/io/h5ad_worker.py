"""Reads AnnData files in a process of its own: run by `h5ad`, as a script that imports nothing of dashjax.

HDF5 crashes on some damaged files and asks for gigabytes on others. Here neither reaches the user's process: it sees
a worker that died, or a limit that was met.

Standard input has one request per line (JSON); standard output answers with frames, see `send`: a JSON object with
`genes`, `labels` and `perturbed`, the cells' times, blocks of expression, and a JSON object `done` or `error`.
"""

from __future__ import annotations

import io
import json
import struct
import sys

import numpy as np

#: Columns of `obs` that hold a time, tried in this order.
TIME_COLUMNS = ("time", "pseudotime", "dpt_pseudotime", "latent_time", "palantir_pseudotime", "day", "hours")
#: Bytes of memory that the worker may ask for, bytes of the largest attribute, and values of the largest column.
MEMORY, LARGEST_ATTRIBUTE, LARGEST_COLUMN = 2**31, 2**20, 2**29


class Refusal(Exception):
    """A file or request that is not as it should be; its text says why."""


def main() -> None:
    """Answer requests until there are no more."""
    import anndata  # noqa: F401  so that the first request finds it
    import h5py

    _limit_memory()
    output = sys.stdout.buffer
    # Whatever a library prints would be taken for an answer.
    sys.stdout = sys.stderr
    for line in sys.stdin:
        request = json.loads(line)
        try:
            with h5py.File(request["path"], "r") as file:
                for part in answer(file, request):
                    send(output, part)
            send(output, {"done": True})
        except Refusal as error:
            send(output, {"error": str(error)})
        except Exception as error:
            # HDF5 and anndata raise almost any exception on a damaged file.
            first = (str(error).splitlines() or [""])[0][:120]
            send(output, {"error": f"cannot be read as .h5ad ({type(error).__name__}: {first})"})


def send(output, part: dict | np.ndarray) -> None:
    """Write a frame: its length in eight bytes, then an array as .npy, or JSON."""
    content = io.BytesIO()
    if isinstance(part, np.ndarray):
        np.save(content, part, allow_pickle=False)
    else:
        content.write(json.dumps(part).encode())
    output.write(struct.pack("<Q", content.tell()))
    output.write(content.getbuffer())
    output.flush()


def receive(source) -> dict | np.ndarray | None:
    """Read a frame; None where the worker is gone."""
    length = source.read(8)
    if len(length) < 8:
        return None
    content = source.read(struct.unpack("<Q", length)[0])
    if content.startswith(b"\x93NUMPY"):
        return np.load(io.BytesIO(content), allow_pickle=False)
    return json.loads(content)


def answer(file, request: dict):
    """Yield what a request asks for of a file: see `parts`."""
    import anndata

    _refuse_sizes(file)
    obs = anndata.io.read_elem(file["obs"])
    genes = [str(name) for name in anndata.io.read_elem(file["var"]).index]
    yield from parts(obs, genes, _matrix(file, request["layer"]), request)


def parts(obs, genes: list[str], matrix, request: dict):
    """Yield names, times, then expression in blocks of cells, of a file or an object in memory.

    Args:
        obs: a frame with a row per cell.
        genes: their names.
        matrix: cell × gene, dense or sparse, of which rows can be cut.
        request: columns of obs with `time`, `trajectory` and `perturbation`, and values in a `block`. Cells with a
            perturbation need no time: without one, all times are NaN.

    Raises:
        Refusal: where these do not agree, or a column is missing or holds no numbers.
    """
    if tuple(matrix.shape) != (len(obs), len(genes)):
        raise Refusal(f"the matrix is {matrix.shape}, for {len(obs)} cells and {len(genes)} genes")
    label, perturbation = request["trajectory"], request["perturbation"]
    for column in (label, perturbation):
        if column is not None:
            _refuse_unknown(obs, column)
    if perturbation is not None and request["time"] is None:
        time = _usual_times(obs)
    else:
        time = _times(obs, request["time"])
    labels = None if label is None else [str(value) for value in obs[label]]
    yield {"genes": genes, "labels": labels, "perturbed": None if perturbation is None else _texts(obs[perturbation])}
    yield time
    rows = max(1, request["block"] // max(len(genes), 1))
    for begin in range(0, len(obs), rows):
        block = matrix[begin : begin + rows]
        block = np.asarray(block.toarray() if hasattr(block, "toarray") else block, dtype=np.float32)
        if np.isinf(block).any():
            cell, gene = np.argwhere(np.isinf(block))[0]
            raise Refusal(f"cell '{obs.index[begin + cell]}', gene '{genes[gene]}': the value is infinite")
        yield block


def refuse_layer(layer: str | None, layers: list[str], has_x: bool) -> None:
    """Refuse a layer that is not there, or no layer where there is no X."""
    if layer is not None and layer not in layers:
        raise Refusal(f"no layer '{layer}'; there are: {', '.join(layers) or 'none'}")
    if layer is None and not has_x:
        raise Refusal(f"no X; choose a layer: {', '.join(layers) or 'none'}")


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:  # not on Windows
        return
    # Beyond what loaded libraries hold already.
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, resource.getrlimit(resource.RLIMIT_DATA)[1]))


def _refuse_sizes(file) -> None:
    """Refuse a file whose parts state sizes that no real file has, before any of it is unpacked."""
    import h5py

    def check(name: str, item) -> None:
        for place in range(h5py.h5a.get_num_attrs(item.id)):
            attribute = h5py.h5a.open(item.id, index=place)
            if attribute.get_space().get_simple_extent_npoints() * attribute.get_type().get_size() > LARGEST_ATTRIBUTE:
                raise Refusal(f"an attribute of {name} is too large")
        if isinstance(item, h5py.Dataset):
            values, chunk = item.size or 0, int(np.prod(item.chunks or 0, dtype=object))
            if chunk > LARGEST_COLUMN or (values > LARGEST_COLUMN and name.startswith(("obs", "var"))):
                raise Refusal(f"{name} has {max(values, chunk):,} values, more than {LARGEST_COLUMN:,}")

    for part in ("obs", "var"):
        if part not in file:
            raise Refusal(f"no '{part}'; not an AnnData file")
    for part in ("obs", "var", "X", "layers"):
        if part in file:
            check(part, file[part])
            if isinstance(file[part], h5py.Group):
                file[part].visititems(lambda name, item, part=part: check(f"{part}/{name}", item))


def _matrix(file, layer: str | None):
    """Return X or a layer without reading it: an HDF5 dataset, or anndata's sparse one."""
    import anndata
    import h5py

    layers = list(file["layers"]) if "layers" in file else []
    refuse_layer(layer, layers, "X" in file)
    item = file["X"] if layer is None else file["layers"][layer]
    return item if isinstance(item, h5py.Dataset) else anndata.io.sparse_dataset(item)


def _times(obs, column: str | None) -> np.ndarray:
    """Return every cell's time, NaN where it has none."""
    column = column or next((name for name in TIME_COLUMNS if name in obs.columns), None)
    if column is None:
        raise Refusal(f"which column of obs is the time? there are: {_columns(obs)}; name it with time='…'")
    _refuse_unknown(obs, column)
    time = _finite(obs[column])
    if np.isnan(time).all():
        raise Refusal(f"column '{column}' of obs holds no numbers")
    return time


def _usual_times(obs) -> np.ndarray:
    """Return the times of the first usual column that has two of them, all NaN where there is none."""
    for name in TIME_COLUMNS:
        if name in obs.columns:
            time = _finite(obs[name])
            if len(np.unique(time[~np.isnan(time)])) > 1:
                return time
    return np.full(len(obs), np.nan)


def _finite(values) -> np.ndarray:
    """Return a column as numbers, NaN where it has none or an infinite one, as unreachable cells' pseudotimes are."""
    import pandas as pd

    time = pd.to_numeric(values.astype(str) if values.dtype == "category" else values, errors="coerce")
    time = np.array(time, dtype=float)
    time[~np.isfinite(time)] = np.nan
    return time


def _texts(values) -> list[str | None]:
    """Return a column as texts, None where a value is missing or blank."""
    missing = values.isna().to_numpy()
    return [None if gone or not str(value).strip() else str(value) for value, gone in zip(values, missing, strict=True)]


def _refuse_unknown(obs, column: str) -> None:
    if column not in obs.columns:
        raise Refusal(f"obs has no column '{column}'; there are: {_columns(obs)}")


def _columns(obs) -> str:
    return ", ".join(str(name)[:40] for name in obs.columns[:20]) or "none"


if __name__ == "__main__":
    main()

"""Reads AnnData files in a process of its own: run by `h5ad`, as a script that imports nothing of dashjax.

HDF5 crashes on some damaged files and asks for gigabytes on others. Here neither reaches the user's process: it sees
a worker that died, or a limit that was met.

Standard input has one request per line (JSON); standard output answers with frames, see `send`: a JSON object with
`genes`, `labels`, `perturbed`, `notes` and `doubts`, the cells' times, blocks of expression, and a JSON object `done`
or `error`.
"""

from __future__ import annotations

import io
import json
import re
import struct
import sys

import numpy as np

#: Columns of `obs` that hold a time, tried in this order.
TIME_COLUMNS = ("time", "pseudotime", "dpt_pseudotime", "latent_time", "palantir_pseudotime", "day", "hours")
#: Columns of `obs` that often tell trajectories apart, and of `var` that often hold gene symbols.
TRAJECTORY_COLUMNS = ("trajectory", "lineage", "branch", "replicate", "donor", "sample", "batch")
SYMBOL_COLUMNS = ("gene_symbols", "gene_symbol", "symbol", "gene_name", "gene_names", "gene_short_name", "feature_name")
#: A time with what it is called and its unit: 8h, day 4, D-2, E8.5, 24 hpf.
TIME_TEXT = re.compile(r"\s*([a-z]*)[\s_:]*([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)\s*([a-z]*)\.?\s*", re.IGNORECASE)
#: Hours in units of time, in which times that mix them are counted.
HOURS = {
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 1 / 60),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 1.0),
    **dict.fromkeys(("d", "day", "days"), 24.0),
    **dict.fromkeys(("w", "wk", "week", "weeks"), 168.0),
}
#: What stands for a missing text.
MISSING = ("", "nan", "na", "n/a", "none", "<na>", "null")
#: Counts to which a cell is scaled before the logarithm, as scanpy and Seurat do.
LIBRARY = 1e4
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
    raw = is_raw(request["layer"], list(file["layers"]) if "layers" in file else [], "raw" in file)
    if raw:
        _refuse_sizes(file["raw"], "raw/", ("var", "X"))
    var = anndata.io.read_elem(file["raw/var"] if raw else file["var"])
    matrix = _stored(file["raw/X"]) if raw else _matrix(file, request["layer"])
    yield from parts(obs, var, matrix, request)


def is_raw(layer: str | None, layers: list[str], has_raw: bool) -> bool:
    """Say whether a layer is what scanpy keeps as `raw`: another matrix, with genes of its own."""
    return layer == "raw" and layer not in layers and has_raw


def parts(obs, var, matrix, request: dict):
    """Yield names, times, then expression in blocks of cells, of a file or an object in memory.

    Args:
        obs: a frame with a row per cell.
        var: a frame with a row per gene.
        matrix: cell × gene, dense or sparse, of which rows can be cut.
        request: columns of obs with `time`, `trajectory` and `perturbation`, the column of var with `gene_symbols`, how
            to `normalise`, and values in a `block`. Cells with a perturbation need no time: without one, all times are
            NaN.

    Raises:
        Refusal: where these do not agree, or a column is missing or holds no times.
    """
    notes: list[str] = []
    doubts: list[str] = []
    genes = _gene_names(var, request["gene_symbols"], doubts)
    if tuple(matrix.shape) != (len(obs), len(genes)):
        raise Refusal(f"the matrix is {matrix.shape}, for {len(obs)} cells and {len(genes)} genes")
    label, perturbation = request["trajectory"], request["perturbation"]
    for column in (label, perturbation):
        if column is not None:
            _refuse_unknown(obs, column)
    if perturbation is not None and request["time"] is None:
        time = _usual_times(obs)
    else:
        time = _times(obs, request["time"], notes)
    labels = None if label is None else _texts(obs[label])
    if labels is not None:
        notes.append(f"trajectories are told apart by '{label}' of obs")
        gone = sum(value is None for value in labels)
        if gone:
            notes.append(f"{gone:,} of {len(obs):,} cells have no '{label}' and are left out")
    elif perturbation is None:
        _ask_for_trajectories(obs, doubts)
    rows = max(1, request["block"] // max(len(genes), 1))

    def block_from(begin):
        block = matrix[begin : begin + rows]
        block = np.asarray(block.toarray() if hasattr(block, "toarray") else block, dtype=np.float32)
        if np.isinf(block).any():
            cell, gene = np.argwhere(np.isinf(block))[0]
            raise Refusal(f"cell '{obs.index[begin + cell]}', gene '{genes[gene]}': the value is infinite")
        return block

    first = block_from(0)
    log = _normalising(first, request["normalise"], notes, doubts)
    perturbed = None if perturbation is None else _texts(obs[perturbation])
    yield {"genes": genes, "labels": labels, "perturbed": perturbed, "notes": notes, "doubts": doubts}
    yield time
    for begin in range(0, len(obs), rows):
        block = block_from(begin) if begin else first
        yield log_normalised(block) if log else block


def log_normalised(counts: np.ndarray) -> np.ndarray:
    """Return log(1 + counts per `LIBRARY` of the cell): library size first, as scanpy's normalize_total and log1p."""
    size = np.nansum(counts, axis=1, keepdims=True)
    return np.log1p(counts * (LIBRARY / np.where(size > 0, size, 1.0))).astype(np.float32)


def _normalising(first: np.ndarray, wanted: str | None, notes: list[str], doubts: list[str]) -> bool:
    """Say whether values are to be normalised; ask where they look as if they should be.

    Args:
        first: the first block of cells.
        wanted: None or log1p.
        notes: what is done is added.
        doubts: what looks wrong is added.
    """
    values = first[np.isfinite(first)]
    counts = values.size > 0 and values.min() >= 0 and values.max() >= 3 and bool((values == np.round(values)).all())
    if wanted is None:
        if counts:
            doubts.append(
                f"all values are whole numbers (up to {values.max():,.0f} in the first cells): are they raw counts? "
                "normalise=log1p divides by library size and takes logarithms"
            )
        return False
    if not counts:
        raise Refusal("normalise: values are no raw counts (whole numbers from 0 on), so they are normalised already")
    notes.append(f"counts are scaled to {LIBRARY:,.0f} per cell and log(1 + x) is taken")
    return True


def _gene_names(var, column: str | None, doubts: list[str]) -> list[str]:
    """Return genes' names: the index of var, or a column of it where that has a name."""
    genes = [str(name) for name in var.index]
    if column is not None:
        _refuse_unknown(var, column, "var")
        return [name or gene for name, gene in zip(_texts(var[column]), genes, strict=True)]
    usual = next((name for name in SYMBOL_COLUMNS if name in var.columns), None)
    stable = sum(re.fullmatch(r"ENS[A-Z]*G\d{6,}(\.\d+)?", gene) is not None for gene in genes)
    if usual is not None and 2 * stable > len(genes):
        doubts.append(f"genes are called by Ensembl's identifiers; gene_symbols={usual} takes the symbols of var")
    return genes


def _ask_for_trajectories(obs, doubts: list[str]) -> None:
    """Ask about a column that usually tells trajectories apart, where nobody says what does."""
    for name in TRAJECTORY_COLUMNS:
        if name in obs.columns:
            found = sorted({value for value in _texts(obs[name]) if value is not None})
            if 1 < len(found) <= len(obs) / 10:
                some = ", ".join(value[:40] for value in found[:5]) + ("…" if len(found) > 5 else "")
                doubts.append(
                    f"obs has '{name}' with {len(found)} values ({some}), and all cells are taken for one trajectory; "
                    f"trajectory={name} tells them apart"
                )
                return


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


def _refuse_sizes(file, inside: str = "", parts: tuple[str, ...] = ("obs", "var", "X", "layers")) -> None:
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
        if part in parts and part not in file:
            raise Refusal(f"no '{inside}{part}'; not an AnnData file")
    for part in parts:
        if part in file:
            check(part, file[part])
            if isinstance(file[part], h5py.Group):
                file[part].visititems(lambda name, item, part=part: check(f"{part}/{name}", item))


def _matrix(file, layer: str | None):
    """Return X or a layer without reading it: an HDF5 dataset, or anndata's sparse one."""
    layers = list(file["layers"]) if "layers" in file else []
    refuse_layer(layer, layers, "X" in file)
    return _stored(file["X"] if layer is None else file["layers"][layer])


def _stored(item):
    """Return a matrix without reading it."""
    import anndata
    import h5py

    return item if isinstance(item, h5py.Dataset) else anndata.io.sparse_dataset(item)


def _times(obs, column: str | None, notes: list[str]) -> np.ndarray:
    """Return every cell's time, NaN where it has none."""
    usual = [name for name in TIME_COLUMNS if name in obs.columns]
    asked, column = column, column or next(iter(usual), None)
    if column is None:
        raise Refusal(f"which column of obs is the time? there are: {_columns(obs)}; name it with time='…'")
    _refuse_unknown(obs, column)
    time, unit = _numbers(obs[column], column)
    others = [] if asked else [f"'{name}'" for name in usual if name != column]
    notes.append(f"time is '{column}' of obs{unit}{', not ' * bool(others)}{' or '.join(others)}")
    gone = int(np.isnan(time).sum())
    if gone:
        notes.append(f"{gone:,} of {len(obs):,} cells have no time and are left out")
    return time


def _usual_times(obs) -> np.ndarray:
    """Return the times of the first usual column that has two of them, all NaN where there is none."""
    for name in TIME_COLUMNS:
        if name in obs.columns:
            try:
                time, _ = _numbers(obs[name], name)
            except Refusal:
                continue
            if len(np.unique(time[~np.isnan(time)])) > 1:
                return time
    return np.full(len(obs), np.nan)


def _numbers(values, column: str) -> tuple[np.ndarray, str]:
    """Return a column as times, NaN where it has none or an infinite one, as unreachable cells' pseudotimes are.

    Texts may say what they count and in which unit, all the same: 8h, day 4, E8.5. Times in several units are counted
    in hours.

    Returns:
        The times, and words about the unit where texts told one.

    Raises:
        Refusal: where texts are no times, or do not agree.
    """
    import pandas as pd

    if pd.api.types.is_numeric_dtype(values.dtype) and not pd.api.types.is_bool_dtype(values.dtype):
        time = np.array(values, dtype=float)
        time[~np.isfinite(time)] = np.nan
        if np.isnan(time).all():
            raise Refusal(f"column '{column}' of obs holds no numbers")
        return time, ""
    texts = _texts(values)
    found = {text: TIME_TEXT.fullmatch(text) for text in set(texts) if text is not None}
    strange = sorted(text for text, match in found.items() if match is None and not _is_number(text))
    if len(strange) == len(found):
        raise Refusal(f"column '{column}' of obs holds no numbers")
    if strange:
        lost = sum(text in strange for text in texts if text is not None)
        some = ", ".join(f"'{text[:40]}'" for text in strange[:3]) + ("…" if len(strange) > 3 else "")
        raise Refusal(
            f"column '{column}' of obs: {lost:,} of {len(values):,} cells have times that cannot be read: {some}"
        )
    read = {text: match.groups() for text, match in found.items() if match is not None}
    before = {prefix.lower() for prefix, number, _ in read.values() if prefix or float(number) != 0}
    units = {unit.lower() for _, number, unit in read.values() if unit or float(number) != 0}
    if len(before) > 1 or (len(units) > 1 and not units <= set(HOURS)):
        some = ", ".join(f"'{text[:40]}'" for text in sorted(found)[:4])
        raise Refusal(f"column '{column}' of obs: times are written in several ways ({some}); make them numbers")
    # `day-3` may be the third day or three days before; all of them with a hyphen are no dates before.
    joined = before != {""} and all(number.startswith("-") for prefix, number, _ in read.values() if prefix)
    scale = HOURS if len(units) > 1 else {}
    number_of = {
        text: (abs(float(number)) if joined else float(number)) * scale.get(unit.lower(), 1.0)
        for text, (_, number, unit) in read.items()
    }
    unit = " in hours" if scale else next((f" in '{unit}'" for unit in units if unit), "")
    return np.array([np.nan if text is None else number_of.get(text, np.nan) for text in texts]), unit


def _is_number(text: str) -> bool:
    """Say whether Python reads a text as a number, as it does `inf`, which is no time."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def _texts(values) -> list[str | None]:
    """Return a column as texts, None where a value is missing or blank, or says so in words."""
    missing = values.isna().to_numpy()
    texts = [str(value).strip() for value in values]
    return [None if gone or text.lower() in MISSING else text for text, gone in zip(texts, missing, strict=True)]


def _refuse_unknown(frame, column: str, name: str = "obs") -> None:
    if column not in frame.columns:
        raise Refusal(f"{name} has no column '{column}'; there are: {_columns(frame)}")


def _columns(obs) -> str:
    return ", ".join(str(name)[:40] for name in obs.columns[:20]) or "none"


if __name__ == "__main__":
    main()

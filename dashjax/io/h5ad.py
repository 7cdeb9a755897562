"""AnnData files (`.h5ad`): cells with a time, pseudotime or perturbation, read in blocks by a process of their own."""

from __future__ import annotations

import atexit
import importlib.util
import json
import subprocess
import sys
import threading
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dashjax.errors import InputError
from dashjax.io import h5ad_worker
from dashjax.io.metacells import average_cells
from dashjax.io.named import CellOptions, Expression
from dashjax.io.populations import average_populations
from dashjax.io.tables import refuse_no_file, refuse_repeats

if TYPE_CHECKING:
    import anndata

#: What notes begin with that ask whether something was meant.
DOUBT = "please check:"
#: Values read at a time.
BLOCK = 2**23
#: Seconds without an answer after which the worker is taken for stuck.
PATIENCE = 120.0


def read_h5ad(path: Path | str, options: CellOptions | None = None) -> Expression:
    """Read an AnnData file; needs the extra `h5ad`.

    The matrix is read in blocks of cells, so a file may be larger than memory.

        data = read_h5ad("cells.h5ad")                                            # obs['pseudotime'], X
        data = read_h5ad("cells.h5ad", CellOptions(layer="spliced", time="dpt_pseudotime"))
        data = read_h5ad("cells.h5ad", CellOptions(time="day", trajectory="donor"))
        data = read_h5ad("screen.h5ad", CellOptions(perturbation="guide_target", control="non-targeting"))

    With a perturbation cells need no time: without one they become samples at rest, see `average_populations`.

    Args:
        path: the file.
        options: layer, columns of `obs`, bins, and the label of control cells.

    Raises:
        InputError: where the file is damaged, lacks the layer or columns asked for, or anndata is not installed.
    """
    options = options or CellOptions()
    if importlib.util.find_spec("anndata") is None:
        raise InputError(f"{path}: reading .h5ad needs anndata: pip install 'dashjax[h5ad]'")
    refuse_no_file(path)
    parts = _answers(Path(path), options)
    try:
        return _average(parts, path, options)
    finally:
        parts.close()


def expression_from_anndata(adata: anndata.AnnData, options: CellOptions, source: str = "expression") -> Expression:
    """Return an AnnData object's expression, as `read_h5ad` does of a file.

    The matrix may be dense, sparse or on disk; a block of cells at a time is made dense.

        data = expression_from_anndata(adata, CellOptions(layer="spliced", time="dpt_pseudotime"))

    Args:
        adata: cells with a time, pseudotime or perturbation.
        options: layer, columns of `obs`, bins, and the label of control cells.
        source: what to call the object in messages.

    Raises:
        InputError: where the object lacks the layer or columns asked for, or repeats a gene.
    """
    try:
        raw = h5ad_worker.is_raw(options.layer, list(adata.layers), adata.raw is not None)
        if not raw:
            h5ad_worker.refuse_layer(options.layer, list(adata.layers), adata.X is not None)
        matrix = adata.raw.X if raw else adata.X if options.layer is None else adata.layers[options.layer]
        request = {"block": BLOCK, **vars(options)}
        var = adata.raw.var if raw else adata.var
        return _average(h5ad_worker.parts(adata.obs, var, matrix, request), source, options)
    except h5ad_worker.Refusal as error:
        raise InputError(f"{source}: {error}") from None


def _average(parts: Generator, path: Path | str, options: CellOptions) -> Expression:
    """Return what a worker's answers say: names, times, then blocks of expression."""
    head, time = next(parts), next(parts)
    assert isinstance(head, dict)
    assert isinstance(time, np.ndarray)
    refuse_repeats(head["genes"], path)
    said = [*head["notes"], *(f"{DOUBT} {doubt}" for doubt in head["doubts"])]
    if options.perturbation is not None:
        replicates = None if head["labels"] is None else [label or "" for label in head["labels"]]
        data = average_populations(parts, head["genes"], head["perturbed"], replicates, time, path, options)
        return replace(data, notes=(*said, *data.notes))
    if options.control is not None:
        raise InputError(f"{path}: a label of control cells needs the column of perturbations it is in", "control")
    branches = [("all cells", time)]
    if head["labels"] is not None:
        label = np.array(head["labels"], dtype=object)
        names = sorted({name for name in head["labels"] if name is not None})
        if not names:
            raise InputError(f"{path}: column '{options.trajectory}' of obs names no trajectory")
        branches = [(name, np.where(label == name, time, np.nan)) for name in names]
    data = average_cells(parts, head["genes"], branches, path, options.bins)
    return replace(data, notes=(*said, *data.notes))


def _answers(path: Path, options: CellOptions) -> Generator:
    """Yield a worker's answers about one file: names, times, then blocks of expression."""
    worker, finished = _worker(), False
    request = {"path": str(path.resolve()), "block": BLOCK, **vars(options)}
    assert worker.stdin is not None, "it is a pipe"
    try:
        worker.stdin.write(json.dumps(request).encode() + b"\n")
        worker.stdin.flush()
        while True:
            stuck = threading.Timer(PATIENCE, worker.kill)
            stuck.start()
            part = h5ad_worker.receive(worker.stdout)
            stuck.cancel()
            if part is None:
                raise InputError(f"{path}: cannot be read as .h5ad (it brings down the HDF5 library; damaged?)")
            if isinstance(part, dict) and ("done" in part or "error" in part):
                finished = True
                if "error" in part:
                    raise InputError(f"{path}: {part['error']}")
                return
            yield part
    except BrokenPipeError:
        raise InputError(f"{path}: the process that reads .h5ad files cannot be reached") from None
    finally:
        if not finished:  # it died, or has more to say than is wanted
            worker.kill()
            worker.wait()


_workers: list[subprocess.Popen] = []


def _worker() -> subprocess.Popen:
    """Return a running worker, the last one if it still lives."""
    if not _workers or _workers[-1].poll() is not None:
        # -P, or the modules beside the script would stand in for packages of the same names.
        script = [sys.executable, "-P", h5ad_worker.__file__]
        worker = subprocess.Popen(script, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        atexit.register(worker.kill)
        _workers[:] = [worker]
    return _workers[-1]

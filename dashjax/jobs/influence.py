"""The influence of every gene of a fitted model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from dashjax.errors import InputError
from dashjax.io import make_folder, write_table
from dashjax.jobs.fitted import RANDOM_STARTS, FittedModel, StartOptions, Starts, choose_starts, read_fit
from dashjax.networks import Influence, gene_influence, has_influence, influence_table

#: Called with genes done, genes to do, and a few words.
OnGenes = Callable[[int, int, str], None]

#: Size of the push that influence is measured by.
PUSH = 0.1
#: Genes between two progress reports.
GENES_PER_CALL = 32


def measure_influence(fitted: FittedModel, starts: Starts, push: float, on_genes: OnGenes) -> Influence:
    """Return the influence of all genes; those without any weight into the field are not simulated."""
    if not 0 < abs(push) < np.inf:
        raise InputError(f"--push: must be a number other than zero, got {push:g}")
    if len(fitted.genes) < 2:
        raise InputError("influence: a single gene has none to influence")
    field = fitted.field.compact()
    acting = np.flatnonzero(np.asarray(has_influence(field)))
    measure = jax.jit(gene_influence)
    mean, error = np.zeros(len(fitted.genes)), np.zeros(len(fitted.genes))
    on_genes(0, len(acting), "")
    for begin in range(0, len(acting), GENES_PER_CALL):
        chosen = acting[begin : begin + GENES_PER_CALL]
        # Filled up to one length, so that one program serves.
        padded = np.resize(chosen, GENES_PER_CALL)
        piece = measure(field, starts.states, starts.times, jnp.asarray(padded), push)
        mean[chosen] = np.asarray(piece.mean)[: len(chosen)]
        error[chosen] = np.asarray(piece.standard_error)[: len(chosen)]
        on_genes(begin + len(chosen), len(acting), "")
    if not np.isfinite(mean).all():
        gene = fitted.genes[int(np.argmax(~np.isfinite(mean)))]
        raise InputError(f"influence: the model does not stay finite when '{gene}' is pushed; try a shorter --horizon")
    return Influence(mean, error)  # type: ignore[arg-type]


def influence_files(
    model: Path,
    out: Path,
    edges: Path | None = None,
    edges_only: bool = False,
    starts: StartOptions = RANDOM_STARTS,
    push: float = PUSH,
    on_genes: OnGenes = lambda done, total, text: None,
) -> tuple[pd.DataFrame, list[str]]:
    """Measure the influence of every gene of a fitted model and write influence.tsv and its figure.

    Returns:
        The table, see `influence_table`, and lines that say what was measured.

    Raises:
        InputError: on anything wrong with the files or arguments, before anything is written.
    """
    from dashjax.report.biology import influence_figure
    from dashjax.report.write import write_figure

    fitted = read_fit(model, edges, edges_only)
    begin = choose_starts(fitted, starts)
    table = influence_table(measure_influence(fitted, begin, push, on_genes), fitted.network, fitted.genes)
    make_folder(out)
    write_table(out / "influence.tsv", table)
    write_figure(out, "influence", influence_figure(table))
    return table, [
        f"{len(table):,} genes, {int((table['out_degree'] > 0).sum()):,} of them regulators; each pushed by {push:g} "
        f"from {begin.words} and followed to time {float(begin.times[-1]):.3g}",
        f"influence: {out / 'influence.tsv'}",
    ]

"""Options that several commands share, and what they say to the jobs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

Out = Annotated[Path, typer.Option("--out", "-o", help="Results folder; created if absent.")]

Genes = Annotated[Path | None, typer.Option(help="Gene names, for a PHOENIX CSV.")]
MatchOption = Annotated[
    str,
    typer.Option(
        "--match",
        help="Prior genes without expression: exact (refuse), intersect (leave out), union (add, unmeasured).",
    ),
]
Layer = Annotated[str | None, typer.Option(help="Layer of an .h5ad file; X by default.")]
TimeColumn = Annotated[str | None, typer.Option("--time", help="Column of an .h5ad file's obs: time or pseudotime.")]
TrajectoryColumn = Annotated[
    str | None, typer.Option("--trajectory", help="Column of an .h5ad file's obs: trajectory, branch or replicate.")
]
Bins = Annotated[int | None, typer.Option(help="Metacells along each branch of cells; chosen if not given.", min=2)]
Model = Annotated[Path, typer.Argument(help="Folder that `dashjax fit` wrote, or a model.npz.")]
Edges = Annotated[
    Path | None,
    typer.Option(help="Edge list of the network; the folder's edges.tsv, or a model's non-zero effects, by default."),
]
Observed = Annotated[
    Path | None,
    typer.Option("--expression", help="Start from the first states of these trajectories, in any format of `fit`."),
]
NumberOfStarts = Annotated[int, typer.Option("--starts", help="Random states to start from, without --expression.")]
EdgesOnly = Annotated[
    bool, typer.Option("--edges-only", help="Drop what an edge-resolved model has beyond its network's edges.")
]
Push = Annotated[float, typer.Option(help="Added to a gene's expression to see what follows.")]
Horizon = Annotated[
    float | None,
    typer.Option(help="How long to follow; the trajectories' span, or five relaxation times of the median gene."),
]
Seed = Annotated[int, typer.Option(help="Seeds random starts and permutations.", min=0)]
EXPRESSION_HELP = (
    "Tidy table trajectory,time,GENE,… (CSV, TSV, Parquet), PHOENIX CSV, DREAM4 time series, BEELINE folder, or .h5ad."
)
PRIOR_HELP = (
    "Edge table source,target[,weight][,sign], regulator × target matrix, triplets, netZoo motif file, or .gmt; "
    "several are weighed by the data."
)


def cell_options(layer: str | None, time: str | None, trajectory: str | None, bins: int | None) -> Any:
    """Return how cells become trajectories; None where no option says so."""
    from dashjax.io import CellOptions

    options = CellOptions(layer, time, trajectory, bins)
    return None if options == CellOptions() else options


def start_options(
    expression: Path | None,
    genes: Path | None,
    layer: str | None,
    time: str | None,
    trajectory: str | None,
    bins: int | None,
    starts: int,
    horizon: float | None,
    seed: int,
) -> Any:
    """Return where a fitted model is to start from, and how long to follow it."""
    from dashjax.jobs import StartOptions

    return StartOptions(expression, genes, cell_options(layer, time, trajectory, bins), starts, horizon, seed)

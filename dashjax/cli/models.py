"""Commands that ask a fitted model: what its genes influence, and what follows from perturbing them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dashjax.cli.options import (
    Bins,
    Edges,
    EdgesOnly,
    Genes,
    Horizon,
    Layer,
    Model,
    NumberOfStarts,
    Observed,
    Out,
    Push,
    Seed,
    TimeColumn,
    TrajectoryColumn,
    start_options,
)
from dashjax.cli.show import console, print_lines, print_top, progress_bar


def influence(
    model: Model,
    out: Out,
    edges: Edges = None,
    edges_only: EdgesOnly = False,
    expression: Observed = None,
    genes: Genes = None,
    layer: Layer = None,
    time: TimeColumn = None,
    trajectory: TrajectoryColumn = None,
    bins: Bins = None,
    starts: NumberOfStarts = 200,
    push: Push = 0.1,
    horizon: Horizon = None,
    seed: Seed = 0,
) -> None:
    """Rank genes by how far a push of each carries through a fitted model, and regulators by what they do."""
    from dashjax.jobs import influence_files

    begin = start_options(expression, genes, layer, time, trajectory, bins, starts, horizon, seed)
    with progress_bar("genes") as update:
        table, lines = influence_files(model, out, edges, edges_only, begin, push, update)
    regulators = table[table["out_degree"] > 0]
    print_top(
        regulators,
        {"gene": "regulator", "influence": "influence", "out_degree": "targets", "total_effect": "Σ|effect|"},
    )
    print_lines(lines)


def pathways(
    model: Model,
    sets: Annotated[Path, typer.Argument(help="Gene sets (GMT): name, description, genes, separated by tabs.")],
    out: Out,
    influence: Annotated[
        Path | None, typer.Option(help="influence.tsv of an earlier run, instead of measuring influence again.")
    ] = None,
    permutations: Annotated[int, typer.Option(help="Permutations of the gene labels.")] = 1000,
    min_size: Annotated[int, typer.Option(help="Fewest genes of the model that a set must have to be tested.")] = 5,
    expression: Observed = None,
    genes: Genes = None,
    layer: Layer = None,
    time: TimeColumn = None,
    trajectory: TrajectoryColumn = None,
    bins: Bins = None,
    starts: NumberOfStarts = 200,
    push: Push = 0.1,
    horizon: Horizon = None,
    seed: Seed = 0,
) -> None:
    """Test gene sets for more influence than as many genes at random have."""
    from dashjax.jobs import pathways_files

    begin = start_options(expression, genes, layer, time, trajectory, bins, starts, horizon, seed)
    with progress_bar("genes") as update:
        table, lines = pathways_files(model, sets, out, influence, permutations, min_size, begin, push, update)
    columns = {"pathway": "pathway", "genes": "genes", "z": "z", "p": "p", "benjamini_hochberg": "BH"}
    print_top(table[table["tested"]], columns | {"bonferroni": "Bonferroni"})
    print_lines(lines)


def perturb(
    model: Model,
    out: Out,
    knock_out: Annotated[
        list[str] | None, typer.Option(help="Gene to hold at level 0; several if given several times.")
    ] = None,
    over_express: Annotated[
        list[str] | None, typer.Option(help="GENE=LEVEL: gene to hold at a level; several if given several times.")
    ] = None,
    edges: Edges = None,
    edges_only: EdgesOnly = False,
    expression: Observed = None,
    genes: Genes = None,
    layer: Layer = None,
    time: TimeColumn = None,
    trajectory: TrajectoryColumn = None,
    bins: Bins = None,
    starts: NumberOfStarts = 200,
    horizon: Horizon = None,
    seed: Seed = 0,
) -> None:
    """Knock genes of a fitted model out or over-express them, and say who responds, directly or downstream."""
    from dashjax.jobs import perturb_files

    begin = start_options(expression, genes, layer, time, trajectory, bins, starts, horizon, seed)
    with console.status("following the perturbed model"):
        table, lines = perturb_files(model, out, knock_out or (), over_express or (), edges, edges_only, begin)
    columns = {"gene": "gene", "relation": "relation", "response": "mean Δ", "spread": "sd", "final": "Δ at the end"}
    print_top(table, columns)
    print_lines(lines)

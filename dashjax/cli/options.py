"""Options that several commands share, and what they say to the jobs."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from dashjax.cli.terminal import said
from dashjax.errors import LARGEST_SEED, InputError, refuse_outside

#: Random states, and time to follow them for, beyond which there is a mistake.
LARGEST_STARTS, LARGEST_HORIZON = 1_000_000, 1e30

Out = Annotated[Path, typer.Option("--out", "-o", help="Results folder; created if absent.")]

Force = Annotated[bool, typer.Option("--force", help="Replace another result that the folder holds.")]

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
Transpose = Annotated[
    bool, typer.Option("--transpose", help="Genes stand in the rows of tables, and samples in their columns.")
]
Perturbation = Annotated[
    str | None,
    typer.Option(help="Column of an .h5ad file's obs: the gene that was knocked out in each cell, A+B for two."),
]
Control = Annotated[
    str | None, typer.Option(help="What that column says of undisturbed cells; a usual name such as ctrl by default.")
]
GeneSymbols = Annotated[
    str | None, typer.Option(help="Column of an .h5ad file's var with gene names; its index by default.")
]
Normalise = Annotated[
    str | None,
    typer.Option(help="log1p: an .h5ad file holds raw counts; scale each cell to 10,000 and take log(1 + x)."),
]
Steady = Annotated[
    Path | None,
    typer.Option(help="Samples at rest: a row per sample named in its first column, a column per gene."),
]
Interventions = Annotated[
    Path | None,
    typer.Option(
        help="What was done in which trajectory or sample: trajectory,gene,kind[,value]; a kind is knockout, "
        "knockdown, overexpression, clamp or stimulus."
    ),
]
Model = Annotated[Path, typer.Argument(help="Folder that `dashjax fit` wrote, or a model.npz.")]
Edges = Annotated[
    Path | None,
    typer.Option(help="Edge list that says which edges count; those that the method returned by default."),
]
Observed = Annotated[
    Path | None,
    typer.Option("--expression", help="Start from the first states of these trajectories, in any format of `fit`."),
]
NumberOfStarts = Annotated[int, typer.Option("--starts", help="Random states to start from, without --expression.")]
EdgesOnly = Annotated[
    bool, typer.Option("--edges-only", help="Drop what an edge-resolved model has beyond its network's edges.")
]
Push = Annotated[float, typer.Option(help="Share of a gene's range that is added to its level to see what follows.")]
Horizon = Annotated[
    float | None,
    typer.Option(help="How long to follow; the trajectories' span, or five relaxation times of the median gene."),
]
Seed = Annotated[int, typer.Option(help="Seeds random starts and permutations.", min=0, max=LARGEST_SEED)]
EXPRESSION_HELP = (
    "Tidy table trajectory,time,GENE,… (CSV, TSV, Parquet, XLSX), rows named T0_rep1, PHOENIX CSV, DREAM4 time "
    "series, BEELINE folder, or .h5ad."
)
PRIOR_HELP = (
    "Edge table source,target[,weight][,sign], regulator × target matrix, triplets, netZoo motif file, or .gmt; "
    "several are weighed by the data."
)


def cell_options(
    layer: str | None,
    time: str | None,
    trajectory: str | None,
    bins: int | None,
    perturbation: str | None = None,
    control: str | None = None,
    gene_symbols: str | None = None,
    normalise: str | None = None,
) -> Any:
    """Return how cells become trajectories or samples at rest; None where no option says so."""
    from dashjax.io import CellOptions

    options = CellOptions(layer, time, trajectory, bins, perturbation, control, gene_symbols, normalise)
    return None if options == CellOptions() else options


def fingerprint(context: typer.Context) -> str:
    """Return what a command's result depends on, as text: its name, its options, and what is in its files."""
    from dashjax.data import identity_of

    settings = {name: value for name, value in context.params.items() if name not in ("out", "force")}
    return identity_of(context.info_name, *(f"{name}={_content(value)}" for name, value in sorted(settings.items())))


def _content(value: Any) -> str:
    """Return an option's value as text; of a file what is in it, of a fitted network's folder its model."""
    from dashjax.io.sealed import checksum

    if isinstance(value, list | tuple):
        return str([_content(one) for one in value])
    if not isinstance(value, Path) or not value.exists():
        return str(value)
    if value.is_dir():
        model = value / "model.npz"
        return _content([model] if model.is_file() else sorted(path for path in value.iterdir() if path.is_file()))
    # What is no regular file can be read but once, and is another each time.
    return checksum(value.read_bytes()) if value.is_file() else str(time.time_ns())


def claim_folder(
    context: typer.Context,
    main_file: str,
    of: str | None = None,
    reads: Iterable[Path | str] = (),
    part: str = "",
    **told: Any,
) -> Any:
    """Make `--out` the place of a command's result: see `dashjax.io.result_folder.claimed`.

    Its record, `run.json`, holds the options and files, and in the end what the command has printed.

    Args:
        context: of the command.
        main_file: that the result always has.
        of: what the result is of where everything of that kind may share a folder, as the runs of several grids do; if
            None it is of the command with all its options and files.
        reads: files that it reads beside those that its options name.
        **told: settings beside its options.
        part: what tells results of this command apart that may share a folder.
    """
    from dashjax.io.provenance import describe_call
    from dashjax.io.result_folder import claimed, end_claim

    given, words = context.params, shlex.join(["dashjax", *sys.argv[1:]])
    kind, what = (f"{context.info_name} {part}".strip(), fingerprint(context)) if of is None else (of, of)
    settings = {name: value for name, value in given.items() if name not in ("out", "force")} | told
    made = describe_call(f"dashjax {context.info_name}", settings, [*_paths(settings), *reads])
    context.call_on_close(lambda: end_claim(given["out"], kind, said))
    return claimed(given["out"], kind, what, main_file, words, given["force"], made, without_out(sys.argv[1:]))


def _paths(settings: dict[str, Any]) -> list[Path]:
    """Return the files and folders among some options' values."""
    values = [one for value in settings.values() for one in (value if isinstance(value, list | tuple) else [value])]
    return [value for value in values if isinstance(value, Path)]


def without_out(words: Sequence[str]) -> list[str]:
    """Return a command's words without the results folder and what may be replaced there."""
    kept, words = [], list(words)
    while words:
        word = words.pop(0)
        if word in ("--out", "-o"):
            del words[:1]
        elif word != "--force" and not word.startswith("--out=") and not (word.startswith("-o") and len(word) > 2):
            kept.append(word)
    return kept


def refuse_descriptions(expression: Path | None, genes: Path | None, cells: Any, options: str) -> None:
    """Refuse options that describe an expression where there is none.

    Raises:
        InputError: naming the options.
    """
    if expression is None and (genes is not None or cells is not None):
        raise InputError(f"{options}: describe --expression, which is missing")


def read_model(model: Path, edges: Path | None) -> Any:
    """Return a saved network, with the edges of another list as those it returns if there is one."""
    from dataclasses import replace

    from dashjax.io import read_edges
    from dashjax.networks import load_network, network_matrix

    network = load_network(model)
    try:
        network.dynamics()
    except InputError as error:
        raise InputError(f"{model}: {error.problem}") from None
    if edges is None:
        return network
    table = read_edges(edges)
    try:
        listed = network_matrix(table[table["returned"]] if "returned" in table else table, network.genes)
    except InputError as error:
        raise InputError(f"{edges}: {error}") from None
    return replace(network, chosen=listed)


def read_observed(folder: Path, expression: Path, genes: Path | None, cells: Any, transpose: bool) -> Any:
    """Return what a folder's network was fitted to, as `dashjax.report.Observed` has it.

    Raises:
        InputError: where the expression cannot be read, or lacks a gene of the network.
    """
    from dashjax.io import load_expression
    from dashjax.networks import load_network
    from dashjax.report import Observed

    data, network = load_expression(expression, genes, cells, transpose=transpose), load_network(folder)
    place = {gene: number for number, gene in enumerate(data.genes)}
    for gene in network.genes:
        if gene not in place:
            raise InputError(f"{expression}: lacks gene '{gene}' of the network in {folder}")
    return Observed(data.names, data.trajectories.of_genes([place[gene] for gene in network.genes]))


class Starts(NamedTuple):
    """Where simulated trajectories begin, and when they are looked at.

    Attributes:
        states: (start, gene), in the user's units.
        times: increasing from 0.
        words: what they are.
    """

    states: Any
    times: Any
    words: str


def read_starts(
    network: Any,
    expression: Path | None,
    genes: Path | None,
    cells: Any,
    number: int,
    horizon: float | None,
    seed: int,
    transpose: bool = False,
) -> Starts:
    """Return the first states of observed trajectories and their usual span, or so many random states."""
    import jax
    import numpy as np

    from dashjax.io import load_expression
    from dashjax.networks.starts import read_starts as match_starts
    from dashjax.questions import random_starts, response_times

    refuse_outside(number, 1, LARGEST_STARTS, "starts")
    if horizon is not None and not 0 < horizon < LARGEST_HORIZON:
        raise InputError(f"must be a positive time, got {horizon:g}", "horizon")
    dynamics = network.dynamics()[0]
    options = "--genes, --layer, --time, --trajectory, --bins, --transpose"
    refuse_descriptions(expression, genes, cells or (True if transpose else None), options)
    if expression is None:
        drawn = random_starts(jax.random.key(seed), number, len(network.genes))
        times = np.asarray(response_times(dynamics, horizon))
        return Starts(network.units.levels(drawn), times, f"{number} random starts")
    data = load_expression(expression, genes, cells, transpose)
    states = match_starts(data, network.genes)[1]
    usual = float(np.median([times[-1] - times[0] for times in data.unpadded()[0]]))
    times = np.asarray(response_times(dynamics, usual if horizon is None else horizon))
    return Starts(states, times, f"{len(states)} observed starts")

"""The command line: parses, calls, prints. Nothing here computes."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.table import Table

from dashjax.errors import InputError

app = typer.Typer(
    name="dashjax",
    help="Sparse, interpretable neural-ODE models of gene regulation.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
console = Console()

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

#: What `quickstart` runs: DASH, its baselines and our ensemble on a system small enough for a laptop.
QUICKSTART: dict[str, Any] = {
    "system": {"kind": "simulated", "genes": 100, "seed": 0},
    "trajectories": {"train": 140, "validation": 10, "test": 10},
    "noise": 0.025,
    "prior_corruption": 0.05,
    "methods": ["dense", "imp", "bioprune", "dash", "direct+dash+ensemble"],
    "seeds": 3,
    "epochs": 120,
}


@app.command()
def quickstart(out: Out = Path("dashjax-quickstart")) -> None:
    """Simulate a 100-gene system, run five methods × 3 seeds on it, print a table and write a report."""
    from dashjax.sweep import parse_grid

    console.print("A simulated 100-gene system, 5 % of its prior edges misplaced, noise sd 0.025.")
    _sweep(parse_grid(QUICKSTART, "quickstart"), out, "dashjax quickstart")


@app.command()
def sweep(
    grid: Annotated[Path, typer.Argument(help="Grid file (YAML).")],
    out: Out,
    workers: Annotated[int | None, typer.Option(help="Worker threads; one per core by default.", min=1)] = None,
    chunk: Annotated[
        int | None,
        typer.Option(help="Runs per batch; 1 on a CPU, what memory holds on accelerators.", min=1),
    ] = None,
    shard: Annotated[
        str | None, typer.Option(help="i/n: run the i-th of n shares of the grid, for job arrays.")
    ] = None,
    executor: Annotated[str, typer.Option(help="Where runs go: local, or ray for a Ray cluster.")] = "local",
    ray_address: Annotated[str | None, typer.Option(help="Head of the Ray cluster, host:port or ray://….")] = None,
    distributed: Annotated[
        bool, typer.Option("--distributed", help="Join jax.distributed processes; each takes its share of the grid.")
    ] = False,
) -> None:
    """Run a grid of systems, noise levels, methods and seeds; finished runs in --out are not repeated."""
    from dashjax.sweep import load_grid
    from dashjax.sweep.processes import join_processes

    if executor not in ("local", "ray"):
        raise InputError(f"--executor: unknown value '{executor}'; valid: local, ray")
    if ray_address and executor != "ray":
        raise InputError("--ray-address: only with --executor ray")
    part = _parse_shard(shard) if shard else None
    if distributed:
        if part or executor == "ray":
            raise InputError("--distributed: each process takes its own share; leave out --shard and --executor")
        part = join_processes()
    _sweep(
        load_grid(grid),
        out,
        f"dashjax sweep {grid.stem}",
        workers=workers,
        chunk=chunk,
        shard=part,
        executor=executor,
        ray_address=ray_address,
    )


def _parse_shard(text: str) -> tuple[int, int]:
    index, _, count = text.partition("/")
    if not (index.isdigit() and count.isdigit()):
        raise InputError(f"--shard: expected i/n, for example 1/4, got '{text}'")
    return int(index), int(count)


@app.command()
def status(folder: Annotated[Path, typer.Argument(help="Results folder of a sweep.")]) -> None:
    """Say how far a sweep is, also while it runs."""
    from dashjax.sweep.watch import describe_status

    for line in describe_status(folder):
        console.print(line, highlight=False, soft_wrap=True)


@app.command()
def report(folder: Annotated[Path, typer.Argument(help="Results folder of a sweep.")]) -> None:
    """Write table, figures and page of what a sweep has finished, at any moment."""
    from dashjax.report import write_results
    from dashjax.sweep import Store, collect, make_study, parse_grid, read_manifest

    manifest = read_manifest(folder)
    grid = parse_grid(manifest["grid"], str(folder / "manifest.json"))
    with console.status("drawing the report"):
        study = make_study(grid)
        store = Store(folder, study.fingerprint, {"grid": manifest["grid"]})
        rows = write_results(collect(grid, study, store), grid, f"dashjax report {folder.name}")
    _print_table(rows, folder)


@app.command()
def check(
    expression: Annotated[Path, typer.Argument(help=EXPRESSION_HELP)],
    prior: Annotated[list[Path], typer.Argument(help=PRIOR_HELP)],
    genes: Genes = None,
    match: MatchOption = "exact",
    layer: Layer = None,
    time: TimeColumn = None,
    trajectory: TrajectoryColumn = None,
    bins: Bins = None,
) -> None:
    """Say what is in an expression file and a prior, and what may be wrong with them, before fitting."""
    from dashjax.jobs import check_files, verdict

    findings = check_files(expression, prior, genes, match, _cells(layer, time, trajectory, bins))
    source = None
    for finding in findings:
        if finding.source != source:
            source = finding.source
            console.print(source, style="bold", highlight=False, soft_wrap=True)
        _print_finding(finding)
    console.print(f"[bold]{verdict(findings)}[/bold]", soft_wrap=True)
    if any(finding.level == "error" for finding in findings):
        raise typer.Exit(2)


@app.command()
def fit(
    expression: Annotated[Path, typer.Option(help=EXPRESSION_HELP)],
    prior: Annotated[list[Path], typer.Option(help=PRIOR_HELP)],
    out: Out,
    method: Annotated[str, typer.Option(help="How to reach a sparse network; `dashjax methods` lists all.")] = "dash",
    genes: Genes = None,
    match: MatchOption = "exact",
    layer: Layer = None,
    time: TimeColumn = None,
    trajectory: TrajectoryColumn = None,
    bins: Bins = None,
    ppi: Annotated[
        Path | None, typer.Option(help="Protein interactions, as the input-input knowledge of DASH's first layer.")
    ] = None,
    lambda_1: Annotated[float, typer.Option(help="Trust of the input layer in the prior, 0 to 1.")] = 0.05,
    lambda_2: Annotated[float, typer.Option(help="Trust of the output layer in the prior, 0 to 1.")] = 0.01,
    strength: Annotated[float | None, typer.Option(help="The method's own number, see `dashjax methods`.")] = None,
    epochs: Annotated[int, typer.Option(help="Epochs at most.", min=1)] = 200,
    hidden: Annotated[int | None, typer.Option(help="Hidden units; 2.14·√genes by default.", min=1)] = None,
    validation: Annotated[float, typer.Option(help="Share of the data held out to select the model.")] = 0.1,
    seed: Annotated[int, typer.Option(help="Seeds weights, order and hold-out.", min=0)] = 0,
    tune: Annotated[
        int | None, typer.Option(help="Choose λ or the strength by so many folds, instead of giving it.")
    ] = None,
    ensemble: Annotated[
        int | None,
        typer.Option(help="Fit so many models on resampled trajectories; edges.tsv then holds edge probabilities."),
    ] = None,
    regulators: Annotated[
        Path | None, typer.Option(help="Genes that may regulate, one per line; all by default.")
    ] = None,
    precision: Annotated[
        float, typer.Option(help="Expected precision of the edges an ensemble marks as returned.")
    ] = 0.9,
) -> None:
    """Fit a sparse network to your own expression and prior."""
    from dashjax.jobs import fit_files

    with _bar("training") as update:
        summary = fit_files(
            expression=expression,
            priors=prior,
            out=out,
            method=method,
            genes_file=genes,
            match=match,
            trust=(lambda_1, lambda_2),
            strength=strength,
            epochs=epochs,
            hidden=hidden,
            validation=validation,
            seed=seed,
            ensemble=ensemble,
            tune=tune,
            precision=precision,
            regulators_file=regulators,
            ppi=ppi,
            cells=_cells(layer, time, trajectory, bins),
            on_epochs=update,
            on_finding=_warn,
        )
    for line in summary:
        console.print(line, highlight=False, soft_wrap=True)


@app.command()
def export(
    source: Annotated[Path, typer.Argument(help="Folder that `dashjax fit` wrote, or an edge list.")],
    to: Annotated[str, typer.Option(help="tsv, csv, parquet, beeline, decoupler or graphml.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="File to write.")],
    everything: Annotated[
        bool, typer.Option("--all", help="Also edges that an ensemble lists but does not return.")
    ] = False,
) -> None:
    """Write a fitted network for another program: BEELINE, decoupler, Cytoscape and others."""
    from dashjax.jobs import export_files

    for line in export_files(source, to, out, everything):
        console.print(line, highlight=False, soft_wrap=True)


@app.command()
def score(
    edges: Annotated[Path, typer.Argument(help="Folder that `dashjax fit` wrote, or an edge list.")],
    truth: Annotated[Path, typer.Argument(help="Reference network, in any format of a prior that names its genes.")],
    prior: Annotated[Path | None, typer.Option(help="The prior that was used, scored beside.")] = None,
    universe: Annotated[
        str, typer.Option(help="Pairs that count: all, no-self, or tf (only the reference's regulators).")
    ] = "no-self",
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder for scores.tsv and regulators.tsv; none by default.")
    ] = None,
) -> None:
    """Score edges against a reference network, also as BEELINE does, with the prior alone beside them."""
    from dashjax.io import make_folder, write_edges
    from dashjax.jobs import score_files

    scores, regulators, lines = score_files(edges, truth, prior, universe)
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("score")
    for name in scores["network"]:
        table.add_column(name, justify="right")
    for name in scores.columns.drop("network"):
        values = [f"{value:,.0f}" if name == "n_edges" else f"{value:.3f}" for value in scores[name]]
        table.add_row(name, *("–" if value == "nan" else value for value in values))
    console.print(table)
    for line in lines:
        console.print(line, highlight=False, soft_wrap=True)
    if out is not None:
        make_folder(out)
        write_edges(out / "scores.tsv", scores)
        write_edges(out / "regulators.tsv", regulators)
        console.print(f"scores: {out / 'scores.tsv'}, {out / 'regulators.tsv'}", highlight=False, soft_wrap=True)


@app.command()
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

    begin = _starts(expression, genes, _cells(layer, time, trajectory, bins), starts, horizon, seed)
    with _bar("genes") as update:
        table, lines = influence_files(model, out, edges, edges_only, begin, push, update)
    regulators = table[table["out_degree"] > 0]
    _print_top(
        regulators,
        {"gene": "regulator", "influence": "influence", "out_degree": "targets", "total_effect": "Σ|effect|"},
    )
    for line in lines:
        console.print(line, highlight=False, soft_wrap=True)


@app.command()
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

    begin = _starts(expression, genes, _cells(layer, time, trajectory, bins), starts, horizon, seed)
    with _bar("genes") as update:
        table, lines = pathways_files(model, sets, out, influence, permutations, min_size, begin, push, update)
    columns = {"pathway": "pathway", "genes": "genes", "z": "z", "p": "p", "benjamini_hochberg": "BH"}
    _print_top(table[table["tested"]], columns | {"bonferroni": "Bonferroni"})
    for line in lines:
        console.print(line, highlight=False, soft_wrap=True)


@app.command()
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

    begin = _starts(expression, genes, _cells(layer, time, trajectory, bins), starts, horizon, seed)
    with console.status("following the perturbed model"):
        table, lines = perturb_files(model, out, knock_out or (), over_express or (), edges, edges_only, begin)
    columns = {"gene": "gene", "relation": "relation", "response": "mean Δ", "spread": "sd", "final": "Δ at the end"}
    _print_top(table, columns)
    for line in lines:
        console.print(line, highlight=False, soft_wrap=True)


def _starts(expression, genes, cells, number: int, horizon: float | None, seed: int) -> Any:
    from dashjax.jobs import StartOptions

    return StartOptions(expression, genes, cells, number, horizon, seed)


def _print_top(rows, columns: dict[str, str], count: int = 10) -> None:
    """Print the first rows of a table under other headings."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for number, heading in enumerate(columns.values()):
        table.add_column(heading, justify="left" if number == 0 else "right", no_wrap=number > 0)
    for row in rows.head(count).to_dict("records"):
        values = [row[name] for name in columns]
        table.add_row(*(escape(v) if isinstance(v, str) else f"{v:.3g}" for v in values))
    console.print(table)


@app.command()
def compare(
    dataset: Annotated[str, typer.Option(help="dream4, beeline or simulated.")],
    out: Out,
    data: Annotated[Path | None, typer.Option(help="Folder of the dataset's files.")] = None,
    methods: Annotated[str | None, typer.Option(help="Names of rivals and of our methods, comma-separated.")] = None,
    priors: Annotated[str, typer.Option(help="Shares of misplaced prior edges, comma-separated; none: no prior.")] = (
        "none,0,0.1,0.2,0.4"
    ),
    only: Annotated[str | None, typer.Option(help="A part of the names of the networks wanted.")] = None,
    epochs: Annotated[int, typer.Option(help="Epochs of every run of our methods.", min=1)] = 60,
    seed: Annotated[int, typer.Option(help="Seeds priors, methods and forests.", min=0)] = 0,
) -> None:
    """Compare our methods with GENIE3, dynGENIE3, lasso, SINDy and others on data with a known network."""
    from dashjax.compare import METHOD_NAMES, load_tasks, table_of, write_comparison
    from dashjax.compare import compare as run

    names = METHOD_NAMES if methods is None else tuple(name.strip() for name in methods.split(","))
    corruptions = _parse_priors(priors)
    with console.status("loading"):
        tasks = load_tasks(dataset, data, only)
    with _bar("comparisons") as update:
        try:
            rows = run(tasks, out, names, corruptions, epochs, seed, update)
        except KeyboardInterrupt:
            console.print(f"\nInterrupted. Finished comparisons are kept; the same command goes on from there ({out}).")
            raise typer.Exit(130) from None
    means = write_comparison(rows, out, f"dashjax compare --dataset {dataset}")
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    headings, cells = table_of(means, compact=True)
    for number, heading in enumerate(headings):
        table.add_column(heading, justify="left" if number < 3 else "right", no_wrap=number == 0)
    for row in cells:
        table.add_row(*row, style="italic" if row[0] == "prior_only" else None)
    console.print(table)
    console.print(f"report: {out / 'report.html'}", soft_wrap=True, highlight=False)


def _parse_priors(text: str) -> list[float | None]:
    corruptions: list[float | None] = []
    for part in text.split(","):
        try:
            share = None if part.strip() == "none" else float(part)
        except ValueError:
            share = -1.0
        if share is not None and not 0 <= share <= 1:
            raise InputError(f"--priors: expected none or shares from 0 to 1, separated by commas, got '{part}'")
        corruptions.append(share)
    return corruptions


def _cells(layer: str | None, time: str | None, trajectory: str | None, bins: int | None) -> Any:
    from dashjax.io import CellOptions

    options = CellOptions(layer, time, trajectory, bins)
    return None if options == CellOptions() else options


def _print_finding(finding, prefix: str = "") -> None:
    marks = {"note": "  ", "warning": "[yellow]![/yellow] ", "error": "[red]✗[/red] "}
    console.print(marks[finding.level] + escape(prefix + finding.text), highlight=False, soft_wrap=True)


def _warn(finding) -> None:
    if finding.level == "warning":
        _print_finding(finding, f"{finding.source}: ")


@app.command()
def methods() -> None:
    """List the methods, and what their strength means."""
    from dashjax.training import METHODS

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("method", "strength", "what it is"):
        table.add_column(heading, no_wrap=heading == "method")
    for method in METHODS.values():
        table.add_row(method.name, "–" if method.strength is None else f"{method.strength:g}", method.summary)
    console.print(table)


@app.command()
def reproduce(
    study: Annotated[str, typer.Argument(help="sim350, sim690, prior-noise, mlp, edges; yeast, breast or hema.")],
    out: Out,
    data: Annotated[
        Path | None,
        typer.Option(help="For yeast, breast, hema: a clone of PHOENIX or DASH, or the bare files."),
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer tables, seeds, epochs and settings: minutes.")] = False,
    equations: Annotated[Path | None, typer.Option(help="A published system, node,eqn CSV; generated without.")] = None,
    names: Annotated[Path | None, typer.Option(help="Gene names in order, for --equations.")] = None,
    only: Annotated[str | None, typer.Option(help="One of the study's tables, for example noise-5.")] = None,
) -> None:
    """Reproduce a published study: every method run and set beside the published figures and the prior alone.

    Synthetic studies are simulated, and every method is tuned. Yeast, breast and hema read public files, with the
    published λ: `git clone https://github.com/QuackenbushLab/phoenix`, and DASH.
    """
    from dashjax.reproduce import MeasuredStudy, find_study, reproduce_measured, reproduce_simulated

    if names is not None and equations is None:
        raise InputError("--names: orders the genes of --equations, which is missing")
    plan = find_study(study)
    if only is not None:
        plan = plan.only(only)
    if quick:
        plan = plan.quick()
    if isinstance(plan, MeasuredStudy):
        if equations is not None:
            raise InputError(f"--equations: {study} is measured; --data is the folder of its files")
        if data is None:
            raise InputError(f"--data: the folder of the {study} files is missing; {plan.source} holds them")
    elif data is not None:
        raise InputError(f"--data: {study} is simulated; only yeast, breast and hema read files")
    with _bar("runs") as update:

        def show(stage, progress) -> None:
            done = f"{progress.finished}/{progress.runs} runs"
            found = f" ({progress.skipped} found finished)" if progress.skipped else ""
            update(progress.trained, progress.epochs, f"{stage}: {done}{found}", stage)

        try:
            if isinstance(plan, MeasuredStudy):
                assert data is not None, "checked above"
                reproduce_measured(plan, out, data, update)
            else:
                reproduce_simulated(plan, out, equations, names, show)
        except KeyboardInterrupt:
            console.print(f"\nInterrupted. Finished runs are kept; the same command goes on from there ({out}).")
            raise typer.Exit(130) from None
    print((out / "table.md").read_text(encoding="utf-8"))
    console.print(f"report: {out / 'report.html'}", soft_wrap=True, highlight=False)


@app.command()
def simulate(
    out: Out,
    genes: Annotated[int, typer.Option(help="Genes of a generated system.", min=5)] = 100,
    seed: Annotated[int, typer.Option(help="Seeds system, initial states, noise and corruption.", min=0)] = 0,
    trajectories: Annotated[int, typer.Option(help="Trajectories to simulate.", min=1)] = 160,
    times: Annotated[str, typer.Option(help="Observation times, comma-separated.")] = "0,2,3,7,9",
    noise: Annotated[float, typer.Option(help="Standard deviation of the observation noise.", min=0)] = 0.0,
    corruption: Annotated[float, typer.Option(help="Share of prior edges moved to false places.")] = 0.05,
    drop: Annotated[float, typer.Option(help="Share of prior edges left out.")] = 0.0,
    add: Annotated[float, typer.Option(help="False prior edges added, as a share of the true ones.")] = 0.0,
    flip: Annotated[float, typer.Option(help="Share of prior edges with the wrong sign.")] = 0.0,
    equations: Annotated[Path | None, typer.Option(help="A published system, node,eqn CSV.")] = None,
    names: Annotated[Path | None, typer.Option(help="Gene names in order, for --equations.")] = None,
    initial: Annotated[
        Path | None,
        typer.Option(help="PHOENIX CSV whose first observations to start from and whose times to report at."),
    ] = None,
) -> None:
    """Simulate trajectories, the true network and a corrupted prior."""
    from dashjax.jobs import simulate_files

    with console.status("simulating"):
        lines = simulate_files(
            out=out,
            genes=genes,
            seed=seed,
            trajectories=trajectories,
            times=times,
            noise=noise,
            corruption={"relocate": corruption, "drop": drop, "add": add, "flip": flip},
            equations=equations,
            names=names,
            initial=initial,
        )
    for line in lines:
        console.print(line, highlight=False)


def _sweep(grid, out: Path, title: str, shard: tuple[int, int] | None = None, **options: Any) -> None:
    from dashjax.report import write_results
    from dashjax.sweep import run_sweep

    with _bar("runs") as update:

        def show(progress) -> None:
            minutes = progress.seconds / 60
            rate = f"{progress.finished / minutes:.1f} runs/min" if progress.finished else "compiling and training"
            found = f" ({progress.skipped} found finished)" if progress.skipped else ""
            lost = f", {progress.diverged} diverged" if progress.diverged else ""
            text = f"{progress.finished}/{progress.runs} runs{found}, {rate}{lost}"
            update(progress.trained, progress.epochs, text)

        try:
            results = run_sweep(grid, out, show, shard=shard, **options)
        except KeyboardInterrupt:
            console.print(f"\nInterrupted. Finished runs are kept; the same command goes on from there ({out}).")
            raise typer.Exit(130) from None
    if shard is not None and shard != (1, 1):
        console.print(f"Shard {shard[0]}/{shard[1]} is done; `dashjax report {out}` shows all shards.", soft_wrap=True)
        return
    with console.status("drawing the report"):
        rows = write_results(results, grid, title)
    _print_table(rows, out)


def _print_table(rows, out: Path) -> None:
    from dashjax.report import printed_rows

    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    headings, cells = printed_rows(rows, compact=True)
    for number, heading in enumerate(headings):
        table.add_column(heading, justify="left" if number == 0 else "right", no_wrap=number > 0)
    for row in cells:
        table.add_row(*row, style="italic" if row[0].startswith("prior_only") else None)
    console.print(table)
    console.print("AUPR out: pairs the prior lacks. AUPR in: prior edges, true against false.")
    console.print("Edges: all non-zeros; an ensemble returns those expected to be 90 % true.")
    console.print(f"report: {out / 'report.html'}", soft_wrap=True, highlight=False)


@contextmanager
def _bar(what: str) -> Iterator[Any]:
    """Show progress: a bar on a terminal, a plain line every tenth of the way elsewhere."""
    if console.is_terminal:
        columns = (
            TextColumn(what),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %  {task.description}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
        )
        with Bar(*columns, console=console, transient=True) as bar:
            task = bar.add_task("", total=None)

            def advance(done, total, text="", stage=""):
                bar.update(task, completed=done, total=total, description=text)

            yield advance
    else:
        shown: dict[str, int] = {}

        def line(done, total, text="", stage=""):
            tenth = 10 * done // total if total else 10
            if tenth > shown.get(stage, -1):
                shown[stage] = tenth
                print(f"{what}: {10 * tenth} %  {text}", flush=True)

        yield line


@app.callback()
def keep_programs() -> None:
    """Keep compiled programs in the user's cache folder, so that the next command of the same shape starts at once.

    `JAX_COMPILATION_CACHE_DIR` names another folder; set but empty, it keeps nothing. Programs are tied to the
    processor they were compiled on, so each machine that shares a home has its own folder.
    """
    if "JAX_COMPILATION_CACHE_DIR" in os.environ:
        return
    import jax

    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    jax.config.update("jax_compilation_cache_dir", str(cache / "dashjax" / (platform.node() or "here")))


def main() -> None:
    """Run the command line; a user's mistake is one line on standard error and exit code 2."""
    try:
        code = app(standalone_mode=False)
    except InputError as error:
        message = str(error)
    except typer.Abort:
        sys.exit(130)
    except Exception as error:
        # What typer raises for a wrong command line knows how to say so, whichever click it is built on.
        if not hasattr(error, "format_message"):
            raise
        message = " ".join(error.format_message().split())
        if type(error).__name__ == "NoArgsIsHelpError":
            print(error.format_message())
            sys.exit(0)
    else:
        sys.exit(code if isinstance(code, int) else 0)
    print(f"dashjax: {message}", file=sys.stderr)
    sys.exit(2)


if __name__ == "__main__":
    main()

"""Commands that run a grid and show how far it is and what it found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dashjax.cli.options import (
    Bins,
    Force,
    Genes,
    GeneSymbols,
    Layer,
    Normalise,
    Out,
    TimeColumn,
    TrajectoryColumn,
    Transpose,
    cell_options,
    claim_folder,
    read_observed,
    refuse_descriptions,
)
from dashjax.cli.terminal import AS_IT_WAS, console, print_lines, print_summary, progress_bar
from dashjax.errors import InputError, unknown
from dashjax.interrupts import keeping

if TYPE_CHECKING:
    from dashjax.networks import Network
    from dashjax.sweep import Results

#: What `quickstart` runs: DASH, its baselines and our ensemble on a system small enough for a laptop.
QUICKSTART: dict[str, Any] = {
    "system": {"kind": "simulated", "genes": 100, "seed": 0},
    "trajectories": {"train": 140, "validation": 10, "test": 10},
    "noise": 0.025,
    "prior_corruption": 0.05,
    "methods": [{"name": "posterior", "epochs": 40}, "dense", "imp", "bioprune", "dash"],
    "seeds": 3,
    "epochs": 120,
}


def quickstart(context: typer.Context, out: Out = Path("dashjax-quickstart"), force: Force = False) -> None:
    """Simulate a 100-gene system, run five methods × 3 seeds on it, print a table and write a report."""
    from dashjax.sweep import parse_grid

    console.print("A simulated 100-gene system, 5 % of its prior edges misplaced, noise sd 0.025.")
    results = run_grid(context, parse_grid(QUICKSTART, "quickstart"), out, "dashjax quickstart")
    assert results is not None, "not a shard"
    with console.status("drawing the network"):
        network = write_found(results, out / "network")
    edges = network.edges.query("returned")
    console.print(
        f"The network that {network.how['method']} found, {len(edges)} edges, {(~edges['in_prior']).sum()} of them not "
        f"in the prior; open this first: {out / 'network' / 'report.html'}",
        soft_wrap=True,
        highlight=False,
    )


def write_found(results: Results, folder: Path) -> Network:
    """Write the folder of the network that the first run of a sweep's first method found, and return it."""
    from dashjax.engine import find_network
    from dashjax.io.result_folder import how_made
    from dashjax.report import observed_of, write_network

    cell = next(iter(results.cells.values()))
    made = how_made(results.store.folder, "sweep")
    lasting = {name: part for name, part in made.items() if name not in ("command", "folder")}
    network = replace(find_network(cell, results.store), provenance=lasting)
    write_network(folder, network, None, observed_of(cell.problem), ["the prior"], "The network of the quickstart")
    return network


def sweep(
    context: typer.Context,
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
    force: Force = False,
) -> None:
    """Run a grid of systems, noise levels, methods and seeds; finished runs in --out are not repeated."""
    from dashjax.engine.processes import join_processes
    from dashjax.sweep import load_grid

    if executor not in (known := ("local", "ray")):
        raise InputError(f"--executor: {unknown('value', executor, known)}")
    if ray_address and executor != "ray":
        raise InputError("--ray-address: only with --executor ray")
    part = _parse_shard(shard) if shard else None
    if distributed:
        if part or executor == "ray":
            raise InputError("--distributed: each process takes its own share; leave out --shard and --executor")
        part = join_processes()
    run_grid(
        context,
        load_grid(grid),
        out,
        f"dashjax sweep {grid.stem}",
        workers=workers,
        chunk=chunk,
        shard=part,
        executor=executor,
        ray_address=ray_address,
    )


def status(folder: Annotated[Path, typer.Argument(help="Results folder of a sweep.")]) -> None:
    """Say how far a sweep is, also while it runs."""
    from dashjax.sweep.watch import describe_status

    print_lines(describe_status(folder))


def report(
    folder: Annotated[Path, typer.Argument(help="Results folder of a sweep, or one that `dashjax fit` wrote.")],
    expression: Annotated[
        Path | None, typer.Option(help="Of a fitted network: what it was fitted to, whose courses the page shows.")
    ] = None,
    genes: Genes = None,
    layer: Layer = None,
    time: TimeColumn = None,
    trajectory: TrajectoryColumn = None,
    bins: Bins = None,
    gene_symbols: GeneSymbols = None,
    normalise: Normalise = None,
    transpose: Transpose = False,
) -> None:
    """Write table, figures and page of what a sweep has finished, at any moment, or the page of a fitted network."""
    from dashjax.engine import read_manifest
    from dashjax.networks.network_file import FILE
    from dashjax.report import write_network_page, write_results
    from dashjax.sweep import collect_sweep, parse_grid

    cells = cell_options(layer, time, trajectory, bins, gene_symbols=gene_symbols, normalise=normalise)
    refuse_descriptions(expression, genes, cells, "--genes, --layer, --time, --trajectory, --bins")
    if (folder / FILE).is_file():
        with console.status("drawing the report"):
            observed = None if expression is None else read_observed(folder, expression, genes, cells, transpose)
            write_network_page(folder, observed)
        console.print(f"report: {folder / 'report.html'}", soft_wrap=True, highlight=False)
        return
    if expression is not None:
        raise InputError(f"{folder} holds no fitted network to show expression with", "expression")
    manifest = read_manifest(folder)
    grid = parse_grid(manifest.get("grid"), str(folder / "manifest.json"))
    with console.status("drawing the report"):
        rows = write_results(collect_sweep(grid, folder), grid, f"dashjax report {folder.name}")
    print_summary(rows, folder)


def run_grid(
    context: typer.Context, grid, out: Path, title: str, shard: tuple[int, int] | None = None, **options: Any
) -> Results | None:
    """Run a grid, and write, print and return what it found; of a shard, only say that it is done."""
    from dashjax.report import write_results
    from dashjax.sweep import run_sweep

    with claim_folder(context, "results.parquet", "sweep", grid.files, grid_as_read=grid.model_dump(mode="json")):
        with progress_bar("runs") as update:

            def show(progress) -> None:
                minutes = progress.seconds / 60
                rate = f"{progress.finished / minutes:.1f} runs/min" if progress.finished else "compiling and training"
                found = f" ({progress.skipped} found finished)" if progress.skipped else ""
                lost = f", {progress.diverged} diverged" if progress.diverged else ""
                text = f"{progress.finished}/{progress.runs} runs{found}, {rate}{lost}"
                update(*progress.done, text, left=progress.left)

            with keeping(AS_IT_WAS.format(out=out)):
                results = run_sweep(grid, out, show, shard=shard, **options)
        if shard is not None and shard != (1, 1):
            console.print(
                f"Shard {shard[0]}/{shard[1]} is done; `dashjax report {out}` shows all shards.", soft_wrap=True
            )
            return None
        with console.status("drawing the report"):
            rows = write_results(results, grid, title)
    print_summary(rows, out)
    return results


def _parse_shard(text: str) -> tuple[int, int]:
    index, _, count = text.partition("/")
    if not all(part.isascii() and part.isdecimal() and len(part) < 10 for part in (index, count)):
        raise InputError(f"--shard: expected i/n, for example 1/4, got '{text}'")
    return int(index), int(count)

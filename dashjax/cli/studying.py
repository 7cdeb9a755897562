"""Commands about methods: list and compare them, reproduce the published studies, simulate data."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from dashjax.cli.options import Force, Out, claim_folder
from dashjax.cli.terminal import AS_IT_WAS, console, print_lines, progress_bar
from dashjax.errors import LARGEST_SEED, InputError
from dashjax.interrupts import keeping


def compare(
    context: typer.Context,
    dataset: Annotated[str, typer.Option(help="dream4, beeline, simulated or measured.")],
    out: Out,
    data: Annotated[Path | None, typer.Option(help="Folder of the dataset's files.")] = None,
    methods: Annotated[str | None, typer.Option(help="Names of rivals and of our methods, comma-separated.")] = None,
    priors: Annotated[
        str | None,
        typer.Option(
            help="Shares of misplaced prior edges, comma-separated; none: no prior. none,0,0.1,0.2,0.4 if not given; "
            "not for measured, whose priors are its own."
        ),
    ] = None,
    only: Annotated[str | None, typer.Option(help="A part of the names of the networks wanted.")] = None,
    epochs: Annotated[int, typer.Option(help="Epochs of every run of our methods.", min=1, max=10_000_000)] = 60,
    seed: Annotated[int, typer.Option(help="Seeds priors, methods and forests.", min=0, max=LARGEST_SEED)] = 0,
    force: Force = False,
) -> None:
    """Compare our methods with GENIE3, dynGENIE3, lasso, SINDy and others on data with a known network."""
    from dashjax.compare import CORRUPTIONS, MEASURED_METHODS, METHOD_NAMES, table_of, what_data_add, write_comparison
    from dashjax.compare import compare as run
    from dashjax.problems import OWN_PRIORS, load_problems, missing

    own = dataset in OWN_PRIORS
    if own and priors is not None:
        raise InputError(f"--priors: the problems of {dataset} have priors of their own")
    usual = MEASURED_METHODS if own else METHOD_NAMES
    names = usual if methods is None else tuple(name.strip() for name in methods.split(","))
    corruptions = None if own else CORRUPTIONS if priors is None else _parse_priors(priors)
    with console.status("loading"):
        problems = load_problems(dataset, data, only)
    if own and data is not None:
        print_lines(missing(data))
    with claim_folder(context, "results.parquet", "compare"):
        with progress_bar("comparisons") as update:

            def show(progress) -> None:
                found = f", {progress.skipped} found finished" if progress.skipped else ""
                text = f"{progress.finished}/{progress.runs} networks{found}"
                update(progress.finished, progress.runs, text, left=progress.left)

            with keeping(AS_IT_WAS.format(out=out)):
                rows = run(problems, out, names, corruptions, epochs, seed, show)
        means = write_comparison(rows, out, f"dashjax compare --dataset {dataset}")
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    headings, cells = table_of(means, compact=True)
    for number, heading in enumerate(headings):
        table.add_column(heading, justify="left" if number < 3 else "right", no_wrap=number == 0)
    for row in cells:
        table.add_row(*row, style="italic" if row[0] == "prior_only" else None)
    console.print(table)
    print_lines(["", *found] if (found := what_data_add(means)) else [])
    console.print(f"report: {out / 'report.html'}", soft_wrap=True, highlight=False)


def methods() -> None:
    """List the methods, and what their strength means."""
    from dashjax.methods import METHODS

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("method", "strength", "what it is"):
        table.add_column(heading, no_wrap=heading == "method")
    for method in METHODS.values():
        table.add_row(method.name, "–" if method.strength is None else f"{method.strength:g}", method.summary)
    console.print(table)


def reproduce(
    context: typer.Context,
    study: Annotated[
        str,
        typer.Argument(
            help="sim350, sim690, prior-noise, mlp, edges, added; yeast, breast or hema; or all of them: all."
        ),
    ],
    out: Out,
    data: Annotated[
        Path | None,
        typer.Option(help="For yeast, breast, hema: a clone of PHOENIX or DASH, or the bare files."),
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer tables, seeds, epochs and settings: minutes.")] = False,
    equations: Annotated[Path | None, typer.Option(help="A published system, node,eqn CSV; generated without.")] = None,
    names: Annotated[Path | None, typer.Option(help="Gene names in order, for --equations.")] = None,
    only: Annotated[str | None, typer.Option(help="One of the study's tables, for example noise-5.")] = None,
    force: Force = False,
) -> None:
    """Reproduce a published study: every method run and set beside the published figures and the prior alone.

    Synthetic studies are simulated, and every method is tuned. Yeast, breast and hema read public files, with the
    published λ: `git clone https://github.com/QuackenbushLab/phoenix`, and DASH.
    """
    from dashjax.reproduce import MeasuredStudy, find_study, reproduce_all, reproduce_measured, reproduce_simulated

    if names is not None and equations is None:
        raise InputError("--names: orders the genes of --equations, which is missing")
    run: Callable[..., Any]
    if study == "all":
        if only is not None:
            raise InputError("--only: one study's tables; name the study in place of all")
        run = partial(reproduce_all, out, quick, data, equations, names)
    else:
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
            run = partial(reproduce_measured, plan, out, data)
        else:
            if data is not None:
                raise InputError(f"--data: {study} is simulated; only yeast, breast and hema read files")
            run = partial(reproduce_simulated, plan, out, equations, names)
    with progress_bar("runs") as update:

        def show(stage, progress) -> None:
            done = f"{progress.finished}/{progress.runs} runs"
            found = f" ({progress.skipped} found finished)" if progress.skipped else ""
            update(*progress.done, f"{stage}: {done}{found}", stage, progress.left)

        with claim_folder(context, "table.md", "reproduce"), keeping(AS_IT_WAS.format(out=out)):
            run(on_progress=show)
    print((out / "table.md").read_text(encoding="utf-8"))
    console.print(f"report: {out / 'report.html'}", soft_wrap=True, highlight=False)


def simulate(
    context: typer.Context,
    out: Out,
    genes: Annotated[int | None, typer.Option(help="Genes of a generated system; 100 by default.", min=5)] = None,
    seed: Annotated[
        int, typer.Option(help="Seeds system, initial states, noise and corruption.", min=0, max=LARGEST_SEED)
    ] = 0,
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
    knockouts: Annotated[
        int, typer.Option(help="Genes to knock out, each in a sample at rest of its own; drawn unless all are.", min=0)
    ] = 0,
    knockdowns: Annotated[
        int, typer.Option(help="Genes to knock down by half, each in a sample at rest of its own.", min=0)
    ] = 0,
    steady: Annotated[bool, typer.Option("--steady", help="Add a sample of the wild type at rest.")] = False,
    force: Force = False,
) -> None:
    """Simulate trajectories, the true network and a corrupted prior; on demand, samples at rest too.

    Trajectories start from drawn states, inputs included. Samples at rest (steady.csv, interventions.csv) are of the
    same system, but all belong to one culture whose inputs hold fixed levels.
    """
    from dashjax.problems import simulate_files

    if genes is not None and equations is not None:
        raise InputError("--genes: a published system (--equations) has its own")
    with claim_folder(context, "trajectories.csv"), console.status("simulating"):
        lines = simulate_files(
            out=out,
            genes=genes or 100,
            seed=seed,
            trajectories=trajectories,
            times=times,
            noise=noise,
            corruption={"relocate": corruption, "drop": drop, "add": add, "flip": flip},
            equations=equations,
            names=names,
            initial=initial,
            knockouts=knockouts,
            knockdowns=knockdowns,
            steady=steady,
        )
    print_lines(lines)


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

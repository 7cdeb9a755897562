"""Commands that take a user's own files: check and fit them, export and score the network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from dashjax.cli.options import (
    EXPRESSION_HELP,
    PRIOR_HELP,
    Bins,
    Control,
    Force,
    Genes,
    GeneSymbols,
    Interventions,
    Layer,
    MatchOption,
    Normalise,
    Out,
    Perturbation,
    Steady,
    TimeColumn,
    TrajectoryColumn,
    Transpose,
    cell_options,
    claim_folder,
    refuse_descriptions,
)
from dashjax.cli.terminal import AS_IT_WAS, console, print_finding, print_lines, print_warning, progress_bar
from dashjax.errors import LARGEST_SEED, InputError, refuse_outside, unknown
from dashjax.interrupts import keeping

#: Numbers beyond which there is a mistake.
MOST_EPOCHS, MOST_HIDDEN, MOST_MEMBERS = 10_000_000, 100_000, 10_000
#: Options that describe an expression, for messages.
DESCRIBING = "--genes, --layer, --time, --trajectory, --bins, --perturbation, --control"


def check(
    expression: Annotated[Path | None, typer.Argument(help=f"{EXPRESSION_HELP} With --steady, - for none.")] = None,
    prior: Annotated[list[Path] | None, typer.Argument(help=PRIOR_HELP)] = None,
    genes: Genes = None,
    match: MatchOption = "exact",
    layer: Layer = None,
    time: TimeColumn = None,
    trajectory: TrajectoryColumn = None,
    bins: Bins = None,
    perturbation: Perturbation = None,
    control: Control = None,
    gene_symbols: GeneSymbols = None,
    normalise: Normalise = None,
    transpose: Transpose = False,
    steady: Steady = None,
    interventions: Interventions = None,
) -> None:
    """Say what is in files of expression, experiments and priors, and what may be wrong with them, before fitting."""
    from dashjax.problems import check_files, verdict

    given = None if expression == Path("-") else expression
    if given is None and steady is None:
        raise InputError("EXPRESSION: needs expression over time, samples at rest (--steady), or both")
    cells = cell_options(layer, time, trajectory, bins, perturbation, control, gene_symbols, normalise)
    refuse_descriptions(given, genes, cells, DESCRIBING)
    findings = check_files(given, prior, genes, match, cells, steady, interventions, transpose)
    source = None
    for finding in findings:
        if finding.source != source:
            source = finding.source
            console.print(source, style="bold", highlight=False, soft_wrap=True)
        print_finding(finding)
    console.print(f"[bold]{verdict(findings)}[/bold]", soft_wrap=True)
    if any(finding.level == "error" for finding in findings):
        raise typer.Exit(2)


def fit(
    context: typer.Context,
    out: Out,
    expression: Annotated[Path | None, typer.Option(help=f"{EXPRESSION_HELP} None is needed with --steady.")] = None,
    prior: Annotated[list[Path] | None, typer.Option(help=f"{PRIOR_HELP} None is needed.")] = None,
    method: Annotated[str, typer.Option(help="What fits the network; `dashjax methods` lists all.")] = "posterior",
    genes: Genes = None,
    match: MatchOption = "exact",
    layer: Layer = None,
    time: TimeColumn = None,
    trajectory: TrajectoryColumn = None,
    bins: Bins = None,
    perturbation: Perturbation = None,
    control: Control = None,
    gene_symbols: GeneSymbols = None,
    normalise: Normalise = None,
    transpose: Transpose = False,
    ppi: Annotated[
        Path | None, typer.Option(help="Protein interactions, as the input-input knowledge of DASH's first layer.")
    ] = None,
    lambda_1: Annotated[float, typer.Option(help="Trust of the input layer in the prior, 0 to 1.")] = 0.05,
    lambda_2: Annotated[float, typer.Option(help="Trust of the output layer in the prior, 0 to 1.")] = 0.01,
    strength: Annotated[float | None, typer.Option(help="The method's own number, see `dashjax methods`.")] = None,
    epochs: Annotated[
        int | None, typer.Option(help="Epochs of every run; the method's own by default.", min=1, max=MOST_EPOCHS)
    ] = None,
    field: Annotated[str, typer.Option(help="Base model of methods without their own: phoenix, mlp.")] = "phoenix",
    hidden: Annotated[
        int | None, typer.Option(help="Hidden units; 2.14·√genes by default.", min=1, max=MOST_HIDDEN)
    ] = None,
    validation: Annotated[float, typer.Option(help="Share of the data held out to select the model.")] = 0.1,
    seed: Annotated[int, typer.Option(help="Seeds weights, order and hold-out.", min=0, max=LARGEST_SEED)] = 0,
    tune: Annotated[
        int | None, typer.Option(help="Choose λ or the strength by so many folds, instead of giving it.")
    ] = None,
    ensemble: Annotated[
        int | None,
        typer.Option(help="Members of a posterior, fitted on resampled trajectories; gives any other method one."),
    ] = None,
    regulators: Annotated[
        Path | None, typer.Option(help="Genes that may regulate, one per line; all by default.")
    ] = None,
    steady: Steady = None,
    interventions: Interventions = None,
    precision: Annotated[
        float, typer.Option(help="Expected precision of the edges that a posterior marks as returned.")
    ] = 0.9,
    force: Force = False,
) -> None:
    """Fit a network to your own expression, over time or at rest, and, if you have one, a prior."""
    from dashjax.dynamics import FIELDS
    from dashjax.inference import Tuned, describe, infer, progress_text
    from dashjax.io import check_writable
    from dashjax.problems import read_problem
    from dashjax.report import observed_of, write_network
    from dashjax.training import FitConfig

    if field not in FIELDS:
        raise InputError(unknown("field", field, list(FIELDS)), "field")
    if ensemble is not None:
        refuse_outside(ensemble, 1, MOST_MEMBERS, "ensemble")
    cells = cell_options(layer, time, trajectory, bins, perturbation, control, gene_symbols, normalise)
    refuse_descriptions(expression, genes, cells, DESCRIBING)
    check_writable(out)
    problem = read_problem(
        expression,
        prior,
        regulators=regulators,
        cells=cells,
        genes=genes,
        match=match,
        similarity=ppi,
        steady=steady,
        interventions=interventions,
        validation=validation,
        transpose=transpose,
    )
    for finding in problem.findings:
        print_warning(finding)
    options = {"hidden": hidden} if "hidden" in FIELDS[field].__dataclass_fields__ else {}
    tuned: list[Tuned] = []
    with claim_folder(context, "edges.tsv") as made:
        with progress_bar("training") as update, keeping(AS_IT_WAS.format(out=out)):
            network = infer(
                problem,
                method,
                seed=seed,
                epochs=epochs,
                members=ensemble,
                trust=(lambda_1, lambda_2),
                strength=strength,
                precision=precision,
                tune=tune,
                config=FitConfig(field=FIELDS[field](**options)),
                folder=out / "runs",
                on_progress=lambda p: update(*p.done, progress_text(p), left=""),
                on_tuned=tuned.append,
            )
        network = replace(network, provenance=made)
        sources = [str(path) for path in prior or ()]
        write_network(out, network, tuned[0].tried if tuned else None, observed_of(problem), sources)
    for finding in network.findings[len(problem.findings) :]:
        print_finding(finding, f"{finding.source}: ")
    known = f"{problem.prior.n_edges} prior edges" if prior else "no prior"
    edges = network.edges
    print_lines(
        [
            f"{len(problem.genes)} genes, {_experiments(problem)}, {known}",
            # What was chosen for the user, who may have forgotten to.
            *(f"{found.text} (--time chooses)" for found in problem.findings if _guessed(found, time)),
            *describe(network, sources),
            *(choice.why for choice in tuned),
            f"{len(edges)} edges listed ({int(edges['in_prior'].sum())} of them in the prior): {out / 'edges.tsv'}",
            f"report: {out / 'report.html'}",
        ]
    )


def _guessed(finding, time: str | None) -> bool:
    """Say whether a finding tells which column was taken for the time, where none was named."""
    return time is None and finding.text.startswith("time is '")


def _experiments(problem) -> str:
    """Count a problem's trajectories and samples at rest, in words."""
    courses, samples = len(problem.trajectories), len(problem.samples)
    words = [f"{courses} trajector{'y' if courses == 1 else 'ies'}"] if courses or not samples else []
    return ", ".join([*words, f"{samples} sample{'' if samples == 1 else 's'} at rest"] if samples else words)


def export(
    source: Annotated[Path, typer.Argument(help="Folder that `dashjax fit` wrote, or an edge list.")],
    to: Annotated[str, typer.Option(help="tsv, csv, parquet, beeline, decoupler or graphml.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="File to write.")],
    everything: Annotated[
        bool, typer.Option("--all", help="Also edges that an ensemble lists but does not return.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that exists.")] = False,
) -> None:
    """Write a fitted network for another program: BEELINE, decoupler, Cytoscape and others."""
    from dashjax.io import check_writable, make_folder, read_edges
    from dashjax.io.export import EXPORTS
    from dashjax.networks.reference import edges_file

    if to not in EXPORTS:
        raise InputError(unknown("value", to, list(EXPORTS)), "to")
    if out.exists() and not (force and out.is_file()):
        raise InputError(f"{out}: exists; choose another name{', or --force to write over it' * out.is_file()}")
    check_writable(out.parent)
    edges = read_edges(edges_file(source))
    listed = len(edges)
    if "returned" in edges and not everything and to != "beeline":
        edges = edges[edges["returned"]]
    make_folder(out.parent)
    EXPORTS[to][1](out, edges)
    console.print(f"{len(edges):,} of {listed:,} edges: {out}", highlight=False, soft_wrap=True)


def score(
    context: typer.Context,
    edges: Annotated[Path, typer.Argument(help="Folder that `dashjax fit` wrote, or an edge list.")],
    truth: Annotated[Path, typer.Argument(help="Reference network, in any format of a prior that names its genes.")],
    prior: Annotated[Path | None, typer.Option(help="The prior that was used, scored beside.")] = None,
    universe: Annotated[
        str, typer.Option(help="Pairs that count: all, no-self, or tf (only the reference's regulators).")
    ] = "no-self",
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder for scores.tsv and regulators.tsv; none by default.")
    ] = None,
    force: Force = False,
) -> None:
    """Score edges against a reference network, also as BEELINE does, with the prior alone beside them."""
    from dashjax.io import write_table
    from dashjax.io.result_folder import published
    from dashjax.networks.reference import score_files

    scores, regulators, lines = score_files(edges, truth, prior, universe)
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("score")
    for name in scores["network"]:
        table.add_column(name, justify="right")
    for name in scores.columns.drop("network"):
        values = [f"{value:,.0f}" if name == "n_edges" else f"{value:.3f}" for value in scores[name]]
        table.add_row(name, *("–" if value == "nan" else value for value in values))
    console.print(table)
    print_lines(lines)
    if out is not None:
        with claim_folder(context, "scores.tsv"), published(out, "score") as part:
            write_table(part / "scores.tsv", scores)
            write_table(part / "regulators.tsv", regulators)
        console.print(f"scores: {out / 'scores.tsv'}, {out / 'regulators.tsv'}", highlight=False, soft_wrap=True)

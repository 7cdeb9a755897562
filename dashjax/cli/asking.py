"""Commands that ask a fitted model: what its genes influence, and what follows from perturbing them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dashjax.cli.options import (
    Bins,
    Edges,
    EdgesOnly,
    Force,
    Genes,
    GeneSymbols,
    Horizon,
    Layer,
    Model,
    Normalise,
    NumberOfStarts,
    Observed,
    Out,
    Push,
    Seed,
    TimeColumn,
    TrajectoryColumn,
    Transpose,
    cell_options,
    claim_folder,
    read_model,
    read_starts,
)
from dashjax.cli.terminal import console, print_lines, print_top, progress_bar
from dashjax.errors import InputError, refuse_outside

if TYPE_CHECKING:
    from dashjax.networks import Network

#: Permutations beyond which there is a mistake.
MANY_PERMUTATIONS = 10_000_000


def influence(
    context: typer.Context,
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
    gene_symbols: GeneSymbols = None,
    normalise: Normalise = None,
    transpose: Transpose = False,
    starts: NumberOfStarts = 200,
    push: Push = 0.1,
    horizon: Horizon = None,
    seed: Seed = 0,
    force: Force = False,
) -> None:
    """Rank genes by how far a push of each carries through a fitted model, and regulators by what they do."""
    from dashjax.questions import influence_table
    from dashjax.report import write_influence

    network = read_model(model, edges)
    cells = cell_options(layer, time, trajectory, bins, gene_symbols=gene_symbols, normalise=normalise)
    begin = read_starts(network, expression, genes, cells, starts, horizon, seed, transpose)
    with claim_folder(context, "influence.tsv"):
        with progress_bar("genes") as update:
            measured = network.measure_influence(
                begin.states, begin.times, push, edges_only=edges_only, on_genes=update
            )
        table = influence_table(measured, network.acting, network.genes)
        write_influence(out, table)
    regulators = table[table["out_degree"] > 0]
    print_top(
        regulators if len(regulators) else table,
        {
            "gene": "regulator" if len(regulators) else "gene",
            "influence": "influence",
            "out_degree": "targets",
            "total_effect": "Σ|effect|",
        },
    )
    print_lines(
        [
            f"{len(table):,} genes, {len(regulators):,} of them regulators; each pushed by {push:g} of its range from "
            f"{begin.words} and followed to time {begin.times[-1]:.3g}",
            f"influence: {out / 'influence.tsv'}",
            f"report: {out / 'influence.html'}",
        ]
    )


def pathways(
    context: typer.Context,
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
    gene_symbols: GeneSymbols = None,
    normalise: Normalise = None,
    transpose: Transpose = False,
    starts: NumberOfStarts = 200,
    push: Push = 0.1,
    horizon: Horizon = None,
    seed: Seed = 0,
    force: Force = False,
) -> None:
    """Test gene sets for more influence than as many genes at random have."""
    import jax
    import numpy as np

    from dashjax.io import read_gene_values
    from dashjax.questions import influence_table, pathway_table, permutation_tests
    from dashjax.questions.gene_sets import read_members
    from dashjax.report import write_influence, write_pathways

    for name, value in (("permutations", permutations), ("min_size", min_size)):
        refuse_outside(value, 1, MANY_PERMUTATIONS, name)
    if influence is not None and expression is not None:
        raise InputError("was measured from starts of its own; leave out --expression", "influence")
    network = read_model(model, None)
    members = read_members(sets, network.genes)
    places = [np.array(sorted(own), dtype=int) for own in members.values()]
    tested = np.flatnonzero([len(own) >= min_size for own in places])
    if not len(tested):
        raise InputError(
            f"{sets}: no gene set has {min_size} genes of the network, the largest has {max(map(len, places))}; "
            "--min-size lowers that"
        )
    cells = cell_options(layer, time, trajectory, bins, gene_symbols=gene_symbols, normalise=normalise)
    begin = read_starts(network, expression, genes, cells, starts, horizon, seed, transpose)
    with claim_folder(context, "pathways.tsv"):
        with progress_bar("genes") as update:
            if influence is None:
                measured = network.measure_influence(begin.states, begin.times, push, on_genes=update)
                write_influence(out, influence_table(measured, network.acting, network.genes), "pathways")
                values = np.asarray(measured.mean)
            else:
                found = read_gene_values(influence, "influence")
                missing = [gene for gene in network.genes if gene not in found]
                if missing:
                    raise InputError(
                        f"{influence}: lacks {len(missing)} of the network's {len(network.genes)} genes, "
                        f"'{missing[0]}' first"
                    )
                values = np.array([found[gene] for gene in network.genes])
            chosen = [places[number] for number in tested]
            test = permutation_tests(jax.random.key(seed), values, chosen, permutations, update)
        table = pathway_table(test, tested, places, values, tuple(members), network.genes)
        write_pathways(out, table)
    discovered, least = table[table["benjamini_hochberg"] < 0.05], len(tested) / (permutations + 1)
    lines = [
        f"{len(tested):,} gene sets tested against {permutations:,} permutations, {len(places) - len(tested):,} left "
        f"out with fewer than {min_size} genes of the network",
        f"{len(discovered):,} at a false discovery rate of 5 %, {(table['bonferroni'] < 0.05).sum():,} after "
        "Bonferroni",
    ]
    if least >= 0.05:
        lines.append(
            f"Bonferroni cannot go below {min(least, 1.0):.2g} here: {20 * len(tested):,} --permutations would allow "
            "5 %"
        )
    lines += [f"pathways: {out / 'pathways.tsv'}", f"report: {out / 'pathways.html'}"]
    columns = {"pathway": "pathway", "genes": "genes", "z": "z", "p": "p", "benjamini_hochberg": "BH"}
    print_top(table[table["tested"]], columns | {"bonferroni": "Bonferroni"})
    print_lines(lines)


def perturb(
    context: typer.Context,
    model: Model,
    out: Out,
    knock_out: Annotated[
        list[str] | None, typer.Option(help="Gene to hold without expression; several if given several times.")
    ] = None,
    knock_down: Annotated[
        list[str] | None,
        typer.Option(help="GENE=SHARE: gene of whose production a share is left; several if given several times."),
    ] = None,
    over_express: Annotated[
        list[str] | None, typer.Option(help="GENE=LEVEL: gene to hold at a level; several if given several times.")
    ] = None,
    at_rest: Annotated[
        bool, typer.Option("--at-rest", help="Predict the levels at which genes settle too, with intervals.")
    ] = False,
    edges: Edges = None,
    edges_only: EdgesOnly = False,
    expression: Observed = None,
    genes: Genes = None,
    layer: Layer = None,
    time: TimeColumn = None,
    trajectory: TrajectoryColumn = None,
    bins: Bins = None,
    gene_symbols: GeneSymbols = None,
    normalise: Normalise = None,
    transpose: Transpose = False,
    starts: NumberOfStarts = 200,
    horizon: Horizon = None,
    seed: Seed = 0,
    force: Force = False,
) -> None:
    """Knock genes of a fitted model out or down or over-express them, and say who responds, directly or downstream."""
    from dashjax.questions import response_table
    from dashjax.report import perturbation_name, write_response

    network = read_model(model, edges)
    out_of, down = knock_out or [], _numbers(knock_down or (), "knock_down", "GENE=SHARE, for example GATA1=0.5")
    held = _numbers(over_express or (), "over_express", "GENE=LEVEL, for example GATA1=1.5")
    cells = cell_options(layer, time, trajectory, bins, gene_symbols=gene_symbols, normalise=normalise)
    begin = read_starts(network, expression, genes, cells, starts, horizon, seed, transpose)
    part = perturbation_name(out_of, down, held)
    with claim_folder(context, f"{part}/response.tsv", part=part):
        with console.status("following the perturbed model"):
            response, perturbed = network.respond(out_of, held, begin.states, begin.times, edges_only, knock_down=down)
            settled = None
            if at_rest:
                observed = None if expression is None else begin.states
                settled = network.at_rest(out_of, held, down, observed, edges_only)
        table = response_table(response, network.acting, perturbed, network.genes)
        words = _what_is_done(network, out_of, down, held)
        write_response(out, table, response, network.genes, words, settled, part)
    lines = [
        f"{words}, from {begin.words}, followed to time {begin.times[-1]:.3g}",
        describe_reach(table),
        f"responses: {out / part / 'response.tsv'}, {out / part / 'trajectories.tsv'}",
    ]
    columns = {"gene": "gene", "relation": "relation", "response": "mean Δ", "spread": "sd", "final": "Δ at the end"}
    lines.append(f"report: {out / part / 'response.html'}")
    print_top(table, columns)
    if settled is not None:
        lines.append(f"levels at rest, with intervals of 90 %: {out / part / 'at_rest.tsv'}")
        others = settled[~perturbed]
        strongest = others.loc[others["change"].abs().sort_values(ascending=False, kind="stable").index]
        columns = {"gene": "at rest", "change": "Δ", "usual": "usual", "level": "level", "low": "5 %", "high": "95 %"}
        print_top(strongest, columns)
    print_lines(lines)


def _what_is_done(
    network: Network, knock_out: Sequence[str], knock_down: Mapping[str, float], held: Mapping[str, float]
) -> str:
    """Say what is done to genes, and where a knocked-out one is held unless that is at zero."""
    floor = {} if network.floor is None else dict(zip(network.genes, network.floor, strict=True))
    lowest = {gene: f" (held at {floor[gene]:.3g}, the lowest seen)" for gene in knock_out if floor.get(gene)}
    return " and ".join(
        [f"{gene} knocked out{lowest.get(gene, '')}" for gene in knock_out]
        + [f"{gene} knocked down to {share:g} of its production" for gene, share in knock_down.items()]
        + [f"{gene} held at {level:g}" for gene, level in held.items()]
    )


def _numbers(texts: Sequence[str], argument: str, expected: str) -> dict[str, float]:
    """Return genes and their numbers given as GENE=NUMBER."""
    from dashjax.data import LARGEST_EXPRESSION
    from dashjax.io.tables import parse_number, short

    numbers: dict[str, float] = {}
    for text in texts:
        # The last sign, for names of genes may hold one.
        name, sign, number = text.rpartition("=")
        value = parse_number(number) if sign and number else None
        if value is None or not abs(value) <= LARGEST_EXPRESSION:
            raise InputError(f"expected {expected}, got '{short(text)}'", argument)
        if name in numbers:
            raise InputError(f"gene '{short(name)}' is perturbed twice", argument)
        numbers[name] = value
    return numbers


def describe_reach(table) -> str:
    """Say how many genes respond notably, and how the perturbation reaches them."""
    from dashjax.questions import RELATIONS, responders

    others = table[table["relation"] != "perturbed"]
    size = others["response"].abs()
    if not len(responders(table)):
        return "no other gene responds"
    strong = others[size >= 0.1 * size.max()]["relation"]
    reached = ", ".join(f"{(strong == relation).sum()} {relation}" for relation in RELATIONS[1:])
    return f"{len(strong)} genes respond by at least a tenth of the strongest response: {reached}"

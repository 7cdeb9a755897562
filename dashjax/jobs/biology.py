"""What a fitted model says about its genes: influence, pathways and perturbations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from dashjax.dynamics import AbstractField
from dashjax.errors import InputError, suggest
from dashjax.io import (
    CellOptions,
    Expression,
    load_model,
    make_folder,
    read_edges,
    read_expression,
    read_gene_sets,
    read_gene_values,
    write_edges,
)
from dashjax.io.names import name_hints
from dashjax.io.tables import parse_number, short
from dashjax.networks import (
    Influence,
    PathwayTest,
    gene_influence,
    has_influence,
    influence_table,
    network_matrix,
    pathway_table,
    pathway_test,
    perturb,
    random_starts,
    relative_effects,
    response_table,
    response_times,
)

#: Called with genes done, genes to do, and a few words.
OnGenes = Callable[[int, int, str], None]

#: Random states to start from, unless observed ones are given.
STARTS = 200
#: Size of the push that influence is measured by.
PUSH = 0.1
#: Genes between two progress reports.
GENES_PER_CALL = 16
#: Genes × sets tested in one call: memory stays below a hundred megabytes.
MEMBERSHIPS_PER_CALL = 2**24


@dataclass(frozen=True)
class FittedModel:
    """A model as `dashjax fit` left it.

    Attributes:
        field: the dynamics.
        genes: names in the arrays' order.
        network: signed weights (regulator, target) of the edges it stands for.
    """

    field: AbstractField
    genes: tuple[str, ...]
    network: np.ndarray


@dataclass(frozen=True)
class Starts:
    """Where simulated trajectories begin, and how long they last.

    Attributes:
        states: one per trajectory, (start, gene).
        times: increasing from 0.
        words: what they are, for the user.
    """

    states: jax.Array
    times: jax.Array
    words: str


def read_fit(model: Path, edges: Path | None = None) -> FittedModel:
    """Read a fitted model and its edges.

    Args:
        model: the folder that `dashjax fit` wrote, or a model.npz.
        edges: edge list of the network; if None the folder's edges.tsv, and for a model.npz its non-zero effects.
            Of edges with a posterior, the returned ones count.

    Raises:
        InputError: on files that cannot be read, or edges between genes that the model lacks.
    """
    field, genes = load_model(model / "model.npz" if model.is_dir() else model)
    path = model / "edges.tsv" if edges is None and model.is_dir() else edges
    if path is None:
        return FittedModel(field, genes, np.asarray(relative_effects(field)))
    table = read_edges(path)
    try:
        network = network_matrix(table[table["returned"]] if "returned" in table else table, genes)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    return FittedModel(field, genes, network)


def choose_starts(
    fitted: FittedModel,
    expression: Path | None,
    genes_file: Path | None,
    cells: CellOptions | None,
    count: int,
    horizon: float | None,
    seed: int,
) -> Starts:
    """Return the first states of observed trajectories and their usual span, or so many random states U(0, 1).

    Raises:
        InputError: on a file that cannot be read or lacks genes of the model, or a number out of range.
    """
    if count < 1:
        raise InputError(f"--starts: must be at least 1, got {count}")
    if horizon is not None and not 0 < horizon < np.inf:
        raise InputError(f"--horizon: must be a positive time, got {horizon:g}")
    if expression is None:
        if genes_file is not None or cells is not None:
            raise InputError("--genes, --layer, --time, --trajectory, --bins: describe --expression, which is missing")
        states = random_starts(jax.random.key(seed), count, len(fitted.genes))
        return Starts(states, response_times(fitted.field, horizon), f"{count} random starts")
    data = read_expression(expression, genes_file, cells)
    index = {gene: number for number, gene in enumerate(data.genes)}
    missing = [gene for gene in fitted.genes if gene not in index]
    if missing:
        hints = "".join(f"; {text}" for text in name_hints(missing, data.genes))
        raise InputError(
            f"{expression}: lacks {len(missing)} of the model's {len(fitted.genes)} genes, '{missing[0]}' first{hints}"
        )
    states = data.trajectories.expression[:, 0, np.array([index[gene] for gene in fitted.genes])]
    horizon = _median_span(data) if horizon is None else horizon
    return Starts(states, response_times(fitted.field, horizon), f"{len(states)} observed starts")


def _median_span(data: Expression) -> float:
    return float(np.median([times[-1] - times[0] for times in data.unpadded()[0]]))


def measure_influence(fitted: FittedModel, starts: Starts, push: float, on_genes: OnGenes) -> Influence:
    """Return the influence of all genes; those without any weight into the field are not simulated."""
    if not 0 < abs(push) < np.inf:
        raise InputError(f"--push: must be a number other than zero, got {push:g}")
    if len(fitted.genes) < 2:
        raise InputError("influence: a single gene has none to influence")
    acting = np.flatnonzero(np.asarray(has_influence(fitted.field)))
    measure = jax.jit(gene_influence)
    mean, error = np.zeros(len(fitted.genes)), np.zeros(len(fitted.genes))
    on_genes(0, len(acting), "")
    for begin in range(0, len(acting), GENES_PER_CALL):
        chosen = acting[begin : begin + GENES_PER_CALL]
        # Filled up to one length, so that one program serves.
        padded = np.resize(chosen, GENES_PER_CALL)
        piece = measure(fitted.field, starts.states, starts.times, jnp.asarray(padded), push)
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
    expression: Path | None = None,
    genes_file: Path | None = None,
    cells: CellOptions | None = None,
    starts: int = STARTS,
    push: float = PUSH,
    horizon: float | None = None,
    seed: int = 0,
    on_genes: OnGenes = lambda done, total, text: None,
) -> tuple[pd.DataFrame, list[str]]:
    """Measure the influence of every gene of a fitted model and write influence.tsv and its figure.

    Returns:
        The table, see `influence_table`, and lines that say what was measured.

    Raises:
        InputError: on anything wrong with the files or arguments, before anything is written.
    """
    from dashjax.report.biology import influence_figure

    fitted = read_fit(model, edges)
    begin = choose_starts(fitted, expression, genes_file, cells, starts, horizon, seed)
    table = influence_table(measure_influence(fitted, begin, push, on_genes), fitted.network, fitted.genes)
    make_folder(out)
    write_edges(out / "influence.tsv", table)
    _write_figure(out, "influence", influence_figure(table))
    return table, [
        f"{len(table):,} genes, {int((table['out_degree'] > 0).sum()):,} of them regulators; each pushed by {push:g} "
        f"from {begin.words} and followed to time {float(begin.times[-1]):.3g}",
        f"influence: {out / 'influence.tsv'}",
    ]


def pathways_files(
    model: Path,
    sets: Path,
    out: Path,
    influence: Path | None = None,
    permutations: int = 1000,
    min_size: int = 5,
    expression: Path | None = None,
    genes_file: Path | None = None,
    cells: CellOptions | None = None,
    starts: int = STARTS,
    push: float = PUSH,
    horizon: float | None = None,
    seed: int = 0,
    on_genes: OnGenes = lambda done, total, text: None,
) -> tuple[pd.DataFrame, list[str]]:
    """Test gene sets for more influence than permuted gene labels give them, and write pathways.tsv and its figure.

    Influence is measured first and written as `influence_files` does, unless an earlier influence.tsv is given.

    Returns:
        The table, see `pathway_table`, and lines that say what was tested.

    Raises:
        InputError: on anything wrong with the files or arguments, before anything is written.
    """
    from dashjax.report.biology import pathways_figure

    if permutations < 1:
        raise InputError(f"--permutations: must be at least 1, got {permutations}")
    if min_size < 1:
        raise InputError(f"--min-size: must be at least 1, got {min_size}")
    if influence is not None and expression is not None:
        raise InputError("--influence: was measured from starts of its own; leave out --expression")
    fitted = read_fit(model)
    members = read_members(sets, fitted.genes)
    places = [np.array(sorted(own), dtype=int) for own in members.values()]
    tested = np.flatnonzero([len(own) >= min_size for own in places])
    if not len(tested):
        raise InputError(
            f"{sets}: no gene set has {min_size} genes of the model, the largest has {max(map(len, places))}; "
            "--min-size lowers that"
        )
    if influence is None:
        begin = choose_starts(fitted, expression, genes_file, cells, starts, horizon, seed)
        measured = measure_influence(fitted, begin, push, on_genes)
        values = np.asarray(measured.mean)
    else:
        values = _known_influence(influence, fitted.genes)
    test = _test_sets(jax.random.key(seed), values, [places[number] for number in tested], permutations)
    table = pathway_table(test, tested, places, values, tuple(members), fitted.genes)
    make_folder(out)
    write_edges(out / "pathways.tsv", table)
    if influence is None:
        write_edges(out / "influence.tsv", influence_table(measured, fitted.network, fitted.genes))
    _write_figure(out, "pathways", pathways_figure(table))
    found = table[table["benjamini_hochberg"] < 0.05]
    least = len(tested) / (permutations + 1)
    lines = [
        f"{len(tested):,} gene sets tested against {permutations:,} permutations, {len(places) - len(tested):,} left "
        f"out with fewer than {min_size} genes of the model",
        f"{len(found):,} at a false discovery rate of 5 %, {(table['bonferroni'] < 0.05).sum():,} after Bonferroni",
    ]
    if least >= 0.05:
        lines.append(
            f"Bonferroni cannot go below {min(least, 1.0):.2g} here: {20 * len(tested):,} --permutations would allow "
            "5 %"
        )
    return table, [*lines, f"pathways: {out / 'pathways.tsv'}"]


def read_members(path: Path, genes: Sequence[str]) -> dict[str, set[int]]:
    """Read gene sets (GMT), each as the places of its genes among the model's; others are left out.

    Raises:
        InputError: on a file that cannot be read or shares no gene with the model.
    """
    network = read_gene_sets(path)
    index = {gene: number for number, gene in enumerate(genes)}
    members: dict[str, set[int]] = {name: set() for name in network.regulators}
    for name, gene in zip(network.regulators, network.targets, strict=True):
        if gene in index:
            members[name].add(index[gene])
    if not any(members.values()):
        unknown = list(dict.fromkeys(network.targets))
        hints = "".join(f"; {text}" for text in name_hints(unknown, genes))
        raise InputError(f"{path}: none of its {len(unknown):,} genes is in the model{hints}")
    return members


def _known_influence(path: Path, genes: Sequence[str]) -> np.ndarray:
    values = read_gene_values(path, "influence")
    missing = [gene for gene in genes if gene not in values]
    if missing:
        raise InputError(f"{path}: lacks {len(missing)} of the model's {len(genes)} genes, '{missing[0]}' first")
    return np.array([values[gene] for gene in genes])


def _test_sets(key, influence: np.ndarray, sets: Sequence[np.ndarray], permutations: int) -> PathwayTest:
    """Test sets given as places of genes, so many at once that their memberships fit into memory."""
    compiled = jax.jit(lambda members: pathway_test(key, jnp.asarray(influence, jnp.float32), members, permutations))
    at_once = max(1, MEMBERSHIPS_PER_CALL // len(influence))
    pieces = []
    for begin in range(0, len(sets), at_once):
        chosen = sets[begin : begin + at_once]
        members = np.zeros((len(chosen), len(influence)), bool)
        for row, places in zip(members, chosen, strict=True):
            row[places] = True
        pieces.append(compiled(members))
    return jax.tree.map(lambda *parts: np.concatenate(parts), *pieces)


def read_perturbation(
    genes: Sequence[str], knock_out: Sequence[str], over_express: Sequence[str]
) -> tuple[np.ndarray, str]:
    """Return the level each gene is held at, NaN for free ones, and the perturbation in words.

    Args:
        genes: of the model.
        knock_out: names of genes to hold at 0.
        over_express: names and levels, `GENE=LEVEL`.

    Raises:
        InputError: on unknown or repeated genes, levels that are no numbers, or nothing to perturb.
    """
    wanted = [("--knock-out", name, 0.0, f"{name} knocked out") for name in knock_out]
    for text in over_express:
        # The last sign, for names of genes may hold one.
        name, sign, number = text.rpartition("=")
        level = parse_number(number) if sign and number else None
        if level is None or not np.isfinite(level):
            raise InputError(f"--over-express: expected GENE=LEVEL, for example {genes[0]}=1.5, got '{short(text)}'")
        wanted.append(("--over-express", name, level, f"{name} held at {level:g}"))
    if not wanted:
        raise InputError("--knock-out, --over-express: name at least one gene to perturb")
    index = {gene: number for number, gene in enumerate(genes)}
    levels = np.full(len(genes), np.nan)
    for option, name, level, _ in wanted:
        if name not in index:
            raise InputError(f"{option}: the model has no gene '{short(name)}'{suggest(name, list(genes))}")
        if not np.isnan(levels[index[name]]):
            raise InputError(f"{option}: gene '{short(name)}' is perturbed twice")
        levels[index[name]] = level
    return levels, " and ".join(words for *_, words in wanted)


def perturb_files(
    model: Path,
    out: Path,
    knock_out: Sequence[str] = (),
    over_express: Sequence[str] = (),
    edges: Path | None = None,
    expression: Path | None = None,
    genes_file: Path | None = None,
    cells: CellOptions | None = None,
    starts: int = STARTS,
    horizon: float | None = None,
    seed: int = 0,
) -> tuple[pd.DataFrame, list[str]]:
    """Knock genes of a fitted model out or hold them at a level, and write response.tsv, trajectories.tsv and figures.

    Returns:
        The table, see `response_table`, and lines that say what was done.

    Raises:
        InputError: on anything wrong with the files or arguments, before anything is written.
    """
    from dashjax.report.biology import response_figure, trajectories_figure

    fitted = read_fit(model, edges)
    levels, words = read_perturbation(fitted.genes, knock_out, over_express)
    begin = choose_starts(fitted, expression, genes_file, cells, starts, horizon, seed)
    response = jax.jit(perturb)(fitted.field, begin.states, begin.times, jnp.asarray(levels, jnp.float32))
    if not np.isfinite(response.mean).all():
        raise InputError("perturb: the model does not stay finite; try a level nearer to the data's or a --horizon")
    table = response_table(response, fitted.network, ~np.isnan(levels), fitted.genes)
    paths = {name: np.asarray(getattr(response, name)).mean(axis=0) for name in ("unperturbed", "perturbed")}
    times = np.asarray(begin.times)
    trajectories = pd.DataFrame(
        {
            "gene": np.repeat(np.asarray(fitted.genes, dtype=object), len(times)),
            "time": np.tile(times, len(fitted.genes)),
            **{name: path.T.ravel() for name, path in paths.items()},
        }
    )
    make_folder(out)
    write_edges(out / "response.tsv", table)
    write_edges(out / "trajectories.tsv", trajectories)
    _write_figure(out, "response", response_figure(table, words))
    _write_figure(out, "trajectories", trajectories_figure(table, trajectories))
    others = table[table["relation"] != "perturbed"]
    strong = others[others["response"].abs() >= 0.1 * others["response"].abs().max()]
    reached = ", ".join(
        f"{(strong['relation'] == relation).sum()} {relation}" for relation in ("direct", "downstream", "unconnected")
    )
    return table, [
        f"{words}, from {begin.words}, followed to time {times[-1]:.3g}",
        f"{len(strong)} genes respond by at least a tenth of the strongest response: {reached}",
        f"responses: {out / 'response.tsv'}, {out / 'trajectories.tsv'}",
    ]


def _write_figure(out: Path, name: str, figure) -> None:
    from dashjax.report.write import to_png

    (out / "figures").mkdir(exist_ok=True)
    (out / "figures" / f"{name}.png").write_bytes(to_png(figure))
